"""Lists: every order judged for itself, nothing worked before its time, everything answered from the log."""

from __future__ import annotations

import pytest

from domain.list_messages import ListExecute, ListStatus, NewOrderList
from domain.messages import CancelOrder, OrderStatusQuery
from domain.order_life import OrdStatus
from domain.order_list import Phase
from domain.refusal import Reason, Refusal
from domain.sending import MessageReject, ParentReport, SendChild
from domain.session_policy import SessionPolicy
from domain.values import E9, OrdType
from tests.domain.orders import DAY, MINUTE_NS, NOW_NS, replace_order
from tests.ems.lists import DIRECT, MIXED, REF, good, new_list, of, order, staged, status
from tests.ems.room import Room, market, topics

# ------------------------------------------------------------------------------------------------- received


async def test_a_list_that_waits_is_acknowledged_and_nothing_of_it_is_worked() -> None:
    room = await staged()
    sent = room.take()
    (answer,) = sent
    assert (answer.status_type, answer.phase, answer.list_id) == ("ack", Phase.RECEIVED, "L1")
    assert of(answer) == [("A1", "pending_new"), ("B1", "pending_new")]
    assert [listed.leaves_quantity_e9 for listed in answer.orders] == [1000 * E9] * 2
    await room.wait(3600, market())
    assert (room.take(), room.planners.asked) == ([], [])
    assert [order(room, name).list_id for name in ("A1", "B1")] == ["L1"] * 2


async def test_a_list_for_at_once_is_worked_at_once_and_its_orders_reports_name_it() -> None:
    room = await Room().open()
    await room.client(new_list(*good("A1"), *good("B1", **DIRECT), staged=False))
    sent = room.take()
    assert [type(m).__name__ for m in sent] == ["ParentReport", "ListStatus", "SendChild"]
    report, answer, _ = sent
    assert (report.exec_kind, report.cl_ord_id, report.list_id) == ("new", "A1", "L1")
    assert (answer.phase, of(answer)) == (Phase.EXECUTING, [("A1", "new"), ("B1", "pending_new")])
    assert [request.parent for request in room.planners.asked] == [str(order(room, "A1").id)]


async def test_a_refused_order_is_told_with_its_reason_and_does_not_sink_the_others() -> None:
    room = await staged(*MIXED)
    report, answer = room.take()
    assert isinstance(report, ParentReport)
    assert (report.exec_kind, report.cl_ord_id, report.list_id, report.ord_rej_reason) == ("rejected", "C1", "L1", 1)
    assert (answer.phase, answer.text) == (Phase.ALERT, "1 of 3 orders were refused")
    assert of(answer) == [("A1", "pending_new"), ("B1", "pending_new"), ("C1", "rejected")]
    assert (answer.orders[2].ord_rej_reason, "NONE" in answer.orders[2].text) == (1, True)


async def test_a_cl_ord_id_used_before_or_twice_is_refused_and_its_order_stays_as_it_is() -> None:
    room = await Room().open()
    await room.order(cl_ord_id="A1")
    room.take()
    await room.client(new_list(*good("A1"), *good("B1"), *good("B1", quantity_e9=50 * E9)))
    answer = status(room)
    assert [(o.cl_ord_id, o.status.value, o.ord_rej_reason) for o in answer.orders] == [
        ("A1", "rejected", 6),
        ("B1", "pending_new", None),
        ("B1", "rejected", 6),
    ]
    assert (order(room, "A1").status, order(room, "A1").list_id) == (OrdStatus.NEW, "")
    assert order(room, "B1").terms.quantity_e9 == 1000 * E9


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (new_list(*MIXED, all_or_none=True), 99),
        (new_list(*good("C1", "D1", symbol="NONE")), 99),
        (new_list(*good("A1"), refusal=Refusal(Reason.LIST_UNSUPPORTED, "ContingencyType (1385) 1")), 11),
        (new_list(refusal=Refusal(Reason.UNREADABLE, "NoOrders (73) says 0, but 0 came")), 99),
    ],
)
async def test_a_list_that_is_refused_leaves_no_order_behind(request_: NewOrderList, reason: int) -> None:
    room = await Room().open()
    await room.client(request_)
    (answer,) = room.take()
    assert (answer.phase, answer.status_type, answer.reject_reason) == (Phase.REJECTED, "ack", reason)
    assert {listed.status for listed in answer.orders} <= {OrdStatus.REJECTED}
    assert len(answer.orders) == len(request_.entries)
    assert all(listed.text for listed in answer.orders)
    assert room.desk.state.parents == {}
    await room.client(new_list(*good("A1"), list_id="L2"))
    assert status(room).phase is Phase.RECEIVED, "the ids of its orders are free"


async def test_a_list_counts_as_one_message_of_its_session() -> None:
    room = await Room(policies={"OMS": SessionPolicy(throttle_count=1, throttle_window_ns=10**12)}).open()
    await room.client(new_list(*good("A1", "B1")))
    await room.client(new_list(*good("C1"), list_id="L2"))
    first, second = room.take(ListStatus)
    assert (first.phase, second.phase) == (Phase.RECEIVED, Phase.REJECTED)
    assert "cancels pass" in second.text


async def test_a_list_id_is_used_once_and_a_possible_resend_is_told_how_the_list_stands() -> None:
    room = await staged()
    room.take()
    await room.client(new_list(*good("X1")))
    (reject,) = room.take()
    assert isinstance(reject, MessageReject)
    assert (reject.ref_msg_type, reject.ref_id, reject.business_reject_reason) == ("E", "L1", 0)
    await room.client(new_list(*good("A1"), poss_resend=True))
    again = status(room)
    assert (again.status_type, again.phase, again.poss_resend) == ("response", Phase.RECEIVED, True)
    assert len(room.desk.state.parents) == 2


# ------------------------------------------------------------------------------------------------- executed


async def test_execute_begins_the_work_with_the_window_and_the_benchmark_of_now() -> None:
    room = await staged()
    room.take()
    await room.wait(600, market(bid=109, ask=111))
    await room.client(ListExecute(ref=REF, list_id="L1"))
    sent = room.take()
    assert [type(m).__name__ for m in sent] == ["ParentReport", "ListStatus", "SendChild"]
    assert (sent[0].exec_kind, sent[0].cl_ord_id) == ("new", "A1")
    assert (sent[1].status_type, sent[1].phase, of(sent[1])) == (
        "exec_started", Phase.EXECUTING, [("A1", "new"), ("B1", "pending_new")],
    )  # fmt: skip
    algo = order(room, "A1")
    now_ns = NOW_NS + 600 * E9
    assert (algo.terms.start_ns, algo.terms.end_ns) == (now_ns, now_ns + 30 * MINUTE_NS)
    assert algo.arrival is not None
    assert algo.arrival.mid_e9 == 110 * E9
    assert len(room.planners.asked) == 1


async def test_an_order_that_can_no_longer_be_worked_is_turned_down_alone() -> None:
    room = await staged(*good("A1", parameters=(("EndTime", "20260302-15:10:00"),)), *good("B1"))
    room.take()
    await room.wait(1200)
    await room.client(ListExecute(ref=REF, list_id="L1"))
    rejected, new, answer = room.take()
    assert (rejected.exec_kind, rejected.cl_ord_id, new.exec_kind, new.cl_ord_id) == ("rejected", "A1", "new", "B1")
    assert of(answer) == [("A1", "rejected"), ("B1", "new")]
    assert order(room, "A1").finished


async def test_a_list_is_executed_once() -> None:
    room = await staged()
    await room.client(ListExecute(ref=REF, list_id="L1"))
    before = (await topics(room)).count("order_list.executed")
    room.take()
    await room.client(ListExecute(ref=REF, list_id="L1"))
    (answer,) = room.take()
    assert (answer.status_type, answer.phase) == ("response", Phase.EXECUTING)
    assert (await topics(room)).count("order_list.executed") == before == 1


async def test_what_waits_expires_at_the_close_and_then_the_list_is_done() -> None:
    room = await staged()
    room.take()
    await room.wait((DAY.close_ns - NOW_NS) / E9)
    *expired, done = room.take()
    assert [report.exec_kind for report in expired] == ["new", "expired"] * 2
    assert sorted(report.cl_ord_id for report in expired) == ["A1", "A1", "B1", "B1"]
    assert (done.phase, of(done)) == (Phase.ALL_DONE, [("A1", "expired"), ("B1", "expired")])


# ------------------------------------------------------------------------------- requests about single orders


async def test_a_single_order_that_waits_can_be_replaced_canceled_and_asked_about() -> None:
    room = await staged()
    room.take()
    await room.client(
        replace_order(cl_ord_id="B2", orig_cl_ord_id="B1", algo="", parameters=(), quantity_e9=500 * E9, ord_type=OrdType.LIMIT)
    )
    (replaced,) = room.take()
    assert (replaced.exec_kind, replaced.ord_status, replaced.quantity_e9) == ("replaced", OrdStatus.PENDING_NEW, 500 * E9)
    await room.client(OrderStatusQuery(ref=REF, cl_ord_id="A1"))
    assert room.take()[0].ord_status is OrdStatus.PENDING_NEW
    await room.client(CancelOrder(ref=REF, cl_ord_id="A2", orig_cl_ord_id="A1"))
    new, canceled = room.take()
    assert (new.exec_kind, new.cl_ord_id) == ("new", "A1"), "an order is New before it ends"
    assert (canceled.exec_kind, canceled.cl_ord_id, canceled.orig_cl_ord_id) == ("canceled", "A2", "A1")
    await room.client(ListExecute(ref=REF, list_id="L1"))
    answer, child = room.take()
    assert of(answer) == [("A2", "canceled"), ("B2", "pending_new")]
    assert [listed.canceled_quantity_e9 for listed in answer.orders] == [1000 * E9, 0]
    assert isinstance(child, SendChild)
    assert child.quantity_e9 == 500 * E9
