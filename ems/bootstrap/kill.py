"""The kill switch wired: the latch and the pending file of a state directory, the log where it answers, the gateways' sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.shm.latch import SharedLatch
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.ports import EventLog, KillLatch
from ems.bootstrap.build import build_digest
from ems.bootstrap.runtime import Runtime, of_group
from ems.config import Settings
from ems.health import ask_socket
from ems.kill import KillService
from ems.kill_pending import PendingFile

ASK_S: Final = 1.0


def runtime_of(settings: Settings) -> Runtime:
    """Of the run that uses a configuration; where nothing was ever started, one without a database."""
    try:
        return Runtime.load(settings.state_directory / "runtime.json")
    except ConfigError:
        return Runtime(settings=settings)


def service(runtime: Runtime, log: EventLog | None, latch: KillLatch | None = None) -> KillService:
    """A kill switch on a state directory. Log None: what it does is told to the log later."""
    pending = PendingFile(runtime.kill_directory / "pending.jsonl")
    return KillService(latch or SharedLatch(runtime.latch), pending, runtime.clock(), build=build_digest(), log=log)


def read_latch(runtime: Runtime) -> SharedLatch:
    """The latch for whoever asks it before a socket: without the watchdog's beat it says SUSPENDED."""
    return SharedLatch(runtime.latch, beat_max_ns=runtime.settings.watchdog.beat_max_ns)


def log_of(runtime: Runtime) -> PostgresEventLog:
    """The log of a run, whether or not it answers now."""
    return PostgresEventLog(runtime.app_dsn, TOPICS, WallClock(), answer_timeout_s=3.0, readback_timeout_s=1.0)


async def prepare(runtime: Runtime, *, exists: bool) -> None:
    """The latch, before anything starts that reads it; readings of an earlier run say nothing of this one. Raises LogError.

    Args:
        exists: is a file there, readable or not?
    """
    runtime.metrics.unlink(missing_ok=True)
    async with log_of(runtime) as log:
        await service(runtime, log).prepare(exists=exists)


def health(runtime: Runtime) -> dict[str, Any]:
    """The switch as a last look finds it. Up: it can be read; that it stops somebody is its work, and no fault."""
    latch = read_latch(runtime)
    verdict = latch.verdict(())
    slots = latch.slots() if verdict.readable else ()
    scopes = [f"{slot.scope.text} {slot.effective.name}" for slot in slots if slot.effective]
    paused = [slot.scope.text for slot in slots if slot.paused_before_ns]
    return {"up": verdict.readable, "firm": verdict.level.name, "scopes": scopes, "paused": paused, "watched": latch.watched()}


async def ask_gateways(runtime: Runtime) -> list[Mapping[str, Any]]:
    """What every gateway has seen of the kill switch and done; those that do not answer are left out."""
    sockets = [runtime.socket(of_group("gateway-control", group)) for group in runtime.settings.groups()]
    told = await asyncio.gather(*(ask_socket(path, {"command": "kill"}, timeout_s=ASK_S) for path in sockets))
    return [one for one in told if isinstance(one, dict) and "trips" in one]
