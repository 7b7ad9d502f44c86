"""Where stored events come from: the port that explanations, replays and comparisons read through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from typing import Any, Protocol

from domain.errors import TimeOutsideLog
from domain.ports import Head
from domain.stored import StoredRow
from domain.values import StreamId

# A page of stored events, a list for each column of `StoredRow`, in its order.
Page = tuple[list[Any], ...]


class Source(Protocol):
    """Stored events, read only. Every method raises LogError where what it reads cannot be read."""

    @property
    def name(self) -> str:
        """What it is, for a person: "database", "bundle day.tar"."""
        ...

    async def head(self) -> Head:
        """The end of the log."""
        ...

    async def streams(self, ids: Collection[StreamId], until_seq: int) -> list[StoredRow]:
        """The events of some streams up to a sequence number, in the order of the log."""
        ...

    async def last_of(self, stream: StreamId, until_seq: int) -> StoredRow | None:
        """The last event of a stream up to a sequence number."""
        ...

    async def beginning(self, digits: str) -> list[StreamId]:
        """Streams whose id begins with these hexadecimal digits, lower case, without dashes."""
        ...

    async def mentioning(self, text: bytes, until_seq: int, limit: int) -> list[StoredRow]:
        """The first events whose stored bytes hold a text. It looks through everything: for what no key leads to."""
        ...

    async def rows(self, seqs: Collection[int]) -> list[StoredRow]:
        """The events with these numbers that there are, in order."""
        ...

    async def recorded_by(self, time_ns: int) -> int:
        """How many events had been recorded up to a moment."""
        ...

    def pages(self, after_seq: int, until_seq: int) -> AsyncIterator[Page]:
        """Every event in order, none skipped, memory flat."""
        ...


def rows_of(page: Page) -> Iterator[StoredRow]:
    """A page event by event."""
    return map(StoredRow._make, zip(*page, strict=True))


async def place_of(source: Source, at: str, moment_ns: int | None) -> int:
    """The last event at a place of the log.

    Args:
        at: as it was asked for: a sequence number, or "" for the end. It is told in the refusal.
        moment_ns: where it is a time.

    Raises:
        TimeOutsideLog: the log does not reach there.
    """
    head = await source.head()
    if head.seq == 0:
        raise TimeOutsideLog(f"the {source.name} holds no event")
    if moment_ns is None:
        seq = int(at) if at else head.seq
        if not 1 <= seq <= head.seq:
            raise TimeOutsideLog(f"the log has events 1 to {head.seq}: there is no event {seq}")
        return seq
    seq = await source.recorded_by(moment_ns)
    (last,) = await source.rows([head.seq])
    if seq == 0:
        raise TimeOutsideLog(f"{at} is before the log's first event")
    if moment_ns > last.recorded_time_ns:
        raise TimeOutsideLog(f"{at} is after the log's last event, {head.seq}: what was then is not known")
    return seq
