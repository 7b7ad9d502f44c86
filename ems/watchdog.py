"""The watchdog: looks several times a second at what is measured, and sets the kill switch where a trigger says so.

It follows the log on its own, reads the processes' readings in shared memory, and acts on the latch before the log is told.
It beats in the latch after each look that it has finished, and at no other time: one that hangs is one that is dead, and
nothing new leaves without its beat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

import structlog

from domain.errors import LatchUnreadable, LogError, LogUnavailable
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, Scope
from domain.ports import Clock, EventLog, KillLatch, Metrics
from domain.triggers import Clear, Metric, Standing, Suspend, Trigger, Trip, evaluate, held
from ems.kill import KillService
from ems.watch_book import UNREAD, WatchBook
from ems.watch_settings import WatchSettings

_log = structlog.get_logger("watchdog")
ACTOR: Final = "system:watchdog"
EVERY_S: Final = 0.2
HEAD_EVERY_S: Final = 0.5
HEAD_TIMEOUT_S: Final = 3.0
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0)
_BEHIND_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class WatchParts:
    """What the watchdog works with.

    Attributes:
        trade_date: of a moment of the desk's clock.
        monotonic_ns: the host's, which readings and beats are told by.
    """

    service: KillService
    latch: KillLatch
    log: EventLog
    metrics: Metrics
    clock: Clock
    trade_date: Callable[[int], str]
    monotonic_ns: Callable[[], int]


class Watchdog:
    """One for a host.

    Args:
        triggers: all but those on positions.
    """

    def __init__(self, parts: WatchParts, book: WatchBook, triggers: tuple[Trigger, ...], settings: WatchSettings) -> None:
        self._parts = parts
        self._book = book
        self._triggers = triggers
        self._settings = settings
        self._began_ns = parts.monotonic_ns()
        self._standings: dict[tuple[Metric, Scope], Standing] = {}
        self._remembers = False  # has it read which of its own trips are in force?
        self.looks = 0  # that it has finished

    async def run(self) -> None:
        """Watch until cancelled. Whatever ends one part of it ends all."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            tasks.create_task(self._catch_up())
            tasks.create_task(self._tell())
            while True:
                if self._book.caught_up_ns and await self._remembered():
                    self.look()
                await asyncio.sleep(EVERY_S)

    def restate(self, capital_e9: Mapping[Scope, int], triggers: tuple[Trigger, ...]) -> None:
        """The capital that losses are measured against is another one: what has tripped stays tripped, and what has not is
        judged by the new one at the next look.
        """
        self._book.restate(capital_e9)
        self._triggers = triggers
        _log.warning("losses are measured against another capital", stated={scope.text: one for scope, one in capital_e9.items()})

    # --------------------------------------------------------------------------------------------- look

    def look(self) -> None:
        """Once: measure, judge, act, beat."""
        parts = self._parts
        slots = self._slots()
        readings = parts.metrics.read()
        now_ns, desk_ns = parts.monotonic_ns(), parts.clock.now_ns()
        samples = self._book.samples(readings, parts.trade_date(desk_ns), desk_ns, now_ns)
        triggers = (*self._triggers, *(self._settings.trigger(Metric.POSITION, s) for s in self._book.limited()))
        self._standings, actions = evaluate(triggers, self._standings, samples, slots or {}, now_ns, self._began_ns)
        for action in actions:
            if slots is not None or isinstance(action, Trip):  # all are stopped already by a latch that nobody can read
                self._act(action)
        if slots is not None:
            self._beat(slots)
        self.looks += 1

    def _slots(self) -> dict[Scope, Slot] | None:
        try:
            return {slot.scope: slot for slot in self._parts.latch.slots()}
        except LatchUnreadable as error:
            _log.critical("everybody is stopped", error=str(error))
            return None

    def _act(self, action: Trip | Suspend | Clear) -> None:
        service = self._parts.service
        match action:
            case Trip(scope, level, reason):
                _log.critical("trips", scope=scope.text, level=level.name, reason=reason)
                service.trip(scope, level, actor=ACTOR, reason=reason)
            case Suspend(scope, source, reason):
                _log.warning("suspends", scope=scope.text, source=source.name, reason=reason)
                service.suspend(scope, source, actor=ACTOR, reason=reason)
            case Clear(scope, source):
                _log.info("clears", scope=scope.text, source=source.name)
                service.clear(scope, source, actor=ACTOR)

    def _beat(self, slots: Mapping[Scope, Slot]) -> None:
        try:
            self._parts.latch.beat()
        except LatchUnreadable as error:
            _log.critical("cannot beat", error=str(error))
            return
        if (firm := slots.get(FIRM)) is not None and firm.suspended & Source.WATCHDOG:
            self._parts.service.clear(FIRM, Source.WATCHDOG, actor=ACTOR)  # a desk has noticed that it was away

    # ---------------------------------------------------------------------------------------------- log

    async def _follow(self) -> None:
        """Fold the log as it grows, whatever becomes of the database in between."""
        attempt = 0
        while True:
            try:
                events = self._parts.log.subscribe(after_seq=self._book.seq, unread=UNREAD, every_s=EVERY_S)
                async with aclosing(events):  # type: ignore[type-var]
                    async for recorded in events:
                        self._book.apply(recorded)
                        attempt = 0
            except LogUnavailable as error:
                _log.warning("the log is not there", error=str(error))
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def _catch_up(self) -> None:
        """Note up to when everything in the log is in the book."""
        while True:
            asked_ns = self._parts.monotonic_ns()
            try:
                async with asyncio.timeout(HEAD_TIMEOUT_S):  # wait_for may swallow a cancellation that comes with the answer
                    head = await self._parts.log.head()
            except (LogUnavailable, TimeoutError):
                await asyncio.sleep(HEAD_EVERY_S)
                continue
            while self._book.seq < head.seq:  # noqa: ASYNC110 (what moves it is another task's fold, event by event)
                await asyncio.sleep(_BEHIND_S)
            self._book.caught_up_ns = asked_ns
            await asyncio.sleep(HEAD_EVERY_S)

    async def _tell(self) -> None:
        """Tell the log what was done; the desk does so too, and what it has is not told twice."""
        while True:
            try:
                await self._parts.service.flush()
            except LogError as error:
                _log.warning("the log has yet to be told of the kill switch", error=str(error))
            await asyncio.sleep(HEAD_EVERY_S)

    async def _remembered(self) -> bool:
        """Which trips in force are its own, from before it was started: they are in the log, and trip no second time."""
        if self._remembers:
            return True
        try:
            await self._parts.service.flush()
            switches = (await self._parts.service.state()).switches.values()
        except LogError:
            return False
        own = {switch.scope: switch.reason for switch in switches if switch.level and switch.actor == ACTOR}
        positions = [self._settings.trigger(Metric.POSITION, scope) for scope in own]
        self._standings = held((*self._triggers, *positions), own)
        self._remembers = True
        return True

    # ------------------------------------------------------------------------------------------- status

    def status(self) -> dict[str, Any]:
        """What `ems health` is told."""
        away = sorted({f"{scope.text} {metric}" for (metric, scope), one in self._standings.items() if one.bad})
        tripped = sorted({f"{scope.text} {metric}" for (metric, scope), one in self._standings.items() if one.worst is not None})
        return {
            "state": "watching" if self.looks else "reading the log",
            "seq": self._book.seq,
            "triggers": len(self._triggers) + len(self._book.limited()),
            "metrics_missing": away,
            "tripped": tripped,
        }
