"""The start of day through the command line, with a real embedded Postgres: a LIVE desk opens with its files or not at all."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ems.loopback import free_ports
from tests.acceptance.conftest import Program

pytestmark = pytest.mark.slow

LIVE = """\
mode = "LIVE"
state_directory = "var"

[[sessions]]
name = "OMS1"
role = "client"
kind = "acceptor"
environment = "LIVE"
sender_comp_id = "EMS"
target_comp_id = "OMS1"
port = {0}

[[sessions]]
name = "VENUE"
role = "venue"
kind = "initiator"
environment = "LIVE"
sender_comp_id = "EMS"
target_comp_id = "VENUE"
port = {1}

[console]
enabled = false
"""


def loaded(program: Program, *words: str) -> tuple[int, dict[str, Any]]:
    done = program.run("load", "day", *words, "--json")
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


def start(program: Program) -> subprocess.Popen[str]:
    up = program.start("up")
    assert up.stdout is not None
    seen = []
    for line in up.stdout:
        seen.append(line)
        if "LIVE desk is up" in line:
            return up
    raise AssertionError(f"ems up ended: {''.join(seen)}")


def stop(up: subprocess.Popen[str]) -> None:
    assert up.stdout is not None
    up.send_signal(signal.SIGINT)
    up.stdout.read()
    assert up.wait(60) == 0
    up.stdout.close()


def desk_day(program: Program) -> str:
    """The folder that the desk works with, by its own word."""
    return str(json.loads(program.run("health", "--json").stdout)["desk"]["day"])


def change_positions(folder: Path, old: str, new: str) -> None:
    path = folder / "positions.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_live_day(program: Program) -> None:
    (program.home / "ems.toml").write_text(LIVE.format(*free_ports(2)))
    refused = program.run("up")
    assert refused.returncode == 2
    assert "ems: a LIVE desk does not start without its day: nothing is loaded for 20" in refused.stderr

    assert program.run("load", "sample", "day").returncode == 0
    change_positions(program.home / "day", "HOUSE,AMZN,1000", "HOUSE,AMZN,1x")
    code, told = loaded(program)
    assert (code, told["outcome"]) == (2, "refused")
    assert "positions.csv is not the file of the manifest" in told["problems"][0]["what"]
    change_positions(program.home / "day", "HOUSE,AMZN,1x", "HOUSE,AMZN,1000")
    code, told = loaded(program, "--person", "jane")
    assert (code, told["outcome"], told["version"]) == (0, "loaded", 1)
    code, told = loaded(program)
    assert (code, told["outcome"], told["version"]) == (0, "unchanged", 1)

    up = start(program)
    try:
        days = program.home / "var" / "reference"
        assert (days / f"{told['trade_date']}.1" / "positions.csv").read_bytes() == (
            program.home / "day" / "positions.csv"
        ).read_bytes()
        change_positions(program.home / "day", "HOUSE,AMZN,1000", "HOUSE,AMZN,2000")
        assert program.run("load", "day", "--manifest").returncode == 0
        code, refusal = loaded(program)
        assert code == 2 and refusal["problems"][0]["todo"] == "if that is meant, give --amend with --reason and --person"
        code, amended = loaded(program, "--amend", "--reason", "a late trade", "--person", "john")
        assert (code, amended["outcome"], amended["version"]) == (0, "amended", 2)
        while (taken := desk_day(program)) != f"{told['trade_date']}.2":  # the desk that runs takes it
            assert taken == f"{told['trade_date']}.1"
    finally:
        stop(up)

    up = start(program)
    stop(up)
    assert (days / f"{told['trade_date']}.2" / "positions.csv").read_text().count("HOUSE,AMZN,2000") == 1
    state = json.loads(program.run("replay", "--json").stdout)
    assert state["parents"] == [] and state["seq"] >= 2
