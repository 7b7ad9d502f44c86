"""The event log: `domain.ports.EventLog` on Postgres, with group commit.

Callers that append while a commit is under way wait together and share the next one. A batch that fails as a
whole is taken apart and appended caller by caller, so a stale caller fails alone.
"""

from __future__ import annotations

import asyncio
from asyncio import Future, Task
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Self
from uuid import UUID

from adapters.postgres.lease import Lease
from adapters.postgres.reader import Reader
from adapters.postgres.versions import Versions
from adapters.postgres.writer import Batch, LostAnswer, Writer
from domain.errors import EmsError, Fenced, LogError, LogUnavailable, VersionConflict
from domain.event import Entry, Recorded, Topics
from domain.ports import Clock, Head
from domain.stored import encode_states

EVENTS_PER_COMMIT_MAX: Final = 4096
_RESENDS_MAX: Final = 1


@dataclass(slots=True, eq=False)
class _Call:
    """One append that waits for its commit."""

    entries: tuple[Entry, ...]
    states: list[list[bytes]]
    epoch: int | None
    done: Future[tuple[Recorded, ...]]
    alone: bool = False  # its batch failed: it is tried by itself
    lost: int = 0  # times that it was sent and proved not to be in the log

    @property
    def size(self) -> int:
        return sum(map(len, self.states))


@dataclass(slots=True)
class _Calls:
    """Calls that fit into one commit."""

    calls: list[_Call] = field(default_factory=list)
    versions: dict[UUID, int] = field(default_factory=dict)  # of the streams they move
    epoch: int | None = None
    size: int = 0

    def admits(self, call: _Call) -> bool:
        """Whether call can join: alone if it must, one epoch, not too many events, no stream it expects otherwise."""
        if not self.calls:
            return True
        if call.alone or self.calls[0].alone or self.size + call.size > EVENTS_PER_COMMIT_MAX:
            return False
        if call.epoch is not None and self.epoch is not None and call.epoch != self.epoch:
            return False
        return all(self.versions.get(entry.stream, entry.expected_version) == entry.expected_version for entry in call.entries)

    def add(self, call: _Call, moves: dict[UUID, int]) -> None:
        """Take call in; moves are the versions that it takes its streams to."""
        self.calls.append(call)
        self.versions |= moves
        self.epoch = call.epoch if self.epoch is None else self.epoch
        self.size += call.size


class PostgresEventLog:
    """The log of one database, for one asyncio loop.

    Args:
        dsn: connection string of the role that may append.
        topics: the catalogue by which stored events are read back.
        clock: gives recorded_time_ns, once for each commit.
        answer_timeout_s: after this long without an answer a connection counts as lost.
        readback_timeout_s: how long to wait for the database when the fate of a commit must be looked up.
    """

    def __init__(
        self, dsn: str, topics: Topics, clock: Clock, *, answer_timeout_s: float = 10.0, readback_timeout_s: float = 5.0
    ) -> None:
        self._clock = clock
        self._readback_timeout_s = readback_timeout_s
        self._writer = Writer(dsn, answer_timeout_s=answer_timeout_s)
        self._reader = Reader(dsn, topics)
        self._lease = Lease(dsn)
        self._versions = Versions()
        self._queue: deque[_Call] = deque()
        self._flusher: Task[None] | None = None
        self.commits = 0  # transactions that this object has committed

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Finish what is being appended, give up the lead, close every connection."""
        if self._flusher is not None:
            await self._flusher
        await self._lease.release()
        await self._writer.drop()
        await self._reader.close()

    # ---------------------------------------------------------------------------------------- appending

    async def append(self, entries: Sequence[Entry], *, epoch: int | None = None) -> tuple[Recorded, ...]:
        """Add all entries or none; see `domain.ports.EventLog.append`.

        Raises:
            VersionConflict, Fenced: nothing was written.
            LogUnavailable: nothing is known to be written; everything queued behind fails with it.
        """
        loop = asyncio.get_running_loop()
        call = _Call(tuple(entries), [encode_states(entry.meta, entry.events) for entry in entries], epoch, loop.create_future())
        if call.size == 0:
            return ()
        self._queue.append(call)
        if self._flusher is None or self._flusher.done():
            self._flusher = loop.create_task(self._flush())
        return await call.done

    async def _flush(self) -> None:
        """Commit batches until nobody waits."""
        batch: list[_Call] = []
        try:
            while self._queue:
                await self._learn_versions()
                batch = self._take()
                if batch:
                    await self._commit(batch)
                    await asyncio.sleep(0)  # let the callers that were just answered join the next batch
        except LogUnavailable as cause:
            # Whatever waits behind a batch of unknown fate was decided on it: it must not reach the log without it.
            self._fail([*batch, *self._queue], cause)
            self._queue.clear()
        except BaseException as cause:
            self._fail([*batch, *self._queue], LogError(f"the log's writer stopped: {cause!r}"))
            self._queue.clear()
            await self._writer.drop()
            raise

    async def _learn_versions(self) -> None:
        """Look up the streams of waiting calls whose expected version this process has not seen yet."""
        unknown: set[UUID] = set()
        moved: dict[UUID, int] = {}
        for call in self._queue:
            for entry in call.entries:
                if entry.expected_version > (moved.get(entry.stream) or self._versions.get(entry.stream)):
                    unknown.add(entry.stream)
                moved[entry.stream] = entry.expected_version + len(entry.events)
        if unknown:
            found = await self._writer.versions(sorted(unknown))
            for stream, version in found.items():
                self._versions.put(stream, version)

    def _take(self) -> list[_Call]:
        """The calls at the front of the queue that fit into one commit; calls that are stale are answered."""
        batch = _Calls()
        while self._queue and batch.admits(self._queue[0]):
            call = self._queue.popleft()
            try:
                batch.add(call, self._moves(call, batch.versions))
            except VersionConflict as conflict:
                self._fail([call], conflict)
        return batch.calls

    def _moves(self, call: _Call, moved: dict[UUID, int]) -> dict[UUID, int]:
        """The versions that call takes its streams to, when it comes behind moved. Raises VersionConflict."""
        moves: dict[UUID, int] = {}
        for entry in call.entries:
            version = moves.get(entry.stream) or moved.get(entry.stream) or self._versions.get(entry.stream)
            if entry.expected_version != version:
                raise VersionConflict(f"stream {entry.stream} is at version {version}, not {entry.expected_version}")
            moves[entry.stream] = version + len(entry.events)
        return moves

    async def _commit(self, calls: list[_Call]) -> None:
        batch = Batch(
            [entry for call in calls for entry in call.entries],
            [states for call in calls for states in call.states],
            next((call.epoch for call in calls if call.epoch is not None), None),
        )
        try:
            laid = await self._writer.commit(batch, self._clock.now_ns())
        except LostAnswer as lost:
            if not await self._writer.was_committed(lost, timeout_s=self._readback_timeout_s):
                self._again(calls)
                return
            laid = lost.laid
        except (VersionConflict, Fenced) as refusal:
            self._take_apart(calls, refusal)
            return
        self.commits += 1
        self._answer(calls, laid)

    def _again(self, calls: list[_Call]) -> None:
        """Queue calls that are proved not to be in the log, nor on their way there."""
        for call in calls:
            call.lost += 1
            if call.lost > _RESENDS_MAX:
                raise LogUnavailable("the connection is lost at every commit; nothing was written")
        self._queue.extendleft(reversed(calls))
        calls.clear()

    def _take_apart(self, calls: list[_Call], refusal: EmsError) -> None:
        for call in calls:
            call.alone = True
            for entry in call.entries:
                self._versions.forget(entry.stream)
        if len(calls) == 1:
            self._fail(calls, refusal)
        else:
            self._queue.extendleft(reversed(calls))
        calls.clear()

    def _answer(self, calls: list[_Call], laid: list[list[Recorded]]) -> None:
        place = iter(laid)
        for call in calls:
            recorded: list[Recorded] = []
            for entry in call.entries:
                recorded += next(place)
                self._versions.put(entry.stream, entry.expected_version + len(entry.events))
            if not call.done.done():  # its caller may have given up waiting
                call.done.set_result(tuple(recorded))

    def _fail(self, calls: list[_Call], error: EmsError) -> None:
        for call in calls:
            if not call.done.done():
                call.done.set_exception(error)

    # ---------------------------------------------------------------------------------------- reading

    async def read(self, stream: UUID, *, after_version: int = 0) -> list[Recorded]:
        """The events of one stream in order. Raises LogUnavailable, UnknownTopic."""
        return await self._reader.read(stream, after_version)

    def read_all(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Recorded]:
        """Every event in order. Raises LogUnavailable, UnknownTopic."""
        return self._reader.read_all(after_seq, until_seq)

    def subscribe(self, *, after_seq: int = 0) -> AsyncIterator[Recorded]:
        """As read_all, then waits for more. Raises LogUnavailable when the database goes: subscribe again from the last seq."""
        return self._reader.subscribe(after_seq)

    async def head(self) -> Head:
        """The end of the log now. Raises LogUnavailable."""
        return await self._reader.head()

    async def verify_chain(self, *, after_seq: int = 0) -> Head:
        """Walk the stored rows to the head and check every link. Raises ChainBroken with the sequence number."""
        return await self._reader.verify_chain(after_seq)

    # ---------------------------------------------------------------------------------------- leading

    async def take_lead(self, leader: str) -> int:
        """Wait until no other desk leads, then lead; see `domain.ports.EventLog.take_lead`."""
        return await self._lease.take(leader)

    @property
    def lead_lost(self) -> asyncio.Event:
        """Set when the lead that was taken may have passed to another: stop trading and recover."""
        return self._lease.lost
