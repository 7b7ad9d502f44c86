"""VWAP: along the curve, with parts of buckets; flat without one, and it says so."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvariantBroken
from domain.values import E9
from models.planners.twap import Twap
from models.planners.vwap import Vwap
from tests.models.planners.requests import MINUTE_NS, START_NS, request

QUARTER_NS = 15 * MINUTE_NS


def curve(*shares: float, **changes: Any) -> Any:
    values = {"volume_curve": shares, "curve_open_ns": START_NS, "curve_bucket_ns": QUARTER_NS, **changes}
    return request(**values)


def test_slices_follow_the_buckets() -> None:
    slices = Vwap().plan(curve(0.75, 0.25)).slices
    assert [s.quantity_e9 // E9 for s in slices] == [50] * 15 + [17, 16, 17] * 5  # 750 and 250


def test_buckets_count_for_the_part_inside_the_window() -> None:
    """The window begins 5 minutes into a bucket of weight 3 and ends 5 minutes into one of weight 1: 30 to 5."""
    asked = curve(
        0.5, 0.3, 0.1, 0.1, curve_open_ns=START_NS - 20 * MINUTE_NS, end_ns=START_NS + 15 * MINUTE_NS, remaining_e9=35 * E9
    )
    schedule = Vwap(interval_ns=5 * MINUTE_NS).plan(asked)
    assert [s.quantity_e9 // E9 for s in schedule.slices] == [15, 15, 5]


def test_all_is_released_where_the_curve_ends_before_the_order() -> None:
    schedule = Vwap().plan(curve(1.0, remaining_e9=1_000 * E9 + 7))
    assert schedule.slices[-1].end_ns == START_NS + QUARTER_NS
    assert schedule.target_e9(START_NS + QUARTER_NS) == 1_000 * E9 + 7


@pytest.mark.parametrize(
    "asked",
    [
        request(),
        curve(0.0, 0.0, 1.0),  # volume only after the end
        curve(1.0, curve_open_ns=START_NS - QUARTER_NS),  # only before the start
    ],
)
def test_without_volume_in_the_window_it_is_flat_and_says_so(asked: Any) -> None:
    schedule = Vwap().plan(asked)
    assert schedule.planner == "vwap/1 flat"
    assert schedule.slices == Twap().plan(asked).slices
    assert Vwap().plan(curve(0.5, 0.5)).planner == "vwap/1"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (curve(0.5, -0.1), "negative or not finite"),
        (curve(0.5, float("nan")), "negative or not finite"),
        (curve(0.5, 0.5, curve_bucket_ns=0), "buckets longer than 0 ns"),
    ],
)
def test_a_curve_that_cannot_be_is_refused(asked: Any, why: str) -> None:
    with pytest.raises(InvariantBroken, match=why):
        Vwap().plan(asked)
