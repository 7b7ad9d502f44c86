"""Start and end of day of direct orders, over a jumping clock: the venue's word first, the desk's where none comes, and
nothing told twice.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.instructions import Instructions
from domain.instrument import Instrument
from domain.order_life import OrdStatus
from domain.sending import Forget, Keep, ParentReport, SendStatusQuery
from domain.session_policy import SessionPolicy
from domain.trading_day import TradingDay
from domain.values import E9, TimeInForce
from ems.pace import Pace
from tests.domain.orders import DAY, MINUTE_NS, NOW_NS
from tests.ems import room as rooms
from tests.ems.room import Room, session, topics

DAY_NS = 86_400 * E9
HOUR_S = 3600
TO_THE_CLOSE_S = (DAY.close_ns - NOW_NS) // E9
TO_THE_NEXT_OPEN_S = (DAY.open_ns + DAY_NS - NOW_NS) // E9
GRACE_S = Pace().close_grace_ns // E9


class Weekdays(rooms.Reference):
    """The same hours on every weekday; 2026-03-02 is a Monday."""

    def trade_date(self, now_ns: int) -> str:
        return datetime.fromtimestamp(now_ns // E9, UTC).date().isoformat()

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        on = datetime.fromtimestamp(now_ns // E9, UTC)
        later_ns = (now_ns // DAY_NS - NOW_NS // DAY_NS) * DAY_NS
        return None if on.weekday() > 4 else TradingDay(on.date().isoformat(), DAY.open_ns + later_ns, DAY.close_ns + later_ns)


async def working(filled: int = 0, **changes: Any) -> Room:
    room = await Room(reference=Weekdays()).open()
    await room.order(**{"algo": "", "parameters": (), "quantity_e9": 10_000 * E9, **changes})
    await room.report("new", order_id="V1")
    if filled:
        await room.fill(filled, "E0")
    room.take()
    return room


async def until(room: Room, since_the_start_s: float) -> list[Any]:
    """The clock jumps from one of the desk's own wakes to the next, so that only what it asked to be woken for happens."""
    target_ns = NOW_NS + int(since_the_start_s * E9)
    for _ in range(200):
        wake_ns = room.desk._scheduler.next_wake_ns()
        if wake_ns is None or wake_ns > target_ns:
            break
        await room.wait(max(0, wake_ns - room.clock.ns) / E9)
    room.clock.ns = target_ns
    return [said(m) for m in room.take() if not isinstance(m, Keep)]


def said(message: Any) -> Any:
    if not isinstance(message, ParentReport):
        return type(message).__name__
    day = (message.day_quantity_e9, message.day_cum_quantity_e9)
    return (message.exec_kind, str(message.ord_status), *(None if q is None else q // E9 for q in day))


async def answered(room: Room, ord_status: str, **changes: Any) -> list[Any]:
    await room.report("status", ord_status=ord_status, cum_quantity_e9=room.child().cum_quantity_e9, **changes)
    return [said(m) for m in room.take() if not isinstance(m, Forget | Keep)]


async def test_an_order_of_the_day_is_asked_about_after_the_close_and_ends_when_the_venue_says_so() -> None:
    room = await working(filled=1_000)
    assert await until(room, TO_THE_CLOSE_S + GRACE_S - 1) == []
    assert await until(room, TO_THE_CLOSE_S + GRACE_S) == ["SendStatusQuery"]
    assert room.parent().status is OrdStatus.PARTIALLY_FILLED, "a doubt of ours is no news for the client"
    assert await answered(room, "expired") == [("expired", "expired", None, None)]
    assert room.parent().finished
    assert await until(room, TO_THE_NEXT_OPEN_S + HOUR_S) == []


@pytest.mark.parametrize(("status", "told"), [("done_for_day", "done_for_day"), ("canceled", "canceled")])
async def test_whatever_ended_it_the_client_is_told(status: str, told: str) -> None:
    room = await working()
    await until(room, TO_THE_CLOSE_S + GRACE_S)
    assert (await answered(room, status))[0] == (told, told, None, None)


async def test_a_venue_that_has_spoken_by_then_is_not_asked() -> None:
    room = await working()
    room.clock.ns = DAY.close_ns
    await room.report("done_for_day")
    room.take()
    assert await until(room, TO_THE_NEXT_OPEN_S) == []


async def test_a_venue_that_still_speaks_after_the_close_is_given_its_time_again() -> None:
    room = await working()
    room.clock.ns = DAY.close_ns + 30 * E9
    await room.fill(1_000, "E1")
    room.take()
    assert await until(room, TO_THE_CLOSE_S + 30 + GRACE_S - 1) == []
    assert await until(room, TO_THE_CLOSE_S + 30 + GRACE_S) == ["SendStatusQuery"]


@pytest.mark.parametrize("filled", [0, 1_000])
async def test_an_order_that_the_venue_no_longer_knows_after_the_close_has_expired(filled: int) -> None:
    room = await working(filled=filled)
    await until(room, TO_THE_CLOSE_S + GRACE_S)
    assert (await answered(room, "rejected", unknown_order=True))[0][:2] == ("expired", "expired")


async def test_silence_and_still_working_are_asked_about_again_at_a_calm_pace() -> None:
    room = await working()
    await until(room, TO_THE_CLOSE_S + GRACE_S)
    assert await answered(room, "new") == []
    asked = await until(room, TO_THE_CLOSE_S + GRACE_S + 10 * GRACE_S)
    assert asked == ["SendStatusQuery"] * 10


async def test_a_carried_order_is_done_for_the_day_and_restated_at_the_next_open() -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    assert await until(room, TO_THE_NEXT_OPEN_S - 1) == [("done_for_day", "done_for_day", None, None)]
    assert await until(room, TO_THE_NEXT_OPEN_S) == [("restated", "partially_filled", 8_000, 0)]
    await room.fill(500, "E1", transact_time_ns=room.clock.ns)
    assert [said(m) for m in room.take(ParentReport)] == [("trade", "partially_filled", 8_000, 500)]
    assert room.child().leaves_e9 == 7_500 * E9
    assert await until(room, TO_THE_NEXT_OPEN_S + 24 * HOUR_S) == [
        ("done_for_day", "done_for_day", 8_000, 500),
        ("restated", "partially_filled", 7_500, 0),
    ]


async def test_the_weekend_is_no_day() -> None:
    room = await working(time_in_force=TimeInForce.GTC)
    told = await until(room, TO_THE_NEXT_OPEN_S + 6 * 24 * HOUR_S)  # the Monday after
    assert [kind for kind, *_ in told] == ["done_for_day", "restated"] * 5


async def test_a_venue_that_restates_in_the_evening_or_in_the_morning_is_believed() -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    room.clock.ns = DAY.close_ns + MINUTE_NS // 2
    await room.report("done_for_day")
    await room.report("restated", restatement_reason=1, quantity_e9=10_000 * E9, exec_id="R2")
    room.take()
    assert await until(room, TO_THE_NEXT_OPEN_S + HOUR_S) == [], "tomorrow has begun already"
    await until(room, TO_THE_NEXT_OPEN_S + 24 * HOUR_S - 60)
    await room.report("restated", restatement_reason=1, quantity_e9=10_000 * E9, exec_id="R3")
    assert [kind for kind, *_ in [said(m) for m in room.take(ParentReport)]] == ["restated"]
    assert await until(room, TO_THE_NEXT_OPEN_S + 25 * HOUR_S) == []


async def test_a_venue_that_restates_after_the_desk_did_begins_nothing_again() -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    await until(room, TO_THE_NEXT_OPEN_S)
    await room.fill(500, "E1", transact_time_ns=room.clock.ns)
    room.take()
    await room.report("restated", restatement_reason=1, quantity_e9=10_000 * E9, exec_id="R2")
    assert room.take(ParentReport) == []
    await room.report("restated", restatement_reason=1, quantity_e9=9_000 * E9, exec_id="R3")
    assert [said(m) for m in room.take(ParentReport)] == [("restated", "partially_filled", 7_000, 500)]


@pytest.mark.parametrize("begun", [False, True])
async def test_a_corporate_action_changes_what_was_executed_and_not_what_was_paid(begun: bool) -> None:
    """Every share becomes two: overnight, before the desk has begun the day; and in the morning, after an execution."""
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    paid_e18 = room.child().notional_e18
    if begun:
        await until(room, TO_THE_NEXT_OPEN_S)
        await room.fill(500, "E1", transact_time_ns=room.clock.ns)
        paid_e18 = room.child().notional_e18
    else:
        await room.report("done_for_day")
    room.take()
    cum = 5_000 if begun else 4_000
    await room.report(
        "restated", restatement_reason=0, quantity_e9=20_000 * E9, cum_quantity_e9=cum * E9, limit_price_e9=50 * E9, exec_id="R2"
    )
    (told,) = room.take(ParentReport)
    assert said(told) == ("restated", "partially_filled", 16_000, 1_000 if begun else 0)
    assert (told.restatement_reason, told.quantity_e9, told.cum_quantity_e9) == (0, 20_000 * E9, cum * E9)
    assert told.leaves_quantity_e9 == (20_000 - cum) * E9
    assert told.average_price_e9 * told.cum_quantity_e9 == paid_e18 == room.child().notional_e18
    assert sum(room.parent().open_e9.values()) == told.leaves_quantity_e9

    await room.fill(0, "B1", exec_kind="trade_cancel", exec_ref_id="E0", leaves_quantity_e9=20_000 * E9)
    assert room.take(ParentReport) == []
    held = [r.event async for page in room.log.read_pages() for r in page if r.event.TOPIC == "fill.quarantined.v1"]
    assert [getattr(event, "reason", "") for event in held] == ["restated"], "in which shares it is told, a person must say"
    assert room.parent().cum_quantity_e9 == cum * E9


async def test_a_restatement_of_an_order_of_the_day_does_not_change_what_was_executed() -> None:
    room = await working(filled=2_000)
    await room.report("restated", restatement_reason=0, quantity_e9=20_000 * E9, cum_quantity_e9=4_000 * E9, exec_id="R2")
    (told,) = room.take(ParentReport)
    assert (told.cum_quantity_e9, told.quantity_e9) == (2_000 * E9, 20_000 * E9)


async def test_an_execution_before_the_open_begins_the_day() -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    await until(room, TO_THE_NEXT_OPEN_S - 60)
    room.take()
    await room.fill(500, "E1", transact_time_ns=room.clock.ns)
    assert [said(m) for m in room.take(ParentReport)] == [
        ("restated", "partially_filled", 8_000, 0),
        ("trade", "partially_filled", 8_000, 500),
    ]
    assert await until(room, TO_THE_NEXT_OPEN_S + HOUR_S) == []


async def test_an_execution_of_the_evening_before_told_late_belongs_to_that_day() -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    await until(room, TO_THE_NEXT_OPEN_S - 60)
    await room.fill(500, "E1", transact_time_ns=DAY.close_ns - 1)
    assert await until(room, TO_THE_NEXT_OPEN_S) == [
        ("trade", "partially_filled", None, None),
        ("restated", "partially_filled", 7_500, 0),
    ]


async def test_a_good_till_date_order_is_asked_about_when_its_time_is_over() -> None:
    expires = Instructions(expire_ns=NOW_NS + HOUR_S * E9)
    room = await working(time_in_force=TimeInForce.GTD, instructions=expires)
    assert await until(room, HOUR_S + GRACE_S - 1) == []
    assert await until(room, HOUR_S + GRACE_S) == ["SendStatusQuery"]
    assert (await answered(room, "expired"))[0][:2] == ("expired", "expired")


async def test_a_good_till_date_order_of_another_day_is_carried_until_then() -> None:
    expires = Instructions(expire_ns=DAY.close_ns + DAY_NS)
    room = await working(time_in_force=TimeInForce.GTD, instructions=expires)
    told = await until(room, TO_THE_CLOSE_S + 24 * HOUR_S + GRACE_S)
    assert [m if isinstance(m, str) else m[0] for m in told] == ["done_for_day", "restated", "SendStatusQuery"]


async def test_a_child_in_doubt_is_not_begun_before_the_venue_has_answered() -> None:
    room = await working(time_in_force=TimeInForce.GTC)
    await until(room, TO_THE_NEXT_OPEN_S - 60)
    await room.wait(0, session("VENUE", up=False))
    room.take()
    assert await until(room, TO_THE_NEXT_OPEN_S + HOUR_S) == []
    await room.wait(0, session("VENUE"))
    assert [type(m) for m in room.take()] == [SendStatusQuery]
    assert await answered(room, "new") == [("restated", "new", 10_000, 0)]


@pytest.mark.parametrize("after_s", [TO_THE_CLOSE_S + GRACE_S, TO_THE_NEXT_OPEN_S])
async def test_a_successor_tells_nothing_twice(after_s: int) -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    told = await until(room, after_s)
    heir = await room.successor()
    await heir.open(sent_seq=10_000)
    heir.take()
    await answered(heir, "done_for_day" if len(told) == 1 else "partially_filled")
    assert (await topics(heir)).count("parent_order.done_for_day") == 1
    await until(heir, after_s + HOUR_S)
    assert (await topics(heir)).count("parent_order.done_for_day") == 1
    assert (await topics(heir)).count("parent_order.restated") == len(told) - 1


async def test_an_order_that_a_throttle_held_until_the_close_is_not_sent_into_a_closed_market() -> None:
    slow = {"VENUE": SessionPolicy(throttle_count=1, throttle_window_ns=8 * HOUR_S * E9)}
    room = await Room(reference=Weekdays(), policies=slow).open()
    await room.client_order("A1")
    await room.report("new")
    await room.client_order("A2")
    room.take()
    told = await until(room, TO_THE_CLOSE_S)
    assert told == [("expired", "expired", None, None)]
    assert room.parent().finished
    assert "SendChild" not in await until(room, TO_THE_NEXT_OPEN_S)


async def test_an_order_for_an_algorithm_has_its_own_end() -> None:
    room = await Room(reference=Weekdays()).open()
    await room.order()
    room.take()
    told = await until(room, TO_THE_NEXT_OPEN_S)
    assert [m[0] for m in told] == ["expired"]
