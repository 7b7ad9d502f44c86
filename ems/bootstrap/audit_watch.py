"""The process beside trading: measures the host's clock, and reconciles executions with what their venues tell, as it comes."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.clock import WallClock
from adapters.clock_sources import read_clock
from adapters.postgres.event_log import PostgresEventLog
from domain import decision, fix_session, market_note, model_decision, quote, risk_verdicts
from domain.catalogue import TOPICS
from domain.errors import ConfigError, VersionConflict
from domain.ports import Clock, EventLog
from domain.values import E9
from ems import lifeline
from ems.bootstrap.build import build_digest
from ems.bootstrap.day import date_of
from ems.bootstrap.led import led_here
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.tasks import until_first
from ems.clock_watch import ClockWatch
from ems.config import Settings
from ems.health import StatusSocket
from ems.reconciler import Reconciler, Terms
from ems.venue_executions import COLUMNS, Told, parse

_log = structlog.get_logger("audit_watch")
EVERY_S: Final = 0.25
_NICE: Final = 5
_UNREAD: Final = (
    *decision.EVENTS, *fix_session.EVENTS, *market_note.EVENTS, *model_decision.EVENTS, *quote.EVENTS, *risk_verdicts.EVENTS,
)  # fmt: skip


class Tail:
    """A venue's file of executions as it grows; begun anew where it was written anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._from, self._inode = 0, -1

    def read(self) -> Told:
        """What has come since the last look. Raises ConfigError: a line cannot be read."""
        try:
            with self.path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._from:
                    self._from, self._inode = 0, status.st_ino
                file.seek(self._from)
                data = file.read()
        except FileNotFoundError:
            return Told((), whole=False)
        whole = data[: data.rfind(b"\n") + 1]
        told = parse(str(self.path), _headed(whole.decode(), self._from), counted=False)
        self._from += len(whole)
        return told


def _headed(text: str, start: int) -> str:
    return text if start == 0 else ",".join(COLUMNS) + "\n" + text


def venue_files(runtime: Runtime) -> dict[str, Path]:
    """By venue session, where its executions are told: what the configuration names, and the simulated venue's newest file."""
    settings = runtime.settings
    found = dict(settings.audit.executions)
    newest = sorted(runtime.venue_directory.glob("executions-*.csv"))
    for session in settings.sessions:
        if newest and session.role == "venue" and session.sender_comp_id in settings.venue_clients():
            found.setdefault(session.name, newest[-1])
    return found


def theirs(settings: Settings, session: str) -> frozenset[str]:
    """The names by which a venue may call one of our sessions."""
    ours = next((one for one in settings.sessions if one.name == session), None)
    return frozenset({session} if ours is None else {session, ours.sender_comp_id})


class Reconciling:
    """One venue session, from the log's first event on."""

    def __init__(self, log: EventLog, clock: Clock, reconciler: Reconciler, tail: Tail, names: frozenset[str]) -> None:
        self._log, self._clock, self.reconciler, self._tail, self._names = log, clock, reconciler, tail, names

    async def run(self) -> None:
        """Follow both until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            while True:
                await self.look()
                await asyncio.sleep(EVERY_S)

    async def _follow(self) -> None:
        async for recorded in self._log.subscribe(unread=_UNREAD):
            self.reconciler.apply(recorded)

    async def look(self) -> None:
        """Take what has come, write what is due."""
        now_ns = self._clock.now_ns()
        told = self._tail.read()
        for name, execution in told.rows:
            if name in self._names:
                self.reconciler.tell(execution, now_ns)
        if told.whole:  # what of the last executions is still on its way to us has its grace all the same
            self.reconciler.look_again(now_ns)
        entries = self.reconciler.due(now_ns)
        if not entries:
            return
        try:
            await self._log.append(entries)
        except VersionConflict:  # a person was faster: their word is on its way to us
            self.reconciler.look_again(now_ns)
        else:
            _log.warning("reconciliation", found=[entry.events[0].model_dump(mode="json") for entry in entries])


# ------------------------------------------------------------------------------------------------ the process


def run(runtime_file: Path) -> int:
    """Watch until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    os.nice(_NICE)
    asyncio.run(_watch(runtime))
    return 0


async def _watch(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log:
        clock, found = clock_watch(runtime, log), list[Reconciling]()
        status = StatusSocket(runtime.socket("audit-watch"), lambda _: _status(clock, found))
        await status.start()
        try:
            await until_first(led_here(runtime), stop.wait())
            await until_first(clock.run(), _reconcile(runtime, log, found), stop.wait(), led_here(runtime, is_=False))
        finally:
            await status.close()


def clock_watch(runtime: Runtime, log: EventLog) -> ClockWatch:
    """As the configuration wants it. Times of measurements are the wall's, whatever day is played."""
    audit = runtime.settings.audit
    return ClockWatch(
        log, WallClock(), read_clock, host=socket.gethostname(), build=build_digest(),
        limit_ns=int(audit.clock_limit_ms * 1_000_000), every_ns=int(audit.clock_every_s * E9),
    )  # fmt: skip


async def _reconcile(runtime: Runtime, log: EventLog, found: list[Reconciling]) -> None:
    """Every venue that tells of executions, each trade date anew."""
    clock, trade_date = runtime.clock(), date_of(runtime.settings)
    while True:
        today = trade_date(clock.now_ns())
        files = await asyncio.to_thread(venue_files, runtime)
        found[:] = list(_made(runtime, log, files, today))
        jobs = [asyncio.create_task(one.run()) for one in found]
        try:
            while trade_date(clock.now_ns()) == today and await asyncio.to_thread(venue_files, runtime) == files:
                done, _ = await asyncio.wait([*jobs, asyncio.create_task(asyncio.sleep(1))], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in jobs:
                task.cancel()
            await asyncio.gather(*jobs, return_exceptions=True)


def _made(runtime: Runtime, log: EventLog, files: dict[str, Path], today: str) -> Iterator[Reconciling]:
    audit = runtime.settings.audit
    for session, path in files.items():
        terms = Terms(session, today, owner=audit.break_owner, grace_ns=int(audit.grace_s * E9))
        reconciler = Reconciler(terms, build_digest())
        yield Reconciling(log, runtime.clock(), reconciler, Tail(path), theirs(runtime.settings, session))


def _status(clock: ClockWatch, found: list[Reconciling]) -> dict[str, Any]:
    told = {one.reconciler.terms.venue_session: one.reconciler.status() for one in found}
    return {"pid": os.getpid(), **clock.status(), "reconciliation": told}


async def reconcile_day(
    log: EventLog, settings: Settings, session: str, day: str, path: Path, *, now_ns: int
) -> tuple[Reconciler, bool]:
    """A venue's file of a day against the log, once; what is found is written.

    Returns:
        What is known then, and whether the file says that it is whole.

    Raises:
        ConfigError: the file cannot be read.
        LogError: the log cannot be read or written.
    """
    told = _whole(path)
    terms = Terms(session, day, source="end of day", owner=settings.audit.break_owner)
    found = Reconciler(terms, build_digest())
    await caught_up(found, log)
    names = theirs(settings, session)
    for name, execution in told.rows:
        if name in names:
            found.tell(execution, now_ns)
    await log.append(found.due(now_ns, whole=True))
    await caught_up(found, log)
    return found, told.whole


def _whole(path: Path) -> Told:
    try:
        return parse(str(path), path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as cause:
        raise ConfigError(f"{path} cannot be read: {cause}") from cause


async def caught_up(found: Reconciler, log: EventLog) -> None:
    """Take what the log has and it has not."""
    async for page in log.read_pages(after_seq=found.seq):
        for recorded in page:
            found.apply(recorded)
