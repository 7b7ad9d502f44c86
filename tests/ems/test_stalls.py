"""An order that cannot release what is due says why, once, and when it can again; what passes is not said."""

from __future__ import annotations

from typing import Any

import pytest

from domain.messages import MarketUpdate
from domain.order_life import OrdStatus
from domain.stall import Stalled
from domain.values import E9
from tests.domain.orders import NOW_NS
from tests.ems.room import PACE, Room, market, session


async def said(room: Room) -> list[str]:
    found = []
    async for page in room.log.read_pages():
        found += [each.event.reason for each in page if isinstance(each.event, Stalled)]
    return found


async def ordered(*quantities: int, **terms: Any) -> Room:
    room = await Room().open()
    await room.order(**terms)
    if quantities:
        await room.plan(*quantities)
    return room


def shown(room: Room, **sides: int | None) -> MarketUpdate:
    state = market(**sides).market
    return MarketUpdate(state.model_copy(update={"time_ns": room.clock.ns}))


async def test_no_market_data_is_said_after_ten_seconds_and_the_order_plans_when_it_comes() -> None:
    room = await Room().open()
    room.desk.markets.clear()
    await room.order()
    await room.wait(9)
    assert await said(room) == [] and room.planners.asked == []
    await room.wait(2)
    await room.wait(20)
    assert await said(room) == ["there is no market data of ABC"]
    await room.desk.cycle([shown(room)])
    assert len(room.planners.asked) == 1
    assert await said(room) == ["there is no market data of ABC", ""]


@pytest.mark.parametrize(
    ("sides", "why"),
    [
        ({"bid": None}, "the market shows no bid"),
        ({"ask": None}, "the market shows no ask"),
        ({"bid": None, "ask": None}, "the market shows no bid and no ask"),
    ],
)
async def test_a_halted_market_is_said_and_the_order_goes_on_after_it(sides: dict[str, None], why: str) -> None:
    room = await Room().open()
    await room.order()
    await room.desk.cycle([shown(room, **sides)])
    await room.plan(300, 700)
    await room.wait(11)
    assert await said(room) == [why]
    assert room.desk.state.children == {}
    await room.desk.cycle([shown(room)])
    assert len(room.desk.state.children) == 1
    assert await said(room) == [why, ""]


async def test_what_passes_is_not_said() -> None:
    room = await Room().open()
    await room.order()
    await room.desk.cycle([shown(room, bid=None)])
    await room.plan(300, 700)
    await room.wait(8, shown(room))
    await room.wait(30)
    assert await said(room) == []


async def test_a_session_that_is_down_is_said() -> None:
    room = await Room().open()
    await room.order()
    await room.desk.cycle([session("VENUE", up=False)])
    await room.plan(300, 700)
    await room.wait(11)
    assert await said(room) == ["the session VENUE is down"]


async def test_a_venue_that_rejects_every_order_is_said() -> None:
    room = await ordered(300, 700)
    for number in range(1, PACE.rejections_max + 1):
        await room.report("rejected", number=number)
    await room.wait(11)
    assert await said(room) == ["the venue has rejected 5 orders in a row"]


async def test_less_than_a_lot_that_is_left_is_said_and_expires() -> None:
    room = await ordered(1000)
    await room.report("new")
    await room.fill(995)
    await room.report("canceled", cum_quantity_e9=995 * E9)
    await room.wait(11)
    assert await said(room) == ["less than a lot is left"]
    room.clock.ns = NOW_NS + 31 * 60 * E9
    await room.wait(0)
    assert room.parent().status is OrdStatus.EXPIRED
    assert len(await said(room)) == 1


async def test_what_is_not_due_is_no_stall() -> None:
    room = await ordered(300, 700)
    await room.report("new")
    await room.desk.cycle([shown(room, bid=None, ask=None)])
    await room.wait(25)
    assert await said(room) == []
