"""The kill switch as a service: stop first, then tell the log. It needs no desk, no gateway and no database to stop.

Any process may have one: the command line, the desk, the watchdog. Arming again is the other way round: the log first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import structlog

from domain import kill_host
from domain import kill_switch as ks
from domain.errors import LatchUnreadable, LogError, VersionConflict
from domain.event import Entry, Event, Meta
from domain.kill_host import KillHosts
from domain.kill_latch import Slot, Source
from domain.kill_refusal import KillRefusal
from domain.kill_scope import FIRM, Scope
from domain.kill_switch import KillSwitches
from domain.kill_table import Level
from domain.ports import Clock, EventLog, KillLatch
from ems.kill_pending import Pending, PendingFile

_log = structlog.get_logger("kill")
_ATTEMPTS: Final = 5  # at a log that others write to
_CLASSES: Final[Mapping[str, type[Event]]] = {cls.TOPIC: cls for cls in ks.EVENTS}
_LEVELS: Final[Mapping[Level, ks.LevelName]] = {Level.SOFT: "soft", Level.HARD: "hard", Level.PANIC: "panic"}
_SOURCES: Final[Mapping[Source, ks.SourceName]] = {
    Source.LOG: "log", Source.FEED: "feed", Source.METRIC: "metric", Source.WARM_UP: "warm_up", Source.DISK: "disk",
    Source.DRILL: "drill", Source.WATCHDOG: "watchdog",
}  # fmt: skip


class KillService:
    """Sets the latch, keeps what the log must be told, and tells it.

    Args:
        log: None where it cannot be reached: what is set is told later.
        build: digest of the code that acts.
    """

    def __init__(self, latch: KillLatch, pending: PendingFile, clock: Clock, *, build: str, log: EventLog | None = None) -> None:
        self._latch = latch
        self._pending = pending
        self._clock = clock
        self._build = build
        self._log = log
        self._unkept: list[tuple[Event, str]] = []  # what the disk did not take

    # --------------------------------------------------------------------------------------------- stop

    def trip(self, scope: Scope, level: Level, *, actor: str, reason: str) -> ks.Tripped:
        """Latch first, then the file that the log is told from. Nobody is asked. Works with everything else dead."""
        self._found_unreadable()
        return self._trip(scope, level, actor, reason)

    def _found_unreadable(self) -> None:
        """A latch that nobody can read stops everybody already; from here on it does so as a trip that can be re-armed."""
        try:
            self._latch.slots()
        except LatchUnreadable as error:
            self._trip(FIRM, Level.HARD, "system:latch", str(error))

    def _trip(self, scope: Scope, level: Level, actor: str, reason: str) -> ks.Tripped:
        at_ns = self._clock.now_ns()
        trip = ks.trip_id(scope, level, at_ns, actor)
        self._latch.change(scope, lambda slot: slot.tripped(level, int(trip, 16), at_ns))
        tripped = ks.Tripped(scope=scope.text, level=_LEVELS[level], trip=trip, reason=reason, at_ns=at_ns)
        self._keep(tripped, actor)
        return tripped

    def suspend(self, scope: Scope, source: Source, *, actor: str, reason: str) -> bool:
        """Something is missing; False where that was so already."""
        self._found_unreadable()
        at_ns = self._clock.now_ns()
        before, after = self._latch.change(scope, lambda slot: slot.suspend(source, at_ns))
        if before.suspended == after.suspended:
            return False
        self._keep(ks.Suspended(scope=scope.text, source=_SOURCES[source], reason=reason, at_ns=at_ns), actor)
        return True

    def clear(self, scope: Scope, source: Source, *, actor: str) -> bool:
        """It is there again; False where it was not missing."""
        self._found_unreadable()
        before, after = self._latch.change(scope, lambda slot: slot.clear(source))
        if before.suspended == after.suspended:
            return False
        self._keep(ks.Cleared(scope=scope.text, source=_SOURCES[source], at_ns=self._clock.now_ns()), actor)
        return True

    def _keep(self, event: Event, actor: str) -> None:
        try:
            self._pending.add(Pending(event.TOPIC, event.model_dump(mode="json"), actor))
        except OSError as error:  # a full disk stops nobody from stopping
            _log.critical("cannot be kept for the log, only told while this process lives", event_=event.TOPIC, error=str(error))
            self._unkept.append((event, actor))

    # ---------------------------------------------------------------------------------------------- log

    async def flush(self) -> int:
        """Append what the log has yet to be told; how many events. What it has already is not told twice.

        Raises:
            LogUnavailable: it stays in the file.
        """
        waiting, size = self._pending.read()
        for pending in waiting:
            if pending.topic not in _CLASSES:
                _log.critical("what waits for the log is no event of the kill switch", topic=pending.topic, data=pending.data)
        found = [(_CLASSES[p.topic].model_validate(p.data), p.actor) for p in waiting if p.topic in _CLASSES]
        found += self._unkept
        if not found:
            return 0
        count = await self._append(found)
        self._unkept.clear()
        self._pending.done(size)
        return count

    async def state(self) -> KillSwitches:
        """As the log has it. Raises LogError."""
        return ks.fold((one.event, one.meta.actor) for one in await self._reader().read(ks.key()))

    async def hosts(self) -> KillHosts:
        """Who must hear of a trip, and who has. Raises LogError."""
        return kill_host.fold([one.event for one in await self._reader().read(kill_host.key())])

    def slots(self) -> tuple[Slot, ...]:
        """The latch's own word. Raises LatchUnreadable."""
        return self._latch.slots()

    async def reports(self) -> list[ks.Reported]:
        """Every proof of flat in the log. Raises LogError."""
        return [one.event for one in await self._reader().read(ks.key()) if isinstance(one.event, ks.Reported)]

    async def tell(self, event: Event, *, actor: str) -> None:
        """Append one event. Raises LogError."""
        await self._append([(event, actor)])

    async def _append(self, told: list[tuple[Event, str]]) -> int:
        """Those that are not in the stream yet. Another writer in between makes it look again."""
        log = self._reader()
        for attempt in range(_ATTEMPTS):
            there = [one.event for one in await log.read(ks.key())]
            fresh = [(event, actor) for event, actor in told if event not in there]
            entries = [
                Entry(stream=ks.key(), expected_version=len(there) + n, events=(event,), meta=self._meta(event, actor))
                for n, (event, actor) in enumerate(fresh)
            ]
            try:
                await log.append(entries)
                return len(fresh)
            except VersionConflict:
                if attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _meta(self, event: Event, actor: str) -> Meta:
        at_ns = getattr(event, "at_ns", self._clock.now_ns())
        return Meta(event_time_ns=at_ns, actor=actor, correlation=ks.key(), causation="kill switch", build=self._build)

    def _reader(self) -> EventLog:
        if self._log is None:
            raise LogError("the log cannot be reached")
        return self._log

    # -------------------------------------------------------------------------------------------- again

    async def rearm(self, scope: Scope, *, person: str, reason: str) -> ks.RearmRequested | ks.Rearmed | KillRefusal:
        """An authenticated person wants a scope armed: the first asks, the second arms. Written, then done.

        Raises:
            LogError: arming waits for the log.
        """
        await self.flush()
        decided = ks.rearm(await self.state(), scope, person=person, reason=reason, at_ns=self._clock.now_ns())
        if isinstance(decided, KillRefusal):
            return decided
        await self.tell(decided, actor=f"person:{person}")
        if isinstance(decided, ks.Rearmed):
            self._repair(await self.state())
            trip, at_ns = int(decided.trip, 16), decided.at_ns
            self._latch.change(scope, lambda slot: slot.rearmed(trip, at_ns))
        return decided

    async def resume(self, scope: Scope, *, person: str, reason: str) -> ks.Resumed | KillRefusal:
        """A person lets the orders that a trip paused work again. Raises LogError."""
        await self.flush()
        decided = ks.resume(await self.state(), scope, person=person, reason=reason, at_ns=self._clock.now_ns())
        if isinstance(decided, ks.Resumed):
            await self.tell(decided, actor=f"person:{person}")
            self._latch.change(scope, Slot.resumed)
        return decided

    # -------------------------------------------------------------------------------------------- start

    async def prepare(self, *, exists: bool) -> None:
        """At the start of a host, before anything trades. A latch that can be read stays as it is. Where there is none, it
        is built from the log's last word, which on an empty log means armed. One that is there and cannot be read is built
        the same, and the firm is at HARD, for nobody knows what it said.

        Raises:
            LogError: without a log nothing is armed.
        """
        await self.flush()
        try:
            self._latch.slots()
            return
        except LatchUnreadable:
            state = await self.state()
        self._latch.build(state.slots())
        if exists:
            self.trip(FIRM, Level.HARD, actor="system:start", reason="the latch was there and could not be read")
            await self.flush()

    def _repair(self, state: KillSwitches) -> None:
        """A latch that was made in an emergency knows nothing of other scopes: the log does."""
        try:
            known = {slot.scope for slot in self._latch.slots()}
        except LatchUnreadable:
            known = set()
        for slot in state.slots():
            if slot.scope not in known:
                self._latch.change(slot.scope, lambda _, slot=slot: slot)  # type: ignore[misc]
