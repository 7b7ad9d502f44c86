"""TWAP: equal slices, whole lots, the odd rest last."""

from __future__ import annotations

from domain.values import E9
from models.planners.twap import Twap
from tests.models.planners.requests import MINUTE_NS, START_NS, request


def test_equal_slices_a_minute_apart() -> None:
    slices = Twap().plan(request(remaining_e9=3_000 * E9)).slices
    assert [s.quantity_e9 for s in slices] == [100 * E9] * 30
    assert [s.start_ns for s in slices] == [START_NS + i * MINUTE_NS for i in range(30)]
    assert slices[-1].end_ns == START_NS + 30 * MINUTE_NS


def test_lots_are_spread_as_evenly_as_they_can_be() -> None:
    slices = Twap(interval_ns=3 * MINUTE_NS).plan(request(remaining_e9=2_550 * E9 + E9 // 2, lot_e9=100 * E9)).slices
    assert len(slices) == 10
    assert [s.quantity_e9 // E9 for s in slices] == [300, 200, 300, 200, 300, 200, 300, 200, 300, 250]
    assert slices[-1].quantity_e9 == 250 * E9 + E9 // 2


def test_fewer_lots_than_intervals() -> None:
    slices = Twap().plan(request(remaining_e9=3 * E9)).slices
    assert [s.quantity_e9 for s in slices] == [E9] * 3
    assert [(s.start_ns - START_NS) // MINUTE_NS for s in slices] == [4, 14, 24]


def test_before_its_start_the_plan_begins_at_the_start() -> None:
    asked = request(now_ns=START_NS - 60 * MINUTE_NS)
    assert Twap().plan(asked) == Twap().plan(request())
