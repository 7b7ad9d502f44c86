"""What a market says that an order would meet is what it meets when it is submitted."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ports_market import ORDER_ID_MIN, Meeting, VenueOrder, VenueTif
from domain.tape import empty_tape
from models.market.calls import AuctionMarket
from models.market.flow import RecordedFlow
from tests.models.market.test_shown import CAPACITY, FED, LOTS, OURS, PRICES, SIDES, WINDOW, displayed, run

NEW = ORDER_ID_MIN + 99


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(FED, OURS), max_size=40), PRICES, LOTS, SIDES, st.booleans())
def test_an_order_meets_what_was_said(steps: list[tuple[object, ...]], price: int, lots: int, side: int, is_market: bool) -> None:
    market = AuctionMarket(RecordedFlow(empty_tape()), window=WINDOW, capacity=CAPACITY, shows=True)
    for _ in run(market, steps):
        continue
    order = VenueOrder(NEW, side, 5 * lots, price, is_market=is_market, tif=VenueTif.IOC)
    before, top = displayed(market), market.top()
    said = market.meets(order)
    assert (displayed(market), market.top()) == (before, top), "nothing changes"
    done = market.submit(order, top.time_ns)
    taken = [each for each in done.executions if each.order_id == NEW]
    assert said.lots == sum(each.quantity_lots for each in taken)
    assert said.ours == [each for each in done.executions if each.order_id != NEW] and all(each.is_maker for each in said.ours)


def test_what_waits_or_lies_outside_meets_nothing() -> None:
    market = AuctionMarket(RecordedFlow(empty_tape()), window=WINDOW, capacity=CAPACITY)
    market.submit(VenueOrder(ORDER_ID_MIN, -1, 5, 20), 0)
    assert market.meets(VenueOrder(NEW, 1, 3, 20)).lots == 3
    assert market.meets(VenueOrder(NEW, 1, 9, 20)).lots == 5
    assert market.meets(VenueOrder(NEW, 1, 9, 19)) == Meeting(0, [])
    assert market.meets(VenueOrder(NEW, 1, 3, 20, stop_ticks=25)) == Meeting(0, [])
    assert market.meets(VenueOrder(NEW, 1, 3, WINDOW)) == Meeting(0, [])
    market.begin_call(10)
    assert market.meets(VenueOrder(NEW, 1, 3, 20)) == Meeting(0, [])
