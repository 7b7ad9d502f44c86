"""The engine against the blackboard: the same orders give the same fills, and the book keeps its invariants."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ports_market import AUCTIONS, ORDER_ID_MIN, VenueOrder, VenueTif
from domain.tape import FLAG_ALL, FLAG_IOC, FLAG_MAY_BE_GONE, Kind, empty_tape, tape_of
from models.market import layout as at
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow
from tests.models.market.naive_book import NaiveBook

CONTINUOUS = [tif for tif in VenueTif if tif not in AUCTIONS]

BASE, WINDOW = 1000, 16

sides = st.sampled_from([1, -1])
ticks = st.integers(BASE, BASE + WINDOW - 1)
lots = st.integers(1, 9)
actions = st.lists(
    st.one_of(
        st.tuples(st.just("flow"), sides, ticks, lots, st.booleans()),
        st.tuples(st.just("own"), sides, ticks, lots, st.sampled_from([*CONTINUOUS, "market"])),
        st.tuples(st.just("flow cancel"), st.integers(0, 40)),
        st.tuples(st.just("own cancel"), st.integers(0, 40)),
        st.tuples(st.just("replace"), st.integers(0, 40), ticks, lots),
    ),
    max_size=60,
)


class Pair:
    """The engine and the blackboard, given the same orders."""

    def __init__(self) -> None:
        self.market = ContinuousMarket(RecordedFlow(empty_tape()), base_ticks=BASE, window=WINDOW, capacity=128)
        self.naive = NaiveBook()
        self.submitted: dict[int, int] = {}
        self.filled: dict[int, int] = {}
        self.flows = 0

    def do(self, action: tuple[Any, ...]) -> None:
        """One action on both; their fills of our orders must agree."""
        self.naive.fills.clear()
        executions = getattr(self, "_" + action[0].replace(" ", "_"))(*action[1:])
        expected = []
        for maker, taker, price, size in self.naive.fills:
            expected += [(i, price, size, i == maker) for i in (taker, maker) if i >= ORDER_ID_MIN]
        assert [(e.order_id, e.price_ticks, e.quantity_lots, e.is_maker) for e in executions] == expected
        for e in executions:
            self.filled[e.order_id] = self.filled.get(e.order_id, 0) + e.quantity_lots
            assert self.filled[e.order_id] <= self.submitted[e.order_id]
        self._same_book()

    def _flow(self, side: int, price: int, size: int, ioc: bool) -> list[Any]:
        self.flows += 1
        self.naive.enter(self.flows, side, price, size, ours=False, rests=not ioc)
        return self.market.apply(tape_of([(0, 0, self.flows, price, size, 0, FLAG_IOC if ioc else 0, Kind.ADD, side)]))

    def _own(self, side: int, price: int, size: int, tif: str) -> list[Any]:
        order_id = ORDER_ID_MIN + len(self.submitted)
        self.submitted[order_id] = size
        is_market = tif == "market"
        kind = VenueTif.DAY if is_market else VenueTif(tif)
        limit = (BASE + WINDOW - 1 if side > 0 else BASE) if is_market else price
        rests = not is_market and kind not in (VenueTif.IOC, VenueTif.FOK)
        resting = self.naive.enter(order_id, side, limit, size, ours=True, rests=rests, all_or_none=kind is VenueTif.FOK)
        result = self.market.submit(VenueOrder(order_id, side, size, price, is_market, kind), 0)
        assert result.accepted and result.resting_lots == resting
        return result.executions

    def _flow_cancel(self, order_id: int) -> list[Any]:
        order = self.naive.find(order_id)
        side, price = (order.side, order.price) if order else (1, BASE)
        self.naive.remove(order_id)
        return self.market.apply(tape_of([(0, 0, order_id, price, 0, 0, FLAG_ALL | FLAG_MAY_BE_GONE, Kind.CANCEL, side)]))

    def _own_cancel(self, n: int) -> list[Any]:
        assert self.market.cancel(ORDER_ID_MIN + n) == self.naive.remove(ORDER_ID_MIN + n)
        return []

    def _replace(self, n: int, price: int, size: int) -> list[Any]:
        order_id = ORDER_ID_MIN + n
        old = self.naive.find(order_id)
        result = self.market.replace(VenueOrder(order_id, old.side if old else 1, size, price), 0)
        assert result.accepted == (old is not None)
        if old is None:
            return []
        self.submitted[order_id] = self.filled.get(order_id, 0) + size
        if price == old.price and size <= old.lots:
            old.lots = size  # keeps its place
            resting = size
        else:
            self.naive.remove(order_id)
            resting = self.naive.enter(order_id, old.side, price, size, ours=True, rests=True)
        assert result.resting_lots == resting
        return result.executions

    def _same_book(self) -> None:
        b, depth = self.market.book, self.naive.depth()
        lots = b.levels["qty"][0]
        shown = {(1 - 2 * s, int(p) + BASE): int(lots[s, p]) for s in (0, 1) for p in np.flatnonzero(lots[s])}
        assert shown == depth
        top = self.market.top()
        bids, asks = [p for s, p in depth if s > 0], [p for s, p in depth if s < 0]
        assert top.bid_ticks == max(bids, default=0) and top.ask_ticks == min(asks, default=0)
        assert not (bids and asks) or top.bid_ticks < top.ask_ticks, "crossed"
        assert b.meta[0, at.OWN] == sum(o.ours for o in self.naive.orders)


@settings(max_examples=150, deadline=None)
@given(actions)
def test_same_fills_as_the_blackboard(script: list[tuple[Any, ...]]) -> None:
    pair = Pair()
    for action in script:
        pair.do(action)


def test_earlier_order_at_a_price_is_filled_first() -> None:
    pair = Pair()
    for action in [("own", -1, 1005, 4, VenueTif.DAY), ("own", -1, 1005, 4, VenueTif.DAY), ("own", -1, 1004, 1, VenueTif.DAY)]:
        pair.do(action)
    executions = pair.market.submit(VenueOrder(ORDER_ID_MIN + 9, 1, 6, 1005), 0).executions
    assert [(e.order_id - ORDER_ID_MIN, e.quantity_lots) for e in executions if e.is_maker] == [(2, 1), (0, 4), (1, 1)]


def test_a_full_book_refuses_and_counts() -> None:
    market = ContinuousMarket(RecordedFlow(empty_tape()), window=8, capacity=2)
    for n in range(2):
        assert market.submit(VenueOrder(ORDER_ID_MIN + n, 1, 1, 1), 0).accepted
    assert not market.submit(VenueOrder(ORDER_ID_MIN + 2, 1, 1, 1), 0).accepted
    assert market.counters()["overflow"] == 1
    market.apply(tape_of([(0, 0, 7, 3, 5, 0, 0, Kind.ADD, 1), (0, 0, 8, 99, 5, 0, 0, Kind.ADD, 1)]))
    assert market.counters()["overflow"] == 2 and market.counters()["outside"] == 1
    assert market.top().bid_lots == 2, "what found no room is not there"


def test_a_price_outside_the_ladder_is_refused() -> None:
    market = ContinuousMarket(RecordedFlow(empty_tape()), base_ticks=100, window=8, capacity=4)
    assert not market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 99), 0).accepted
    assert not market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 108), 0).accepted
    assert market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 107), 0).accepted


def test_more_fills_than_rows_fit_in_one_call() -> None:
    market = ContinuousMarket(RecordedFlow(empty_tape()), window=8, capacity=300)
    for n in range(300):
        market.submit(VenueOrder(ORDER_ID_MIN + n, -1, 1, 4), 0)
    sweeps = tape_of([(0, 0, 1 + i, 4, 1, 0, FLAG_IOC, Kind.ADD, 1) for i in range(300)])
    assert [e.order_id - ORDER_ID_MIN for e in market.apply(sweeps)] == list(range(300))
