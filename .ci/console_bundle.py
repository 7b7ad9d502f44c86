"""Makes the console's bundle, ems/api/_console, of its sources in ems/console: npm ci, vite build, .gz files, licences.

The bundle is git-ignored and never loaded at run time from elsewhere: whoever sets the project up makes it, and every wheel
carries it. A stamp in it says of which sources it was made, so that it is made once. As a program: makes it where node and npm
are there, says one sentence and goes on where they are not.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
NODE: Final = {20: 19, 22: 12}  # of each major version the first minor one that Vite runs on; from the last on: any
COMPRESSED: Final = {".css", ".js", ".json", ".map", ".svg", ".txt"}
NOT_SOURCES: Final = {"node_modules", "dist", "coverage"}
LICENCES: Final = "third-party-licences.txt"
STAMP: Final = ".sources"
LOG: Final = "console-build.log"


class NodeMissing(Exception):
    """The bundle cannot be made here: the sentence says what to install."""


class BundleFailed(Exception):
    """The bundle was not made, or not whole."""


def source(root: Path) -> Path:
    """Where the console's TypeScript is."""
    return root / "ems" / "console"


def bundle(root: Path) -> Path:
    """Where the api looks for what browsers load."""
    return root / "ems" / "api" / "_console"


def checksum(root: Path) -> str:
    """SHA-256 over the names and bytes of all sources."""
    digest = hashlib.sha256()
    for path in sorted(_sources(source(root))):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_dir() and path.name not in NOT_SOURCES:
            yield from _sources(path)
        elif path.is_file():
            yield path


def is_current(root: Path) -> bool:
    """Whether there is a bundle, made of the sources as they are. Without sources, whether there is one."""
    made = bundle(root)
    if not (made / "index.html").is_file():
        return False
    if not (source(root) / "package.json").is_file():
        return True
    stamp = made / STAMP
    return stamp.is_file() and stamp.read_text() == checksum(root)


def ensure(root: Path = ROOT) -> bool:
    """Make the bundle unless it is there; whether it was made.

    Raises:
        NodeMissing: it must be made, and Node.js or npm is not there.
        BundleFailed: npm or Vite failed, there is nothing to make it of, or no index.html came of it.
    """
    if is_current(root):
        return False
    if not (source(root) / "package.json").is_file():
        raise BundleFailed("there is neither a console bundle (ems/api/_console) nor its source (ems/console)")
    npm = _npm()
    (root / "var").mkdir(exist_ok=True)
    with (root / "var" / LOG).open("wb") as log:
        _install(root, log, npm)
        fresh = bundle(root).with_name("_console.new")
        _run(root, log, npm, "run", "build", "--", "--outDir", str(fresh), "--emptyOutDir")
    if not (fresh / "index.html").is_file():
        raise BundleFailed("Vite ended well, but wrote no index.html")
    (fresh / LICENCES).write_text(licences(source(root)), "utf-8")
    for path in [path for path in fresh.rglob("*") if path.suffix in COMPRESSED]:
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    (fresh / STAMP).write_text(checksum(root))
    shutil.rmtree(bundle(root), ignore_errors=True)
    fresh.rename(bundle(root))
    return True


def _npm() -> str:
    """The npm to call. Raises NodeMissing."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise NodeMissing(
            "Node.js and npm are missing, which the console's page is built with: install them "
            "(Debian: apt-get install nodejs npm; macOS: brew install node) and set up again."
        )
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    if not recent_enough(said):
        raise NodeMissing(f"Node.js {said or 'that answers'} is too old for the console's page: install 20.19, 22.12 or newer.")
    return npm


def recent_enough(version: str) -> bool:
    """Whether Vite runs on a Node.js of this version, such as v20.20.2."""
    found = re.fullmatch(r"v(\d+)\.(\d+)\..*", version)
    if found is None:
        return False
    major, minor = int(found[1]), int(found[2])
    return major > max(NODE) or (major in NODE and minor >= NODE[major])


def _install(root: Path, log: Any, npm: str) -> None:
    """npm ci, unless what it would install is there."""
    lock, stamp = source(root) / "package-lock.json", source(root) / "node_modules" / STAMP
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        _run(root, log, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
        stamp.write_text(wanted)


def _run(root: Path, log: Any, *command: str) -> None:
    done = subprocess.run(
        command, cwd=source(root), env=os.environ | {"NO_COLOR": "1"}, stdin=subprocess.DEVNULL, stdout=log,
        stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode:
        end = (root / "var" / LOG).read_text("utf-8", "replace").splitlines()[-15:]
        raise BundleFailed("\n".join([*end, f"npm {command[1]} failed: the lines above are the end of var/{LOG}."]))


def licences(folder: Path) -> str:
    """The name, version and licence text of every package whose code may be in the bundle.

    Raises:
        BundleFailed: a package without a licence.
    """
    lock = json.loads((folder / "package-lock.json").read_text("utf-8"))
    parts = ["What the console's page contains beside our own code, and under which terms.\n"]
    for place, entry in sorted(lock["packages"].items()):
        if place and not entry.get("dev"):
            name = place.rpartition("node_modules/")[2]
            text = _licence(folder / place)
            if text is None and "license" not in entry:
                raise BundleFailed(f"{name} {entry['version']} is in the bundle and names no licence")
            parts.append(
                f"{'-' * 72}\n{name} {entry['version']} ({entry.get('license', 'see below')})\n\n{text or ''}".rstrip() + "\n"
            )
    return "\n".join(parts)


def _licence(folder: Path) -> str | None:
    found = sorted(path for path in folder.glob("*") if re.match(r"(licen[cs]e|notice|copying)", path.name, re.IGNORECASE))
    return "\n".join(path.read_text("utf-8", "replace").strip() + "\n" for path in found if path.is_file()) or None


def main(root: Path = ROOT, say: Callable[[str], None] = print) -> int:
    """For set-up: 0 also where there is no Node.js, since all but the page works without."""
    if not source(root).is_dir():
        return 0
    try:
        began_s = time.monotonic()
        if ensure(root):
            say(f"  building the console's page: {time.monotonic() - began_s:.0f} s")
    except NodeMissing as why:
        say(f"  without the console's page (everything else works): {why}")
    except BundleFailed as why:
        sys.stderr.write(f"{why}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
