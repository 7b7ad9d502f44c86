"""Generated flow: reproducible, given once each, and a market that looks like one."""

from __future__ import annotations

import numpy as np

from domain.ports_market import ORDER_ID_MIN, VenueOrder
from models.market import layout as at
from models.market.continuous import ContinuousMarket
from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow

OPEN_NS = 10**18
SECOND = 10**9


def flow(seed: int = 3, **more: object) -> GeneratedFlow:
    parameters = FlowParameters(10_000, **more)  # type: ignore[arg-type]
    return GeneratedFlow(np.random.default_rng(seed), parameters, open_ns=OPEN_NS, close_ns=OPEN_NS + 5_200 * SECOND)


def test_the_same_seed_gives_the_same_events_however_they_are_asked_for() -> None:
    one, steps = flow(), flow()
    whole = one.until(OPEN_NS + 60 * SECOND)
    parts = [steps.until(OPEN_NS + k * SECOND // 7) for k in range(60 * 7 + 1)]
    assert np.array_equal(whole, np.concatenate(parts))
    assert (np.diff(whole["ts_event_ns"]) >= 0).all()
    assert not np.array_equal(whole, flow(seed=4).until(OPEN_NS + 60 * SECOND))


def test_an_hour_is_a_market() -> None:
    market = ContinuousMarket(flow())
    spreads, mids = [], []
    for k in range(1, 3600):
        market.advance(OPEN_NS + k * SECOND)
        top = market.top()
        assert top.bid_lots > 0 and top.ask_lots > 0 and top.bid_ticks < top.ask_ticks
        spreads.append(top.ask_ticks - top.bid_ticks)
        mids.append((top.ask_ticks + top.bid_ticks) / 2)
    assert np.mean(spreads) < 4 and np.std(mids) < 40
    assert np.std(np.diff(mids)) > 0, "prices move"
    assert market.top().volume_lots > 200_000
    assert market.book.pool[at.LIVE] < 5_000, "canceled orders leave"
    assert set(market.counters().values()) == {0}


def test_our_orders_change_the_book_but_not_the_flow() -> None:
    ours, theirs = ContinuousMarket(flow()), ContinuousMarket(flow())
    fills = []
    for k in range(1, 600):
        fills += ours.advance(OPEN_NS + k * SECOND)
        theirs.advance(OPEN_NS + k * SECOND)
        top = ours.top()
        assert top.bid_lots == 0 or top.ask_lots == 0 or top.bid_ticks < top.ask_ticks
        ours.submit(VenueOrder(ORDER_ID_MIN + k, 1, 50, top.bid_ticks), OPEN_NS + k * SECOND)
    assert sum(f.quantity_lots for f in fills) > 1_000, "a patient buyer is filled"
    assert theirs.counters()["displaced_lots"] == 0


def test_more_is_traded_at_the_ends_of_the_day() -> None:
    events = flow(u_curve=True).until(OPEN_NS + 5_200 * SECOND)
    counts, _ = np.histogram(events["ts_event_ns"], bins=13)
    assert counts[0] > 1.5 * counts[6] < counts[-1]


def test_a_recorded_tape_is_given_once() -> None:
    tape = flow().until(OPEN_NS + 30 * SECOND)
    source = RecordedFlow(tape)
    assert len(source.until(int(tape["ts_event_ns"][100]))) >= 101
    rest = source.until(OPEN_NS + 31 * SECOND)
    assert len(source.until(OPEN_NS + 32 * SECOND)) == 0
    assert np.array_equal(rest[-1:], tape[-1:])
