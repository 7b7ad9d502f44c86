"""The desk writes down the markets that it works in: at a measured pace, also when they stand still, and not for ever."""

from __future__ import annotations

from dataclasses import replace

from domain.market_note import Noted
from domain.values import E9
from ems import recovery
from ems.pace import Pace
from tests.ems.room import PACE, Room, market

NOTING = replace(PACE, note_ns=E9, note_after_ns=60 * E9)


async def notes(room: Room) -> list[tuple[int, int | None]]:
    """When each was written, in seconds after the first, and the bid."""
    found = [r async for page in room.log.read_pages() for r in page if isinstance(r.event, Noted)]
    first_ns = found[0].meta.event_time_ns if found else 0
    events = [(r.meta.event_time_ns - first_ns, r.event) for r in found]
    return [(at_ns // E9, e.markets[0].bid_e9) for at_ns, e in events if isinstance(e, Noted)]


async def test_a_moving_market_is_noted_once_a_second_and_a_still_one_every_ten() -> None:
    room = await Room(pace=NOTING).open()
    await room.order()
    assert await notes(room) == [(0, 99 * E9)]
    for bid in (98, 97):  # two moves within a second
        await room.wait(0.3, market(bid))
    assert len(await notes(room)) == 1
    await room.wait(0.5)
    assert (await notes(room))[-1] == (1, 97 * E9)
    for _ in range(21):
        await room.wait(1)
    assert [at for at, _ in await notes(room)] == [0, 1, 11, 21]


async def test_it_is_noted_for_a_while_after_the_last_execution_and_then_no_more() -> None:
    room = await Room(pace=NOTING).open()
    await room.order(algo="", parameters=())
    await room.report("new")
    await room.fill(1000)
    assert room.parent().finished
    for second in range(1, 100):
        await room.wait(1, market(50 + second))
    told = await notes(room)
    assert [at for at, _ in told] == list(range(60))
    assert room.desk.next_wake_ns() is None


async def test_a_desk_that_follows_a_market_wakes_by_itself() -> None:
    room = await Room(pace=NOTING).open()
    await room.order(algo="", parameters=())
    wake_ns = room.desk.next_wake_ns()
    assert wake_ns is not None
    assert wake_ns <= room.clock.ns + 10 * E9


async def test_nothing_is_noted_where_nothing_is_worked_or_where_it_is_turned_off() -> None:
    idle, off = await Room(pace=NOTING).open(), await Room().open()
    await idle.wait(20, market(98))
    await off.order()
    await off.wait(20, market(98))
    assert await notes(idle) == await notes(off) == []
    assert Pace().note_ns == 0


async def test_a_desk_that_recovers_writes_on_where_the_last_one_ended() -> None:
    room = await Room(pace=NOTING).open()
    await room.order()
    folded = await recovery.fold(room.log)
    assert folded.digest() == room.desk.state.digest()
    room.log.release_lead()
    after = Room(room.log, room.clock, pace=NOTING)
    await after.open()
    room.clock.ns += 2 * E9
    await after.desk.cycle([market(97)])
    assert len(await notes(after)) >= 2
