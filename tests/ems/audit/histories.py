"""Logs to audit, in memory: a source over them, and a day with every kind of part that an explanation has."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

from adapters.memory.event_log import MemoryEventLog
from domain.ports import Head
from domain.stored import StoredRow
from domain.values import StreamId

PAGE = 7  # small, so that every test crosses pages


class MemoryRows:
    """`ems.audit.source.Source` over stored rows."""

    name = "memory"

    def __init__(self, rows: Sequence[StoredRow]) -> None:
        self.all = list(rows)

    @classmethod
    def of(cls, log: MemoryEventLog) -> MemoryRows:
        return cls(log.rows)

    async def head(self) -> Head:
        return Head(self.all[-1].seq, self.all[-1].hash, 0) if self.all else Head(0, b"", 0)

    async def streams(self, ids: Collection[StreamId], until_seq: int) -> list[StoredRow]:
        return [row for row in self.all if row.stream in ids and row.seq <= until_seq]

    async def last_of(self, stream: StreamId, until_seq: int) -> StoredRow | None:
        found = await self.streams([stream], until_seq)
        return found[-1] if found else None

    async def beginning(self, digits: str) -> list[StreamId]:
        return sorted({row.stream for row in self.all if row.stream.replace("-", "").startswith(digits)})

    async def mentioning(self, text: bytes, until_seq: int, limit: int) -> list[StoredRow]:
        return [row for row in self.all if text in row.state and row.seq <= until_seq][:limit]

    async def rows(self, seqs: Collection[int]) -> list[StoredRow]:
        return [row for row in self.all if row.seq in set(seqs)]

    async def recorded_by(self, time_ns: int) -> int:
        return max((row.seq for row in self.all if row.recorded_time_ns <= time_ns), default=0)

    async def pages(self, after_seq: int, until_seq: int) -> AsyncIterator[tuple[list[Any], ...]]:
        rows = [row for row in self.all if after_seq < row.seq <= until_seq]
        for start in range(0, len(rows), PAGE):
            yield tuple(list(column) for column in zip(*rows[start : start + PAGE], strict=True))
