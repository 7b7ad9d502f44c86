"""What an allocation comes to, whatever happens to its orders: exact, within the stated rounding, and told once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import allocation as al
from domain import parent_order as po
from domain.allocation import Allocation, Reported
from domain.allocation_report import Orders, book, settle
from domain.allocation_terms import AllocationPolicy, BookedOrder, Fault, Method, Share, Terms, divide
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.proration import Remainder, Rounding
from domain.values import E9, Side, StreamId, stream_id
from tests.domain.orders import ABC, PARENT, parent

STREAM = stream_id("test", "7")
OTHER = stream_id("test", "8")
POLICIES = st.builds(
    AllocationPolicy,
    method=st.sampled_from([Method.PRORATION, Method.PRIORITY, Method.PERCENTAGE]),
    remainder=st.sampled_from(Remainder),
    lot_e9=st.none() | st.sampled_from([1, E9, 100 * E9]),
    percentages=st.just({"A": 50 * E9, "B": 30 * E9, "C": 20 * E9}),
    minimum_ticket_e9=st.integers(0, 100 * E9),
    price_decimals=st.integers(0, 9),
    rounding=st.sampled_from(Rounding),
)
SHARES = st.lists(st.integers(1, 10**4 * E9), min_size=1, max_size=3).map(
    lambda asked: tuple(Share(account=account, quantity_e9=q) for account, q in zip("ABC", asked, strict=False))
)
QUANTITIES = st.integers(1, 10**6 * E9)
EXECUTED = st.lists(st.tuples(st.integers(0, 10**4 * E9), st.integers(1, 10**3 * E9)), min_size=1, max_size=10)


def order(quantity_e9: int, price_e9: int, *, stream: StreamId = PARENT, over: bool = True) -> ParentOrder:
    """An order of which so much is executed at this average price."""
    status = OrdStatus.CANCELED if over else OrdStatus.PARTIALLY_FILLED
    done = {"cum_quantity_e9": quantity_e9, "notional_e18": quantity_e9 * price_e9, "status": status, "finished": True}
    return parent()._replace(id=stream, **done)


def orders(*parents: ParentOrder, policy: AllocationPolicy | None = None, taken_e9: int = 0) -> Orders:
    by_id = {one.id: one for one in parents}
    return Orders(by_id, dict.fromkeys(by_id, taken_e9), policy or AllocationPolicy(lot_e9=E9), ABC)


def terms(*shares: Share, booked: tuple[BookedOrder, ...] = (), **changes: Any) -> Terms:
    booked = booked or (BookedOrder(parent=PARENT, cl_ord_id="A1", order_id="O1"),)
    values = {"alloc_id": "J1", "instrument": "ABC", "side": Side.BUY, "orders": booked, "shares": shares, **changes}
    return Terms.model_validate(values)


def allocation(asked: Terms) -> Allocation:
    event = al.Accepted(client_session="OMS", trade_date="2026-03-02", terms=asked)
    return al.evolve(None, event, stream=STREAM, at_ns=0)


def told(state: Allocation, found: Orders, **how: Any) -> Allocation:
    for event in settle(state, found, **how):
        state = al.evolve(state, event, stream=STREAM, at_ns=0)
    return state


@given(POLICIES, SHARES, EXECUTED)
def test_after_whatever_happens_the_report_is_what_is_executed_exact_and_told_once(
    policy: AllocationPolicy, shares: tuple[Share, ...], executed: list[tuple[int, int]]
) -> None:
    state = allocation(terms(*shares))
    for quantity_e9, price_e9 in executed:
        found = orders(order(quantity_e9, price_e9), policy=policy)
        before = state
        state = told(state, found)
        assert settle(state, found) == (), "what has been said is not said again"
        if (report := state.reported) is None:
            assert quantity_e9 == 0
            continue
        assert (report.executed_e9, report.executed_notional_e18) == (quantity_e9, quantity_e9 * price_e9)
        assert sum(part.quantity_e9 for part in report.parts) == quantity_e9
        assert min(part.quantity_e9 for part in report.parts) >= 0
        paid_e18 = sum(part.quantity_e9 for part in report.parts) * report.average_price_e9
        assert paid_e18 - report.executed_notional_e18 == report.rounding_e18
        assert abs(report.rounding_e18) <= report.rounding_max_e18
        assert sum(part.net_money_e9 or 0 for part in report.parts) == report.net_money_e9
        if before.report is not state.report:
            self_consistent(before, report)


def self_consistent(before: Allocation, report: Reported) -> None:
    """A report continues the last one: its number, and what it replaces."""
    assert report.number == (before.report.number + 1 if before.report is not None else 1)
    replaced = before.reported
    assert (report.action, report.ref_number) == (("replace", replaced.number) if replaced is not None else ("new", 0))


@given(
    st.lists(
        st.tuples(st.integers(1, 10**6 * E9), st.integers(1, 10**3 * E9), st.integers(1, 10**6 * E9)), min_size=1, max_size=4
    ),
    st.integers(0, 9),
)
def test_a_part_of_several_orders_is_booked_at_their_averages(found: list[tuple[int, int, int]], decimals: int) -> None:
    parents = [order(q, p, stream=stream_id("test", str(100 + at))) for at, (q, p, _) in enumerate(found)]
    booked = tuple(
        BookedOrder(parent=one.id, cl_ord_id="", order_id="", booked_e9=wanted)
        for one, (_, _, wanted) in zip(parents, found, strict=True)
    )
    state = allocation(terms(Share(account="A"), booked=booked, price_decimals=decimals))
    result = book(state.terms or terms(), orders(*parents))
    assert [part.quantity_e9 for part in result.orders] == [min(q, wanted) for q, _, wanted in found]
    assert result.notional_e18 == sum(min(q, wanted) * p for q, p, wanted in found)
    report = told(state, orders(*parents)).reported
    assert report is not None
    assert abs(report.rounding_e18) <= report.rounding_max_e18


def test_while_an_order_works_again_only_what_makes_the_last_report_wrong_is_told() -> None:
    state = told(allocation(terms(Share(account="A"))), orders(order(1000 * E9, 100 * E9)))

    def actions(quantity: int, price: int, *, over: bool) -> list[str]:
        return [event.action for event in settle(state, orders(order(quantity * E9, price * E9, over=over)))]

    assert actions(1100, 100, over=False) == []
    assert actions(1100, 100, over=True) == ["replace"]
    assert actions(900, 100, over=False) == ["replace"]
    assert actions(1000, 99, over=False) == ["replace"]
    assert actions(0, 0, over=False) == ["cancel"]
    fresh = allocation(terms(Share(account="A")))
    assert settle(fresh, orders(order(1000 * E9, 100 * E9, over=False))) == ()


def test_what_others_have_is_left_to_them() -> None:
    parents = order(1000 * E9, 100 * E9)
    state = told(allocation(terms(Share(account="A"))), orders(parents, taken_e9=400 * E9))
    assert state.reported is not None
    assert state.reported.quantity_e9 == 600 * E9
    assert told(allocation(terms(Share(account="A"))), orders(parents, taken_e9=2000 * E9)).report is None


def test_without_reference_data_there_is_no_money_and_every_share_is_a_lot() -> None:
    found = orders(order(3 * E9, 100 * E9))._replace(instrument=None, policy=AllocationPolicy())
    asked = (Share(account="A", quantity_e9=E9), Share(account="B", quantity_e9=E9))
    report = told(allocation(terms(*asked)), found).reported
    assert report is not None
    assert (report.currency, report.gross_e9, report.net_money_e9) == ("", None, None)
    assert [(part.quantity_e9, part.net_money_e9) for part in report.parts] == [(2 * E9, None), (E9, None)]


def test_ids_differ_by_what_they_name() -> None:
    keys = {al.key(session, day, "J1") for session in ("OMS", "OMS2") for day in ("2026-03-02", "2026-03-03")}
    reports = {al.report_id(stream, number) for stream in (STREAM, OTHER) for number in (1, 2)}
    assert (len(keys), len(reports)) == (4, 4)


@pytest.mark.parametrize(
    ("asked", "executed", "policy", "expected"),
    [
        ((600, 400), 1000, {}, (600, 400)),
        ((150, 150), 300, {"lot_e9": 100 * E9}, (150, 150)),  # what adds up is given as asked, also off the lot
        ((150, 150), 300, {"method": Method.PERCENTAGE, "percentages": {"A": 1, "B": 2}}, (150, 150)),
        ((150, 150), 200, {"lot_e9": 100 * E9}, (100, 100)),
        ((None, None), 300, {"method": Method.PERCENTAGE, "percentages": {"A": 1, "B": 2}}, (100, 200)),
        ((None,), 300, {"method": Method.FIXED}, (300,)),
        ((None,), 300, {"method": Method.PRIORITY}, (300,)),
        ((100, 200), 400, {"method": Method.PRIORITY, "remainder": Remainder.LAST_ACCOUNT, "lot_e9": 10 * E9}, (130, 270)),
        ((600, 400), 900, {"method": Method.FIXED}, "the accounts ask for 1000 together, 900 is to be allocated"),
        ((0, 0), 900, {}, "the accounts ask for 0 together, 900 is to be allocated"),
        ((600, None), 900, {}, "AllocQty (80) of account B is missing"),
        ((None, None), 900, {"method": Method.PERCENTAGE, "percentages": {"A": 1}}, "no percentage is agreed for account B"),
        ((1000, -100), 900, {}, "an AllocQty (80) is negative"),
    ],
)
def test_division_by_what_was_asked_and_what_was_agreed(
    asked: tuple[int | None, ...], executed: int, policy: dict[str, Any], expected: tuple[int, ...] | str
) -> None:
    shares = tuple(
        Share(account=account, quantity_e9=None if q is None else q * E9) for account, q in zip("ABC", asked, strict=False)
    )
    divided = divide(executed * E9, shares, AllocationPolicy(**{"lot_e9": E9, **policy}), E9)
    if isinstance(expected, str):
        assert isinstance(divided, Fault)
        assert divided.text == expected
    else:
        assert divided == tuple(q * E9 for q in expected)


def test_the_parent_that_these_tests_make_is_over() -> None:
    assert isinstance(order(E9, E9), po.ParentOrder)
    assert orders(order(E9, E9)).over
    assert not orders(order(E9, E9), order(E9, E9, stream=OTHER, over=False)).over
