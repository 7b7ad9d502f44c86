"""Reports are derived from an event and the state right after it: one line an event, what the OMS is told last."""

from __future__ import annotations

from typing import Any

import pytest

from domain import fix_session as fs
from domain import parent_order as po
from domain.catalogue import TOPICS
from domain.event import GENESIS_HASH, Event, InboundRef, Meta, Recorded
from domain.refusal import Reason
from domain.sending import CancelReject, Forget, MessageReject, ParentReport, SendChild, SendChildCancel
from domain.values import E9, stream_id
from ems import orders_out, reports
from tests.domain.orders import CHILD, NOW_NS, PARENT, accepted, child, child_filled, created, filled, parent, released, terms
from tests.domain.test_child_order import ACK, CANCELING, DOUBT

REF = InboundRef("OMS", 0, 41)


def recorded(event: Event, *, version: int, inbound: InboundRef | None = REF) -> Recorded:
    meta = Meta(NOW_NS, "client:OMS", PARENT, "fix:OMS/0/41", "test", inbound)
    return Recorded(7, PARENT, version, NOW_NS, event, meta, GENESIS_HASH, GENESIS_HASH)


def told(*events: Event) -> Any:
    """What the last of these events of the order makes the desk say."""
    after = parent(*events)
    return reports.outbound(recorded((accepted(), *events)[-1], version=after.version), after)


CANCEL, REPLACE = po.CancelRequested(cl_ord_id="A2"), po.ReplaceRequested(cl_ord_id="A2", terms=terms(500))


@pytest.mark.parametrize(
    ("events", "kind", "status", "ids", "quantities"),
    [
        ((), "new", "new", ("A1", ""), (1000, 0, 1000)),
        ((released(300), filled(100)), "trade", "partially_filled", ("A1", ""), (1000, 100, 900)),
        ((released(1000), filled(1000)), "trade", "filled", ("A1", ""), (1000, 1000, 0)),
        ((CANCEL,), "pending_cancel", "pending_cancel", ("A2", "A1"), (1000, 0, 1000)),
        ((released(300), CANCEL, filled(10)), "trade", "pending_cancel", ("A1", ""), (1000, 10, 990)),
        ((CANCEL, po.Canceled(cl_ord_id="A2", text="")), "canceled", "canceled", ("A2", "A1"), (1000, 0, 0)),
        ((po.Canceled(cl_ord_id="A1", text=""),), "canceled", "canceled", ("A1", ""), (1000, 0, 0)),
        ((REPLACE,), "pending_replace", "pending_replace", ("A2", "A1"), (1000, 0, 1000)),
        ((REPLACE, po.Replaced(cl_ord_id="A2", terms=terms(500))), "replaced", "new", ("A2", "A1"), (500, 0, 500)),
        ((po.Expired(text=""),), "expired", "expired", ("A1", ""), (1000, 0, 0)),
    ],
)
def test_execution_reports(
    events: tuple[Event, ...], kind: str, status: str, ids: tuple[str, str], quantities: tuple[int, ...]
) -> None:
    report = told(*events)
    assert isinstance(report, ParentReport)
    assert (report.exec_kind, report.ord_status, (report.cl_ord_id, report.orig_cl_ord_id)) == (kind, status, ids)
    assert (report.quantity_e9, report.cum_quantity_e9, report.leaves_quantity_e9) == tuple(q * E9 for q in quantities)
    assert (report.session, report.event_seq, report.order_id) == ("OMS", 7, po.order_id(PARENT))
    assert reports.to_client(report)


def test_a_trade_says_what_was_done() -> None:
    report = told(released(300), filled(100, 90), filled(100, 110))
    assert (report.last_quantity_e9, report.last_price_e9, report.average_price_e9) == (100 * E9, 110 * E9, 100 * E9)


def test_the_same_event_makes_the_same_report_and_another_another_exec_id() -> None:
    again = filled(100).model_copy(update={"fill": stream_id("test", str(7 << 100))})
    assert told(released(300), filled(100)) == told(released(300), filled(100))
    assert told(released(300), filled(100)).exec_id != told(released(300), again).exec_id


@pytest.mark.parametrize("event", [released(300), po.PlanFailed(decision=CHILD, plan_number=1, error="")])
def test_what_is_the_desks_own_business_is_told_to_nobody(event: Event) -> None:
    assert told(event) is None
    assert not reports.to_client(None)


@pytest.mark.parametrize(
    ("reason", "code"),
    [(Reason.TOO_LATE, 0), (Reason.ALREADY_PENDING, 3), (Reason.DUPLICATE_CL_ORD_ID, 6), (Reason.PRICE_OFF_TICK, 99)],
)
def test_a_refused_request(reason: Reason, code: int) -> None:
    reject = told(po.RequestRefused(request="replace", cl_ord_id="A2", reason=reason, text="why"))
    assert isinstance(reject, CancelReject)
    assert (reject.cl_ord_id, reject.orig_cl_ord_id, reject.response_to, reject.cxl_rej_reason) == ("A2", "A1", "replace", code)
    assert reject.text == "why"


def test_a_rejected_order() -> None:
    event = po.Rejected(
        client_session="OMS", trade_date="2026-03-02", cl_ord_id="A1", order_id="X", symbol="NONE", side=None,
        quantity_e9=10 * E9, reason=Reason.UNKNOWN_SYMBOL, text="no such symbol",
    )  # fmt: skip
    report = reports.outbound(recorded(event, version=1), po.RejectedOrder(PARENT))
    assert isinstance(report, ParentReport)
    assert (report.exec_kind, report.ord_status, report.ord_rej_reason, report.leaves_quantity_e9) == (
        "rejected",
        "rejected",
        1,
        0,
    )
    assert reports.to_client(report)


def refused(answer: str, **changes: Any) -> Any:
    values = {
        "session": "OMS",
        "msg_type": "F",
        "ref_id": "A2",
        "orig_ref_id": "A1",
        "answer": answer,
        "reason": Reason.UNKNOWN_ORDER,
    }
    event = fs.MessageRefused.sample(**{**values, "text": "why", "raw": "", **changes})
    return reports.outbound(recorded(event, version=1), None)


def test_messages_that_belong_to_no_order() -> None:
    assert refused("none") is None
    reject = refused("cancel_reject")
    assert isinstance(reject, CancelReject)
    assert (reject.order_id, reject.ord_status, reject.response_to, reject.cxl_rej_reason) == ("NONE", "rejected", "cancel", 1)
    assert refused("cancel_reject", msg_type="G").response_to == "replace"
    reject = refused("business_reject", reason=Reason.UNSUPPORTED_MESSAGE)
    assert isinstance(reject, MessageReject)
    assert (reject.ref_seq_num, reject.business_reject_reason) == (41, 3)
    assert refused("business_reject", reason=Reason.UNREADABLE, ref_id="").business_reject_reason == 5


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ((), SendChild),
        ((ACK,), None),
        ((ACK, CANCELING), SendChildCancel),
        ((ACK, child_filled(50)), None),
        ((ACK, child_filled(100)), Forget),
        ((ACK, DOUBT), None),
    ],
)
def test_what_a_childs_event_sends_to_its_venue(events: tuple[Event, ...], kind: type[Any] | None) -> None:
    after = child(*events)
    sent = reports.outbound(recorded((created(), *events)[-1], version=after.version), after)
    assert type(sent) is (kind or type(None))
    if sent is not None:
        assert (sent.session, sent.event_seq) == ("VENUE", 7)
        assert not reports.to_client(sent)


def test_every_event_that_derives_something_is_in_the_catalogue() -> None:
    assert {event.TOPIC for event in {**reports._TOLD, **orders_out.SENT}} <= set(TOPICS)
