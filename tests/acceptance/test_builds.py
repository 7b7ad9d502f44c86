"""Knight's first mistake: a stale build on one of two desks. It does not open; an approved rolling upgrade does, and so does
an upgrade of the only desk.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ems.bootstrap.runtime import Runtime
from ems.health import ask_socket
from ems.loopback import free_ports
from tests.acceptance.conftest import ROOT, Program, watched

pytestmark = pytest.mark.slow
SECRETS = {"jane": "jane has a secret", "omar": "omar has another"}


def configure(program: Program) -> None:
    assert program.run("init").returncode == 0
    path = program.home / "ems.toml"
    text = path.read_text()
    for old, new in zip((9876, 9880, 8410), free_ports(3), strict=True):
        text = text.replace(f"port = {old}", f"port = {new}")
    path.write_text(text.replace('["DEMO", "AMZN"]', '["DEMO"]').replace("[console]", "[console]\nenabled = false"))


def other_build(program: Program) -> Program:
    """The same program, installed beside it with another version of one file."""
    copy = program.home / "stale"
    for package in ("domain", "adapters", "models", "ems"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    shutil.copytree(ROOT / "migrations", copy / "migrations")
    with (copy / "ems" / "pace.py").open("a") as file:
        file.write("\n# as it was before the upgrade\n")
    other = Program(program.home)
    other.environment |= {"PYTHONPATH": str(copy)}
    other.mark = program.mark
    return other


def installed(program: Program) -> str:
    told: dict[str, Any] = json.loads(program.run("build", "show", "--json").stdout)
    return str(told["installed"])


@contextmanager
def up(program: Program) -> Iterator[None]:
    process = program.start("up")
    assert process.stdout is not None
    try:
        seen = []
        while "is up" not in (line := process.stdout.readline()):
            seen.append(line)
            assert line, "".join(seen)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def second_desk(program: Program) -> Path:
    """The runtime of another host's desk on the same log: a state directory of its own."""
    runtime = Runtime.load(program.home / "var" / "ems" / "runtime.json")
    settings = runtime.settings.model_copy(update={"state_directory": program.home / "second"})
    settings.state_directory.mkdir(exist_ok=True)
    return runtime.model_copy(update={"settings": settings}).save()


def stands_by(file: Path) -> bool:
    told = asyncio.run(ask_socket(Runtime.load(file).socket("desk"), {}))
    return told is not None and told["state"] == "standing by"


def approve(program: Program, person: str, digest: str) -> dict[str, Any]:
    secret = program.home / f"{person}.secret"
    secret.write_text(SECRETS[person])
    assert program.run("kill", "enroll", "--person", person, "--secret-file", str(secret)).returncode == 0
    words = ("--person", person, "--reason", "rolling upgrade", "--secret-file", str(secret), "--json")
    done = program.run("build", "approve", digest, *words)
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(json.loads(done.stdout))


def test_a_stale_build_on_one_of_two_desks_does_not_open_and_an_approved_upgrade_does(tmp_path: Path) -> None:
    with watched(Program(tmp_path)) as program:
        configure(program)
        stale = other_build(program)
        with up(program):
            ours, theirs = installed(program), installed(stale)
            assert ours != theirs
            file = second_desk(program)
            refused = stale.run("_desk", "--runtime", str(file))
            assert refused.returncode == 2
            assert f"this is build {theirs}, and desk/" in refused.stderr + refused.stdout
            assert f"is build {ours}: builds are mixed only when two people" in refused.stderr + refused.stdout
            shown = json.loads(program.run("build", "show", "--json").stdout)
            assert shown["up"] == {"gateway": ours, "desk": ours}
            assert approve(program, "jane", theirs)["mixable"] is False
            assert approve(program, "omar", theirs)["mixable"] is True
            second = stale.start("_desk", "--runtime", str(file))
            try:
                wait_for(second, file)
            finally:
                second.send_signal(signal.SIGTERM)
                second.communicate(timeout=30)


def wait_for(process: subprocess.Popen[str], file: Path) -> None:
    """Until it stands by; it may take as long as a process takes to start."""
    while not stands_by(file):
        assert process.poll() is None, process.stdout.read() if process.stdout is not None else ""


def test_an_upgrade_of_the_only_desk_asks_nobody(tmp_path: Path) -> None:
    with watched(Program(tmp_path)) as program:
        configure(program)
        with up(program):
            before = json.loads(program.run("build", "show", "--json").stdout)
        upgraded = other_build(program)
        with up(upgraded):
            after = json.loads(upgraded.run("build", "show", "--json").stdout)
        assert set(before["up"].values()) == {before["installed"]} != set(after["up"].values())
        assert set(after["up"].values()) == {after["installed"]}
        assert after["mixable"] == []
