"""Plan requests for the tests of the planners."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from domain.market_state import MarketState
from domain.schedule import PlanRequest, Schedule
from domain.values import E9, Algo, Side

MINUTE_NS = 60_000_000_000
START_NS = 1_340_285_400_000_000_000  # 2012-06-21 09:30 in New York


def request(**changes: Any) -> PlanRequest:
    """A VWAP order of 1,000 shares over half an hour, at its start."""
    values: dict[str, Any] = {
        "parent": "p",
        "parent_version": 1,
        "plan_number": 1,
        "reason": "accepted",
        "instrument": "AMZN",
        "side": Side.BUY,
        "algo": Algo.VWAP,
        "remaining_e9": 1_000 * E9,
        "filled_e9": 0,
        "lot_e9": E9,
        "now_ns": START_NS,
        "start_ns": START_NS,
        "end_ns": START_NS + 30 * MINUTE_NS,
        "participation_e9": None,
        "market": None,
        "started_volume_e9": 0,
        **changes,
    }
    return PlanRequest.model_validate(values)


def traded(volume: int) -> MarketState:
    """A market that has traded so many shares today."""
    return MarketState(instrument="AMZN", time_ns=START_NS, volume_e9=volume * E9)


@st.composite
def requests(draw: st.DrawFn) -> PlanRequest:
    """Any order at any moment before its end: early, late, ahead, behind, odd lots, all sorts of curves."""
    span_ns = draw(st.integers(1, 24 * 60 * MINUTE_NS))
    filled_e9 = draw(st.integers(0, 10**15))
    share = st.one_of(st.just(0.0), st.floats(0, 1, allow_nan=False))
    return request(
        remaining_e9=draw(st.integers(1, 10**15)),
        filled_e9=filled_e9,
        start_filled_e9=draw(st.integers(0, filled_e9)),
        lot_e9=draw(st.sampled_from([1, 10**6, E9, 7 * E9, 100 * E9])),
        now_ns=START_NS + draw(st.integers(-span_ns, span_ns - 1)),
        end_ns=START_NS + span_ns,
        volume_curve=tuple(draw(st.lists(share, max_size=80))),
        curve_open_ns=START_NS + draw(st.integers(-span_ns, span_ns)),
        curve_bucket_ns=draw(st.integers(1, 60 * MINUTE_NS)),
    )


def check(schedule: Schedule, asked: PlanRequest) -> None:
    """What holds for every schedule of an order whose end lies ahead and that plans all that remains."""
    slices = schedule.slices
    assert schedule.filled_e9 == asked.filled_e9
    assert sum(s.quantity_e9 for s in slices) == asked.remaining_e9
    assert all(s.quantity_e9 > 0 for s in slices)
    assert all(s.quantity_e9 % asked.lot_e9 == 0 for s in slices[:-1])
    assert all(s.start_ns < s.end_ns for s in slices)
    assert all(earlier.end_ns <= later.start_ns for earlier, later in pairwise(slices))
    assert slices[0].start_ns >= max(asked.now_ns, asked.start_ns)
    assert slices[-1].end_ns <= asked.end_ns
