"""`ems bench all`: one order on its way with everything on: risk, sealing, watchdog, views, and orders that replan beside it.

The whole system of `ems.bench.plan_live` with console and sealing beside. While its orders are filled a share a second and are
planned anew, single orders that are due at once are sent; each is clocked from the client's send to its New, and to its child's
arrival at the venue, both on this machine's monotonic clock. Which child is whose is read from the log afterwards. What the other
processes lag is scraped each second as any Prometheus would. Then the desk is killed with all of it at work.

A synchronous replica is measured with where the database has one: `synchronous_replica` says so, it is not made here.
"""

from __future__ import annotations

import asyncio
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import psycopg
from prometheus_client.parser import text_string_to_metric_families

from domain import child_order as co
from domain import decision
from domain import parent_order as po
from domain.errors import InvariantBroken, ProcessFailed
from ems.bench.fix import peer, ready
from ems.bench.fix_client import Client
from ems.bench.output import emit
from ems.bench.plan_live import LASTS_S, SYMBOL, WORKED_MAX_S, live_order, live_session, live_settings
from ems.bootstrap.demo import open_log
from ems.bootstrap.logs import log_plain
from ems.bootstrap.metrics_door import MetricsDoor
from ems.bootstrap.system import System, started
from ems.config import Settings, check
from ems.loopback import free_ports

DAY_S: Final = 23_400  # a trading day of 6.5 hours
RESTART_MAX_S: Final = 60.0


@dataclass(slots=True)
class Clocked:
    """What was seen from outside. Times in nanoseconds, monotonic; by ClOrdID."""

    sent_ns: dict[str, int] = field(default_factory=dict)
    answered_ns: dict[str, int] = field(default_factory=dict)
    span_ns: tuple[int, int] = (0, 0)  # by the wall


@dataclass(slots=True)
class Scraped:
    """The worst of each second's look."""

    worst: dict[str, float] = field(default_factory=dict)
    looks: int = 0

    def take(self, text: str) -> None:
        """One text of /metrics."""
        found = {s.name: s.value for f in text_string_to_metric_families(text) for s in f.samples if s.name in _LOOKED_AT}
        head = found.get("ems_log_head_sequence")
        if head is None:
            return
        self.looks += 1
        told = {
            "plan_age_max_s": found.get("ems_plan_age_seconds", 0.0),
            "view_lag_max_events": head - found.get("ems_view_sequence", 0.0),
            "sealing_lag_max_events": head - found.get("ems_sealed_sequence", 0.0),
            "watchdog_lag_max_events": head - found.get("ems_watchdog_sequence", 0.0),
            "gather_max_s": found.get("ems_gather_seconds", 0.0),
        }
        for name, value in told.items():
            self.worst[name] = max(self.worst.get(name, 0.0), round(value, 3))


_LOOKED_AT: Final = frozenset(
    "ems_log_head_sequence ems_plan_age_seconds ems_view_sequence ems_sealed_sequence ems_watchdog_sequence "
    "ems_gather_seconds".split()
)


def main(json_output: bool, *, orders: int = 200, seconds: int = 60, probes_a_s: int = 20) -> int:
    """Measure and print. Raises InvariantBroken where what was to be measured did not happen."""
    log_plain(40)
    with tempfile.TemporaryDirectory(prefix="ems-bench-all-") as home:
        emit(asyncio.run(_measure(Path(home), orders, seconds, probes_a_s)), json_output)
    return 0


async def _measure(home: Path, orders: int, seconds: int, probes_a_s: int) -> dict[str, Any]:
    venue_port, console_port = free_ports(2)
    with peer("drip", venue_port, home) as venue:
        settings = _everything(live_settings(home / "state", venue_port), console_port)
        arrivals = _Arrivals(venue)
        async with started(settings) as system:
            await ready(system, SYMBOL)
            client = Client(home / "client", live_session(settings))
            await asyncio.to_thread(client.start)
            try:
                await asyncio.to_thread(_fill_up, client, arrivals, orders)
                before = await asyncio.to_thread(_sizes, system)
                clocked, scraped = await _probed(system, client, seconds, probes_a_s)
                after = await asyncio.to_thread(_sizes, system)
                told = await _from_log(system, clocked, arrivals)
                told |= _growth(before, after) | scraped.worst | {"scrapes": scraped.looks, "replanning_orders": orders}
                told |= await asyncio.to_thread(_around, system, await system.desk_status())
                told["restart_s"] = await _restarted(system)
            finally:
                await asyncio.to_thread(client.stop)
    return told


def _everything(settings: Settings, console_port: int) -> Settings:
    values = settings.model_dump(mode="json")
    values |= {"console": {"enabled": True, "port": console_port}, "sealing": {**values["sealing"], "enabled": True}}
    return check(values, name="the bench's settings", folder=settings.state_directory)


class _Arrivals:
    """What the venue tells of orders as they come."""

    def __init__(self, venue: subprocess.Popen[str]) -> None:
        self.at_ns: dict[str, int] = {}
        self.came: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._venue = venue
        threading.Thread(target=self._read, name="arrivals", daemon=True).start()

    def _read(self) -> None:
        assert self._venue.stdout is not None
        for line in self._venue.stdout:
            cl_ord_id, at_ns = line.split()
            self.at_ns.setdefault(cl_ord_id, int(at_ns))
            self.came.put(cl_ord_id)


def _fill_up(client: Client, arrivals: _Arrivals, orders: int) -> None:
    """All orders at work, each with a child at the venue. Raises queue.Empty where they are not worked."""
    live = live_order("1003", LASTS_S, DurationMinutes=f"{LASTS_S / 60:g}")
    client.pipelined_per_s([f"L{i}" for i in range(orders)], live)
    for _ in range(orders):
        arrivals.came.get(timeout=WORKED_MAX_S)


async def _probed(system: System, client: Client, seconds: int, probes_a_s: int) -> tuple[Clocked, Scraped]:
    """Probes from a thread, and a scrape each second beside them."""
    door, scraped = MetricsDoor(system.runtime, dict), Scraped()

    async def scrape() -> None:
        while True:
            scraped.take((await door.text()).decode())
            await asyncio.sleep(1.0)

    beside = asyncio.create_task(scrape())
    try:
        return await asyncio.to_thread(_probe, client, seconds, probes_a_s), scraped
    finally:
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)


def _probe(client: Client, seconds: int, probes_a_s: int) -> Clocked:
    at_once = live_order("1001", 1, DurationMinutes="30", WouldPrice="400")  # all of it, now
    clocked, began_ns, until_s = Clocked(), time.time_ns(), time.monotonic() + seconds
    while time.monotonic() < until_s:
        name = f"P{len(clocked.sent_ns)}"
        took_ns = client.round_trip_ns(name, at_once)
        clocked.answered_ns[name] = client.arrived_ns[name]
        clocked.sent_ns[name] = client.arrived_ns[name] - took_ns
        time.sleep(1.0 / probes_a_s)
    clocked.span_ns = (began_ns, time.time_ns())
    return clocked


async def _from_log(system: System, clocked: Clocked, arrivals: _Arrivals) -> dict[str, Any]:
    """Whose children were whose, and how old plans were when they were adopted."""
    parents: dict[str, str] = {}
    child_ns: list[int] = []
    ages_s, fallen, planned = [], 0, 0
    begin_ns, end_ns = clocked.span_ns
    async for page in open_log(system.runtime).read_pages():
        for each in page:
            event = each.event
            if isinstance(event, po.Accepted) and event.cl_ord_id in clocked.sent_ns:
                parents[each.stream] = event.cl_ord_id
            elif isinstance(event, co.Created) and (name := parents.pop(each.meta.correlation, "")):
                at_ns = arrivals.at_ns.get(co.cl_ord_id(each.stream))
                child_ns += [at_ns - clocked.sent_ns[name]] if at_ns is not None else []
            elif isinstance(event, decision.Planned) and begin_ns <= each.recorded_time_ns < end_ns:
                planned, fallen = planned + 1, fallen + bool(event.schedule.fallback)
                ages_s.append((each.meta.event_time_ns - event.request.now_ns) / 1e9)
    if len(child_ns) < 0.9 * len(clocked.sent_ns) or not ages_s:
        raise InvariantBroken(
            f"{len(child_ns)} children of {len(clocked.sent_ns)} orders, {len(ages_s)} plans: nothing was measured"
        )
    answered = [clocked.answered_ns[name] - clocked.sent_ns[name] for name in clocked.sent_ns]
    return {
        "probes": len(answered), **_quantiles("order_to_answer", answered, 1e6, "ms"),
        **_quantiles("order_to_child", child_ns, 1e6, "ms"),
        "plan_adopted_p99_s": round(float(np.quantile(ages_s, 0.99)), 3),
        "plans_per_s": round(planned / ((end_ns - begin_ns) / 1e9), 1), "fallback_share": round(fallen / planned, 4),
    }  # fmt: skip


def _quantiles(name: str, values: list[int], unit: float, suffix: str) -> dict[str, float]:
    return {f"{name}_p{q}_{suffix}": round(float(np.quantile(values, q / 100)) / unit, 3) for q in (50, 99)}


def _sizes(system: System) -> dict[str, float]:
    """Bytes that a day's trading leaves, and the log's events, now."""
    with psycopg.connect(system.runtime.owner_dsn, autocommit=True) as database:
        row = database.execute(
            "SELECT pg_database_size(current_database()), pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint,"
            " (SELECT seq FROM log_head)"
        ).fetchone()
    assert row is not None
    state = system.runtime.state
    files = {"wire": state.glob("gateway*/wire/**/*"), "logs": state.glob("logs/*"), "seals": state.glob("sealing/**/*")}
    sizes = {name: sum(path.stat().st_size for path in paths if path.is_file()) for name, paths in files.items()}
    return {"database": row[0], "wal": row[1], "events": row[2], "at_s": time.monotonic(), **sizes}


def _growth(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Per event and per trading day at this rate. The write-ahead log is written anew in place: it is told beside, not kept."""
    grew = {name: after[name] - before[name] for name in before}
    events, seconds = max(1.0, grew["events"]), grew["at_s"]
    kept = sum(grew[name] for name in ("database", "wire", "logs", "seals"))
    return {
        "events_per_s": round(events / seconds, 1),
        "bytes_per_event": round(kept / events, 1),
        "wal_bytes_per_event": round(grew["wal"] / events, 1),
        "gb_per_day": round(kept / seconds * DAY_S / 1e9, 3),
        "wal_gb_per_day": round(grew["wal"] / seconds * DAY_S / 1e9, 3),
    }


def _around(system: System, status: Mapping[str, Any]) -> dict[str, Any]:
    """What was on, by its own word."""
    with psycopg.connect(system.runtime.owner_dsn, autocommit=True) as database:
        replicas = database.execute("SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')").fetchone()
        commit = database.execute("SHOW synchronous_commit").fetchone()
    assert replicas is not None
    assert commit is not None
    return {
        "synchronous_replica": replicas[0] > 0, "synchronous_commit": commit[0],
        "risk_limits_in_force": status["risk"]["limits_in_force"], "working": status["working"],
        "processes": len(system.supervisor.pids()),
    }  # fmt: skip


async def _restarted(system: System) -> float:
    """From the desk's kill -9 to a desk that leads, with every order folded and its venue's session up. Raises ProcessFailed."""
    pid = system.supervisor.pids()["desk"]
    began_s = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while time.monotonic() - began_s < RESTART_MAX_S:
        await asyncio.sleep(0.05)
        status = await system.desk_status()
        if status.get("pid", pid) != pid and status["state"] == "leading" and "PEER" in status["sessions_up"]:
            return round(time.monotonic() - began_s, 3)
    raise ProcessFailed(f"the desk was not back within {RESTART_MAX_S:.0f} s")
