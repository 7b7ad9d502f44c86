"""What may be asked of a parent order: one line a case, the verdict last."""

from __future__ import annotations

from typing import Any

import pytest

from domain import parent_intake, parent_rules
from domain import parent_order as po
from domain.errors import InvariantBroken
from domain.event import Event
from domain.order_life import OrdStatus
from domain.refusal import Reason, Refusal
from domain.trading_day import TradingDay
from domain.values import E9, OrdType, Side, TimeInForce
from tests.domain.orders import (
    ABC,
    CHILD,
    DAY,
    MINUTE_NS,
    NOW_NS,
    PARENT,
    cancel_order,
    closed,
    filled,
    new_order,
    parent,
    released,
    replace_order,
    terms,
)

UNREADABLE = Refusal(Reason.UNREADABLE, "OrderQty is not a number")


def place(**changes: Any) -> po.Accepted | Refusal:
    known: dict[str, Any] = {"duplicate": False, "instrument": ABC, "day": DAY, "now_ns": NOW_NS}
    known |= {name: changes.pop(name) for name in list(changes) if name in known}
    return parent_intake.place(new_order(**changes), stream=PARENT, trade_date=DAY.trade_date, arrival=None, **known)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"duplicate": True}, Reason.DUPLICATE_CL_ORD_ID),
        ({"refusal": UNREADABLE}, Reason.UNREADABLE),
        ({"instrument": None}, Reason.UNKNOWN_SYMBOL),
        ({"side": None}, Reason.UNKNOWN_SIDE),
        ({"quantity_e9": 0}, Reason.QUANTITY_NOT_POSITIVE),
        ({"quantity_e9": -10 * E9}, Reason.QUANTITY_NOT_POSITIVE),
        ({"quantity_e9": 15 * E9}, Reason.QUANTITY_OFF_LOT),
        ({"day": None}, Reason.MARKET_CLOSED),
        ({"ord_type": None}, Reason.ORDER_TYPE_UNSUPPORTED),
        ({"limit_price_e9": None}, Reason.LIMIT_MISSING),
        ({"limit_price_e9": 0}, Reason.PRICE_NOT_POSITIVE),
        ({"limit_price_e9": -E9}, Reason.PRICE_NOT_POSITIVE),
        ({"limit_price_e9": 100 * E9 + 1}, Reason.PRICE_OFF_TICK),
        ({"time_in_force": None}, Reason.TIME_IN_FORCE_UNSUPPORTED),
        ({"time_in_force": TimeInForce.GTC}, Reason.TIME_IN_FORCE_UNSUPPORTED),
        ({"algo": "guess"}, Reason.UNKNOWN_ALGO),
        ({"algo": ""}, Reason.UNKNOWN_PARAMETER),  # a direct order: there is nothing that would read them
        ({"parameters": (("Urgency", "1"),)}, Reason.UNKNOWN_PARAMETER),
        ({"parameters": (("DurationMinutes", "x"),)}, Reason.BAD_PARAMETER),
        ({"algo": "pov"}, Reason.BAD_PARAMETER),
        ({"now_ns": DAY.close_ns}, Reason.MARKET_CLOSED),
        ({"parameters": (("StartTime", "20260302-23:00:00"),)}, Reason.MARKET_CLOSED),
        ({"parameters": (("EndTime", "20260302-15:00:00"),)}, Reason.END_NOT_AFTER_START),
        ({"parameters": (("StartTime", "20260302-15:10:00"), ("EndTime", "20260302-15:05:00"))}, Reason.END_NOT_AFTER_START),
        ({"parameters": (("WouldPrice", "99.999"),)}, Reason.PRICE_OFF_TICK),
    ],
)
def test_refused_orders(changes: dict[str, Any], reason: Reason) -> None:
    refused = place(**changes)
    assert isinstance(refused, Refusal)
    assert refused.reason is reason
    assert refused.text


def test_refusals_come_in_a_fixed_order() -> None:
    """All that is wrong at once, mended from the first on."""
    wrong: dict[str, Any] = {
        "duplicate": True, "refusal": UNREADABLE, "instrument": None, "side": None, "quantity_e9": 0, "day": None,
        "ord_type": None, "algo": "guess", "parameters": (("Urgency", "1"),),
    }  # fmt: skip
    found = []
    while wrong:
        refused = place(**wrong)
        assert isinstance(refused, Refusal)
        found.append(refused.reason)
        del wrong[next(iter(wrong))]
    assert found == [
        Reason.DUPLICATE_CL_ORD_ID, Reason.UNREADABLE, Reason.UNKNOWN_SYMBOL, Reason.UNKNOWN_SIDE, Reason.QUANTITY_NOT_POSITIVE,
        Reason.MARKET_CLOSED, Reason.ORDER_TYPE_UNSUPPORTED, Reason.UNKNOWN_ALGO, Reason.UNKNOWN_PARAMETER,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "start_ns", "end_ns"),
    [
        ({}, NOW_NS, NOW_NS + 30 * MINUTE_NS),
        ({"parameters": ()}, NOW_NS, DAY.close_ns),
        ({"parameters": (("EndTime", "20260303-15:00:00"),)}, NOW_NS, DAY.close_ns),
        ({"parameters": (("StartTime", "20260302-14:00:00"),)}, NOW_NS, DAY.close_ns),
        ({"now_ns": DAY.open_ns - MINUTE_NS}, DAY.open_ns, DAY.open_ns + 30 * MINUTE_NS),
        (
            {"parameters": (("StartTime", "20260302-15:10:00"), ("DurationMinutes", "5"))},
            NOW_NS + 10 * MINUTE_NS,
            NOW_NS + 15 * MINUTE_NS,
        ),
    ],
)
def test_the_window_lies_in_the_session_and_not_in_the_past(changes: dict[str, Any], start_ns: int, end_ns: int) -> None:
    taken = place(**changes)
    assert isinstance(taken, po.Accepted)
    assert (taken.terms.start_ns, taken.terms.end_ns) == (start_ns, end_ns)


def test_an_accepted_order_says_what_was_asked() -> None:
    taken = place(ord_type=OrdType.MARKET, parameters=(("WouldPrice", "99.99"), ("MaxParticipation", "20")))
    assert isinstance(taken, po.Accepted)
    assert (taken.cl_ord_id, taken.order_id, taken.account) == ("A1", po.order_id(PARENT), "ACC")
    assert taken.terms.limit_price_e9 is None, "a market order has no limit, whatever Price says"
    assert (taken.terms.would_price_e9, taken.terms.max_participation_e9) == (99_990_000_000, E9 // 5)


OUT = (released(300),)
PENDING_CANCEL = (*OUT, po.CancelRequested(cl_ord_id="A9"))
PENDING_REPLACE = (*OUT, po.ReplaceRequested(cl_ord_id="A9", terms=terms(500)))
ENDED = (po.Canceled(cl_ord_id="A1", text=""),)


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ((), ["canceled"]),
        (OUT, ["cancel_requested"]),
        ((*OUT, filled(300), closed()), ["canceled"]),
        (PENDING_CANCEL, ["request_queued"]),
        (PENDING_REPLACE, ["request_refused", "cancel_requested"]),
        (ENDED, Reason.TOO_LATE),
        ((filled(1000),), Reason.TOO_LATE),
        ((po.Expired(text=""),), Reason.TOO_LATE),
    ],
)
def test_cancels(events: tuple[Event, ...], verdict: object) -> None:
    decided = parent_rules.cancel(parent(*events), cancel_order())
    assert _verdict(decided) == verdict
    if isinstance(decided, tuple):
        assert parent(*events, *decided).status in (OrdStatus.CANCELED, OrdStatus.PENDING_CANCEL)


@pytest.mark.parametrize(
    ("events", "changes", "verdict"),
    [
        ((), {}, ["replaced"]),
        (OUT, {}, ["replace_requested"]),
        (OUT, {"quantity_e9": 10 * E9}, ["replace_requested"]),
        (PENDING_CANCEL, {}, ["request_queued"]),
        (PENDING_REPLACE, {}, ["request_queued"]),
        (ENDED, {}, Reason.TOO_LATE),
        ((filled(1000),), {}, Reason.TOO_LATE),
        ((filled(1000),), {"quantity_e9": 1500 * E9}, ["replaced"]),
        ((*OUT, filled(1000, number=2)), {"quantity_e9": 1500 * E9}, ["replaced"]),
        ((), {"side": Side.SELL}, Reason.NOT_AMENDABLE),
        ((), {"symbol": "XYZ"}, Reason.NOT_AMENDABLE),
        ((), {"quantity_e9": 5 * E9}, Reason.QUANTITY_OFF_LOT),
        ((), {"algo": "guess"}, Reason.UNKNOWN_ALGO),
    ],
)
def test_replaces(events: tuple[Event, ...], changes: dict[str, Any], verdict: object) -> None:
    decided = parent_rules.amend(parent(*events), replace_order(**changes), instrument=ABC, day=DAY, now_ns=NOW_NS)
    assert _verdict(decided) == verdict
    if isinstance(decided, tuple):
        assert parent(*events, *decided).live, "what was decided can be folded"


@pytest.mark.parametrize(
    ("events", "now_ns", "verdict"),
    [
        ((), NOW_NS, []),
        ((), NOW_NS + 30 * MINUTE_NS, ["expired"]),
        (OUT, NOW_NS + 30 * MINUTE_NS, []),
        (PENDING_CANCEL, NOW_NS, []),
        ((*PENDING_CANCEL, closed()), NOW_NS, ["canceled"]),
        ((*PENDING_REPLACE, closed()), NOW_NS, ["replaced"]),
        ((*PENDING_CANCEL, closed()), NOW_NS + 60 * MINUTE_NS, ["canceled"]),
        ((filled(1000),), NOW_NS, ["finished"]),
        (ENDED, NOW_NS, ["finished"]),
        ((*OUT, filled(1000, number=2)), NOW_NS, []),
    ],
)
def test_what_follows_once_no_child_is_out(events: tuple[Event, ...], now_ns: int, verdict: list[str]) -> None:
    assert _verdict(parent_rules.settle(parent(*events), now_ns=now_ns, market=None)) == verdict


def test_an_order_is_finished_once() -> None:
    (finished,) = parent_rules.settle(parent(*ENDED), now_ns=NOW_NS, market=None)
    assert parent_rules.settle(parent(*ENDED, finished), now_ns=NOW_NS, market=None) == ()


@pytest.mark.parametrize(
    ("events", "quantity"),
    [
        ((), 0),
        ((), -10),
        ((), 1010),
        ((released(300), filled(100)), 710),
        ((released(300), filled(100), closed()), 910),
        (PENDING_CANCEL, 10),
        (PENDING_REPLACE, 10),
        (ENDED, 10),
    ],
)
def test_no_child_beyond_the_parent(events: tuple[Event, ...], quantity: int) -> None:
    with pytest.raises(InvariantBroken):
        parent_rules.release(parent(*events), CHILD, quantity * E9)


def test_all_of_it_may_be_released() -> None:
    assert parent_rules.release(parent(released(300), filled(100), closed()), CHILD, 900 * E9).number == 2


def test_a_request_that_a_fill_overtakes_is_too_late() -> None:
    refused = parent_rules.overtaken(parent(filled(1000)), po.Pending("cancel", "A2"))
    assert (refused.reason, refused.cl_ord_id, refused.ends_pending) == (Reason.TOO_LATE, "A2", True)
    assert TradingDay("2026-03-02", 0, 1) != DAY


def _verdict(decided: tuple[Event, ...] | Refusal) -> object:
    return decided.reason if isinstance(decided, Refusal) else [event.TOPIC.split(".")[1] for event in decided]
