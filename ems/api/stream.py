"""From the log to browsers: one follower folds events into tables, and each subscription keeps what it has yet to be told.

A client that is slow sees fewer steps of the same row, never a queue that grows: what waits for it is a set of keys. Topics
that are never conflated queue their rows, up to a bound; beyond it the client is told of the gap and asks again.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final

import orjson
import structlog

from domain.errors import LogUnavailable
from domain.ports import Clock, EventLog
from ems.api.entitled import Sieve
from ems.read_models.models import ReadModels
from ems.read_models.table import Stored, Table

_log = structlog.get_logger("api")
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
QUEUE_MAX: Final = 5_000  # rows of a topic that is never conflated
TICK_S: Final = 0.25
BREATH: Final = 200  # events between two looks at everything else that the loop has to do


class Subscription:
    """One client's view of one table, and what of it the client has not been told yet."""

    def __init__(self, number: int, table: Table, sieve: Sieve) -> None:
        self.number = number
        self.table = table
        self.sieve = sieve
        self._n = 0
        self._dirty: dict[str, None] = {}
        self._queue: list[Any] = []
        self._lost = False
        self._shown: set[str] | None = None if sieve.all else set()
        self.due_s = 0.0

    @property
    def waiting(self) -> bool:
        """Is there anything to tell?"""
        return bool(self._dirty or self._queue or self._lost)

    @property
    def size(self) -> int:
        """How much waits."""
        return len(self._dirty) + len(self._queue)

    def note(self, keys: Iterable[str]) -> None:
        """These rows have changed."""
        if not self.table.topic.never_conflated:
            self._dirty.update(dict.fromkeys(keys))
            return
        for key in keys:
            if self._lost or len(self._queue) >= QUEUE_MAX:
                self._lost = True
                self._queue.clear()
                return
            if (row := self._seen(key)) is not None:
                self._queue.append(row)

    def snapshot(self, seq: int) -> bytes:
        """Everything as it is now; what was waiting is in it."""
        self._dirty.clear()
        self._queue.clear()
        self._lost, self._n = False, 0
        if self._shown is not None:
            self._shown.clear()
        rows = [row for key in list(self.table.ids()) if (row := self._seen(key)) is not None]
        return orjson.dumps({"t": "snap", "id": self.number, "n": 0, "seq": seq, "cols": self.table.topic.names, "rows": rows})

    def take(self, seq: int) -> bytes:
        """What has changed since the last message."""
        if self._lost:
            return orjson.dumps({"t": "gap", "id": self.number})
        rows, gone = self._queue, list[str]()
        self._queue = []
        dirty, self._dirty = self._dirty, {}
        for key in dirty:
            if (row := self._seen(key)) is not None:
                rows.append(row)
            elif self._shown is None or key in self._shown:
                gone.append(key)
                if self._shown is not None:
                    self._shown.discard(key)
        self._n += 1
        message: dict[str, Any] = {"t": "upd", "id": self.number, "n": self._n, "seq": seq, "p": time.time_ns(), "rows": rows}
        return orjson.dumps(message | ({"del": gone} if gone else {}))

    def _seen(self, key: str) -> orjson.Fragment | None:
        """The row as JSON if this client may see it and asked for it."""
        if self._shown is None:
            return self.table.encoded(key)
        row = self.table.row(key)
        if row is None or not self.sieve.passes(row):
            return None
        self._shown.add(key)
        return self.table.encoded(key)


class Source:
    """Tables, and who watches which."""

    def __init__(self, models: ReadModels) -> None:
        self.models = models
        self._watching: defaultdict[str, set[Subscription]] = defaultdict(set)

    def join(self, subscription: Subscription) -> None:
        """It is told from now on."""
        self._watching[subscription.table.topic.name].add(subscription)

    def leave(self, subscription: Subscription) -> None:
        """It is not."""
        self._watching[subscription.table.topic.name].discard(subscription)

    def tell(self, tables: Iterable[Table]) -> None:
        """Hand on what has changed."""
        for table in tables:
            if changed := table.take():
                for subscription in self._watching[table.topic.name]:
                    subscription.note(changed)

    def watched(self, topic: str) -> bool:
        """Does anybody look at it?"""
        return bool(self._watching[topic])


Asking = Callable[[], Awaitable[Iterable[Mapping[str, Any]]]]


class Feed(Source):
    """The live tables.

    Args:
        clock: the desk's.
        desk: its name.

    Attributes:
        asking: how the rows of a topic that is not in the log are asked for.
    """

    def __init__(self, log: EventLog, clock: Clock, desk: str = "") -> None:
        super().__init__(ReadModels(desk))
        self.asking: dict[str, Asking] = {}
        self._asked_s: dict[str, float] = {}
        self._log = log
        self._clock = clock
        self.following = False  # whether the log is being read now
        self.lag_ms = 0.0  # from the commit of the last event to here

    @property
    def now_ns(self) -> int:
        """By the desk's clock."""
        return self._clock.now_ns()

    def arms(self, wheel: str) -> list[str]:
        """Of an algo wheel, in their order."""
        found = (one for one in self.models.world.state.wheels.values() if one.name == wheel)
        return [arm.name for one in found for arm in one.arms]

    async def run(self) -> None:
        """Follow the log until cancelled; a database that goes away is waited for, and no event is skipped."""
        attempt = 0
        while True:
            try:
                await self._log.head()
                self.following, attempt = True, 0
                await self._follow()
            except LogUnavailable as error:
                _log.warning("the log is not there", error=str(error))
            self.following = False
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    async def _follow(self) -> None:
        taken = 0
        async for recorded in self._log.subscribe(after_seq=self.models.seq):
            self.tell(self.models.apply(recorded))
            self.lag_ms = max(0.0, (time.time_ns() - recorded.recorded_time_ns) / 1e6)
            taken += 1
            if taken % BREATH == 0:
                await asyncio.sleep(0)

    async def turn(self) -> None:
        """Let time pass in the tables, and ask for what is not in the log while somebody looks at it, until cancelled."""
        while True:
            self.tell(self.models.tick(self._clock.now_ns()))
            await asyncio.gather(*(self.fresh(topic) for topic in self.asking if self.watched(topic)))
            await asyncio.sleep(TICK_S)

    async def fresh(self, topic: str) -> None:
        """Ask for a topic's rows where those that are there are older than its flush."""
        table, now_s = self.models.tables.get(topic), time.monotonic()
        if topic not in self.asking or not isinstance(table, Stored):
            return
        if now_s - self._asked_s.get(topic, -1e9) >= table.topic.flush_ms / 1000:
            self._asked_s[topic] = now_s
            try:
                table.replace(await self.asking[topic]())
            except LogUnavailable as error:
                _log.warning("nobody can say", topic=topic, error=str(error))
            self.tell([table])
