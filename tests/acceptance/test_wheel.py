"""The wheel as somebody installs it: in an environment of its own, without Node.js, it serves the page it carries."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ems.loopback import free_ports
from tests.acceptance.conftest import Program, watched
from tests.in_ci import load

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow
CONFIGURATION = """\
state_directory = "var"
[console]
port = {0}
[watchdog]
enabled = false
[[sessions]]
name = "OMS"
role = "client"
kind = "acceptor"
sender_comp_id = "EMS"
target_comp_id = "OMS"
port = {1}
[[sessions]]
name = "VENUE"
role = "venue"
kind = "initiator"
sender_comp_id = "EMS"
target_comp_id = "VENUE"
port = {1}
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built of the tracked files and the page alone, as a release is."""
    bundles = load("console_bundle")
    try:
        bundles.ensure(ROOT)
    except bundles.NodeMissing as why:
        pytest.skip(str(why))
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    copy = tmp_path_factory.mktemp("release")
    for name in filter(None, listing.stdout.split("\0")):
        if not name.startswith("tests/") and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    shutil.copytree(bundles.bundle(ROOT), bundles.bundle(copy))
    code = "import sys; sys.path.insert(0, '.ci'); import build_backend; print(build_backend.build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return copy / done.stdout.split()[-1]


class Installed(Program):
    """The wheel in an environment that has our dependencies, and neither this checkout nor Node.js."""

    def __init__(self, home: Path, wheel: Path) -> None:
        super().__init__(home)
        self.python = home / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", home / "venv"], check=True)
        inside = next((home / "venv").glob("lib/python*/site-packages"))
        (inside / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", self.python, "install", "--quiet", "--no-deps", "--no-index",
             "--disable-pip-version-check", wheel],
            check=True,
        )  # fmt: skip
        del self.environment["PYTHONPATH"]
        self.environment["PATH"] = str(self.python.parent)

    def command(self, *words: str) -> list[str]:
        return [str(self.python), "-P", "-m", "ems", *words]


@pytest.fixture
def installed(wheel: Path, tmp_path: Path) -> Iterator[Installed]:
    with watched(Installed(tmp_path, wheel)) as program:
        yield program


def fetched(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.status, dict(answer.headers), answer.read()


def test_it_serves_the_page_that_it_carries(installed: Installed) -> None:
    where = installed.run("--help").returncode, subprocess.run(
        [installed.python, "-P", "-c", "import ems; print(ems.__file__)"], env=installed.environment, cwd=installed.home,
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert where[0] == 0 and str(installed.home) in where[1]
    port, fix_port = free_ports(2)
    (installed.home / "ems.toml").write_text(CONFIGURATION.format(port, fix_port))
    up = installed.start("up")
    assert up.stdout is not None
    try:
        said = []
        while "console: http" not in "".join(said):
            said.append(up.stdout.readline())
            assert said[-1], "".join(said)
        status, _, page = fetched(f"http://127.0.0.1:{port}/")
        assert status == 200
        scripts = re.findall(r'src="(/assets/[\w.-]+-[\w-]{6,}\.js)"', page.decode())
        assert scripts
        status, headers, code = fetched(f"http://127.0.0.1:{port}{scripts[0]}")
        assert status == 200 and "immutable" in headers["cache-control"] and len(code) > 10_000
        _, headers, packed = fetched(f"http://127.0.0.1:{port}{scripts[0]}", **{"Accept-Encoding": "gzip"})
        assert headers["content-encoding"] == "gzip" and len(packed) < len(code) / 2
    finally:
        up.terminate()
        up.stdout.read()
        up.wait(60)
        up.stdout.close()
