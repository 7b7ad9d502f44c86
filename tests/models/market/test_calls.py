"""A market with auctions: it gathers, trades at one price in time, and interrupts itself where it would run away."""

from __future__ import annotations

from domain.ports_market import ORDER_ID_MIN, Execution, Unfilled, VenueOrder, VenueTif
from domain.tape import Kind, empty_tape, tape_of
from models.market.calls import AuctionMarket, Call, Indication
from models.market.flow import RecordedFlow

A, B, C, D = (ORDER_ID_MIN + n for n in range(4))


def market(*calls: Call, collar: int | None = None, tape: list[tuple[int, ...]] | None = None) -> AuctionMarket:
    source = RecordedFlow(tape_of(tape) if tape else empty_tape())
    return AuctionMarket(source, calls=calls, collar_ticks=collar, interruption_ns=50, window=200, capacity=64)


def test_orders_gather_and_trade_at_one_price_when_the_call_ends() -> None:
    m = market(Call(100, 200))
    assert m.advance(100) == [] and m.calling
    assert m.submit(VenueOrder(A, 1, 10, 105), 110).resting_lots == 10
    assert m.submit(VenueOrder(B, -1, 4, 100), 120).executions == [], "crossed, and nothing trades"
    assert m.submit(VenueOrder(C, -1, 3, 0, is_market=True), 130).resting_lots == 3
    assert m.submit(VenueOrder(D, -1, 9, 100, tif=VenueTif.IOC), 130) == ([], 0, True, [])
    assert m.top().bid_lots == m.top().ask_lots == 0, "no quote while orders gather"
    assert m.indication() == Indication(105, 7, 3)
    got = m.advance(200)
    assert got == [
        Execution(A, 105, 3, 200, False),
        Execution(C, 105, 3, 200, False),
        Execution(A, 105, 4, 200, False),
        Execution(B, 105, 4, 200, False),
    ]
    assert not m.calling and (m.top().bid_ticks, m.top().bid_lots, m.top().volume_lots) == (105, 3, 7)


def test_market_orders_that_are_left_over_are_gone_and_stops_see_the_auctions_price() -> None:
    m = market(Call(100, 200))
    m.advance(150)
    m.submit(VenueOrder(A, 1, 5, 0, is_market=True), 150)
    m.submit(VenueOrder(B, -1, 2, 110), 150)
    m.submit(VenueOrder(C, -1, 1, 105, stop_ticks=115), 150)
    got = m.advance(250)
    assert got[:3] == [Execution(A, 110, 2, 200, False), Execution(B, 110, 2, 200, False), Unfilled(A, 200)]
    assert len(got) == 4, "the stop at 115 was reached by the trade at 110"
    assert m.cancel(A) == 0 and m.cancel(C) == 1


def test_nothing_that_crosses_is_an_auction_without_trades() -> None:
    m = market(Call(100, 200))
    m.advance(100)
    m.submit(VenueOrder(A, 1, 5, 100), 110)
    m.submit(VenueOrder(B, -1, 5, 101), 110)
    assert m.advance(200) == [] and m.indication().lots == 0
    assert (m.top().bid_ticks, m.top().ask_ticks) == (100, 101)


def test_recorded_orders_take_part_and_the_tape_goes_on_after_the_call() -> None:
    add = [
        (150, 150, 1, 100, 6, 0, 0, Kind.ADD, -1),
        (160, 160, 2, 102, 6, 0, 0, Kind.ADD, 1),
        (250, 250, 3, 103, 1, 0, 0, Kind.ADD, -1),
    ]
    m = market(Call(100, 200), tape=add)
    m.advance(190)
    m.submit(VenueOrder(A, 1, 2, 110), 195)
    assert m.advance(260) == [Execution(A, 102, 2, 200, False)]
    assert (m.top().bid_ticks, m.top().bid_lots, m.top().ask_ticks) == (102, 2, 103)
    assert m.counters()["unknown"] == 0 and m.counters()["taken_lots"] == 2


def test_an_order_that_would_run_away_trades_to_the_collar_and_waits_in_an_auction() -> None:
    m = market(collar=3)
    m.submit(VenueOrder(A, -1, 5, 100), 1)
    m.submit(VenueOrder(B, -1, 5, 103), 1)
    m.submit(VenueOrder(C, -1, 5, 104), 1)
    m.submit(VenueOrder(D, 1, 1, 100), 2)  # the first trade: 100
    runs = m.submit(VenueOrder(D, 1, 12, 110), 3)
    assert [(e.order_id, e.price_ticks, e.quantity_lots) for e in runs.executions if e.is_maker] == [(A, 100, 4), (B, 103, 5)]
    assert m.calling and runs.resting_lots == 3 and runs.accepted
    assert m.advance(52) == [] and m.calling
    assert m.advance(53) == [Execution(D, 104, 3, 53, False), Execution(C, 104, 3, 53, False)], (
        "the price nearest to the last, 103"
    )
    assert not m.calling and m.top().ask_lots == 2


def test_an_order_within_the_collar_trades_as_ever() -> None:
    m = market(collar=3)
    m.submit(VenueOrder(A, -1, 5, 100), 1)
    m.submit(VenueOrder(D, 1, 1, 100), 2)
    assert len(m.submit(VenueOrder(D, 1, 9, 103), 3).executions) == 2 and not m.calling


def test_a_session_does_not_end_before_its_closing_auction() -> None:
    m = market(Call(100, 200), tape=[(50, 50, 1, 100, 6, 0, 0, Kind.ADD, -1)])
    assert m.ends_ns == 201
    m.advance(150)
    assert m.ends_ns == 201
    m.advance(200)
    assert m.ends_ns == 51


def test_orders_for_one_auction_stand_in_no_book_before_it_and_end_with_it() -> None:
    m = market(Call(100, 200, VenueTif.AT_OPEN), Call(1_000, 1_100, VenueTif.AT_CLOSE))
    m.submit(VenueOrder(A, 1, 10, 105, tif=VenueTif.AT_CLOSE), 10)
    m.submit(VenueOrder(B, -1, 4, 100), 20)
    assert m.submit(VenueOrder(C, 1, 3, 105, tif=VenueTif.AT_OPEN), 30) == ([], 3, True, []), "it crosses, and waits"
    assert m.top().bid_lots == 0
    m.advance(100)
    assert m.indication() == Indication(100, 3, -1)
    assert m.submit(VenueOrder(D, 1, 2, 90, tif=VenueTif.AT_OPEN), 150).resting_lots == 2
    assert m.advance(200) == [Execution(C, 100, 3, 200, False), Execution(B, 100, 3, 200, False), Unfilled(D, 200)]
    assert not m.awaits(VenueTif.AT_OPEN) and m.awaits(VenueTif.AT_CLOSE)
    assert not m.submit(VenueOrder(C, 1, 3, 105, tif=VenueTif.AT_OPEN), 300).accepted
    assert m.top().bid_lots == 0 and m.top().ask_lots == 1
    assert m.replace(VenueOrder(A, 1, 6, 104, tif=VenueTif.AT_CLOSE), 400).resting_lots == 6
    m.advance(1_000)
    assert m.advance(1_100) == [Execution(A, 104, 1, 1_100, False), Execution(B, 104, 1, 1_100, False), Unfilled(A, 1_100)]
    assert not m.awaits(VenueTif.AT_CLOSE)


def test_an_order_that_waits_for_its_auction_can_be_taken_out_and_no_volatility_auction_takes_it() -> None:
    m = market(Call(1_000, 1_100, VenueTif.AT_CLOSE), collar=2)
    assert m.submit(VenueOrder(A, 1, 10, 105, tif=VenueTif.AT_CLOSE), 10).accepted
    m.submit(VenueOrder(B, -1, 4, 100), 20)
    m.submit(VenueOrder(C, 1, 1, 100), 25)
    m.submit(VenueOrder(D, -1, 1, 90), 30)
    m.begin_call(500)
    m.advance(500)
    assert m.cancel(A) == 10 and m.cancel(A) == 0
    m.advance(1_000)
    assert all(not isinstance(each, Unfilled) for each in m.advance(1_100))
