"""Held orders: no trade that reaches one is missed, none goes early, and no share is lost or made."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ports_market import ORDER_ID_MIN, Execution, MarketEvent, Triggered, Unfilled, VenueOrder, VenueTif
from domain.tape import FLAG_ALL, FLAG_IOC, FLAG_MAY_BE_GONE, Kind, empty_tape, tape_of
from models.market import book as bk
from models.market import layout as at
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow

BASE, WINDOW = 1000, 16
sides = st.sampled_from([1, -1])
ticks = st.integers(BASE, BASE + WINDOW - 1)
lots = st.integers(1, 9)
numbers = st.integers(0, 30)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("flow"), st.lists(st.tuples(sides, ticks, lots, st.booleans()), min_size=1, max_size=6)),
        st.tuples(st.just("flow cancel"), numbers),
        st.tuples(st.just("own"), sides, lots, ticks, st.booleans(), st.sampled_from(VenueTif), st.none() | ticks),
        st.tuples(st.just("cancel"), numbers),
        st.tuples(st.just("replace"), numbers, lots, ticks, ticks),
    ),
    max_size=50,
)


class Books:
    """Shares of every order: in, filled, canceled; what is open must be what the market still has."""

    def __init__(self) -> None:
        self.market = ContinuousMarket(RecordedFlow(empty_tape()), base_ticks=BASE, window=WINDOW, capacity=128)
        self.orders: dict[int, VenueOrder] = {}
        self.shares: defaultdict[int, dict[str, int]] = defaultdict(lambda: {"in": 0, "filled": 0, "canceled": 0})
        self.held: set[int] = set()
        self.flows = 0

    def do(self, action: tuple[Any, ...]) -> None:
        getattr(self, "_" + action[0].replace(" ", "_"))(*action[1:])
        self._balanced()

    def _flow(self, orders: list[tuple[int, int, int, bool]]) -> None:
        rows = []
        for side, price, size, ioc in orders:
            self.flows += 1
            rows.append((0, 0, self.flows, price, size, 0, FLAG_IOC if ioc else 0, Kind.ADD, side))
        self._happened(self.market.apply(tape_of(rows)))

    def _flow_cancel(self, number: int) -> None:
        gone = [(0, 0, number, BASE, 0, 0, FLAG_ALL | FLAG_MAY_BE_GONE, Kind.CANCEL, 1)]
        self._happened(self.market.apply(tape_of(gone)))

    def _own(self, side: int, size: int, price: int, is_market: bool, tif: VenueTif, stop: int | None) -> None:
        order = VenueOrder(ORDER_ID_MIN + len(self.orders), side, size, price, is_market, tif, stop)
        self.orders[order.order_id] = order
        self.shares[order.order_id]["in"] = size
        if stop is not None:
            self.held.add(order.order_id)
        result = self.market.submit(order, 0)
        assert result.accepted
        self._happened(result.executions)
        if stop is None:
            self.shares[order.order_id]["canceled"] = size - self.shares[order.order_id]["filled"] - result.resting_lots
        self._happened(result.then)

    def _cancel(self, number: int) -> None:
        order_id = ORDER_ID_MIN + number
        taken = self.market.cancel(order_id)
        self.held.discard(order_id)
        if taken:
            self.shares[order_id]["canceled"] += taken

    def _replace(self, number: int, size: int, price: int, stop: int) -> None:
        order_id = ORDER_ID_MIN + number
        old = self.orders.get(order_id)
        open_lots = self._open(order_id) if old is not None else 0
        new = (old or VenueOrder(order_id, 1, 1))._replace(quantity_lots=size, price_ticks=price)
        result = self.market.replace(new._replace(stop_ticks=stop) if order_id in self.held else new, 0)
        assert result.accepted == (open_lots > 0)
        if result.accepted:
            self.shares[order_id]["in"] += size - open_lots
        self._happened(result.executions + result.then)

    def _happened(self, events: list[Any] | list[MarketEvent]) -> None:
        for event in events:
            assert not isinstance(event, Execution) or event.order_id not in self.held, "a held order does not trade"
            match event:
                case Execution():
                    self.shares[event.order_id]["filled"] += event.quantity_lots
                case Triggered():
                    self.held.remove(event.order_id)  # once
                case Unfilled():
                    self.shares[event.order_id]["canceled"] += self._open(event.order_id)

    def _open(self, order_id: int) -> int:
        of = self.shares[order_id]
        return of["in"] - of["filled"] - of["canceled"]

    def _balanced(self) -> None:
        book = self.market.book
        for order_id in self.orders:
            slot = bk.find(book, 0, order_id)
            held = self.market.stops.find(order_id)
            resting = int(book.orders[slot]["qty"]) if slot > 0 else 0
            assert (held is not None) == (order_id in self.held)
            assert self._open(order_id) == resting + (held.quantity_lots if held is not None else 0)
            if held is not None and held.stop_ticks is not None and book.meta[0, at.VOLUME]:
                last = int(book.meta[0, at.LAST_PRICE])
                assert (2 * held.stop_ticks - last) * held.side > 0, "the last trade has reached it, and it is held"


@settings(max_examples=200, deadline=None)
@given(actions)
def test_shares_in_are_shares_filled_open_and_canceled(script: list[tuple[Any, ...]]) -> None:
    books = Books()
    for action in script:
        books.do(action)


def market_with(*flow: tuple[int, int, int]) -> ContinuousMarket:
    """A market of resting recorded orders: side, price, lots."""
    market = ContinuousMarket(RecordedFlow(empty_tape()), base_ticks=BASE, window=WINDOW, capacity=128)
    market.apply(tape_of([(0, 0, 90 + n, price, size, 0, 0, Kind.ADD, side) for n, (side, price, size) in enumerate(flow)]))
    return market


def trade(side: int, price: int, size: int, at_ns: int, number: int) -> tuple[int, ...]:
    """A recorded aggressor."""
    return (at_ns, at_ns, number, price, size, 0, FLAG_IOC, Kind.ADD, side)


def test_a_stop_goes_at_the_trade_that_reaches_it_and_before_the_next_event() -> None:
    market = market_with((-1, 1004, 1), (-1, 1005, 5), (1, 1001, 9))
    order = VenueOrder(ORDER_ID_MIN, 1, 3, is_market=True, stop_ticks=1004)
    assert market.submit(order, 0) == ([], 3, True, [])
    later = trade(1, 1005, 5, 20, 2)  # would take all that is left, if the stop came behind it
    events = market.apply(tape_of([trade(-1, 1001, 1, 5, 3), trade(1, 1004, 1, 10, 1), later]))
    assert events == [Triggered(ORDER_ID_MIN, 10), Execution(ORDER_ID_MIN, 1005, 3, 10, False)]


def test_the_nearest_price_goes_first_and_one_stop_reaches_another() -> None:
    market = market_with((1, 1006, 2), (1, 1004, 2), (1, 1002, 9))
    far = VenueOrder(ORDER_ID_MIN, -1, 2, is_market=True, stop_ticks=1004)
    near = VenueOrder(ORDER_ID_MIN + 1, -1, 3, is_market=True, stop_ticks=1006)
    market.submit(far, 0)
    market.submit(near, 0)
    events = market.apply(tape_of([trade(-1, 1006, 1, 7, 1)]))
    assert events == [
        Triggered(near.order_id, 7), Execution(near.order_id, 1006, 1, 7, False), Execution(near.order_id, 1004, 2, 7, False),
        Triggered(far.order_id, 7), Execution(far.order_id, 1002, 2, 7, False),
    ]  # fmt: skip


def test_what_a_triggered_market_order_cannot_trade_is_gone_and_a_limit_rests() -> None:
    market = market_with((-1, 1004, 2), (1, 1000, 1))
    market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 1003, stop_ticks=1004), 0)
    market.submit(VenueOrder(ORDER_ID_MIN + 1, 1, 5, is_market=True, stop_ticks=1004), 0)
    events = market.apply(tape_of([trade(1, 1004, 1, 3, 1)]))
    assert [type(event) for event in events] == [Triggered, Triggered, Execution, Unfilled]
    assert market.top().bid_ticks == 1003, "the stop limit order rests at its limit"


@pytest.mark.parametrize(("side", "stop", "reached"), [(1, 1004, True), (1, 1005, False), (-1, 1004, True), (-1, 1003, False)])
def test_a_price_that_the_last_trade_has_reached_goes_at_once(side: int, stop: int, reached: bool) -> None:
    market = market_with((-1, 1004, 2), (1, 1000, 9))
    market.apply(tape_of([trade(1, 1004, 1, 3, 1)]))
    result = market.submit(VenueOrder(ORDER_ID_MIN, side, 1, 1000 + 2 * (side > 0), stop_ticks=stop), 9)
    assert [type(event) for event in result.then[:1]] == [Triggered] * reached


def test_a_trade_before_the_order_came_does_not_trigger_it() -> None:
    market = market_with((-1, 1004, 1), (-1, 1006, 1), (1, 1002, 9))
    market.apply(tape_of([trade(1, 1006, 2, 1, 1), trade(-1, 1002, 1, 2, 2)]))
    assert market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 1002, stop_ticks=1005), 3).then == []
    assert market.advance(4) == []


def test_prices_of_held_orders_outside_the_ladder_are_refused() -> None:
    market = market_with()
    for prices in ({"price_ticks": 999, "stop_ticks": 1001}, {"price_ticks": 1001, "stop_ticks": 1016}):
        order = VenueOrder(ORDER_ID_MIN, 1, 1, **prices)  # type: ignore[arg-type]
        assert not market.submit(order, 0).accepted
    market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 1001, stop_ticks=1003), 0)
    assert not market.replace(VenueOrder(ORDER_ID_MIN, 1, 1, 1001, stop_ticks=1016), 0).accepted
    assert market.cancel(ORDER_ID_MIN) == 1 and market.cancel(ORDER_ID_MIN) == 0
