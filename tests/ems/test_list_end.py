"""Lists that are canceled, done and told of, and what a crash leaves of one."""

from __future__ import annotations

from typing import Any

import pytest

from domain.list_messages import ListCancel, ListExecute, ListStatus, ListStatusQuery
from domain.messages import LinkUp
from domain.order_list import Phase
from domain.sending import MessageReject, ParentReport, SendChildCancel
from domain.values import E9
from ems import recovery
from tests.ems.lists import DIRECT, MIXED, REF, good, new_list, of, staged, status
from tests.ems.room import Room, market, session


async def test_a_list_that_waits_is_canceled_at_once_and_never_executed() -> None:
    room = await staged()
    room.take()
    await room.client(ListCancel(ref=REF, list_id="L1"))
    *reports, answer, done = room.take()
    assert [(r.exec_kind, r.cl_ord_id) for r in reports] == [
        ("new", "A1"),
        ("canceled", "A1"),
        ("new", "B1"),
        ("canceled", "B1"),
    ]
    assert (answer.status_type, answer.phase) == ("response", Phase.CANCELING)
    assert (done.status_type, done.phase, of(done)) == ("all_done", Phase.ALL_DONE, [("A1", "canceled"), ("B1", "canceled")])
    await room.client(ListExecute(ref=REF, list_id="L1"))
    (again,) = room.take()
    assert (again.status_type, again.phase) == ("response", Phase.ALL_DONE)


async def test_a_list_at_work_is_canceled_as_its_venues_answer_and_done_with_its_last_order() -> None:
    room = await Room().open()
    await room.client(new_list(*good("A1"), *good("B1", **DIRECT), staged=False))
    await room.report("new", order_id="V1")
    await room.fill(200, "E1")
    room.take()
    await room.client(ListCancel(ref=REF, list_id="L1"))
    sent = room.take()
    assert [type(m).__name__ for m in sent] == ["ParentReport", "ListStatus", "SendChildCancel"]
    assert (sent[1].phase, of(sent[1])) == (Phase.CANCELING, [("A1", "canceled"), ("B1", "partially_filled")])
    await room.report("canceled", cum_quantity_e9=200 * E9)
    report, done = [m for m in room.take() if isinstance(m, ParentReport | ListStatus)]
    assert (report.exec_kind, report.list_id) == ("canceled", "L1")
    assert done.phase is Phase.ALL_DONE
    listed = done.orders[1]
    assert (listed.cum_quantity_e9, listed.leaves_quantity_e9, listed.canceled_quantity_e9) == (200 * E9, 0, 800 * E9)
    assert listed.average_price_e9 == 100 * E9


async def test_a_list_whose_orders_are_filled_is_done_once() -> None:
    room = await Room().open()
    await room.client(new_list(*good("A1", **DIRECT), staged=False))
    await room.fill(1000)
    assert [m.status_type for m in room.take(ListStatus)] == ["ack", "all_done"]
    await room.wait(60, market())
    assert room.take(ListStatus) == []


@pytest.mark.parametrize("request_", [ListExecute, ListCancel, ListStatusQuery])
async def test_requests_about_an_unknown_list_are_refused(request_: type[Any]) -> None:
    room = await Room().open()
    await room.client(request_(ref=REF, list_id="L9"))
    (reject,) = room.take()
    assert isinstance(reject, MessageReject)
    assert (reject.ref_id, reject.business_reject_reason) == ("L9", 1)


async def test_a_lists_status() -> None:
    room = await staged(*MIXED)
    room.take()
    await room.client(ListStatusQuery(ref=REF, list_id="L1"))
    answer = status(room)
    assert (answer.status_type, answer.phase) == ("response", Phase.ALERT)
    assert of(answer) == [("A1", "pending_new"), ("B1", "pending_new"), ("C1", "rejected")]


# ------------------------------------------------------------------------------------------------- crashes


async def test_a_crash_between_a_list_and_its_execution_loses_nothing() -> None:
    room = await staged(*MIXED)
    told = room.take()
    folded = await recovery.fold(room.log)
    assert vars(folded) == vars(room.desk.state)
    assert folded.digest() == room.desk.state.digest()
    room = await room.successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS"), session("VENUE"), market()])
    again = [m for m in room.take() if isinstance(m, ParentReport | ListStatus)]
    assert [(type(m), m.event_seq, m.poss_resend) for m in again] == [(type(m), m.event_seq, True) for m in told]
    assert room.planners.asked == []
    await room.client(ListExecute(ref=REF, list_id="L1"))
    sent = room.take()
    assert [type(m).__name__ for m in sent] == ["ParentReport", "ListStatus", "SendChild"]
    assert of(sent[1]) == [("A1", "new"), ("B1", "pending_new"), ("C1", "rejected")]


async def test_every_answer_is_made_again_word_for_word() -> None:
    room = await staged(*MIXED)
    await room.client(ListExecute(ref=REF, list_id="L1"))
    await room.client(ListCancel(ref=REF, list_id="L1"))
    await room.report("canceled")
    told = [m for m in room.take() if isinstance(m, ParentReport | ListStatus)]
    assert [m.status_type for m in told if isinstance(m, ListStatus)] == ["ack", "exec_started", "response", "all_done"]
    assert await recovery.missed_reports(room.log, room.desk.state, {"OMS": 0}) == told
    assert [m for m in room.take() if isinstance(m, SendChildCancel)] == []
