"""The event log that outlives every desk, and the faulty connection that each desk has to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence

from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from domain.errors import LogUnavailable
from domain.event import Entry, EventClasses, Fact, Recorded
from domain.ports import Head
from domain.stored import StoredRow
from domain.values import StreamId
from tests.simulation.world import MS, Crash, S, Violation, World, WorldClock


class Pause:
    """Awaited: the world goes on for so long before the one that awaits it does."""

    def __init__(self, ns: int) -> None:
        self.ns = ns

    def __await__(self) -> Generator[Pause, None, None]:
        yield self


class Disk(MemoryEventLog):
    """The log itself. Whoever asks leads, once the one before has lost its lease."""

    def __init__(self, world: World, appended: Callable[[Sequence[Recorded]], None]) -> None:
        super().__init__(TOPICS, WorldClock(world))
        self._appended = appended
        self._decoded: dict[int, Recorded] = {}
        self.holder: object | None = None

    def after_durable(self, recorded: Sequence[Recorded]) -> None:
        self._appended(recorded)

    async def read(self, stream: StreamId, *, after_version: int = 0) -> list[Recorded]:
        return [self._recorded(row) for row in self._streams.get(stream, ()) if row.version > after_version]

    async def read_pages(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[Recorded]]:
        yield map(self._recorded, self._rows[after_seq:until_seq])

    async def read_facts(
        self, *, after_seq: int = 0, until_seq: int | None = None, unread: EventClasses = ()
    ) -> AsyncIterator[Iterator[Fact]]:
        async for page in self.read_pages(until_seq=until_seq):  # what need not be read may be
            yield ((r.seq, r.stream, r.recorded_time_ns, (r.event, r.meta)) for r in page)

    def _recorded(self, row: StoredRow) -> Recorded:
        """Every event is read back from its stored bytes, but only once: many desks fold the same log."""
        if row.seq not in self._decoded:
            (self._decoded[row.seq],) = self._decoder.recorded([row])
        return self._decoded[row.seq]

    async def lead(self, holder: object, name: str) -> int:
        """The epoch goes up; the lease is the holder's."""
        epoch = await self.take_lead(name)
        self.release_lead()
        self.holder = holder
        return epoch


class Connection:
    """`domain.ports.EventLog` of one desk process. Every append may be the last thing that the process does."""

    def __init__(self, world: World, disk: Disk) -> None:
        self._world = world
        self._disk = disk
        self._down_until_ns = 0

    async def append(self, entries: Sequence[Entry], *, epoch: int | None = None) -> tuple[Recorded, ...]:
        world = self._world
        await self._reach()
        if world.strikes("crash_before_append", 0.004):
            raise Crash
        if world.strikes("log_lost_before_append", 0.004):
            await self._fail()
        recorded = await self._disk.append(entries, epoch=epoch)
        if self._disk.holder not in (None, self):
            raise Violation("a desk that no longer leads has written")
        if world.strikes("crash_after_append", 0.004):
            raise Crash
        if world.strikes("stall_after_append", 0.003):
            await Pause(world.between(S, 20 * S))
        if world.strikes("log_lost_after_append", 0.004):
            await self._fail()
        await Pause(world.between(MS // 10, 2 * MS))
        return recorded

    async def read(self, stream: StreamId, *, after_version: int = 0) -> list[Recorded]:
        await self._reach()
        return await self._disk.read(stream, after_version=after_version)

    async def read_pages(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[Recorded]]:
        await self._reach()
        async for page in self._disk.read_pages(after_seq=after_seq, until_seq=until_seq):
            yield page

    async def read_facts(
        self, *, after_seq: int = 0, until_seq: int | None = None, unread: EventClasses = ()
    ) -> AsyncIterator[Iterator[Fact]]:
        await self._reach()
        async for page in self._disk.read_facts(after_seq=after_seq, until_seq=until_seq, unread=unread):
            yield page

    def subscribe(self, *, after_seq: int = 0, unread: EventClasses = (), every_s: float = 0) -> AsyncIterator[Recorded]:
        return self._disk.subscribe(after_seq=after_seq, unread=unread, every_s=every_s)

    async def head(self) -> Head:
        return await self._disk.head()

    async def take_lead(self, leader: str) -> int:
        await self._reach()
        if self._disk.holder not in (None, self):
            self._world.used["stood_by"] += 1
            raise Crash  # a desk that would wait behind another is ended, to keep one at work
        return await self._disk.lead(self, leader)

    def lose_lease(self) -> None:
        """The connection that holds the lease breaks: another desk may lead."""
        if self._disk.holder is self:
            self._disk.holder = None

    async def _reach(self) -> None:
        await Pause(self._world.between(MS // 20, MS))
        if self._world.now_ns < self._down_until_ns and not self._world.calm:
            await Pause(self._world.between(S // 2, 3 * S))
            raise LogUnavailable("the log cannot be reached")

    async def _fail(self) -> None:
        await Pause(self._world.between(MS, 10 * S))  # it is a time-out as often as a reset connection
        if self._world.strikes("log_stays_away", 0.3):
            self._down_until_ns = self._world.now_ns + self._world.between(S, 20 * S)
        raise LogUnavailable("the connection to the log broke")
