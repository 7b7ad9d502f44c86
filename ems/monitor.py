"""The monitor: looks each second at everything that tells how it stands, and keeps one alert for what does not stand well.

It follows the log, so that which alerts are open is what the log says and not what it remembers: a monitor that is started anew
goes on where the last one ended. An alert is written first and told afterwards; what a receiver has taken is written too, and
whatever is not written as taken is told again, with growing pauses, for as long as it takes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any, Final

import structlog

from domain import monitoring as mo
from domain.errors import AlertNotSent, LogUnavailable, VersionConflict
from domain.event import Entry, Event, EventClasses, Meta, Recorded
from domain.monitoring import Finding, MonitorAlert
from domain.ports import Clock, EventLog
from domain.ports_alerts import AlertReceiver
from domain.values import E9, StreamId
from ems.monitor_findings import UNMONITORED

_log = structlog.get_logger("monitor")
ACTOR: Final = "system:monitor"
RETRY_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0, 15.0, 60.0)
FOLLOW_S: Final = 0.2
_LOOK_AT_S: Final = 0.2  # what is to be told


class Monitor:
    """One for a deployment.

    Args:
        look: what is not well now; it may take some seconds. None: another host's monitor is to see to that.
        wait_s: for so long from its first look on nothing is cleared: what a look does not tell yet is not well.
        fold: takes every event of the log beside. unread: classes whose content nobody wants.
    """

    def __init__(
        self, log: EventLog, clock: Clock, look: Callable[[], Awaitable[list[Finding] | None]],
        receivers: Sequence[AlertReceiver], fold: Callable[[Recorded], None], *, build: str, every_s: float, clear_s: float,
        wait_s: float = 0.0, unread: EventClasses = (),
    ) -> None:  # fmt: skip
        self._log, self._clock, self._look, self._receivers, self._fold = log, clock, look, receivers, fold
        self._build, self._every_s, self._unread = build, every_s, unread
        self._wait_ns, self._looked_ns = round(wait_s * E9), 0
        self._standings = mo.Standings(round(clear_s * E9))
        self.alerts: dict[StreamId, MonitorAlert] = {}
        self.seq = 0
        self.looks = 0
        self.stands_by = False
        self._begins: int | None = None  # the end of the log as it was at the start
        self.failed: dict[str, str] = {}  # receivers that did not take the last, and why

    async def run(self) -> None:
        """Watch until cancelled. Whatever ends one part of it ends all."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow())
            for receiver in self._receivers:
                tasks.create_task(self._tell(receiver))
            while True:
                await self.once()
                await asyncio.sleep(self._every_s)

    async def once(self) -> None:
        """Look, and write what has changed."""
        found = await self._look()
        self.stands_by = found is None
        if found is None or not await self._caught_up():
            return
        now_ns = self._clock.now_ns()
        self._looked_ns = self._looked_ns or now_ns
        clears = now_ns - self._looked_ns >= self._wait_ns
        for stream, event in self._standings.decide(self.alerts, found, now_ns, clears=clears):
            _log.warning("alert", **event.model_dump(mode="json"))
            await self._write(stream, event, ACTOR)
        self.looks += 1

    async def acknowledge(self, name: str, person: str, reason: str) -> str:
        """A person has seen an alert. Returns why it cannot be, "" where it is written."""
        found = [alert for alert in self.alerts.values() if alert.name == name and alert.open]
        if not found:
            return f"no alert {name} is open"
        if not reason.strip():
            return "an acknowledgement needs a reason"
        event = mo.Acknowledged(person=person, reason=reason, at_ns=self._clock.now_ns())
        return (
            ""
            if await self._write(found[0].id, event, f"person:{person}")
            else "it has just changed, or the log is away: ask again"
        )

    # ---------------------------------------------------------------------------------------------- log

    def apply(self, recorded: Recorded) -> None:
        """Fold one event."""
        if isinstance(recorded.event, mo.EVENTS):
            self._take(recorded)
        self._fold(recorded)
        self.seq = recorded.seq

    def _take(self, recorded: Recorded) -> None:
        """An event of an alert's, once: it is told by the append and by the log."""
        known = self.alerts.get(recorded.stream)
        if known is None or recorded.version > known.version:
            self.alerts[recorded.stream] = mo.evolve(known, recorded.event, stream=recorded.stream)

    async def _follow(self) -> None:
        attempt = 0
        while True:
            try:
                events = self._log.subscribe(after_seq=self.seq, unread=self._unread, every_s=FOLLOW_S)
                async with aclosing(events):  # type: ignore[type-var]
                    async for recorded in events:
                        self.apply(recorded)
                        attempt = 0
            except LogUnavailable as error:
                _log.warning("the log is not there", error=str(error))
            await asyncio.sleep(RETRY_S[min(attempt, 3)])
            attempt += 1

    async def _caught_up(self) -> bool:
        """Does it know every alert from before it was started? From then on it is the one who writes them."""
        if self._begins is None:
            try:
                self._begins = (await self._log.head()).seq
            except LogUnavailable:
                return False
        return self.seq >= self._begins

    async def _write(self, stream: StreamId, event: Event, actor: str) -> bool:
        state = self.alerts.get(stream)
        version = 0 if state is None else state.version
        meta = Meta(self._clock.now_ns(), actor, stream, "monitor", self._build)
        try:
            for recorded in await self._log.append([Entry(stream, version, (event,), meta)]):
                self._take(recorded)
        except (VersionConflict, LogUnavailable) as error:
            _log.warning("not written, and looked at again", error=str(error))
            return False
        return True

    # ------------------------------------------------------------------------------------------- telling

    async def _tell(self, receiver: AlertReceiver) -> None:
        attempt, told_ns = 0, 0
        while True:
            await asyncio.sleep(_LOOK_AT_S)
            now_ns = self._clock.now_ns()
            new = [alert for alert in self.alerts.values() if mo.due(alert, [receiver.name])]
            again = bool(receiver.repeat_s) and now_ns - told_ns >= receiver.repeat_s * E9
            if self.stands_by or not (new or again):
                continue
            told = {alert.id: alert for alert in new} | {
                alert.id: alert for alert in self.alerts.values() if again and alert.open
            }
            try:
                await asyncio.to_thread(receiver.tell, list(told.values()), now_ns)
            except AlertNotSent as error:
                self.failed[receiver.name] = str(error)
                _log.warning("an alert was not taken", receiver=receiver.name, error=str(error), waiting=len(new))
                await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
                attempt += 1
                continue
            attempt, told_ns = 0, now_ns
            self.failed.pop(receiver.name, None)
            for alert in new:
                await self._write(alert.id, mo.Sent(receiver=receiver.name, version_sent=alert.told, at_ns=now_ns), ACTOR)

    # -------------------------------------------------------------------------------------------- status

    def status(self) -> dict[str, Any]:
        """For health and people."""
        waiting = {r.name: sum(bool(mo.due(alert, [r.name])) for alert in self.alerts.values()) for r in self._receivers}
        return {
            "state": self._state(), "seq": self.seq, "looks": self.looks,
            "open": len(self._open()), "critical": sum(one.raised.severity == "critical" for one in self._open()),
            "unmonitored": [one.raised.subject for one in self._open() if one.raised.kind == UNMONITORED],
            "unsent": {name: count for name, count in waiting.items() if count}, "failed": dict(self.failed),
        }  # fmt: skip

    def _state(self) -> str:
        if self.stands_by:
            return "standing by"
        return "watching" if self.looks else "reading the log"

    def listed(self) -> list[dict[str, Any]]:
        """What is open, the oldest first."""
        return [
            {"alert": one.name, "kind": one.raised.kind, "what": one.raised.subject, "why": one.raised.text,
             "severity": one.raised.severity, "since_ns": one.raised.at_ns, "by": one.person, "session": "", "times": one.times}
            for one in self._open()
        ]  # fmt: skip

    def _open(self) -> list[MonitorAlert]:
        return sorted((alert for alert in self.alerts.values() if alert.open), key=lambda alert: alert.raised.at_ns)
