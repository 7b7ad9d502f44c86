"""The past on the same tables: a socket's own copy of them, folded up to a moment, moved, and played.

What a table shows at an offset is what it showed live when that was the log's end, for it is the same fold.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from domain.event import Recorded
from domain.ports import EventLog
from ems.api.stream import Source
from ems.read_models.models import FOLDED, ReadModels
from ems.read_models.table import Table

SPEED_MAX: Final = 100.0
_STEP_S: Final = 0.05
_BREATH: Final = 500  # events folded between two looks at everything else
_MARKS_MAX: Final = 2_000
_MARKED: Final = (
    "parent_order.accepted.v1", "parent_order.finished.v1", "kill_switch.tripped.v1", "kill_switch.rearmed.v1",
    "parent_order.steered.v1", "fill.quarantined.v1", "reference.loaded.v1", "model_version.promoted.v1",
)  # fmt: skip


class Replay(Source):
    """Of one socket."""

    def __init__(self, log: EventLog, desk: str) -> None:
        super().__init__(ReadModels(desk, FOLDED))
        self._log = log
        self._desk = desk
        self._lock = asyncio.Lock()  # one move at a time
        self.playing = 0.0  # market time for wall time; 0: it stands

    async def seek(self, seq: int) -> bool:
        """Be at an offset; whether the tables are others than before, which all subscriptions must then look at anew."""
        async with self._lock:
            back = seq < self.models.seq
            if back:
                self.models = ReadModels(self._desk, FOLDED)
            await self._fold(seq)
            for table in self.models.tables.values():
                table.take()
            return True

    async def _fold(self, until_seq: int) -> None:
        count = 0
        async for page in self._log.read_pages(after_seq=self.models.seq, until_seq=until_seq):
            for recorded in page:
                self._apply(recorded)
                count += 1
                if count % _BREATH == 0:
                    await asyncio.sleep(0)

    def _apply(self, recorded: Recorded) -> set[Table]:
        concerned = set(self.models.apply(recorded))
        if recorded.meta.event_time_ns > self.models.world.now_ns:
            concerned |= set(self.models.tick(recorded.meta.event_time_ns))
        return concerned

    async def play(self) -> None:
        """Go on at `playing` until it stands or the log ends, telling what changes."""
        reached_ns, loop = float(self.models.world.now_ns), asyncio.get_running_loop()
        looked_s = loop.time()
        async for recorded in self._ahead():
            while self.playing and recorded.meta.event_time_ns > reached_ns:
                await asyncio.sleep(_STEP_S)
                now_s = loop.time()
                reached_ns, looked_s = reached_ns + (now_s - looked_s) * self.playing * 1e9, now_s
            if not self.playing:
                return
            async with self._lock:
                if recorded.seq != self.models.seq + 1:  # it was moved meanwhile
                    return
                self.tell(self._apply(recorded))
        self.playing = 0.0

    async def _ahead(self) -> AsyncIterator[Recorded]:
        async for page in self._log.read_pages(after_seq=self.models.seq):
            for recorded in page:
                yield recorded
            await asyncio.sleep(0)


async def span(log: EventLog) -> dict[str, Any]:
    """From where to where the log reaches, and what happened on the way that people look for."""
    first: Recorded | None = None
    last: Recorded | None = None
    marks: list[dict[str, Any]] = []
    async for page in log.read_pages():
        for recorded in page:
            first, last = first or recorded, recorded
            if recorded.event.TOPIC in _MARKED and len(marks) < _MARKS_MAX:
                what = recorded.event.TOPIC.rpartition(".")[0]
                marks.append({"seq": recorded.seq, "time_ns": str(recorded.meta.event_time_ns), "what": what})
        await asyncio.sleep(0)
    if first is None or last is None:
        return {"first_seq": 0, "last_seq": 0, "first_ns": None, "last_ns": None, "marks": []}
    return {
        "first_seq": first.seq, "last_seq": last.seq, "first_ns": str(first.meta.event_time_ns),
        "last_ns": str(last.meta.event_time_ns), "marks": marks,
    }  # fmt: skip


async def at(log: EventLog, desk: str, seq: int) -> ReadModels:
    """The tables as they were when an event was the log's last."""
    replay = Replay(log, desk)
    await replay.seek(seq)
    return replay.models
