"""Beside the desk's loop: suspends when the log is lost, latches SOFT when that lasts, tells log and clients, proves flat.

It looks several times a second and remembers only what it has done already: losing it costs a repeat.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import structlog

from domain.disk import DiskWord
from domain.errors import LatchUnreadable, LogError
from domain.kill_flatten import FlattenHouse
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, Scope
from domain.kill_switch import Reported, Switch
from domain.kill_table import Level
from domain.messages import Input, KillNews
from domain.order_life import OrdStatus
from domain.ports import Clock, EventLog, KillLatch
from domain.values import ScopeKind
from ems.desk import Desk
from ems.kill import KillService
from ems.kill_proof import NO_PANIC, proof
from ems.kill_scopes import KillScopes

_log = structlog.get_logger("kill")
EVERY_S: Final = 0.1
WATCHDOG_START_S: Final = 20.0  # a watchdog that has not beaten since this desk came has so long
PROBE_S: Final = 2.0  # a log that does not answer in that time is lost; one that refuses is at once
OFTEN_S: Final = 60.0  # what is not flat or not proved by then is looked at only now and then
SELDOM_S: Final = 2.0
REPORT_AFTER_S: Final = 10.0  # an order that has not ended by then is reported as it stands

AskGateways = Callable[[], Awaitable[list[Mapping[str, Any]]]]


@dataclass(frozen=True, slots=True)
class KeeperParts:
    """What the keeper works with.

    Attributes:
        ask: what every gateway says of the kill switch; those that do not answer are left out.
        disk: what is wrong with the volumes that we write to.
    """

    desk: Desk
    service: KillService
    latch: KillLatch
    log: EventLog
    clock: Clock
    scopes: KillScopes
    deliver: Callable[[list[Input]], None]
    ask: AskGateways
    disk: Callable[[], DiskWord] = DiskWord


class KillKeeper:
    """One for a desk.

    Args:
        name: of the desk, which is the scope that is suspended.
        outage_s: how long a suspension may last.
    """

    def __init__(self, parts: KeeperParts, *, name: str, outage_s: float) -> None:
        self._parts = parts
        self._scope = Scope(ScopeKind.DESK, name)
        self._outage_s = outage_s
        self._lost_s: float | None = None  # since when, monotonic
        self._latched = False  # has this outage become SOFT?
        self._due_s: float | None = None  # from when on the watchdog must beat
        self._seen: dict[Scope, Slot] | None = None
        self._tripped_s: dict[str, float] = {}  # trips without a complete report -> when they were first seen
        self._proved: set[str] = set()  # trips whose complete report is in the log
        self._reported: set[tuple[str, bool]] = set()
        self._panic_s: float | None = None  # since when a PANIC is in force, monotonic
        self._flattened_s = self._proved_s = 0.0  # when the house and what is owed were last looked at

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look(time.monotonic(), up=await self._answers())
            await asyncio.sleep(EVERY_S)

    async def look(self, now_s: float, *, up: bool) -> None:
        """Once.

        Args:
            up: has the log answered just now?
        """
        self._flatten(now_s)
        self._tell_clients()  # before what follows clears a suspension that they have not heard of
        self._watch_disk(up)
        self._watch_log(now_s, up)
        self._watch_watchdog(now_s)
        if up and self._parts.desk.ready:
            try:
                await self._parts.service.flush()
                await self._prove(now_s)
            except LogError as error:
                _log.warning("the log has yet to be told of the kill switch", error=str(error))

    async def _answers(self) -> bool:
        try:
            async with asyncio.timeout(PROBE_S):  # wait_for may swallow a cancellation that comes with the answer
                await self._parts.log.head()
        except (LogError, TimeoutError):
            return False
        return True

    # ------------------------------------------------------------------------------------------ the log

    def _watch_log(self, now_s: float, up: bool) -> None:
        service = self._parts.service
        if not up or not self._parts.desk.ready:
            if self._lost_s is None:
                self._lost_s = now_s
                service.suspend(self._scope, Source.LOG, actor="system:desk", reason="the log does not answer")
            elif now_s - self._lost_s > self._outage_s and not self._latched:
                self._latched = True
                reason = f"the log was away for more than {self._outage_s:g} s"
                service.trip(self._scope, Level.SOFT, actor="system:desk", reason=reason)
        elif (self._lost_s is not None or self._suspended(self._scope, Source.LOG)) and self._reconciled():
            self._lost_s, self._latched = None, False
            service.clear(self._scope, Source.LOG, actor="system:desk")

    def _watch_disk(self, up: bool) -> None:
        """Nothing new on a full disk. It clears when there is room, and nothing is in doubt that a lost log has left so."""
        if why := self._parts.disk().stops:
            self._parts.service.suspend(self._scope, Source.DISK, actor="system:desk", reason=why)
        elif self._suspended(self._scope, Source.DISK) and up and self._parts.desk.ready and self._reconciled():
            self._parts.service.clear(self._scope, Source.DISK, actor="system:desk")

    def _watch_watchdog(self, now_s: float) -> None:
        """Say that the watchdog is away: every last look stops without this. Its return clears it, which it does itself."""
        if not self._parts.latch.verdict(()).readable:
            return  # that stops everybody, and nobody writes to it unasked
        if self._parts.latch.watched():
            self._due_s = now_s
        elif self._due_s is None:
            self._due_s = now_s + WATCHDOG_START_S
        elif now_s > self._due_s and not self._suspended(FIRM, Source.WATCHDOG):
            self._parts.service.suspend(FIRM, Source.WATCHDOG, actor="system:desk", reason="the watchdog does not beat")

    def _suspended(self, scope: Scope, source: Source) -> bool:
        return any(s.scope == scope and s.suspended & source for s in (self._seen or {}).values())

    def _reconciled(self) -> bool:
        """Is nothing in doubt at a venue that can be asked?"""
        state = self._parts.desk.state
        up = {session.session for session in state.sessions.values() if session.up}
        return not any(c.status is OrdStatus.IN_DOUBT and c.venue_session in up for c in state.live_children())

    # ------------------------------------------------------------------------------------------ the house

    def _flatten(self, now_s: float) -> None:
        """While a PANIC is in force the desk looks at the house's positions: at once, and after a while now and then."""
        if not any(slot.level is Level.PANIC for slot in (self._seen or {}).values()):
            self._panic_s = None
            return
        self._panic_s = now_s if self._panic_s is None else self._panic_s
        often = now_s - self._panic_s < OFTEN_S
        if self._parts.desk.ready and (often or now_s - self._flattened_s >= SELDOM_S):
            self._flattened_s = now_s
            self._parts.deliver([FlattenHouse()])

    # -------------------------------------------------------------------------------------- the clients

    def _tell_clients(self) -> None:
        """Each change of a scope, once. At a start: what is in force."""
        if not self._parts.desk.ready:
            return
        try:
            now = {slot.scope: slot for slot in self._parts.latch.slots()}
        except LatchUnreadable:
            return
        before, self._seen = self._seen or {}, now
        news: list[Input] = []
        for scope in {**before, **now}:
            was, is_ = before.get(scope, Slot(scope)), now.get(scope, Slot(scope))
            if headline := _headline(was, is_):
                news.append(KillNews(scope, headline, f"{headline}; {_TEXT[is_.effective]}"))
        if news:
            self._parts.deliver(news)

    # -------------------------------------------------------------------------------------------- proof

    async def _prove(self, now_s: float) -> None:
        """A report for every trip in force: when it is complete, or as far as it has come."""
        owing = {f"{slot.trip:016x}" for slot in (self._seen or {}).values() if slot.level} - self._proved
        if not owing:
            return
        last_s = max(self._tripped_s.get(trip, now_s) for trip in owing)
        if now_s - last_s >= OFTEN_S and now_s - self._proved_s < SELDOM_S:
            return
        self._proved_s = now_s
        parts = self._parts
        switches = (await parts.service.state()).switches.values()
        self._proved |= {switch.trip for switch in switches if switch.reported}
        owed = [switch for switch in switches if switch.level and not switch.reported]
        gateways = await parts.ask() if owed else []
        for switch in owed:
            since_s = self._tripped_s.setdefault(switch.trip, now_s)
            told = [gateway["trips"][switch.trip] for gateway in gateways if switch.trip in gateway.get("trips", {})]
            report = self._report(switch, told)
            if now_s - since_s < EVERY_S * 3:
                continue  # the gateways' word on what they sent comes first
            if (switch.trip, report.complete) in self._reported or (not report.complete and now_s - since_s < REPORT_AFTER_S):
                continue
            await parts.service.tell(report, actor="system:desk")
            self._reported.add((switch.trip, report.complete))

    def _report(self, switch: Switch, told: list[Mapping[str, Any]]) -> Reported:
        parts, at_ns = self._parts, self._parts.clock.now_ns()
        house = parts.desk.flattening.left(parts.desk.state, switch.scope, at_ns) if switch.level is Level.PANIC else NO_PANIC
        return proof(parts.desk.state, parts.scopes, switch, told, house=house, at_ns=at_ns)


def _headline(was: Slot, now: Slot) -> str:
    """What has changed, "" where nothing that a client is told of has."""
    if now.effective != was.effective:
        return f"Kill switch: {now.scope.text} is {now.effective.name}"
    if now.trip != was.trip:
        return f"Kill switch: {now.scope.text} is {now.effective.name} again"
    if was.paused_before_ns and not now.paused_before_ns:
        return f"Kill switch: orders of {now.scope.text} are resumed"
    return ""


_TEXT: Final = {
    Level.ARMED: "new orders are taken; orders of before stay paused until they are resumed, where they were stopped",
    Level.SUSPENDED: "nothing new leaves until it clears by itself; cancels pass",
    Level.SOFT: "no new orders leave; what works may run off; cancels pass",
    Level.HARD: "working orders are canceled and no new ones leave; cancels pass",
    Level.PANIC: "working orders are canceled and no new ones leave; cancels pass",
}
