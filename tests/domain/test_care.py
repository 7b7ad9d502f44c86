"""Which orders wait for a trader, what holds of one that does, and what its events make of it."""

from __future__ import annotations

from typing import Any

import pytest

from domain import care_rules, parent_rules
from domain import parent_order as po
from domain.care import Allotted, Handled, Share, ShareLeft, Staged
from domain.care_rules import CareRule
from domain.instructions import Instructions
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.refusal import Refusal
from domain.values import E9, Algo, OrdType, Side, TimeInForce, stream_id
from tests.domain.orders import ABC, CHILD, DAY, NOW_NS, accepted, cancel_order, closed, filled, parent, released, terms

FIRST, SECOND, FILL = (stream_id("test", name) for name in ("first", "second", "fill"))
STAGED = (Staged(rule="large", text="wait"),)


def staged(*events: Any, **changes: Any) -> ParentOrder:
    """An order that waits, after these events."""
    from domain import parent_life

    state: Any = None
    for event in (accepted(staged=True, **changes), *STAGED, *events):
        state = parent_life.evolve(state, event, stream=FIRST, at_ns=NOW_NS)
    assert isinstance(state, ParentOrder)
    return state


def handled(act: str, **more: Any) -> Handled:
    return Handled.sample(act=act, reason="why", **more)


def merged(*events: Any) -> ParentOrder:
    from domain import parent_life

    state: Any = None
    made = accepted(client_session="", behalf="OMS", of=((FIRST, 600 * E9), (SECOND, 400 * E9)))
    for event in (made, *events):
        state = parent_life.evolve(state, event, stream=stream_id("test", "merged"), at_ns=NOW_NS)
    assert isinstance(state, ParentOrder)
    return state


# ------------------------------------------------------------------------------------------------- rules


@pytest.mark.parametrize(
    ("rule", "changes", "fits"),
    [
        ({}, {}, True),
        ({"client": "OMS"}, {}, True),
        ({"client": "OTHER"}, {}, False),
        ({"symbol": "ABC", "account": "ACC", "side": Side.BUY}, {}, True),
        ({"side": Side.SELL}, {}, False),
        ({"algo": "twap"}, {}, True),
        ({"algo": "direct"}, {"terms": terms(algo=Algo.DIRECT)}, True),
        ({"quantity_min_e9": 1000 * E9, "quantity_max_e9": 1000 * E9}, {}, True),
        ({"quantity_min_e9": 1001 * E9}, {}, False),
        ({"notional_min_e9": 100_000 * E9}, {}, True),
        ({"notional_min_e9": 100_001 * E9}, {}, False),
        ({"notional_max_e9": 99_999 * E9}, {}, False),
        ({"manual": True}, {}, False),
        ({"manual": True}, {"terms": terms(instructions=Instructions(handl_inst="3"))}, True),
    ],
)
def test_a_rule_is_about_what_it_names(rule: dict[str, Any], changes: dict[str, Any], fits: bool) -> None:
    found = care_rules.rule_of((CareRule(name="one", **rule),), accepted(**changes), price_e9=None)
    assert (found is not None) == fits


@pytest.mark.parametrize(("handling", "waits"), [("stage", True), ("work", False)])
def test_where_nobody_knows_what_it_is_worth_it_waits(handling: str, waits: bool) -> None:
    unpriced = accepted(terms=terms(limit_price_e9=None))
    bounded = CareRule(name="bounded", handling=handling, notional_min_e9=1, notional_max_e9=10**15)  # type: ignore[arg-type]
    found = care_rules.rule_of((bounded, CareRule(name="rest")), unpriced, price_e9=None)
    assert found is not None and found.name == ("bounded" if waits else "rest")
    assert care_rules.rule_of((bounded,), unpriced, price_e9=10 * E9) is (bounded if waits else None)


# -------------------------------------------------------------------------------------------------- taking


def test_it_waits_until_it_is_taken_and_a_cancel_ends_it_without_a_word_of_new() -> None:
    state = staged()
    assert (state.status, care_rules.waits(state)) == (OrdStatus.PENDING_NEW, True)
    events = parent_rules.cancel(state, cancel_order())
    assert not isinstance(events, Refusal) and [type(event) for event in events] == [po.Canceled]
    taken = care_rules.accept(state, "", (), instrument=ABC, day=DAY, now_ns=NOW_NS, arrival=None)
    assert not isinstance(taken, Refusal) and [type(event) for event in taken] == [po.Started, po.Acknowledged]
    assert not care_rules.waits(staged(*taken))


@pytest.mark.parametrize(
    "changes",
    [
        {"ord_type": OrdType.STOP, "instructions": Instructions(stop_price_e9=99 * E9)},
        {"time_in_force": TimeInForce.GTC},
        {"instructions": Instructions(max_floor_e9=100 * E9)},
    ],
)
def test_what_only_a_venue_can_work_is_taken_as_sent_alone(changes: dict[str, Any]) -> None:
    assert parent_rules.only_as_sent(terms(**changes))
    assert not parent_rules.only_as_sent(terms())


# ---------------------------------------------------------------------------------------- giving it back


@pytest.mark.parametrize(("returns", "event"), [("cancel", po.Canceled), ("done_for_day", po.DoneForDay)])
def test_what_goes_back_ends_when_nothing_of_it_is_out(returns: str, event: type) -> None:
    back = handled("pull_back", returns=returns)
    out = parent(released(100), back)
    assert parent_rules.settle(out, now_ns=NOW_NS, market=None) == ()
    (end,) = parent_rules.settle(parent(released(100), back, filled(40), closed()), now_ns=NOW_NS, market=None)
    assert type(end) is event and end.text == "returned by the desk: why"
    ended = parent(released(100), back, filled(40), closed(), end)
    assert (ended.live, ended.cum_quantity_e9, ended.leaves_e9) == (False, 40 * E9, 0)
    assert isinstance(care_rules.pull_back(out, "cancel"), Refusal)


# ------------------------------------------------------------------------------------- parts and members


def test_a_merged_order_knows_what_each_member_put_in_and_has_had() -> None:
    state = merged()
    assert state.of == (Share(FIRST, 600 * E9), Share(SECOND, 400 * E9))
    state = merged(Allotted(fill=FILL, parts=((FIRST, 60 * E9), (SECOND, 40 * E9))))
    assert [share.got_e9 // E9 for share in state.of] == [60, 40]
    state = merged(
        Allotted(fill=FILL, parts=((FIRST, 60 * E9), (SECOND, 40 * E9))),
        Allotted(fill=FILL, parts=((FIRST, 30 * E9), (SECOND, 20 * E9))),
    )
    assert [share.got_e9 // E9 for share in state.of] == [30, 20]  # corrected: what was said before is replaced
    assert state.care.parts_of(FILL) == ((FIRST, 30 * E9), (SECOND, 20 * E9))
    left = merged(Allotted(fill=FILL, parts=((FIRST, 60 * E9), (SECOND, 40 * E9))), ShareLeft(order=SECOND, returned_e9=360 * E9))
    assert (left.of, left.terms.quantity_e9) == ((Share(FIRST, 540 * E9),), 640 * E9)


def test_parts_are_reserved_like_children() -> None:
    state = parent(handled("split", orders=[(CHILD, 100 * E9)]), released(100))
    assert (state.released_e9, state.care.parts_in(state.open_e9)) == (100 * E9, [CHILD])
    back = parent(handled("split", orders=[(CHILD, 100 * E9)]), released(100), filled(40), closed())
    assert (back.released_e9, back.care.parts_in(back.open_e9)) == (40 * E9, [])


@pytest.mark.parametrize(("quantity", "said"), [(600, ""), (601, "is free"), (1001, "more than the order asks for")])
def test_an_execution_by_telephone_that_may_be_too_much_needs_two_people(quantity: int, said: str) -> None:
    state = parent(released(400))
    assert said in care_rules.needs_second(state, quantity * E9)
    assert bool(care_rules.needs_second(state, quantity * E9)) == bool(said)
