"""What the api itself writes to the log: who came in, who was turned away, what was asked of a second person."""

from __future__ import annotations

from typing import Final

import structlog

from domain import access
from domain.errors import LogError, VersionConflict
from domain.event import Entry, Event, Meta
from domain.ports import Clock, EventLog
from domain.values import StreamId

_log = structlog.get_logger("api")
_ATTEMPTS: Final = 5
_REFUSALS_A_MINUTE: Final = 60
_MINUTE_NS: Final = 60_000_000_000


class Records:
    """Appends to streams of the api's own, each read no more than once.

    Refusals are written each until there are more of them in a minute than people cause; what comes beyond is counted, and
    written as one with the next minute's first: a stranger cannot fill the log.
    """

    def __init__(self, log: EventLog, clock: Clock, *, build: str) -> None:
        self._log = log
        self._clock = clock
        self._build = build
        self._versions: dict[StreamId, int] = {}
        self._minute_ns = 0
        self._written = self._unwritten = 0

    async def say(self, stream: StreamId, event: Event, *, actor: str, causation: str = "api") -> None:
        """Append one event, durable when it returns. Raises LogError."""
        now_ns = self._clock.now_ns()
        meta = Meta(now_ns, actor, correlation=stream, causation=causation, build=self._build)
        for attempt in range(_ATTEMPTS):
            version = self._versions.get(stream)
            if version is None:
                there = await self._log.read(stream)
                version = there[-1].version if there else 0
            try:
                await self._log.append([Entry(stream, version, (event,), meta)])
            except VersionConflict:
                self._versions.pop(stream, None)
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                self._versions[stream] = version + 1
                return

    async def refused(self, user: str, what: str, why: str, address: str) -> None:
        """Somebody was turned away. Whether or not the log takes it, the refusal stands."""
        now_ns = self._clock.now_ns()
        if now_ns - self._minute_ns > _MINUTE_NS:
            self._minute_ns, self._written = now_ns, 0
        if self._written >= _REFUSALS_A_MINUTE:
            self._unwritten += 1
            return
        self._written += 1
        count, self._unwritten = 1 + self._unwritten, 0
        event = access.Refused(user=user, what=what[:200], why=why[:200], address=address, count=count)
        try:
            await self.say(access.key(user), event, actor=f"person:{user}")
        except LogError as error:
            self._unwritten += count
            _log.warning("a refusal is not in the log", user=user, what=what, error=str(error))
