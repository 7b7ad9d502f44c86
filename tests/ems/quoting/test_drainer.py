"""The drainer: what is in the ring comes into the log once, whatever ends when; what cannot be kept suspends."""

from __future__ import annotations

import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import pytest

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from adapters.shm.ring import Ring
from domain import quote as q
from domain.catalogue import TOPICS
from domain.errors import JournalError, LogUnavailable
from domain.event import Entry, Event, Recorded
from domain.quote import Ending, Why
from domain.values import Side
from ems.quoting import journal as j
from ems.quoting.derive import Derivation
from ems.quoting.drainer import Drainer, Parts
from ems.quoting.segments import Segment, unpack
from tests.ems.quoting.standin import CODEC, SESSION, StandIn, folder_of, made, opened

E = TypeVar("E", bound=Event)


class FaultyLog(MemoryEventLog):
    """Its next append fails, before or after it has become durable."""

    before = after = False

    def before_durable(self, entries: Sequence[Entry]) -> None:
        if self.before:
            raise LogUnavailable("away")

    def after_durable(self, recorded: Sequence[Recorded]) -> None:
        if self.after:
            raise LogUnavailable("no answer")


class Room:
    """A ring with a writer, a log, and drainers one after the other."""

    def __init__(self, path: Path, slots: int = 4096) -> None:
        self.folder = folder_of(path)
        self.log = FaultyLog(TOPICS, WallClock())
        self.writer = Ring.make(self.folder / "journal.ring", record_bytes=j.RECORD_BYTES, slots=slots, session=SESSION)
        self.kernel = StandIn()
        self.number = 0

    def write(self, count: int, *, publish: bool = True) -> None:
        for row in made(count, kernel=self.kernel, first=self.number + 1):
            self.number += 1
            self.writer.slot(self.number)[:] = row
        if publish:
            self.writer.publish(self.number)

    async def drainer(self, seal_ns: int = 0) -> Drainer:
        parts = Parts(self.log, WallClock(), time.monotonic_ns, "build", seal_ns)
        drainer = Drainer(parts, Ring.open(self.folder / "journal.ring"), self.folder, opened(), Derivation(CODEC))
        await drainer.begin()
        return drainer

    def segment(self, number: int) -> Segment:
        return unpack((self.folder / f"{number:08}.segment").read_bytes())

    async def events(self, kind: type[E]) -> list[E]:
        found = await self.log.read(q.key("maker", "2026-11-27", "1"))
        return [recorded.event for recorded in found if isinstance(recorded.event, kind)]

    async def spans(self) -> list[tuple[int, int]]:
        return [(event.first, event.last) for event in await self.events(q.SegmentSealed)]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


async def test_records_become_segments_of_a_thousand_and_their_orders_and_fills_events(room: Room) -> None:
    room.write(2500)
    drainer = await room.drainer()
    assert not await drainer.once()
    assert await room.spans() == [(1, 1000), (1001, 2000), (2001, 2500)]
    kept = [record for number in (1, 2, 3) for record in room.segment(number).records]
    assert [record.number for record in kept] == list(range(1, 2501))
    assert [event.record for event in await room.events(q.OrderPlaced)] == [r.number for r in kept if r.output]
    assert [event.record for event in await room.events(q.Filled)] == [r.number for r in kept if r.head[j.KIND] == j.REPORT]
    assert {event.side for event in await room.events(q.Filled)} == {Side.BUY}
    assert room.writer.room() == room.writer.slots


async def test_the_events_of_a_segment_prove_its_file(room: Room) -> None:
    room.write(1000)
    await (await room.drainer()).once()
    (sealed,) = await room.events(q.SegmentSealed)
    data = (room.folder / "00000001.segment").read_bytes()
    assert (sealed.bytes, sealed.sha256) == (len(data), sha256(data).hexdigest())
    assert sealed.merkle_root == room.segment(1).root().hex()
    assert sealed.inferences == sum(bool(record.digests) for record in room.segment(1).records) > 800


async def test_a_few_records_wait_for_their_segment_to_fill_and_no_longer_than_that(room: Room) -> None:
    room.write(30)
    await (await room.drainer(seal_ns=10**12)).once()
    assert await room.spans() == []
    assert room.writer.room() == room.writer.slots - 30
    await (await room.drainer(seal_ns=0)).once()
    assert await room.spans() == [(1, 30)]


async def test_what_a_killed_quoter_wrote_and_did_not_publish_is_kept_and_the_session_is_said_to_have_died(room: Room) -> None:
    room.write(1200)
    room.write(3, publish=False)
    torn = room.writer.slot(1204)
    torn[:] = made(1, kernel=room.kernel, first=1204)[0]
    torn[8 * j.WANTED] ^= 1
    drainer = await room.drainer(seal_ns=10**12)
    assert not await drainer.once()
    room.writer.close()
    assert await drainer.once()
    assert await room.spans() == [(1, 1000), (1001, 1203)]
    (stopped,) = await room.events(q.Stopped)
    assert (stopped.ending, stopped.last, stopped.records) == (Ending.DIED, 1203, 1203)


async def test_a_session_that_says_that_it_stops_has_not_died(room: Room) -> None:
    room.write(5)
    last = room.writer.slot(6)
    j.put(last.view("i8"), last, 6, j.STOPPED, SESSION, 1)
    room.writer.publish(6)
    room.writer.close()
    assert await (await room.drainer()).once()
    (stopped,) = await room.events(q.Stopped)
    assert (stopped.ending, stopped.last) == (Ending.ORDERLY, 6)


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_while_the_log_is_away_quoting_is_suspended_and_nothing_is_written_twice(room: Room, fault: str) -> None:
    room.write(1500)
    drainer = await room.drainer()
    setattr(room.log, fault, True)
    assert not await drainer.once()
    assert room.writer.asked_to_stop() == Why.JOURNAL
    assert room.writer.room() == room.writer.slots - 1500
    setattr(room.log, fault, False)
    assert not await drainer.once()
    assert room.writer.asked_to_stop() == 0
    assert await room.spans() == [(1, 1000), (1001, 1500)]
    assert len(await room.events(q.OrderPlaced)) == sum(bool(r.output) for n in (1, 2) for r in room.segment(n).records)


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_a_drainer_that_died_in_the_middle_is_followed_by_one_that_goes_on_where_the_log_ends(
    room: Room, fault: str
) -> None:  # fmt: skip
    room.write(1500)
    first = await room.drainer()
    setattr(room.log, fault, True)
    await first.once()
    setattr(room.log, fault, False)
    room.write(700)
    second = await room.drainer()
    await second.once()
    assert (await room.spans())[-1][1] == 2200
    kept = [r for n in range(1, len(await room.spans()) + 1) for r in room.segment(n).records]
    assert [record.number for record in kept] == list(range(1, 2201))
    placed = [event.record for event in await room.events(q.OrderPlaced)]
    assert placed == [r.number for r in kept if r.output]


async def test_a_disk_that_takes_no_segment_suspends_and_loses_nothing(room: Room) -> None:
    room.write(1000)
    drainer = await room.drainer()
    blocked = room.folder / "00000001.new"
    blocked.mkdir()  # what cannot be written over: as a full disk, it fails for root too
    assert not await drainer.once()
    assert room.writer.asked_to_stop() == Why.JOURNAL
    blocked.rmdir()
    assert not await drainer.once()
    assert await room.spans() == [(1, 1000)]


async def test_a_record_that_was_damaged_in_the_ring_is_never_sealed(room: Room) -> None:
    room.write(10)
    room.writer.slot(4)[8 * j.VERDICT] ^= 1
    with pytest.raises(JournalError, match="record 4 of the ring is damaged"):
        await (await room.drainer()).once()


async def test_a_state_that_the_quoter_changed_by_itself_begins_a_segment(room: Room) -> None:
    room.write(10)
    room.number += 1
    j.put(room.writer.slot(11).view("i8"), room.writer.slot(11), 11, j.STATE, SESSION, 1)
    (room.folder / "12.state").write_bytes(room.kernel.state())
    room.write(10)
    await (await room.drainer()).once()
    assert await room.spans() == [(1, 11), (12, 21)]
    states = [event.state_sha256 for event in await room.events(q.SegmentSealed)]
    assert states == ["", sha256((room.folder / "12.state").read_bytes()).hexdigest()]
