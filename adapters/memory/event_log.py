"""The event log in memory: the same rules and the same bytes as on Postgres, for tests and simulated days.

It is deterministic: no task, no thread, no clock but the one given. Fault points are methods to override:
`before_durable` and `after_durable` may raise, and the log then behaves as a database that was lost there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final

from domain.errors import Fenced, VersionConflict
from domain.event import GENESIS_HASH, Entry, EventClasses, Fact, Recorded, Topics
from domain.ports import Clock, Head
from domain.stored import ChainWalk, Decoder, StoredRow, encode_states, record
from domain.values import StreamId

PAGE_ROWS: Final = 100
_SEQ_MAX: Final = 2**63 - 1


class MemoryEventLog:
    """`domain.ports.EventLog` in this process.

    Args:
        topics: the catalogue by which events are read back from their stored bytes.
        clock: gives recorded_time_ns.
        rows: what the log holds already, as `rows` of another one: the disk that a crash leaves behind.
    """

    def __init__(self, topics: Topics, clock: Clock, *, rows: Sequence[StoredRow] = (), epoch: int = 0) -> None:
        self._decoder = Decoder(topics)
        self._clock = clock
        self._rows: list[StoredRow] = []
        self._streams: dict[StreamId, list[StoredRow]] = {}
        self._head = Head(0, GENESIS_HASH, epoch)
        self._moved = asyncio.Event()
        self._lead = asyncio.Lock()
        self._leads = False
        self.leader = ""
        self._keep(rows)

    @property
    def rows(self) -> tuple[StoredRow, ...]:
        """Everything stored, as it would lie in the table."""
        return tuple(self._rows)

    def before_durable(self, entries: Sequence[Entry]) -> None:
        """Fault point: raise LogUnavailable here and nothing has been written."""

    def after_durable(self, recorded: Sequence[Recorded]) -> None:
        """Fault point: raise LogUnavailable here and everything has been written, but the caller is not told."""

    async def append(self, entries: Sequence[Entry], *, epoch: int | None = None) -> tuple[Recorded, ...]:
        """Add all entries or none; see `domain.ports.EventLog.append`."""
        await asyncio.sleep(0)  # as on a real log, others run before the answer
        states = [encode_states(entry.meta, entry.events) for entry in entries]
        if not any(states):
            return ()
        if epoch is not None and epoch != self._head.epoch:
            raise Fenced(f"epoch {epoch} has ended, the log is at epoch {self._head.epoch}")
        self._check_versions(entries)
        self.before_durable(entries)
        now_ns, seq, hash_ = self._clock.now_ns(), self._head.seq, self._head.hash
        recorded: list[Recorded] = []
        for entry, stored in zip(entries, states, strict=True):
            recorded += record(entry, stored, seq, hash_, now_ns)
            seq, hash_ = (recorded[-1].seq, recorded[-1].hash) if recorded else (seq, hash_)
        flat = [state for stored in states for state in stored]
        self._keep([_row(event, state) for event, state in zip(recorded, flat, strict=True)])
        self.after_durable(recorded)
        return tuple(recorded)

    def _check_versions(self, entries: Sequence[Entry]) -> None:
        moved: dict[StreamId, int] = {}
        for entry in entries:
            stored = self._streams.get(entry.stream)
            version = moved.get(entry.stream) or (stored[-1].version if stored else 0)
            if version != entry.expected_version:
                raise VersionConflict(f"stream {entry.stream} is at version {version}, not {entry.expected_version}")
            moved[entry.stream] = version + len(entry.events)

    def _keep(self, rows: Sequence[StoredRow]) -> None:
        for row in rows:
            self._rows.append(row)
            self._streams.setdefault(row.stream, []).append(row)
            self._head = Head(row.seq, row.hash, self._head.epoch)
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def read(self, stream: StreamId, *, after_version: int = 0) -> list[Recorded]:
        """The events of one stream in order."""
        return list(self._decoder.recorded(row for row in self._streams.get(stream, ()) if row.version > after_version))

    async def read_pages(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[Recorded]]:
        """Every event in order, none skipped."""
        for rows in self._pages(after_seq, until_seq):
            yield self._decoder.recorded(rows)

    async def read_rows(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[StoredRow]]:
        """Every row as it is stored, not decoded."""
        for rows in self._pages(after_seq, until_seq):
            yield iter(rows)

    async def read_facts(
        self, *, after_seq: int = 0, until_seq: int | None = None, unread: EventClasses = ()
    ) -> AsyncIterator[Iterator[Fact]]:
        """As read_pages, with no more of each event than a fold takes."""
        for rows in self._pages(after_seq, until_seq):
            columns = [list(column) for column in zip(*rows, strict=True)]
            seqs, streams, _, topics, times_ns, states, _, _ = columns
            yield zip(seqs, streams, times_ns, self._decoder.contents(topics, states, unread), strict=True)

    def _pages(self, after_seq: int, until_seq: int | None) -> Iterator[list[StoredRow]]:
        until = _SEQ_MAX if until_seq is None else until_seq
        while rows := self._rows[after_seq : min(after_seq + PAGE_ROWS, until)]:
            yield rows
            after_seq += len(rows)

    async def subscribe(self, *, after_seq: int = 0, unread: EventClasses = (), every_s: float = 0) -> AsyncIterator[Recorded]:
        """As read_pages, event by event, then waits for more."""
        while True:
            moved = self._moved
            for rows in self._pages(after_seq, None):
                for recorded in self._decoder.recorded(rows, unread):
                    yield recorded
                    after_seq = recorded.seq
            if moved is self._moved:
                await (asyncio.sleep(every_s) if every_s else moved.wait())

    async def head(self) -> Head:
        """The end of the log now."""
        return self._head

    async def verify_chain(self, *, after_seq: int = 0) -> Head:
        """Check every link of the stored rows. Raises ChainBroken with the sequence number."""
        walk = ChainWalk(after_seq, self._rows[after_seq - 1].hash if after_seq else GENESIS_HASH)
        for row in self._rows[after_seq:]:
            walk.check(row)
        walk.finish(self._head.seq, self._head.hash)
        return self._head

    async def take_lead(self, leader: str) -> int:
        """Wait until no other desk leads, then raise and return the epoch. `release_lead` lets the next one in."""
        if self._leads and self.leader == leader:  # a desk that comes back leads anew
            self.release_lead()
        await self._lead.acquire()
        self._leads = True
        self.leader = leader
        self._head = self._head._replace(epoch=self._head.epoch + 1)
        return self._head.epoch

    def release_lead(self) -> None:
        """Give the lead up, as a desk that stops or whose connection is lost."""
        self._leads = False
        self._lead.release()


def _row(event: Recorded, state: bytes) -> StoredRow:
    return StoredRow(
        event.seq, event.stream, event.version, event.event.TOPIC, event.recorded_time_ns, state, event.prev_hash, event.hash
    )
