"""What a person may do about an execution in quarantine: every reason, every refusal, and that nothing is booked twice."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain import quarantine as qu
from domain.child_order import ChildOrder
from domain.fill import Fill, HeldBecause
from domain.quarantine import Booking, Order, QuarantineReason, QuarantineRefusal
from domain.revise import revise
from domain.values import E9, Side
from tests.domain.orders import CHILD, DAY, NOW_NS, PARENT, child, child_filled, parent, released

STREAM = fl.key("VENUE", DAY.trade_date, "E1")
R = QuarantineReason


def told(**changes: Any) -> fl.Quarantined:
    values: dict[str, Any] = {
        "venue_session": "VENUE", "trade_date": DAY.trade_date, "exec_id": "E1", "cl_ord_id": "FOREIGN-ORDER-01",
        "quantity_e9": 60 * E9, "price_e9": 100 * E9, "reason": "unknown_order", "raw": "35=8", "instrument": "ABC",
        "side": "buy", "kind": "trade", "venue_time_ns": NOW_NS,
    }  # fmt: skip
    return fl.Quarantined.sample(**{**values, **changes})


def recorded(**changes: Any) -> fl.Recorded:
    values: dict[str, Any] = {
        "venue_session": "VENUE", "trade_date": DAY.trade_date, "exec_id": "E1", "cl_ord_id": co.cl_ord_id(CHILD),
        "child": CHILD, "parent": PARENT, "instrument": "ABC", "side": "buy", "quantity_e9": 40 * E9, "price_e9": 99 * E9,
        "venue_time_ns": NOW_NS,
    }  # fmt: skip
    return fl.Recorded.sample(**{**values, **changes})


def fold(*events: Any, stream: fl.StreamId = STREAM) -> Fill:
    state: Fill | None = None
    for event in events:
        state = fl.evolve(state, event, stream=stream, at_ns=NOW_NS)
    assert state is not None
    return state


def booked(state: Fill, number: int = 1, *, overfill: bool = False, **changes: Any) -> Booking | QuarantineRefusal:
    """Book to the child, whose stream for the ExecID is the quarantine's own unless said otherwise."""
    order = Order(child(), parent(released(100)), state.id, state)._replace(**changes)
    return qu.book(state, number, order, (), "the venue says so", overfill=overfill)


def refusal(decided: Any) -> QuarantineReason:
    assert isinstance(decided, QuarantineRefusal) and decided.text
    return decided.reason


def test_the_table_speaks_of_every_reason() -> None:
    assert set(qu.NOT_BOOKED) == set(get_args(HeldBecause))


@pytest.mark.parametrize("reason", get_args(HeldBecause))
def test_every_one_may_be_dismissed_once(reason: str) -> None:
    state = fold(told(reason=reason))
    decided = qu.dismiss(state, 1, "not ours")
    assert decided == fl.Dismissed(number=1, reason="not ours")
    assert refusal(qu.dismiss(fold(told(reason=reason), decided), 1, "again")) is R.ALREADY_RESOLVED
    assert refusal(booked(fold(told(reason=reason), decided))) is R.ALREADY_RESOLVED


OWN = co.cl_ord_id(CHILD)
KINDS: list[tuple[dict[str, Any], QuarantineReason | None]] = [
    ({}, None),
    ({"reason": "conflict"}, None),
    ({"reason": "wrong_side", "side": "sell", "cl_ord_id": OWN}, None),
    ({"reason": "wrong_side", "side": "sell", "cl_ord_id": f"{OWN}R1"}, None),
    ({"reason": "not_positive", "quantity_e9": 0}, R.ONLY_DISMISSED),
    ({"reason": "not_positive", "price_e9": -1}, R.ONLY_DISMISSED),
    ({"reason": "restated", "kind": "cancel"}, R.ONLY_DISMISSED),
    ({"reason": "restated", "kind": "correct"}, R.ONLY_DISMISSED),
    ({"reason": "restated", "kind": ""}, R.ONLY_DISMISSED),
    ({"reason": "conflict", "kind": "cancel"}, R.ONLY_DISMISSED),
    ({"reason": "conflict", "kind": ""}, R.ONLY_DISMISSED),
    ({"kind": ""}, None),
    ({"side": "sell"}, R.OTHER_SIDE),
    ({"reason": "wrong_side", "side": "sell"}, R.OTHER_SIDE),
    ({"side": None, "instrument": ""}, None),
    ({"instrument": "XYZ"}, R.OTHER_INSTRUMENT),
    ({"venue_session": "BROKER1"}, R.OTHER_VENUE),
    ({"venue_session": "BROKER1", "cl_ord_id": OWN}, None),
    ({"quantity_e9": 100 * E9}, None),
    ({"quantity_e9": 101 * E9}, R.OVERFILL),
]


@pytest.mark.parametrize(("changes", "expected"), KINDS)
def test_what_may_be_booked(changes: dict[str, Any], expected: QuarantineReason | None) -> None:
    decided = booked(fold(told(**changes)))
    if expected is not None:
        assert refusal(decided) is expected
        return
    assert isinstance(decided, Booking)
    event, fill = decided
    assert (event.number, event.fill, event.child, event.parent, event.over_e9) == (1, STREAM, CHILD, PARENT, 0)
    assert (fill.child, fill.side, fill.instrument, fill.exec_id) == (CHILD, Side.BUY, "ABC", "E1")
    assert (fill.quantity_e9, fill.price_e9) == (changes.get("quantity_e9", 60 * E9), 100 * E9)
    state = fold(told(**changes), event, fill)
    assert (state.child, state.quantity_e9, state.version) == (CHILD, fill.quantity_e9, 3)
    assert refusal(booked(state)) is refusal(qu.dismiss(state, 1, "no")) is R.ALREADY_RESOLVED


@pytest.mark.parametrize("overfilled", ["child", "parent", "both"])
def test_an_overfill_is_booked_when_it_is_said_and_says_by_how_much(overfilled: str) -> None:
    changes: dict[str, Any] = {}
    if overfilled in ("child", "both"):
        changes["child"] = child(child_filled(90))
    if overfilled in ("parent", "both"):
        changes["parent"] = parent(released(100), po.Filled(child=CHILD, fill=STREAM, quantity_e9=980 * E9, price_e9=E9))
    state = fold(told())
    assert refusal(booked(state, **changes)) is R.OVERFILL
    decided = booked(state, overfill=True, **changes)
    assert isinstance(decided, Booking)
    assert decided.booked.over_e9 == (40 if overfilled == "parent" else 50) * E9


def test_one_that_the_venue_told_before_a_corporate_action_is_not_booked() -> None:
    adjusted: ChildOrder = revise(child(), adjusted_ns=NOW_NS)
    assert refusal(booked(fold(told()), child=adjusted)) is R.ADJUSTED_SINCE


def test_a_conflict_is_booked_on_a_stream_of_its_own_beside_what_the_exec_id_said_first() -> None:
    decided = booked(fold(recorded(), told(reason="conflict")))
    assert isinstance(decided, Booking)
    assert decided.booked.fill == fl.booked_key(STREAM, 1) != STREAM
    state = fold(recorded(), told(reason="conflict"), decided.booked)
    assert (state.content, state.also) == ((OWN, 40 * E9, 99 * E9), (decided.booked.fill,))


CORRECTED = fl.Restated(
    venue_session="VENUE", kind="correct", exec_id="K", exec_ref_id="E1", quantity_e9=60 * E9, price_e9=100 * E9, venue_time_ns=1
)


@pytest.mark.parametrize(
    "before", [(recorded(quantity_e9=60 * E9, price_e9=100 * E9),), (recorded(), CORRECTED)], ids=["recorded", "corrected"]
)
def test_what_is_recorded_is_not_booked_to_its_order_again(before: tuple[Any, ...]) -> None:
    state = fold(*before, told(reason="conflict", cl_ord_id=f"{OWN}R1"))
    assert refusal(booked(state)) is R.ALREADY_RECORDED
    elsewhere = fold(recorded(quantity_e9=1 * E9), told(reason="conflict"), told(reason="conflict", price_e9=7 * E9))
    other = fold(recorded(quantity_e9=60 * E9, price_e9=100 * E9), stream=fl.booked_key(STREAM, 2))
    order = Order(child(), parent(released(100)), STREAM, elsewhere)
    assert refusal(qu.book(elsewhere, 1, order, (other,), "r", overfill=False)) is R.ALREADY_RECORDED


def test_an_exec_id_that_the_orders_own_date_has_already_is_not_booked_from_another_date() -> None:
    known = fl.key("VENUE", "2026-02-27", "E1")
    assert refusal(booked(fold(told()), stream=known, known=fold(recorded(), stream=known))) is R.ALREADY_RECORDED
    decided = booked(fold(told()), stream=known, known=None)
    assert isinstance(decided, Booking) and decided.booked.fill == known


def test_an_execution_that_was_booked_is_seen_in_both_wordings() -> None:
    decided = booked(fold(told()))
    assert isinstance(decided, Booking)
    state = fold(told(), *decided)
    for cl_ord_id in ("FOREIGN-ORDER-01", OWN):
        assert fl.seen(state, cl_ord_id, 60 * E9, 100 * E9, Side.BUY)
    assert not fl.seen(state, OWN, 61 * E9, 100 * E9, Side.BUY)


def test_the_right_side_is_not_the_same_as_the_wrong_one() -> None:
    state = fold(told(reason="wrong_side", side="sell", cl_ord_id=OWN))
    assert fl.seen(state, OWN, 60 * E9, 100 * E9, Side.SELL)
    assert not fl.seen(state, OWN, 60 * E9, 100 * E9, Side.BUY)
