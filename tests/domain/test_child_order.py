"""A child order: the intent, what the venue says, and what that proves."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import child_order as co
from domain import child_rules
from domain.event import Event
from domain.order_life import OrdStatus
from domain.refusal import Reason, Refusal
from domain.values import E9, stream_id
from tests.domain.orders import CHILD, NOW_NS, PARENT, child, child_filled, created, venue_report

ACK = co.Acknowledged(order_id="V1")
CANCELING = co.CancelRequested(cl_ord_id="C", reason="end time")
DOUBT = co.Doubted(reason="no answer")


@pytest.mark.parametrize(
    ("events", "status", "leaves"),
    [
        ((), "pending_new", 100),
        ((ACK,), "new", 100),
        ((ACK, child_filled(30)), "partially_filled", 70),
        ((child_filled(30), ACK), "partially_filled", 70),
        ((ACK, child_filled(30), child_filled(70)), "filled", 0),
        ((ACK, CANCELING), "pending_cancel", 100),
        ((ACK, CANCELING, child_filled(30)), "pending_cancel", 70),
        ((ACK, CANCELING, child_filled(100)), "filled", 0),
        ((ACK, CANCELING, co.CancelRefused(reason=0, text="")), "new", 100),
        ((ACK, child_filled(1), CANCELING, co.CancelRefused(reason=0, text="")), "partially_filled", 99),
        ((ACK, co.Canceled(text="")), "canceled", 0),
        ((ACK, co.Canceled(text=""), child_filled(30)), "canceled", 0),
        ((DOUBT,), "in_doubt", 100),
        ((DOUBT, CANCELING), "in_doubt", 100),
        ((DOUBT, co.ProvedWorking(order_id="V1")), "new", 100),
        ((DOUBT, co.ProvedUnknown(text="")), "canceled", 0),
        ((ACK, child_filled(1), DOUBT, co.ProvedWorking(order_id="V1")), "partially_filled", 99),
        ((co.Rejected(text=""),), "rejected", 0),
        ((ACK, co.Expired(text="")), "expired", 0),
        ((ACK, co.DoneForDay(text="")), "done_for_day", 0),
    ],
)
def test_what_becomes_of_it(events: tuple[Event, ...], status: str, leaves: int) -> None:
    state = child(*events)
    assert (state.status, state.leaves_e9) == (status, leaves * E9)
    assert state.version == 1 + len(events)
    assert state.live is (status in ("pending_new", "new", "partially_filled", "pending_cancel", "in_doubt"))


def test_fills_add_up_exactly() -> None:
    state = child(child_filled(30, 99), child_filled(20, 101))
    assert (state.cum_quantity_e9, state.notional_e18) == (50 * E9, (30 * 99 + 20 * 101) * E9 * E9)


def test_cancels_are_numbered_and_order_ids_kept() -> None:
    state = child(ACK, CANCELING, co.CancelRefused(reason=3, text=""), CANCELING, DOUBT)
    assert (state.cancels, state.order_id, state.changed_ns) == (2, "V1", NOW_NS)


def test_an_overfill_counts() -> None:
    assert child(child_filled(130)).cum_quantity_e9 == 130 * E9


@pytest.mark.parametrize(
    ("events", "event", "verdict"),
    [
        ((), ACK, True),
        ((co.Canceled(text=""),), co.Canceled(text=""), False),
        ((co.Canceled(text=""),), child_filled(10), True),
        ((co.Canceled(text=""),), CANCELING, False),
        ((ACK,), co.CancelRefused(reason=0, text=""), True),
        ((co.Canceled(text=""),), co.Restated(exec_id="X1", reason=None, quantity_e9=E9, limit_price_e9=None, text=""), True),
        ((ACK,), co.Replaced(cl_ord_id="R1", orig_cl_ord_id="", quantity_e9=E9, limit_price_e9=None), True),
        ((co.Canceled(text=""),), co.Replaced(cl_ord_id="R1", orig_cl_ord_id="", quantity_e9=E9, limit_price_e9=None), False),
        ((ACK, CANCELING), CANCELING, True),
        ((ACK,), co.ProvedUnknown(text=""), False),
        ((DOUBT,), co.ProvedUnknown(text=""), True),
        ((co.Rejected(text=""),), DOUBT, False),
    ],
)
def test_the_table_alone_judges(events: tuple[Event, ...], event: Event, verdict: bool) -> None:
    decided = child_rules.decide(child(*events), event)
    if verdict:
        assert decided == (event,)
    else:
        assert isinstance(decided, Refusal)
        assert decided.reason is Reason.TOO_LATE


UNKNOWN = {"ord_status": "rejected", "unknown_order": True, "order_id": "NONE"}


@pytest.mark.parametrize(
    ("events", "kind", "changes", "event"),
    [
        ((), "new", {}, co.Acknowledged),
        ((ACK,), "new", {}, None),
        ((DOUBT,), "new", {}, co.Acknowledged),
        ((ACK,), "canceled", {}, co.Canceled),
        ((ACK,), "rejected", {}, co.Rejected),
        ((ACK,), "expired", {}, co.Expired),
        ((ACK,), "done_for_day", {}, co.DoneForDay),
        ((ACK,), "pending_cancel", {}, None),
        ((ACK,), "restated", {}, co.Restated),
        ((ACK,), "suspended", {}, co.Held),
        ((ACK,), "replaced", {}, None),
        ((ACK, CANCELING), "pending_cancel", {}, co.RequestPending),
        ((), "pending_new", {}, co.RequestPending),
        ((ACK,), "pending_new", {}, None),
        ((ACK,), "triggered", {}, co.Triggered),
        ((ACK, co.Triggered()), "triggered", {}, None),
        ((ACK,), "status", {}, None),
        ((ACK,), "status", {"ord_status": "canceled"}, None),
        ((DOUBT,), "status", {}, co.ProvedWorking),
        ((DOUBT,), "status", {"ord_status": "partially_filled", "cum_quantity_e9": 10 * E9}, None),
        ((child_filled(10), DOUBT), "status", {"ord_status": "partially_filled", "cum_quantity_e9": 10 * E9}, co.ProvedWorking),
        ((DOUBT,), "status", {"ord_status": "pending_cancel"}, co.ProvedWorking),
        ((DOUBT,), "status", {"ord_status": "canceled"}, co.Canceled),
        ((child_filled(10), DOUBT), "status", {"ord_status": "canceled"}, None),
        ((DOUBT,), "status", {"ord_status": "rejected"}, co.Rejected),
        ((DOUBT,), "status", {"ord_status": "expired"}, co.Expired),
        ((DOUBT,), "status", {"ord_status": "done_for_day"}, co.DoneForDay),
        ((DOUBT,), "status", {"ord_status": "filled", "cum_quantity_e9": 100 * E9}, None),
        ((DOUBT,), "status", {"ord_status": "suspended"}, co.ProvedWorking),
        ((DOUBT,), "status", UNKNOWN, co.ProvedUnknown),
        ((ACK,), "status", UNKNOWN, None),
        ((child_filled(10), DOUBT), "status", UNKNOWN, None),
    ],
)
def test_what_a_report_says(events: tuple[Event, ...], kind: str, changes: dict[str, Any], event: type[Event] | None) -> None:
    said = child_rules.reported(child(*events), venue_report(kind, **changes))
    assert type(said) is (event or type(None))


def test_the_same_intent_has_the_same_id_and_another_has_another() -> None:
    ids = {co.cl_ord_id(co.key(PARENT, number)) for number in range(1, 500)}
    assert len(ids) == 499
    assert co.cl_ord_id(CHILD) == co.cl_ord_id(co.key(PARENT, 1))


@given(st.integers(0, 2**64), st.integers(1, 999))
def test_ids_fit_a_fix_field_and_cancels_extend_them(name: int, cancel: int) -> None:
    key = stream_id("test", str(name))
    root = co.cl_ord_id(key)
    assert len(root) == 16
    assert root.isascii() and root.isalnum() and root == root.upper()
    assert co.cl_ord_id(key, cancel=cancel) == f"{root}C{cancel}"


def test_a_created_child_is_only_an_intent() -> None:
    state = child()
    assert (state.status, state.order_id, state.cl_ord_id) == (OrdStatus.PENDING_NEW, "", created().cl_ord_id)
