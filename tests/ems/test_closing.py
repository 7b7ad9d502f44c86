"""The closing of an order: its schedule is done a little earlier, and what is left crosses the spread in time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.sending import SendChild, SendChildCancel
from domain.values import E9
from tests.ems.room import PACE, Room
from tests.ems.test_scheduler import wake_s


@pytest.mark.parametrize(
    ("algo", "minutes", "reserved_s"), [("twap", "6", 2), ("vwap", "6", 2), ("twap", "0.05", 1), ("pov", "6", 0)]
)
async def test_a_schedule_is_done_before_its_order_ends(algo: str, minutes: str, reserved_s: int) -> None:
    room = await Room().open()
    rate = (("ParticipationRate", "10"),) if algo == "pov" else ()
    await room.order(algo=algo, parameters=(("DurationMinutes", minutes), *rate))
    (request,) = room.planners.asked
    assert room.parent().terms.end_ns - request.end_ns == reserved_s * E9
    await room.plan(100)
    assert len(room.take(SendChild)) == 1, "a plan for that end is a plan for this order"


@pytest.mark.parametrize(("speed", "closing_s"), [(60, 120), (1, 30)])
async def test_in_the_closing_what_rests_passively_crosses_however_fresh_it_is(speed: int, closing_s: int) -> None:
    """A tape at speed 60 leaves the same two seconds of the wall for a cancel, its answer and the next order."""
    room = await Room(pace=replace(PACE, closing_ns=2 * E9 * speed)).open()
    await room.order(parameters=(("DurationMinutes", "6"),), limit_price_e9=200 * E9)
    await room.wait(6 * 60 - closing_s - 1)
    await room.plan(600, 400, every_ns=E9 // 2)
    await room.report("new")
    room.take()
    assert wake_s(room) == 0.5
    await room.wait(0.5)
    await room.report("new", number=2)
    (second,) = room.take(SendChild)
    assert second.limit_price_e9 == 99 * E9 and wake_s(room) == 0.5
    await room.wait(0.5)
    assert [m.orig_cl_ord_id for m in room.take(SendChildCancel)] == [room.child(n).cl_ord_id for n in (1, 2)]
    await room.report("canceled")
    await room.fill(150, number=2)
    await room.report("canceled", number=2)
    crossing = room.take(SendChild)
    assert [(m.quantity_e9 // E9, m.limit_price_e9 // E9) for m in crossing] == [(600, 101), (250, 101)]
    await room.report("new", number=3)
    assert room.take(SendChildCancel) == [], "what crosses may stay"
