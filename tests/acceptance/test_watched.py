"""A running system under watch: each dependency is stopped in turn and goes red, by name and with what to do, then green again.

Stopped means SIGSTOP: the process exists, its sockets take connections, and nobody answers. The system is asked from here by the
same function that `ems health` and /health/ready ask by.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ems.bootstrap.health import health
from ems.bootstrap.metrics_door import EVERY_S, token_of
from ems.bootstrap.runtime import Runtime
from ems.disk_settings import DiskSettings
from ems.health import ask_socket
from ems.measured import MEASURES
from tests.acceptance.conftest import command, watched
from tests.acceptance.test_up import Running, configure, start, stop

pytestmark = pytest.mark.slow
WAIT_S = 120.0  # patience with a busy machine


class Watched(Running):
    """With its runtime."""

    @property
    def runtime(self) -> Runtime:
        return Runtime.load(self.home / "var" / "ems" / "runtime.json")

    def health(self) -> dict[str, Any]:
        return asyncio.run(health(self.runtime))

    def until(self, red: set[str], others: frozenset[str] = frozenset()) -> dict[str, Any]:
        """What health says once these are red, and of others only these; raises AssertionError where it does not come to that."""

        async def ask() -> dict[str, Any]:
            found: dict[str, Any] = {}
            async with asyncio.timeout(WAIT_S):
                while not red <= set((found := await health(self.runtime))["red"]) <= red | others:  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
            return found

        try:
            return asyncio.run(ask())
        except TimeoutError:
            raise AssertionError(f"wanted {red}, red is {self.health()['red']}") from None

    def children(self, name: str) -> list[psutil.Process]:
        """Processes of ours by the command that the supervisor starts them with."""
        return [one for one in psutil.Process(self.up.pid).children(recursive=True) if f"_{name}" in command(one)]

    def url(self, path: str) -> str:
        console = self.runtime.settings.console
        return f"http://{console.host}:{console.port}{path}"

    def asked(self, path: str, token: str = "") -> tuple[int, str]:
        request = urllib.request.Request(self.url(path), headers={"Authorization": f"Bearer {token}"} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def samples(self) -> dict[tuple[str, ...], float]:
        """What is scraped now."""
        code, text = self.asked("/metrics", token_of(self.runtime))
        assert code == 200
        families = text_string_to_metric_families(text)
        return {(s.name, s.labels["process"], *(v for k, v in s.labels.items() if k not in ("process", "le"))): s.value
                for family in families for s in family.samples}  # fmt: skip


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(Watched(tmp_path_factory.mktemp("watched"))) as program:
        configure(program)
        with (program.home / "ems.toml").open("a") as file:
            file.write('\n[observe]\ntrace_share = 1.0\ntrace_file = "traces.jsonl"\n')
        program.up = start(program)
        program.until(set())
        yield program
        stop(program.up)


@contextmanager
def stopped(*processes: psutil.Process) -> Iterator[None]:
    """Frozen for a while: they exist and do nothing."""
    assert processes
    for one in processes:
        os.kill(one.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            if one.is_running():
                os.kill(one.pid, signal.SIGCONT)


# What else is red with it: what only it can tell, and who cannot work without.
ALONE = {
    "venue": {"venue"},
    "watchdog": {"watchdog"},
    "sealer": {"sealer"},
    "tracer": {"tracer"},
    "audit_watch": {"audit_watch", "clock"},
    "monitor": {"monitor"},
    "api": {"api"},
    "gateway": {"gateway", "sessions"},
    "desk": {"desk", "planners", "risk"},
}


@pytest.mark.parametrize("name", list(ALONE))
def test_a_stopped_process_goes_red_with_what_to_do_and_green_again(system: Watched, name: str) -> None:
    with stopped(*system.children(name)):
        found = system.health()
        assert set(found["red"]) >= ALONE[name] and not found["up"]
        assert set(found["red"]) <= ALONE[name] | {"sessions"}, "a venue that is silent for long is logged off"
        for red in found["red"]:
            assert found[red]["why"] and found[red]["do"], red
    system.until(set())


def test_a_stopped_database_goes_red_and_green_again(system: Watched) -> None:
    with psycopg.connect(system.runtime.app_dsn) as connection:
        postmaster = psutil.Process(connection.info.backend_pid).parent()
    assert postmaster is not None
    with stopped(postmaster):
        found = system.health()
        assert "database" in found["red"]
        code, text = system.asked("/health/ready")
        assert code == 503 and "database" in json.loads(text)["red"], "nobody has to sign in to be told so"
        assert system.asked("/health/live") == (200, '{"live":true}')
        time.sleep(EVERY_S)
        assert system.samples()["ems_up", "postgres"] == 0, "metrics come without the database"
    system.until(set())


def test_a_stopped_or_dead_planner_goes_red(system: Watched) -> None:
    planner = psutil.Process(system.health()["planners"]["pids"][0])
    with stopped(planner):
        found = system.health()
        assert found["red"] == ["planners"], {name: found[name] for name in found["red"]}
    assert system.health()["planners"]["up"]


def test_a_lost_venue_session_goes_red(system: Watched) -> None:
    venue = system.children("venue")[0]
    os.kill(venue.pid, signal.SIGKILL)
    system.until({"sessions"}, frozenset({"venue"}))
    system.until(set(), frozenset({"sessions"}))  # the venue is back; its sessions may be by now
    for name in ("SIM", "SIM-MD"):  # by hand, as a person who knows that the venue is back would; else it waits its back-off
        asyncio.run(ask_socket(system.runtime.socket("gateway-control"), {"command": "start", "session": name}))
    system.until(set())


def test_a_stopped_supervisor_goes_red(system: Watched) -> None:
    with stopped(psutil.Process(system.up.pid)):
        assert system.health()["red"] == ["supervisor"]
    system.until(set())


def test_a_full_disk_goes_red(system: Watched) -> None:
    runtime = system.runtime
    wanting = DiskSettings(warn_mb=1 << 30, stop_mb=1 << 30)
    full = runtime.model_copy(update={"settings": runtime.settings.model_copy(update={"disk": wanting})})
    found = asyncio.run(health(full))
    assert found["red"] == ["disk"] and "MB left" in found["disk"]["why"]


def test_the_command_prints_what_is_red(system: Watched) -> None:
    done = system.run("health")
    assert done.returncode == 0 and "DOWN" not in done.stdout
    with stopped(*system.children("sealer")):
        done = system.run("health")
    assert done.returncode == 1
    line = next(line for line in done.stdout.splitlines() if "DOWN" in line)
    assert line.startswith("sealer") and "does not answer" in line and "docs/sealing.md" in line
    system.until(set())


def test_metrics_are_for_whoever_has_the_token_and_count_what_happens(system: Watched) -> None:
    assert system.asked("/metrics")[0] == 401
    assert system.asked("/metrics", "wrong")[0] == 401
    before = system.samples()
    done = system.run(
        "oms", "send", "--symbol", "DEMO", "--qty", "200", "--algo", "twap", "--minutes", "0.05", "--wait", "--json"
    )
    assert done.returncode == 0
    after = system.samples()

    def grew(*key: str) -> float:
        return after[key] - before.get(key, 0)

    assert grew("ems_orders_accepted_total", "desk") == 1
    assert grew("ems_order_to_child_seconds_count", "desk") == grew("ems_order_to_answer_seconds_count", "desk") == 1
    assert 0 < grew("ems_order_to_answer_seconds_sum", "desk") <= grew("ems_order_to_child_seconds_sum", "desk")
    assert grew("ems_fills_total", "desk") >= 1 and grew("ems_commit_seconds_count", "desk") >= 3
    assert grew("ems_events_appended_total", "desk") == grew("ems_commit_events_sum", "desk") > 10
    assert grew("ems_plan_seconds_count", "desk", "twap") >= 1
    assert grew("ems_fix_messages_in_total", "gateway", "OMS1") >= 2
    assert grew("ems_fix_messages_out_total", "gateway", "SIM") >= 1
    assert after["ems_kill_level", "door"] == 0 and after["ems_database_bytes", "door"] > 0
    running = {"desk", "gateway", "sealer", "watchdog", "audit_watch", "monitor", "api"}
    exported = {name.removesuffix(suffix) for name, *_ in after for suffix in ("", "_bucket", "_count", "_sum")}
    missing = {one.name for one in MEASURES if set(one.of) & {*running, "door"}} - exported
    assert missing == {"ems_clock_offset_seconds", "ems_clock_uncertainty_seconds"} - exported, "only what nobody can know"


def test_an_event_leads_to_the_trace_of_its_orders_way(system: Watched) -> None:
    told = system.run(
        "oms", "send", "--symbol", "DEMO", "--qty", "100", "--algo", "twap", "--minutes", "0.05", "--wait", "--json"
    )
    cl_ord_id = json.loads(told.stdout.splitlines()[0])["cl_ord_id"]
    with psycopg.connect(system.runtime.app_dsn) as database:
        rows = database.execute("SELECT seq FROM events WHERE topic = 'parent_order.accepted.v1' ORDER BY seq DESC LIMIT 1")
        (seq,) = rows.fetchone() or (0,)
    trace = system.run("trace", "of", str(seq)).stdout.strip()
    deadline = time.monotonic() + WAIT_S
    found: list[dict[str, Any]] = []
    while time.monotonic() < deadline and not any(span["name"] == "parent_order.filled" for span in found):
        time.sleep(0.5)
        lines = (system.home / "traces.jsonl").read_text().splitlines() if (system.home / "traces.jsonl").exists() else []
        found = [span for span in map(json.loads, lines) if span["context"]["trace_id"] == f"0x{trace}"]
    assert found, cl_ord_id
    root = next(span for span in found if span["name"] == "parent_order.accepted")
    parts = {span["name"]: span for span in found if span["parent_id"] == root["context"]["span_id"]}
    assert set(parts) == {"fix.in", "decide", "commit", "fix.out"}, "in by FIX, decided, durable, out by FIX"
    stamps = [parts[name][edge] for name in ("fix.in", "decide", "commit") for edge in ("start_time", "end_time")]
    assert stamps == sorted(stamps) and parts["commit"]["end_time"] <= parts["fix.out"]["end_time"]
    assert parts["commit"]["attributes"] == {"ems.stamped": True}
    assert parts["fix.in"]["attributes"]["fix.session"] == parts["fix.out"]["attributes"]["fix.session"] == "OMS1"
    children = [span for span in found if span["attributes"].get("ems.topic") == "child_order.created.v1"]
    assert {span["attributes"]["fix.session"] for span in children} == {"SIM"}, "and on to the venue"


def test_a_stopped_process_is_seen_by_whoever_scrapes(system: Watched) -> None:
    with stopped(*system.children("sealer")):
        time.sleep(EVERY_S)  # before, a scraper is told what the one before it was told
        found = system.samples()
        assert found["ems_up", "sealer"] == 0 and found["ems_up", "desk"] == 1
        assert ("ems_sealed_sequence", "sealer") not in found, "what is not told is missing, not 0"
    system.until(set())
    time.sleep(EVERY_S)
    assert system.samples()["ems_up", "sealer"] == 1


def alerts(system: Watched) -> dict[tuple[str, str], tuple[str, int]]:
    """What the monitor holds open: by kind and subject its name, and how often it was raised."""
    rows = json.loads(system.run("alerts", "list", "--json").stdout)["open"]
    return {(row["kind"], row["what"]): (row["alert"], row["times"]) for row in rows if "times" in row}


def test_a_killed_monitor_is_started_again_and_holds_the_same_alerts_open(system: Watched) -> None:
    (monitor,) = system.children("monitor")
    with stopped(*system.children("sealer")):
        deadline = time.monotonic() + WAIT_S
        while ("part_down", "sealer") not in alerts(system) and time.monotonic() < deadline:
            time.sleep(0.5)
        before = alerts(system)["part_down", "sealer"]
        os.kill(monitor.pid, signal.SIGKILL)
        system.until({"monitor", "sealer"})
        system.until({"sealer"})
        assert system.health()["monitor"]["pid"] != monitor.pid and system.health()["monitor"]["open"] >= 1
        assert alerts(system)["part_down", "sealer"] == before, "it is read from the log, and not raised anew"
    system.until(set())


def test_a_killed_process_leaves_its_last_minute(system: Watched) -> None:
    folder = system.home / "var" / "ems" / "flight"
    os.kill(system.children("desk")[0].pid, signal.SIGKILL)
    system.until({"desk"}, frozenset({"planners", "risk", "sessions"}))
    system.until(set())
    (dumped,) = (path for path in (folder / "crashes").iterdir() if path.name.endswith("-desk.jsonl"))
    head, *notes = [json.loads(line) for line in dumped.read_text().splitlines()]
    assert head["process"] == "desk" and "status -9" in head["why"] and head["notes"] == len(notes) > 0
    assert "commit" in {note["kind"] for note in notes}
    shown = system.run("flight", "show", "gateway", "--json")
    assert any(json.loads(line)["kind"] == "frames" for line in shown.stdout.splitlines())
    assert Path(system.run("flight", "dump", "api").stdout.strip()).exists()
