"""The scheduler: children where state, plan and clock say they should be; looked at again in time."""

from __future__ import annotations

from typing import Any

import pytest

from domain.event import InboundRef
from domain.messages import CancelOrder, PlanReady, VenueCancelReject
from domain.order_life import OrdStatus
from domain.sending import SendChild, SendChildCancel, SendStatusQuery
from domain.values import E9
from tests.domain.orders import MINUTE_NS, new_order, replace_order
from tests.ems.room import PACE, Room, market, session


async def working(*quantities: int, **changes: Any) -> Room:
    """A planned order whose first child is acknowledged."""
    room = await Room().open()
    await room.order(**changes)
    await room.plan(*quantities)
    await room.report("new")
    room.take()
    return room


def wake_s(room: Room) -> float | None:
    wake_ns = room.desk._scheduler.next_wake_ns()
    return None if wake_ns is None else (wake_ns - room.clock.ns) / E9


# ------------------------------------------------------------------------------------------------ plans


async def test_a_plan_is_asked_for_with_what_is_left() -> None:
    room = await working(400, 600)
    (first,) = room.planners.asked
    assert (first.plan_number, first.reason, first.remaining_e9, first.filled_e9) == (1, "accepted", 1000 * E9, 0)
    await room.fill(150)
    await room.wait(60)
    assert (room.planners.asked[-1].reason, room.planners.asked[-1].remaining_e9) == ("fill", 850 * E9)


async def test_no_second_plan_while_one_is_made_unless_it_is_lost() -> None:
    room = await Room().open()
    await room.order()
    await room.wait(10)
    assert len(room.planners.asked) == 1
    await room.wait(PACE.plan_lost_ns / E9 - 10)
    assert [request.plan_number for request in room.planners.asked] == [1, 1]


async def test_a_planner_that_fails_is_recorded_and_asked_again_later_not_at_once() -> None:
    room = await Room().open()
    await room.order()
    await room.desk.cycle([PlanReady(request=room.planners.asked[-1], schedule=None, error="no solution")])
    assert len(room.planners.asked) == 1
    assert wake_s(room) == PACE.plan_failed_ns / E9
    await room.wait(PACE.plan_failed_ns / E9)
    assert [request.plan_number for request in room.planners.asked] == [1, 2]
    await room.plan(400)
    assert len(room.take(SendChild)) == 1


async def test_a_plan_for_an_order_that_has_moved_on_is_dropped_and_a_new_one_asked_for() -> None:
    room = await Room().open()
    await room.order()
    await room.client(replace_order(quantity_e9=500 * E9))
    seq = room.desk.state.seq
    await room.plan(400)
    assert room.desk.state.seq == seq, "nothing is recorded of it"
    assert [(r.plan_number, r.remaining_e9) for r in room.planners.asked] == [(1, 1000 * E9), (1, 500 * E9)]


async def test_without_a_market_there_is_no_plan_until_there_is_one() -> None:
    room = Room()
    await room.open()
    room.desk.markets.clear()
    await room.order()
    assert room.planners.asked == []
    await room.desk.cycle([market()])
    assert len(room.planners.asked) == 1


async def test_a_volume_following_order_is_planned_often() -> None:
    room = await Room().open()
    await room.order(algo="pov", parameters=(("ParticipationRate", "10"),))
    await room.plan(100)
    assert wake_s(room) == PACE.unanswered_ns / E9
    await room.report("new")
    await room.wait(PACE.pov_ns / E9)
    assert [request.reason for request in room.planners.asked] == ["accepted", "timer"]


# ------------------------------------------------------------------------------------------- withdrawals


async def test_a_child_that_rests_too_long_is_canceled_and_what_is_left_crosses() -> None:
    room = await working(400)
    await room.wait(29)
    assert room.take() == []
    await room.wait(1)
    (cancel,) = room.take(SendChildCancel)
    assert (cancel.orig_cl_ord_id, cancel.cl_ord_id) == (room.child().cl_ord_id, f"{room.child().cl_ord_id}C1")
    await room.report("canceled")
    (child,) = room.take(SendChild)
    assert (child.quantity_e9, child.limit_price_e9) == (400 * E9, 100 * E9), "the far touch, but never beyond the limit"


async def test_at_the_end_everything_is_withdrawn_before_the_order_expires() -> None:
    room = await working(1000)
    room.clock.ns = room.parent().terms.end_ns
    await room.wait(0)
    assert [type(m) for m in room.take()] == [SendChildCancel]
    assert room.parent().live
    await room.report("canceled")
    assert (room.parent().status, room.parent().finished) == (OrdStatus.EXPIRED, True)


@pytest.mark.parametrize("answered", ["new", "pending cancel"])
async def test_a_venue_that_does_not_answer_puts_the_child_in_doubt_and_is_asked_until_it_does(answered: str) -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    if answered == "pending cancel":
        await room.report("new")
        await room.cancel()
    room.take()
    await room.wait(1.9)
    assert room.take() == []
    await room.wait(0.1)
    assert room.child().status is OrdStatus.IN_DOUBT
    assert SendStatusQuery in [type(m) for m in room.take()]
    assert wake_s(room) == 2
    await room.wait(2)
    assert SendStatusQuery in [type(m) for m in room.take()]


async def test_a_cancel_that_gets_no_answer_after_an_earlier_doubt_is_noticed_too() -> None:
    """The wake-up of a child that was once asked about comes from its last change, not from that question."""
    room = await working(400)
    await room.desk.cycle([session("VENUE", up=False), session("VENUE")])
    await room.report("status", ord_status="new")
    await room.wait(10)
    await room.cancel()
    assert room.child().status is OrdStatus.PENDING_CANCEL
    assert wake_s(room) == 2
    await room.wait(2)
    assert room.child().status is OrdStatus.IN_DOUBT


async def test_a_child_in_doubt_that_should_not_rest_is_canceled_beside_the_question() -> None:
    room = await working(400)
    await room.desk.cycle([session("VENUE", up=False)])
    await room.cancel()
    assert room.take(SendChildCancel) == [], "there is no session to send it on"
    await room.desk.cycle([session("VENUE")])
    sent = [m for m in room.take() if isinstance(m, SendChildCancel | SendStatusQuery)]
    assert [type(m) for m in sent] == [SendChildCancel, SendStatusQuery]
    await room.report("canceled")
    assert room.parent().status is OrdStatus.CANCELED


async def refuse_the_cancel(room: Room, reason: int) -> None:
    child = room.child()
    reject = VenueCancelReject(
        ref=InboundRef("VENUE", 0, 0),
        cl_ord_id=f"{child.cl_ord_id}C{child.cancels}",
        orig_cl_ord_id=child.cl_ord_id,
        response_to="cancel",
        reason=reason,
        ord_status="new",
    )
    await room.venue(reject)


@pytest.mark.parametrize("reason", [0, 1, 99])
async def test_a_cancel_reject_is_no_proof(reason: int) -> None:
    """Whatever the reason, the venue is asked; the order is neither dead nor given up."""
    room = await working(400)
    await room.cancel()
    room.take()
    await refuse_the_cancel(room, reason)
    assert room.child().status is OrdStatus.IN_DOUBT
    assert room.parent().status is OrdStatus.PENDING_CANCEL
    assert SendStatusQuery in {type(m) for m in room.take()}


async def test_a_venue_that_refuses_every_cancel_is_not_sent_one_at_every_answer() -> None:
    room = await working(400)
    await room.cancel()
    for _ in range(10):
        await refuse_the_cancel(room, 99)
        await room.report("status", ord_status="new")
    refused = len(room.take(SendChildCancel))
    await room.wait(PACE.unanswered_ns / E9)
    assert refused <= 3
    assert room.parent().status is OrdStatus.PENDING_CANCEL and room.child().live


# ---------------------------------------------------------------------------------------------- releases


async def test_nothing_is_released_without_a_session() -> None:
    room = await Room().open()
    await room.desk.cycle([session("VENUE", up=False)])
    await room.order()
    await room.plan(400)
    assert room.take(SendChild) == []
    await room.desk.cycle([session("VENUE")])
    assert len(room.take(SendChild)) == 1


async def test_a_market_that_is_gone_stops_nothing_but_releases() -> None:
    room = await Room().open()
    await room.desk.cycle([market(bid=None)])
    await room.order()
    await room.plan(400)
    assert room.take(SendChild) == []
    await room.desk.cycle([market()])
    assert len(room.take(SendChild)) == 1


async def test_nothing_is_released_before_the_start() -> None:
    room = await Room().open()
    await room.order(parameters=(("StartTime", "20260302-15:01:00"), ("DurationMinutes", "30")))
    assert room.planners.asked == []
    assert wake_s(room) == 60
    await room.wait(60)
    assert len(room.planners.asked) == 1


async def test_a_venue_that_always_rejects_is_left_in_peace() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(1000)
    for number in range(1, PACE.rejections_max + 1):
        await room.report("rejected", number=number)
    assert len(room.take(SendChild)) == PACE.rejections_max
    await room.wait(60, market())
    assert room.take(SendChild) == []
    assert room.parent().open_e9 == {}


async def test_children_never_exceed_the_order_whatever_comes_back() -> None:
    room = await working(1000)
    await room.fill(300)
    await room.report("canceled")
    assert room.child(2).quantity_e9 == 700 * E9
    await room.fill(200, "E2", number=1)
    assert room.parent().released_e9 == 1200 * E9, "a fill after the end cannot be undone"
    assert [m.orig_cl_ord_id for m in room.take(SendChildCancel)] == [room.child(2).cl_ord_id]
    await room.report("canceled", number=2)
    assert (room.child(3).quantity_e9, room.parent().released_e9) == (500 * E9, 1000 * E9)


async def test_an_order_without_work_left_asks_for_no_wake_up() -> None:
    room = await working(1000)
    await room.client(CancelOrder(ref=InboundRef("OMS", 0, 0), cl_ord_id="A2", orig_cl_ord_id="A1"))
    await room.report("canceled")
    assert room.parent().finished
    await room.wait(3600)
    seq = room.desk.state.seq
    assert wake_s(room) is None
    await room.wait(60, market())
    assert room.desk.state.seq == seq


async def test_two_orders_do_not_disturb_each_other() -> None:
    room = await working(400)
    await room.client(new_order(cl_ord_id="B1", parameters=(("DurationMinutes", "5"),)))
    await room.plan(100, every_ns=MINUTE_NS)
    assert [p.cl_ord_id for p in map(room.desk.state.parent, room.desk.state.working)] == ["A1", "B1"]
    await room.cancel("B2", "B1")
    (cancel,) = room.take(SendChildCancel)
    assert cancel.quantity_e9 == 100 * E9


async def test_a_bust_that_has_the_venue_work_a_finished_orders_child_again_is_seen_to_the_end() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(200)
    await room.report("new")
    await room.fill(200)
    await room.cancel()
    assert room.parent().finished
    room.take()
    await room.fill(0, "B1", exec_kind="trade_cancel", exec_ref_id="E1", leaves_quantity_e9=200 * E9, ord_status="new")
    assert (room.parent().finished, dict(room.parent().open_e9)) == (False, {room.child().id: 200 * E9})
    (cancel,) = room.take(SendChildCancel)
    await room.wait(3)
    assert room.child().status is OrdStatus.IN_DOUBT
    assert len(room.take(SendStatusQuery)) == 1, "and is asked until it answers"
    await room.report("canceled", cl_ord_id=cancel.cl_ord_id, orig_cl_ord_id=room.child().cl_ord_id, leaves_quantity_e9=0)
    assert (room.parent().finished, room.parent().cum_quantity_e9, dict(room.parent().open_e9)) == (True, 0, {})
