"""The watchdog's process: the log, the latch and the processes' readings around one Watchdog."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path
from typing import Any

import structlog
import uvloop

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.shm.latch import SharedLatch
from adapters.shm.lead import SharedLead
from adapters.shm.metrics import SharedMetrics
from domain.catalogue import TOPICS
from domain.kill_scope import Scope, parse
from domain.ports import EventLog
from domain.risk_data import RiskFacts
from domain.values import ScopeKind
from ems import lifeline
from ems.bootstrap import kill
from ems.bootstrap.build import build_digest
from ems.bootstrap.day import date_of
from ems.bootstrap.running_day import EVERY_S, RunningDay
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.tasks import until_first
from ems.config import Settings
from ems.health import StatusSocket
from ems.host_watch import HostWatch
from ems.watch_book import Stated, WatchBook
from ems.watchdog import Watchdog, WatchParts

_log = structlog.get_logger("watchdog")


def run(runtime_file: Path) -> int:
    """Watch until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watch(runtime))
    return 0


async def _watch(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock(), answer_timeout_s=3.0, readback_timeout_s=1.0) as log:
        day = RunningDay(runtime.settings, runtime.settings.state_directory / "watchdog")
        dog = watchdog(runtime, log, day.facts.taken)
        status = StatusSocket(runtime.socket("watchdog"), lambda _: _status(dog))
        await status.start()
        try:
            jobs = [dog.run(), restating(dog, day, runtime.settings, log), stop.wait()]
            if runtime.settings.failover.host:
                jobs.append(_host_watch(runtime, log).run())
            await until_first(*jobs)
        finally:
            await status.close()


def _host_watch(runtime: Runtime, log: PostgresEventLog) -> HostWatch:
    """Of one of several hosts."""
    lead, latch = SharedLead(runtime.lead), SharedLatch(runtime.latch)
    return HostWatch(runtime.settings.failover.host, log, lead.write, latch, WallClock(), build=build_digest())


async def restating(dog: Watchdog, day: RunningDay, settings: Settings, log: EventLog, *, every_s: float = EVERY_S) -> None:
    """Take the capital that is loaded for the day in place of what was stated before, until cancelled."""
    while True:
        await asyncio.sleep(every_s)
        before = day.facts.taken.capital
        await day.look(log)
        if (facts := day.facts.taken).capital != before:
            stated = capital(settings.name, facts)
            dog.restate(stated, settings.watchdog.triggers(settings.name, stated.keys(), live=settings.mode == "LIVE"))


def watchdog(runtime: Runtime, log: PostgresEventLog, facts: RiskFacts) -> Watchdog:
    """As the configuration and the day's files want it."""
    settings = runtime.settings
    capital_e9 = capital(settings.name, facts)
    latch = SharedLatch(runtime.latch)
    service = kill.service(runtime, log, latch)
    metrics = SharedMetrics(runtime.metrics)
    parts = WatchParts(service, latch, log, metrics, runtime.clock(), date_of(settings), time.monotonic_ns)
    watch = settings.watchdog
    book = WatchBook(Stated(settings.name, capital_e9, watch.quoters, watch.models))
    triggers = watch.triggers(settings.name, capital_e9.keys(), live=settings.mode == "LIVE")
    return Watchdog(parts, book, triggers, watch)


def capital(desk: str, facts: RiskFacts) -> dict[Scope, int]:
    """The stated capital of the scopes that profit and loss is reckoned of: those of another desk are none of ours."""
    found = {}
    for text, capital_e9 in facts.capital.items():
        scope = parse(text)
        if isinstance(scope, Scope) and (scope.kind is not ScopeKind.DESK or scope.id == desk):
            found[scope] = capital_e9
    return found


def _status(dog: Watchdog) -> dict[str, Any]:
    return {"pid": os.getpid(), **dog.status()}
