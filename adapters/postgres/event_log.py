"""The event log: `domain.ports.EventLog` on Postgres, with group commit.

Callers that append while a commit is under way wait together and share the next one. A batch that fails as a
whole is taken apart and appended caller by caller, so a stale caller fails alone.
"""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final, Self

from adapters.postgres.batch import Batch, Laid
from adapters.postgres.lease import Lease, Membership
from adapters.postgres.reader import Reader
from adapters.postgres.versions import Versions
from adapters.postgres.waiting import Call, Unseen, Waiting
from adapters.postgres.writer import LostAnswer, Writer
from domain.errors import ChainBroken, LogError, LogUnavailable
from domain.event import Entry, EventClasses, Fact, Recorded, Topics
from domain.lead import Leader
from domain.ports import Clock, Head
from domain.stored import StoredRow, encode_states
from domain.values import StreamId

_RESENDS_MAX: Final = 1


class PostgresEventLog:
    """The log of one database, for one asyncio loop.

    Args:
        dsn: connection string of the role that may append.
        topics: the catalogue by which stored events are read back.
        clock: gives recorded_time_ns, once for each commit.
        answer_timeout_s: after this long without an answer a connection counts as lost.
        readback_timeout_s: how long to wait for the database when the fate of a commit must be looked up.
        membership: of a desk: it leads only where those that are up allow it to open.
        lease_s: a leader that has not been heard of for so long leads no more; 0: as long as its connection stands.
    """

    def __init__(
        self, dsn: str, topics: Topics, clock: Clock, *, answer_timeout_s: float = 10.0, readback_timeout_s: float = 5.0,
        membership: Membership | None = None, lease_s: float = 0,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._readback_timeout_s = readback_timeout_s
        self._writer = Writer(dsn, answer_timeout_s=answer_timeout_s)
        self._reader = Reader(dsn, topics)
        self._lease = Lease(dsn, membership, lease_s)
        self._versions = Versions()
        self._waiting = Waiting(self._versions)
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
        states = [encode_states(entry.meta, entry.events) for entry in entries]
        size = sum(map(len, states))
        if size == 0:
            return ()
        call = Call(tuple(entries), states, size, epoch, loop.create_future())
        self._waiting.add(call)
        if self._flusher is None or self._flusher.done():
            self._flusher = loop.create_task(self._flush())
        return await call.done

    async def _flush(self) -> None:
        """Commit batches until nobody waits."""
        calls: list[Call] = []
        try:
            while self._waiting:
                calls = await self._take()
                if calls:
                    await self._commit(calls)
                    calls = []
                    await asyncio.sleep(0)  # let the callers that were just answered join the next batch
        except LogError as error:
            # Whatever waits behind a batch of unknown fate was decided on it: it must not reach the log without it.
            self._fail_all(calls, error)
        except BaseException as error:
            self._fail_all(calls, LogError(f"the log's writer stopped: {error!r}"))
            await self._writer.drop()
            raise

    async def _take(self) -> list[Call]:
        """The next batch, after looking up streams whose expected version this process has not seen yet."""
        looked_up: set[StreamId] = set()
        while True:
            try:
                return self._waiting.take(looked_up)
            except Unseen:
                unseen = self._waiting.unseen()
                for stream, version in (await self._writer.versions(unseen)).items():
                    self._versions.put(stream, version)
                looked_up.update(unseen)

    async def _commit(self, calls: list[Call]) -> None:
        """Append calls in one commit and answer them, or queue them again. Raises what nobody can go on from."""
        epochs = [call.epoch for call in calls if call.epoch is not None]
        batch = Batch(
            [entry for call in calls for entry in call.entries],
            [states for call in calls for states in call.states],
            epochs[0] if epochs else None,
        )
        try:
            laid = await self._writer.commit(batch, self._clock.now_ns())
        except LostAnswer as lost:
            if not await self._writer.was_committed(lost, timeout_s=self._readback_timeout_s):
                self._again(calls)
                return
            laid = lost.laid
        except (LogUnavailable, ChainBroken):
            raise
        except LogError as refusal:
            self._take_apart(calls, refusal)
            return
        self.commits += 1
        self._answer(calls, laid)

    def _again(self, calls: list[Call]) -> None:
        """Queue calls that are proved not to be in the log, nor on their way there."""
        for call in calls:
            call.resent += 1
            if call.resent > _RESENDS_MAX:
                raise LogUnavailable("the connection is lost at every commit; nothing was written")
        self._waiting.put_back(calls)

    def _take_apart(self, calls: list[Call], refusal: LogError) -> None:
        """Answer a lone caller with what refused it; try several one by one."""
        for entry in (entry for call in calls for entry in call.entries):
            self._versions.forget(entry.stream)
        if len(calls) == 1:
            calls[0].fail(refusal)
            return
        for call in calls:
            call.alone = True
        self._waiting.put_back(calls)

    def _answer(self, calls: list[Call], laid: Laid) -> None:
        recorded = iter(laid.recorded)
        for call in calls:
            self._versions.put_all(call.entries)
            if len(call.entries) == 1:
                call.succeed(next(recorded))
            else:
                call.succeed(tuple(event for _ in call.entries for event in next(recorded)))

    def _fail_all(self, calls: list[Call], error: LogError) -> None:
        for call in (*calls, *self._waiting.clear()):
            call.fail(error)

    # ---------------------------------------------------------------------------------------- reading

    async def read(self, stream: StreamId, *, after_version: int = 0) -> list[Recorded]:
        """The events of one stream in order. Raises LogUnavailable, UnknownTopic."""
        return await self._reader.read(stream, after_version)

    def read_pages(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[Recorded]]:
        """Every event in order, in pages. Raises LogUnavailable, UnknownTopic."""
        return self._reader.read_pages(after_seq, until_seq)

    def read_rows(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[StoredRow]]:
        """Every row as it is stored, in pages, not decoded. Raises LogUnavailable."""
        return self._reader.read_rows(after_seq, until_seq)

    def read_facts(
        self, *, after_seq: int = 0, until_seq: int | None = None, unread: EventClasses = ()
    ) -> AsyncIterator[Iterator[Fact]]:
        """As read_pages, with no more of each event than a fold takes. Raises as that."""
        return self._reader.read_facts(after_seq, until_seq, unread)

    def subscribe(self, *, after_seq: int = 0, unread: EventClasses = (), every_s: float = 0) -> AsyncIterator[Recorded]:
        """As read_pages, event by event, then waits for more. Raises LogUnavailable: subscribe again from the last seq."""
        return self._reader.subscribe(after_seq, unread, every_s)

    async def head(self) -> Head:
        """The end of the log now. Raises LogUnavailable."""
        return await self._reader.head()

    async def led_by(self) -> Leader:
        """Who leads, or did so last. Raises LogUnavailable."""
        return await self._reader.led_by()

    async def verify_chain(self, *, after_seq: int = 0) -> Head:
        """Walk the stored rows to the head and check every link. Raises ChainBroken with the sequence number."""
        return await self._reader.verify_chain(after_seq)

    # ---------------------------------------------------------------------------------------- leading

    async def take_lead(self, leader: str) -> int:
        """Wait until no other desk leads, then lead; see `domain.ports.EventLog.take_lead`."""
        return await self._lease.take(leader)

    @property
    def lead_lost(self) -> asyncio.Event:
        """Set when the lead that was taken has passed to another. What is appended with its epoch is refused from then on."""
        return self._lease.lost
