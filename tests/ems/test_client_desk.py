"""Messages from an OMS: each ends in an event and an answer with a plain reason."""

from __future__ import annotations

from typing import Any

import pytest

from domain.event import InboundRef
from domain.messages import EngineRefusal, OrderStatusQuery, Unreadable
from domain.order_life import OrdStatus
from domain.refusal import Reason, Refusal
from domain.sending import CancelReject, MessageReject, ParentReport
from domain.values import E9
from tests.domain.orders import new_order, replace_order
from tests.ems.room import Room, topics


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"symbol": "NONE"}, 1), ({"quantity_e9": 0}, 13), ({"limit_price_e9": 100 * E9 + 1}, 99), ({"algo": "guess"}, 11)],
)
async def test_a_bad_order_gets_its_answer_and_an_event(changes: dict[str, Any], reason: int) -> None:
    room = await Room().open()
    await room.client(new_order(**changes))
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_rej_reason, report.cl_ord_id) == ("rejected", reason, "A1")
    assert report.text
    assert (await topics(room))[-1] == "parent_order.rejected"


async def test_a_reused_cl_ord_id_is_refused_with_the_live_orders_state() -> None:
    room = await Room().open()
    await room.order()
    room.take()
    await room.client(new_order(quantity_e9=50 * E9))
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_rej_reason, report.ord_status) == ("rejected", 6, OrdStatus.NEW)
    assert report.quantity_e9 == 1000 * E9
    assert room.parent().terms.quantity_e9 == 1000 * E9


async def test_a_possible_resend_of_a_known_order_is_answered_with_its_state() -> None:
    room = await Room().open()
    await room.order()
    room.take()
    await room.client(new_order(poss_resend=True))
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.exec_id, report.ord_status) == ("status", "0", OrdStatus.NEW)
    assert len(room.desk.state.parents) == 1


async def test_a_reused_id_on_a_request_does_not_take_the_id_from_its_order() -> None:
    room = await Room().open()
    await room.client(new_order(cl_ord_id="A1"))
    await room.client(new_order(cl_ord_id="B1"))
    await room.client(new_order(cl_ord_id="R1", symbol="NONE"))
    room.take()
    await room.cancel(cl_ord_id="A1", orig_cl_ord_id="B1")
    await room.cancel(cl_ord_id="R1", orig_cl_ord_id="B1")
    assert [reject.cxl_rej_reason for reject in room.take(CancelReject)] == [6, 6]
    await room.cancel(cl_ord_id="A2", orig_cl_ord_id="A1")
    assert [(r.cl_ord_id, r.orig_cl_ord_id) for r in room.take(ParentReport)] == [("A2", "A1")]
    await room.cancel(cl_ord_id="R2", orig_cl_ord_id="R1")
    (reject,) = room.take(CancelReject)
    assert (reject.order_id, reject.cxl_rej_reason) == ("NONE", 1)


async def test_a_cancel_of_an_unknown_order() -> None:
    room = await Room().open()
    await room.cancel(orig_cl_ord_id="X")
    (reject,) = room.take(CancelReject)
    assert (reject.order_id, reject.ord_status, reject.cxl_rej_reason) == ("NONE", OrdStatus.REJECTED, 1)


async def test_a_status_query_for_an_unknown_order() -> None:
    room = await Room().open()
    await room.client(OrderStatusQuery(ref=InboundRef("OMS", 0, 0), cl_ord_id="X"))
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.ord_rej_reason, report.exec_id) == ("status", OrdStatus.REJECTED, 5, "0")


async def test_what_is_not_spoken_is_answered_and_recorded() -> None:
    room = await Room().open()
    refusal = Refusal(Reason.UNSUPPORTED_MESSAGE, "35=E is not spoken here")
    await room.client(Unreadable(ref=InboundRef("OMS", 0, 0), msg_type="E", ref_id="", refusal=refusal, raw="35=E"))
    (reject,) = room.take(MessageReject)
    assert (reject.ref_seq_num, reject.ref_msg_type, reject.business_reject_reason) == (1, "E", 3)
    await room.client(EngineRefusal(ref=InboundRef("OMS", 0, 0), text="tag 44 has no value"))
    assert room.take() == [], "the FIX engine has answered itself"
    assert (await topics(room))[-2:] == ["fix_session.message_refused"] * 2


@pytest.mark.parametrize("msg_type", ["3", "j"])
async def test_a_refusal_is_recorded_and_not_refused_in_turn(msg_type: str) -> None:
    room = await Room().open()
    refusal = Refusal(Reason.UNSUPPORTED_MESSAGE, f"{msg_type} is not taken from a client")
    raw = f"35={msg_type}"
    await room.client(Unreadable(ref=InboundRef("OMS", 0, 0), msg_type=msg_type, ref_id="", refusal=refusal, raw=raw))
    assert room.take() == []
    assert (await topics(room))[-1] == "fix_session.message_refused"


@pytest.mark.parametrize("request_kind", ["cancel", "replace"])
async def test_a_request_that_a_fill_overtakes_is_answered(request_kind: str) -> None:
    room = await Room().open()
    await room.order()
    await room.plan(1000)
    await room.report("new")
    if request_kind == "cancel":
        await room.cancel()
    else:
        await room.client(replace_order(quantity_e9=900 * E9))
    room.take()
    await room.fill(1000)
    trade, reject = [m for m in room.take() if isinstance(m, ParentReport | CancelReject)]
    assert trade.ord_status is OrdStatus(f"pending_{request_kind}")  # what is pending outranks Filled
    assert (reject.response_to, reject.cl_ord_id, reject.cxl_rej_reason) == (request_kind, "A2", 0)
    assert reject.ord_status is OrdStatus.FILLED
    assert room.parent().pending is None


async def test_a_replace_waits_for_the_children_and_then_takes_effect() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.report("new")
    room.take()
    await room.client(replace_order(quantity_e9=500 * E9))
    assert [type(m).__name__ for m in room.take()] == ["ParentReport", "SendChildCancel"]
    assert room.parent().status is OrdStatus.PENDING_REPLACE
    await room.fill(100)
    await room.report("canceled")
    reports = room.take(ParentReport)
    assert [(r.exec_kind, r.cl_ord_id, r.quantity_e9, r.leaves_quantity_e9) for r in reports] == [
        ("trade", "A1", 1000 * E9, 900 * E9),
        ("replaced", "A2", 500 * E9, 400 * E9),
    ]
