"""A parent order as its events leave it."""

from __future__ import annotations

import pytest

from domain import parent_life
from domain import parent_order as po
from domain.event import Event
from domain.order_life import OrdStatus
from domain.refusal import Reason
from domain.values import E9
from tests.domain.orders import NOW_NS, PARENT, accepted, closed, filled, parent, released, terms


def test_a_new_order_has_all_to_do() -> None:
    state = parent()
    assert (state.status, state.leaves_e9, state.cum_quantity_e9, state.released_e9) == (OrdStatus.NEW, 1000 * E9, 0, 0)
    assert (state.version, state.live, state.average_price_e9) == (1, True, 0)


def test_quantity_moves_from_open_to_filled_and_what_comes_back_is_late() -> None:
    state = parent(released(300))
    assert state.released_e9 == 300 * E9
    state = parent(released(300), filled(100, 90), filled(50, 120))
    assert (state.released_e9, state.cum_quantity_e9, state.leaves_e9) == (300 * E9, 150 * E9, 850 * E9)
    assert state.average_price_e9 == 100 * E9
    assert state.status is OrdStatus.PARTIALLY_FILLED
    state = parent(released(300), filled(150), closed())
    assert (state.released_e9, state.late_e9, state.open_e9) == (150 * E9, 150 * E9, {})
    assert parent(released(300), filled(150), closed(), released(200, 2, late=150)).late_e9 == 0


def test_full_means_filled() -> None:
    state = parent(released(1000), filled(999), filled(1))
    assert (state.status, state.leaves_e9, state.live) == (OrdStatus.FILLED, 0, False)


def test_a_late_fill_counts_and_moves_nothing_back() -> None:
    state = parent(released(100), closed(), po.Canceled(cl_ord_id="A1", text=""), filled(40))
    assert (state.status, state.cum_quantity_e9, state.leaves_e9) == (OrdStatus.CANCELED, 40 * E9, 0)


def test_an_overfill_counts() -> None:
    state = parent(released(1000), filled(1000), filled(10))
    assert (state.status, state.cum_quantity_e9, state.leaves_e9) == (OrdStatus.FILLED, 1010 * E9, 0)


@pytest.mark.parametrize(
    ("events", "status", "ids"),
    [
        ((po.CancelRequested(cl_ord_id="A2"),), "pending_cancel", ("A1", "")),
        ((po.CancelRequested(cl_ord_id="A2"), po.Canceled(cl_ord_id="A2", text="")), "canceled", ("A2", "A1")),
        ((po.Canceled(cl_ord_id="A1", text=""),), "canceled", ("A1", "")),
        ((po.ReplaceRequested(cl_ord_id="A2", terms=terms(500)),), "pending_replace", ("A1", "")),
        ((po.Replaced(cl_ord_id="A2", terms=terms(500)),), "new", ("A2", "A1")),
        ((filled(10), po.Replaced(cl_ord_id="A2", terms=terms(500))), "partially_filled", ("A2", "A1")),
        ((filled(10), po.Replaced(cl_ord_id="A2", terms=terms(10))), "filled", ("A2", "A1")),
        ((filled(1000), po.Replaced(cl_ord_id="A2", terms=terms(1500))), "partially_filled", ("A2", "A1")),
        ((po.Expired(text=""),), "expired", ("A1", "")),
    ],
)
def test_status_and_chain(events: tuple[Event, ...], status: str, ids: tuple[str, str]) -> None:
    state = parent(*events)
    assert (state.status, (state.cl_ord_id, state.orig_cl_ord_id)) == (status, ids)
    assert state.version == 1 + len(events)


def test_below_what_is_filled_means_what_is_filled() -> None:
    state = parent(released(300), filled(300), po.Replaced(cl_ord_id="A2", terms=terms(100)))
    assert (state.terms.quantity_e9, state.status, state.leaves_e9) == (300 * E9, OrdStatus.FILLED, 0)


def test_an_amendment_begins_a_new_line() -> None:
    state = parent(released(300), filled(100), closed(), po.Replaced(cl_ord_id="A2", terms=terms(500)))
    assert (state.schedule, state.started_volume_e9, state.start_filled_e9, state.late_e9) == (None, None, 100 * E9, 0)


def test_a_fill_that_ends_the_order_leaves_the_request_to_be_answered() -> None:
    state = parent(released(1000), po.CancelRequested(cl_ord_id="A2"), filled(400))
    assert (state.status, state.pending) == (OrdStatus.PENDING_CANCEL, po.Pending("cancel", "A2"))
    state = parent(released(1000), po.CancelRequested(cl_ord_id="A2"), filled(1000))
    assert (state.status, state.leaves_e9, state.pending) == (OrdStatus.PENDING_CANCEL, 0, po.Pending("cancel", "A2"))
    refused = po.RequestRefused(request="cancel", cl_ord_id="A2", reason=Reason.TOO_LATE, text="", ends_pending=True)
    state = parent(released(1000), po.CancelRequested(cl_ord_id="A2"), filled(1000), refused)
    assert (state.status, state.pending) == (OrdStatus.FILLED, None)


@pytest.mark.parametrize(("ends", "status"), [(False, "pending_replace"), (True, "partially_filled")])
def test_a_refused_request_ends_a_pending_one_only_if_it_says_so(ends: bool, status: str) -> None:
    refused = po.RequestRefused(request="replace", cl_ord_id="A2", reason=Reason.TOO_LATE, text="", ends_pending=ends)
    state = parent(released(300), filled(10), po.ReplaceRequested(cl_ord_id="A2", terms=terms(500)), refused)
    assert (state.status, state.pending is None) == (status, ends)


def test_rejections_count_until_the_next_fill() -> None:
    rejected = (released(10), closed(status="rejected"), released(10, 2), closed(2, "rejected"))
    assert parent(*rejected).rejections == 2
    assert parent(*rejected, released(10, 3), filled(5, number=3)).rejections == 0
    assert parent(released(10), closed()).rejections == 0


def test_a_rejected_order_keeps_its_key() -> None:
    event = po.Rejected(
        client_session="OMS", trade_date="2026-03-02", cl_ord_id="A1", order_id="X", symbol="NONE", side=None, quantity_e9=0,
        reason=Reason.UNKNOWN_SYMBOL, text="",
    )  # fmt: skip
    assert parent_life.evolve(None, event, stream=PARENT, at_ns=NOW_NS) == po.RejectedOrder(PARENT)


def test_a_state_is_never_changed_in_place() -> None:
    before = parent(released(300))
    kept = dict(before.open_e9)
    parent_life.evolve(before, filled(100), stream=PARENT, at_ns=NOW_NS)
    parent_life.evolve(before, closed(), stream=PARENT, at_ns=NOW_NS)
    assert before.open_e9 == kept
    assert before == parent(released(300))


def test_an_event_that_the_table_forbids_stops_the_fold() -> None:
    with pytest.raises(AssertionError):
        parent(po.Canceled(cl_ord_id="A1", text=""), po.CancelRequested(cl_ord_id="A2"))
    assert accepted().TOPIC == "parent_order.accepted.v1"
