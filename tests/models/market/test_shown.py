"""What a market says that it displays is what stands in its book: followed strictly, order by order, queue by queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.marketdata.lobster import read_zip
from domain.ports_market import ORDER_ID_MIN, VenueOrder, VenueTif
from domain.tape import (
    FLAG_ALL,
    FLAG_BY_LEVEL,
    FLAG_HALF_TICK,
    FLAG_IOC,
    FLAG_MAY_BE_GONE,
    FLAG_NO_PRINT,
    FLAG_QUEUE,
    FLAG_REPLACED,
    FLAG_UNCOVERED,
    Kind,
    Status,
    Tape,
    empty_tape,
    tape_of,
)
from models.market.calls import AuctionMarket, Call
from models.market.continuous import ContinuousMarket
from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow

WINDOW, CAPACITY = 40, 24
AMZN = Path(__file__).resolve().parents[4] / "shared/data/lobster/LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
Queues = dict[tuple[int, int], list[tuple[int, int]]]


class Reader:
    """Follows what is told; every cancel and execution must name an order that lives and has the lots."""

    def __init__(self) -> None:
        self.orders: dict[int, tuple[int, int, int]] = {}  # id -> side, ticks, lots, in the order of arrival
        self.volume = 0
        self.states: list[int] = []

    def follow(self, tape: Tape) -> None:
        for row in tape:
            kind, oid, lots, flags = int(row["kind"]), int(row["order_id"]), int(row["size_lots"]), int(row["flags"])
            if kind == Kind.ADD:
                assert oid not in self.orders and lots > 0
                self.orders[oid] = (int(row["side"]), int(row["price_ticks"]), lots)
            elif kind in (Kind.CANCEL, Kind.EXECUTE):
                side, ticks, left = self.orders[oid]
                assert (side, 0 < lots <= left) == (int(row["side"]), True)
                assert (lots == left) == bool(flags & FLAG_ALL) or kind == Kind.EXECUTE
                self.orders[oid] = (side, ticks, left - lots)
                if left == lots:
                    del self.orders[oid]
                self.volume += lots * (kind == Kind.EXECUTE and not flags & FLAG_NO_PRINT)
            elif kind == Kind.STATUS:
                self.states.append(lots)
            else:
                assert kind in (Kind.TRADE, Kind.CROSS) and lots > 0
                self.volume += lots

    def queues(self) -> Queues:
        found: Queues = {}
        for oid, (side, ticks, lots) in self.orders.items():
            found.setdefault((side, ticks), []).append((oid, lots))
        return found


def sums(queues: Queues) -> dict[tuple[int, int], int]:
    return {place: sum(lots for _, lots in queue) for place, queue in queues.items()}


def displayed(market: ContinuousMarket) -> Queues:
    """What stands in the book, but for market orders."""
    book, found = market.book, Queues()
    base = int(book.meta[0, 2])
    for side in range(2):
        edge = book.levels.shape[2] - 1 if side == 0 else 0
        for price in np.flatnonzero(book.levels[0, side]["first"]):
            slot, queue = int(book.levels[0, side, price]["first"]), []
            while slot:
                order = book.orders[slot]
                oid = int(order["oid"]) - (ORDER_ID_MIN - (1 << 60) if int(order["kind"]) == 1 else 0)
                queue += [(oid, int(order["qty"]))] if order["qty"] else []
                slot = int(order["next"])
            if queue and price != edge:
                found[1 - 2 * side, int(price) + base] = queue
    return found


PRICES, LOTS, SIDES = st.integers(1, WINDOW - 2), st.integers(1, 9), st.sampled_from([1, -1])
NAMED = st.integers(1, 14)
FED = st.one_of(
    st.tuples(st.just(Kind.ADD), NAMED, PRICES, LOTS, st.sampled_from([0, 0, 0, FLAG_IOC]), SIDES),
    st.tuples(st.just(Kind.MODIFY), NAMED, PRICES, LOTS, st.just(0), SIDES),
    st.tuples(
        st.just(Kind.CANCEL), NAMED, PRICES, LOTS, st.sampled_from([0, FLAG_ALL, FLAG_BY_LEVEL, FLAG_MAY_BE_GONE]),
        st.sampled_from([1, -1, 0]),
    ),
    st.tuples(st.just(Kind.EXECUTE), NAMED, PRICES, LOTS, st.sampled_from([0, FLAG_BY_LEVEL]), st.sampled_from([1, -1, 0])),
    st.tuples(
        st.just(Kind.TRADE), st.just(0), PRICES, LOTS, st.sampled_from([0, FLAG_QUEUE, FLAG_HALF_TICK]),
        st.sampled_from([1, -1, 0]),
    ),
    st.tuples(st.just(Kind.CROSS), st.just(0), PRICES, LOTS, st.just(0), st.just(0)),
    st.tuples(st.just(Kind.LEVEL), st.just(0), PRICES, st.integers(0, 20), st.sampled_from([0, FLAG_UNCOVERED]), SIDES),
    st.tuples(
        st.just(Kind.STATUS), st.just(0), st.just(0), st.sampled_from([Status.HALTED, Status.LOST]), st.just(0), st.just(0),
    ),
    st.tuples(st.just(Kind.CLEAR), st.just(0), st.just(0), st.just(0), st.just(0), st.just(0)),
)  # fmt: skip
OURS = st.tuples(
    st.sampled_from(["submit", "cancel", "replace", "call"]), st.integers(0, 5), PRICES, LOTS,
    st.sampled_from([VenueTif.DAY, VenueTif.IOC, VenueTif.FOK]), SIDES, st.sampled_from(["limit", "limit", "market", "stop"]),
)  # fmt: skip


def run(market: AuctionMarket, steps: list[tuple[object, ...]]) -> Iterator[int]:
    """Does each step; the time after it."""
    for now_ns, step in enumerate(steps, 1):
        match step:
            case (Kind() as kind, oid, price, lots, flags, side):
                market.apply(tape_of([(now_ns, now_ns, oid, price, lots, 0, flags, int(kind), side)]))
            case ("submit" | "replace" as verb, n, price, lots, tif, side, what):
                order = VenueOrder(ORDER_ID_MIN + int(str(n)), int(str(side)), int(str(lots)), int(str(price)))
                order = order._replace(
                    tif=VenueTif(str(tif)), is_market=what == "market", stop_ticks=20 if what == "stop" else None
                )
                taken = market.cancel(order.order_id) if verb == "submit" else 0
                assert taken >= 0
                (market.submit if verb == "submit" else market.replace)(order, now_ns)
            case ("cancel", n, *_):
                market.cancel(ORDER_ID_MIN + int(str(n)))
            case _:
                market.end_call(now_ns) if market.calling else market.begin_call(1 << 60)
        yield now_ns


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(FED, FED, OURS), max_size=80))
def test_what_is_told_is_the_book(steps: list[tuple[object, ...]]) -> None:
    market = AuctionMarket(RecordedFlow(empty_tape()), window=WINDOW, capacity=CAPACITY, shows=True)
    reader = Reader()
    for now_ns in run(market, steps):
        tape = market.take_shown()
        assert (tape["ts_event_ns"] <= now_ns).all() and (tape["instrument"] == 0).all()
        reader.follow(tape)
        assert sums(reader.queues()) == sums(displayed(market))
        assert reader.volume == market.top().volume_lots
    fresh = Reader()
    fresh.follow(market.show_all(len(steps)))
    assert fresh.queues() == displayed(market), "who begins here has every queue in its order"


@settings(max_examples=25, deadline=None)
@given(st.lists(st.one_of(FED, OURS), max_size=80))
def test_nothing_is_missed_however_late_it_is_taken(steps: list[tuple[object, ...]]) -> None:
    market = AuctionMarket(RecordedFlow(empty_tape()), window=WINDOW, capacity=CAPACITY, shows=True)
    reader = Reader()
    for _ in run(market, steps):
        pass
    reader.follow(market.take_shown())
    assert sums(reader.queues()) == sums(displayed(market)) and not len(market.take_shown())


def test_orders_alone_keep_their_queues() -> None:
    flow = GeneratedFlow(np.random.default_rng(5), FlowParameters(2_000), open_ns=0)
    market, reader = ContinuousMarket(flow, shows=True), Reader()
    for second in range(0, 120, 4):
        market.advance(second * 10**9)
        reader.follow(market.take_shown())
        assert reader.queues() == displayed(market)
    assert reader.volume == market.top().volume_lots > 0


def test_ids_say_whose_an_order_is() -> None:
    market = ContinuousMarket(RecordedFlow(empty_tape()), window=WINDOW, capacity=CAPACITY, shows=True)
    level = (1, 1, 0, 10, 5, 0, 0, Kind.LEVEL, 1)
    market.apply(tape_of([level, (1, 1, 7, 10, 5, 0, 0, Kind.ADD, 1), (2, 2, 0, 10, 13, 0, 0, Kind.LEVEL, 1)]))
    market.submit(VenueOrder(ORDER_ID_MIN + 3, -1, 2, 12), 3)
    told = market.take_shown()
    assert told["order_id"].tolist() == [(1 << 61) + 1, 7, (1 << 61) + 2, (1 << 60) + 3]
    market.apply(tape_of([(4, 4, 0, 10, 20, 0, 0, Kind.LEVEL, 1)]))
    told = market.take_shown()
    assert told[["kind", "order_id", "size_lots", "flags"]].tolist() == [
        (Kind.CANCEL, (1 << 61) + 2, 3, FLAG_ALL | FLAG_REPLACED), (Kind.ADD, (1 << 61) + 3, 10, 0),
    ]  # fmt: skip


def test_an_auction_is_one_cross_and_its_orders_are_executed_without_a_print() -> None:
    market = AuctionMarket(RecordedFlow(empty_tape()), calls=[Call(5, 9)], window=WINDOW, capacity=CAPACITY, shows=True)
    market.advance(6)
    market.submit(VenueOrder(ORDER_ID_MIN, 1, 4, is_market=True), 6)
    market.submit(VenueOrder(ORDER_ID_MIN + 1, -1, 7, 20), 7)
    market.advance(9)
    told = market.take_shown()
    assert told[["kind", "size_lots"]].tolist() == [
        (Kind.STATUS, Status.QUOTING), (Kind.ADD, 7), (Kind.EXECUTE, 4), (Kind.CROSS, 4), (Kind.STATUS, Status.TRADING),
    ]  # fmt: skip
    assert told["flags"][2] & FLAG_NO_PRINT


def test_a_market_that_is_not_asked_tells_nothing() -> None:
    market = ContinuousMarket(RecordedFlow(empty_tape()), window=WINDOW, capacity=CAPACITY)
    market.submit(VenueOrder(ORDER_ID_MIN, 1, 4, 5), 1)
    assert not len(market.take_shown()) and not len(market.book.shown)


def test_a_recorded_day_with_our_orders_in_it() -> None:
    if not AMZN.exists():
        pytest.skip(f"{AMZN.name} is not here")
    tape = read_zip(AMZN).tape[:60_000]
    market, reader = ContinuousMarket(RecordedFlow(tape), shows=True), Reader()
    first, last = int(tape["ts_event_ns"][0]), int(tape["ts_event_ns"][-1])
    for n in range(200):
        now_ns = first + (last - first) * n // 200
        market.advance(now_ns)
        market.submit(VenueOrder(ORDER_ID_MIN + n, 1 if n % 2 else -1, 50, market.top().bid_ticks + n % 5), now_ns)
        reader.follow(market.take_shown())
        assert sums(reader.queues()) == sums(displayed(market))
    assert reader.volume == market.top().volume_lots > 100_000
