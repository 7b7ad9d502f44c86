"""What a fresh machine sees: one sentence and exit 2 for what is missing, nothing at all when set-up is done."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The files that set-up reads, without an environment."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in ("pyproject.toml", "constraints.txt", "Makefile"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def setup(clone: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["bash", ".ci/setup.sh"]
    return subprocess.run(command, cwd=clone, env=os.environ | environment, capture_output=True, text=True, check=False)


def only_programs(folder: Path, *names: str) -> str:
    """A PATH with these programs alone."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(str(shutil.which(name)))
    return str(folder)


def assert_one_sentence(done: subprocess.CompletedProcess[str], about: str) -> None:
    assert done.returncode == 2
    assert re.fullmatch(rf"setup: [^\n]*{about}[^\n]*\.\n", done.stderr)


def test_no_python(clone: Path) -> None:
    path = only_programs(clone / "bin", "bash", "cat", "cksum", "dirname", "grep", "tr")
    assert_one_sentence(setup(clone, PATH=path, PYTHON=""), "Python 3.11 or newer is missing")


def test_an_interpreter_that_is_none(clone: Path) -> None:
    assert_one_sentence(setup(clone, PYTHON="/bin/false"), "is not Python 3.11 or newer")


def test_no_compiler(clone: Path) -> None:
    assert_one_sentence(setup(clone, PYTHON=sys.executable, CXX="/bin/false"), "a C\\+\\+17 compiler is missing")


def test_make_fails_with_it(clone: Path) -> None:
    command = ["make", "demo", "PYTHON=/bin/false"]
    done = subprocess.run(command, cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "setup: " in done.stderr


def test_once_done_it_is_silent_until_a_pin_changes(clone: Path) -> None:
    binary = clone / ".venv" / "bin"
    binary.mkdir(parents=True)
    (binary / "python").symlink_to(sys.executable)
    names = ("pyproject.toml", "constraints.txt", ".ci/setup.sh")
    digest = subprocess.run(
        ["cksum"], input=b"".join((clone / name).read_bytes() for name in names), capture_output=True, check=True
    )
    (clone / ".venv" / f"setup-{digest.stdout.decode().replace(' ', '').strip()}").touch()
    done = setup(clone)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (clone / "constraints.txt").write_text("quickfix==0.0.0\n")
    (binary / "python").unlink()
    again = setup(clone, PYTHON="/bin/false")
    assert again.returncode == 2
    assert again.stdout.startswith("setting up")


def test_every_direct_dependency_is_pinned() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    asked = set(re.findall(r'^    "([A-Za-z0-9_-]+)(?:\[\w+\])?[<>=]=', project, re.MULTILINE))
    pinned = set(re.findall(r"^([a-z0-9_.-]+)==\S+$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    assert len(asked) > 20
    assert {name.replace("_", "-").lower() for name in asked} <= {name.replace("_", "-") for name in pinned}
