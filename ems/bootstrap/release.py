"""What goes out: what it is made of (CycloneDX), and one signature over all of it.

A release is a directory: the wheel, its bill of materials, the list of pinned versions. `release.json` names each file with its
SHA-256 and size, the version and the digest of the source; `release.sig` is an Ed25519 signature of that file's bytes.
"""

from __future__ import annotations

import hashlib
import json
import re
import uuid
from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

from adapters.signing.ed25519 import KeySigner, KeyVerifier, write_public
from domain.errors import ConfigError, SealError
from ems.bootstrap.build import build_digest

OURS: Final = "ems"
MANIFEST: Final = "release.json"
SIGNATURE: Final = "release.sig"
CONTEXT: Final = b"ems-release-1\n"  # so that a signature of something else by the same key is none of a release
_NAME: Final = re.compile(r"[-_.]+")


# ---------------------------------------------------------------------------------------------- bill of materials


def bill(installed: Iterable[Distribution] | None = None) -> dict[str, Any]:
    """A CycloneDX 1.6 bill of this environment: every distribution that ours needs, as it is installed, and who needs whom.

    The same environment has the same bill to the byte: it bears no time, and its serial number follows from what is in it.

    Raises:
        ConfigError: ours is not installed, or a distribution that it needs.
    """
    here = {_plain(each.metadata["Name"]): each for each in (distributions() if installed is None else installed)}
    if OURS not in here:
        raise ConfigError("this environment has no installed ems: there is nothing to make a bill of")
    needs: dict[str, list[str]] = {}
    todo = [OURS]
    while todo:
        name = todo.pop()
        if name not in needs:
            needs[name] = sorted(_needed(here[name], here))
            todo += needs[name]
    parts = {name: _component(name, here[name], "application" if name == OURS else "library") for name in needs}
    content = json.dumps(parts, sort_keys=True)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}",
        "version": 1,
        "metadata": {"component": {**parts.pop(OURS), "properties": [{"name": "ems:build", "value": build_digest()}]}},
        "components": [parts[name] for name in sorted(parts)],
        "dependencies": [
            {"ref": _ref(name, here[name]), "dependsOn": [_ref(each, here[each]) for each in needs[name]]}
            for name in sorted(needs)
        ],
    }


def text_of_bill() -> str:
    """The bill as it is written to a file. Raises ConfigError."""
    return json.dumps(bill(), indent=1) + "\n"


def _needed(one: Distribution, here: dict[str, Distribution]) -> set[str]:
    """What a distribution requires here: without its extras, and by the markers of this machine."""
    from packaging.requirements import Requirement

    wanted = [Requirement(text) for text in one.requires or ()]
    names = {_plain(each.name) for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})}
    if missing := sorted(names - set(here)):
        raise ConfigError(f"{one.metadata['Name']} needs {missing[0]}, which is not installed")
    return names


def _component(name: str, one: Distribution, kind: str) -> dict[str, Any]:
    part: dict[str, Any] = {"type": kind, "bom-ref": _ref(name, one), "name": name, "version": one.version}
    part["purl"] = _ref(name, one)
    if "License-Expression" in one.metadata:
        part["licenses"] = [{"expression": one.metadata["License-Expression"]}]
    elif found := [
        text.rpartition(" :: ")[2] for text in one.metadata.get_all("Classifier") or () if text.startswith("License ::")
    ]:
        part["licenses"] = [{"license": {"name": each}} for each in sorted(set(found))]
    return part


def _plain(name: str) -> str:
    return _NAME.sub("-", name).lower()


def _ref(name: str, one: Distribution) -> str:
    return f"pkg:pypi/{name}@{one.version}"


# ---------------------------------------------------------------------------------------------- signing


def sign(directory: Path, key: Path, files: Iterable[Path]) -> dict[str, Any]:
    """Write release.json and release.sig beside the files, and the public key as release.pub. Returns what was signed.

    Raises:
        ConfigError: no file, one that lies elsewhere, or no wheel among them.
        SealError: the key is missing, or others may read it.
    """
    names = sorted({path.resolve() for path in files})
    if astray := [path for path in names if path.parent != directory.resolve() or not path.is_file()]:
        raise ConfigError(f"{astray[0]} is no file of {directory}")
    wheels = [path for path in names if path.suffix == ".whl"]
    if len(wheels) != 1:
        raise ConfigError(f"a release has one wheel, {directory} has {len(wheels)}")
    signer = KeySigner.of_file(key)
    told = {
        "format": "ems-release-1",
        "version": wheels[0].name.split("-")[1],
        "build": build_digest(),
        "files": {path.name: {"sha256": _sha256(path), "size": path.stat().st_size} for path in names},
        "key_sha256": hashlib.sha256(signer.public_key).hexdigest(),
    }
    content = (json.dumps(told, indent=1, sort_keys=True) + "\n").encode()
    (directory / MANIFEST).write_bytes(content)
    (directory / SIGNATURE).write_text(signer.sign(CONTEXT + content).hex() + "\n", "ascii")
    write_public(directory / "release.pub", signer.public_key)
    return told


def verify(directory: Path, key: Path) -> dict[str, Any]:
    """What was signed, where every file of it is as it was.

    Args:
        key: the public key as it was given to you before; never the one that came with the release.

    Raises:
        SealError: not signed by this key, or a file is changed, missing, or not named by what was signed.
    """
    try:
        content, signature = (directory / MANIFEST).read_bytes(), bytes.fromhex((directory / SIGNATURE).read_text("ascii"))
    except (OSError, ValueError) as cause:
        raise SealError(f"{directory} is no signed release: {cause}") from cause
    if not KeyVerifier.of_file(key).verifies(CONTEXT + content, signature):
        raise SealError(f"{directory / MANIFEST} is not signed by the key in {key}")
    told: dict[str, Any] = json.loads(content)
    for name, file in told["files"].items():
        path = directory / name
        if not path.is_file() or path.stat().st_size != file["size"] or _sha256(path) != file["sha256"]:
            raise SealError(f"{path} is not what was signed")
    own = {MANIFEST, SIGNATURE, "release.pub"}
    if more := sorted(path.name for path in directory.iterdir() if path.name not in own | set(told["files"])):
        raise SealError(f"{directory / more[0]} was not signed")
    return told


def make_key(path: Path) -> str:
    """A new key in a file of its owner's alone, and its public half beside it as .pub; that half's digits. Raises SealError."""
    public_key = KeySigner.made(path).public_key
    write_public(path.with_name(path.name + ".pub"), public_key)
    return public_key.hex()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
