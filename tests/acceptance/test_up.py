"""`ems up` from the file that `ems init` writes: sessions, orders by hand, health, replay, a clean end and a second start."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from ems.loopback import free_ports
from tests import warm
from tests.acceptance.conftest import Program, watched
from tests.conftest import Database

pytestmark = pytest.mark.slow


def configure(program: Program) -> None:
    """The template on free ports, trading what trades around the clock."""
    assert program.run("init").returncode == 0
    path = program.home / "ems.toml"
    text = path.read_text()
    for old, new in zip((9876, 9880, 8410), free_ports(3), strict=True):
        text = text.replace(f"port = {old}", f"port = {new}")
    path.write_text(text.replace('["DEMO", "AMZN"]', '["DEMO"]'))


def start(program: Program) -> subprocess.Popen[str]:
    up = program.start("up")
    assert up.stdout is not None
    seen = []
    for line in up.stdout:
        seen.append(line)
        if "console: http" in line:
            return up
    raise AssertionError(f"ems up ended: {''.join(seen)}")


def stop(up: subprocess.Popen[str]) -> None:
    """Every process ends well, not the supervisor alone."""
    assert up.stdout is not None
    up.send_signal(signal.SIGINT)
    stopped = re.findall(r"stopped +child=(\w+) status=(-?\d+)", up.stdout.read())
    assert up.wait(60) == 0
    up.stdout.close()
    assert {"venue", "gateway", "desk", "api"} <= dict(stopped).keys()
    assert set(dict(stopped).values()) == {"0"}


class Running(Program):
    """A system that is up; a test that takes it down brings it up again."""

    up: subprocess.Popen[str]

    @contextmanager
    def down(self) -> Iterator[None]:
        stop(self.up)
        try:
            yield
        finally:
            self.up = start(self)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One system for all tests that leave it as they found it: up, and without working orders."""
    with watched(Running(tmp_path_factory.mktemp("up"))) as program:
        configure(program)
        program.up = start(program)
        yield program
        stop(program.up)


def oms(program: Program, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = program.run("oms", *words, "--json")
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def replayed(program: Program, *words: str) -> Any:
    return json.loads(program.run("replay", *words, "--json").stdout)


def health(program: Program) -> tuple[int, dict[str, Any]]:
    done = program.run("health", "--json")
    return done.returncode, json.loads(done.stdout)


def test_orders_by_hand(running: Running) -> None:
    code, reports = oms(running, "send", "--symbol", "DEMO", "--qty", "200", "--algo", "twap", "--minutes", "0.1", "--wait")
    assert code == 0
    assert reports[0]["exec_type"] == "new" and reports[-1]["filled"] == "200" and reports[-1]["leaves"] == "0"
    code, reports = oms(running, "send", "--symbol", "DEMO", "--qty", "5000", "--minutes", "30", "--cl-ord-id", "LONG")
    assert (code, reports[0]["exec_type"]) == (0, "new")
    code, reports = oms(running, "replace", "LONG", "--symbol", "DEMO", "--qty", "6000", "--minutes", "30")
    assert code == 0
    assert reports[-1]["exec_type"] in ("pending replace", "replaced")
    code, reports = oms(running, "cancel", reports[-1]["cl_ord_id"], "--wait")
    assert (code, reports[-1]["exec_type"]) == (0, "canceled")
    code, found = health(running)
    assert code == 0 and found["up"]
    assert found["desk"]["working"] == 0 and found["gateway"]["live_orders"] == 0


BAD = {
    "an unknown symbol": (["--symbol", "NONE", "--qty", "100"], "NONE"),
    "a zero quantity": (["--symbol", "DEMO", "--qty", "0"], "quantity must be positive"),
    "a limit off tick": (["--symbol", "DEMO", "--qty", "100", "--limit", "100.005"], "off the tick"),
    "an unknown algorithm": (["--symbol", "DEMO", "--qty", "100", "--algo", "9999"], "9999"),
    "an unknown parameter": (["--symbol", "DEMO", "--qty", "100", "--param", "Speed=fast"], "Speed"),
    "a parameter that is missing": (["--symbol", "DEMO", "--qty", "100", "--algo", "pov"], "ParticipationRate"),
}


def test_bad_orders_get_a_plain_answer_and_an_event(running: Running) -> None:
    before = replayed(running)
    for what, (words, told) in BAD.items():
        code, reports = oms(running, "send", *words)
        assert code == 1, what
        assert reports[-1]["exec_type"] == "rejected" and told in reports[-1]["text"], what
    for expected in ("new", "rejected"):  # the second one is a duplicate
        _, reports = oms(running, "send", "--symbol", "DEMO", "--qty", "100", "--limit", "50", "--cl-ord-id", "TWICE")
        assert reports[0]["exec_type"] == expected
    assert "used before" in reports[0]["text"]
    after = replayed(running)
    assert after["rejected"] - before["rejected"] == len(BAD), "the duplicate belongs to the order that it repeats"
    new = after["parents"][len(before["parents"]) :]
    assert [parent["cl_ord_id"] for parent in new] == ["TWICE"]
    assert oms(running, "cancel", "TWICE", "--wait")[0] == 0


def test_health_says_what_is_down_and_what_comes_back(running: Running) -> None:
    _, found = health(running)
    pid = found["desk"]["pid"]
    psutil.Process(pid).suspend()
    try:
        code, found = health(running)
        assert code == 1 and not found["desk"]["up"] and found["gateway"]["up"] and found["database"]["up"]
    finally:
        psutil.Process(pid).resume()
    code, found = health(running)
    assert code == 0 and found["desk"]["pid"] == pid
    assert (found["desk"]["quarantined_fills"], found["desk"]["unreadable_messages"]) == (0, 0)
    assert "ATTENTION" not in running.run("health").stdout


def a_small_order(program: Program) -> None:
    code, reports = oms(program, "send", "--symbol", "DEMO", "--qty", "100", "--algo", "twap", "--minutes", "0.1", "--wait")
    assert code == 0 and reports[-1]["filled"] == "100"


def test_a_second_start_goes_on_where_the_first_ended(running: Running) -> None:
    a_small_order(running)
    second = running.run("up")
    assert second.returncode == 2
    assert "in use by another supervisor" in second.stderr and second.stderr.count("\n") == 1
    with running.down():
        assert running.left_over() == []
        before = replayed(running)
        live_is_refused(running)
        assert replayed(running)["digest"] == before["digest"]
    a_small_order(running)
    after = replayed(running)
    assert after["seq"] > before["seq"] and len(after["parents"]) == len(before["parents"]) + 1
    assert replayed(running, "--to", str(before["seq"]))["digest"] == before["digest"]


def live_is_refused(program: Program) -> None:
    """A LIVE configuration on the database of a PAPER one."""
    text = (program.home / "ems.toml").read_text()
    live = text.replace('mode = "PAPER"', 'mode = "LIVE"').replace("heart_bt_int_s = 30", 'environment = "LIVE"')
    live = live.replace('target_comp_id = "SIM"', 'target_comp_id = "SIM"\nenvironment = "LIVE"')
    start_venue = live.index("[venue]")
    (program.home / "live.toml").write_text(live[:start_venue] + live[live.index("[pace]") :])
    refused = program.run("up", "--config", "live.toml")
    assert refused.returncode == 2
    assert refused.stderr.splitlines()[-1] == "ems: the database belongs to PAPER, but the configuration says mode LIVE"
    assert program.left_over() == []


def test_on_a_database_of_ones_own_no_server_is_started(program: Program, database: Database) -> None:
    configure(program)
    program.environment |= {"EMS_DATABASE_URL": database.app_dsn, "EMS_DATABASE_OWNER_URL": database.owner_dsn}
    up = start(program)
    a_small_order(program)
    assert not (program.home / "var" / "ems" / "postgres").exists()
    stop(up)
    state = replayed(program)
    assert [parent["status"] for parent in state["parents"]] == ["filled"]


def test_an_oms_that_finds_nobody_says_so(program: Program) -> None:
    configure(program)
    done = program.run("oms", "send", "--symbol", "DEMO", "--qty", "100", "--within", "1")
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("ems: no logon with") and done.stderr.count("\n") == 1


def test_health_before_any_start_says_so(program: Program) -> None:
    configure(program)
    done = program.run("health")
    assert done.returncode == 2
    assert "nothing has been started" in done.stderr


def test_a_busy_port_is_one_sentence_and_exit_2(program: Program) -> None:
    configure(program)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = warm.run(
            program.command("up"), cwd=program.home, env=program.environment | {"EMS_CONSOLE__PORT": str(port)},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == f"ems: port {port} for the console is in use by another program\n"
