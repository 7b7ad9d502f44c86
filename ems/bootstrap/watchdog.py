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
from adapters.shm.metrics import SharedMetrics
from domain.catalogue import TOPICS
from domain.kill_scope import Scope, parse
from domain.values import ScopeKind
from ems import lifeline
from ems.bootstrap import kill
from ems.bootstrap.day import date_of, risk_data
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.health import StatusSocket
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
        dog = watchdog(runtime, log)
        status = StatusSocket(runtime.socket("watchdog"), lambda _: _status(dog))
        await status.start()
        watching = asyncio.create_task(dog.run())
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([watching, stopped], return_when=asyncio.FIRST_COMPLETED)
            if watching.done():
                watching.result()
        finally:
            for task in (watching, stopped):
                task.cancel()
            await asyncio.gather(watching, stopped, return_exceptions=True)
            await status.close()


def watchdog(runtime: Runtime, log: PostgresEventLog) -> Watchdog:
    """As the configuration and the day's files want it. Raises ReferenceDataError."""
    settings = runtime.settings
    capital_e9 = capital(settings)
    latch = SharedLatch(runtime.latch)
    service = kill.service(runtime, log, latch)
    metrics = SharedMetrics(runtime.metrics)
    parts = WatchParts(service, latch, log, metrics, runtime.clock(), date_of(settings), time.monotonic_ns)
    watch = settings.watchdog
    book = WatchBook(Stated(settings.name, capital_e9, watch.quoters, watch.models))
    triggers = watch.triggers(settings.name, capital_e9.keys(), live=settings.mode == "LIVE")
    return Watchdog(parts, book, triggers, watch)


def capital(settings: Settings) -> dict[Scope, int]:
    """The stated capital of the scopes that profit and loss is reckoned of: those of another desk are none of ours."""
    found = {}
    for text, capital_e9 in risk_data(settings).capital.items():
        scope = parse(text)
        if isinstance(scope, Scope) and (scope.kind is not ScopeKind.DESK or scope.id == settings.name):
            found[scope] = capital_e9
    return found


def _status(dog: Watchdog) -> dict[str, Any]:
    return {"pid": os.getpid(), **dog.status()}
