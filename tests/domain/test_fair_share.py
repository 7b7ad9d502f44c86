"""Executions of a merged order among its members: nothing lost, nothing taken back, nobody a lot off its fair share."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.fair_share import divide
from domain.values import E9

LOTS = st.sampled_from([1, 7, 100])
WEIGHTS = st.lists(st.integers(1, 5_000), min_size=1, max_size=7)
CUTS = st.lists(st.integers(1, 400), max_size=40)


def walk(weights: list[int], fills: list[int], lot: int) -> list[tuple[int, ...]]:
    """The members' totals after each execution."""
    totals, seen = (0,) * len(weights), []
    for fill in fills:
        parts = divide(fill, weights, totals, lot)
        assert sum(parts) == fill and min(parts) >= 0
        totals = tuple(had + part for had, part in zip(totals, parts, strict=True))
        seen.append(totals)
    return seen


@settings(max_examples=400, deadline=None)
@given(WEIGHTS, CUTS, LOTS)
def test_nothing_is_lost_and_nobody_is_a_lot_off_after_any_execution(weights: list[int], cuts: list[int], lot: int) -> None:
    whole, fills, left = sum(weights), [], sum(weights)
    for cut in cuts:
        fills.append(min(cut, left))
        left -= fills[-1]
    fills = [fill for fill in [*fills, left] if fill]
    for totals in walk(weights, fills, lot):
        done = sum(totals)
        for total, weight in zip(totals, weights, strict=True):
            assert abs(total - Fraction(done * weight, whole)) < lot
    assert totals == tuple(weights)  # done, everybody has what it put in


@settings(max_examples=100, deadline=None)
@given(WEIGHTS, st.integers(1, 100_000))
def test_more_than_all_put_in_is_divided_too(weights: list[int], over: int) -> None:
    (totals,) = walk(weights, [sum(weights) + over], 1)
    assert sum(totals) == sum(weights) + over


@settings(max_examples=200, deadline=None)
@given(WEIGHTS, st.data())
def test_after_an_execution_was_taken_back_nothing_is_lost_either(weights: list[int], data: st.DataObject) -> None:
    totals = [data.draw(st.integers(0, weight)) for weight in weights]
    left = sum(weights) - sum(totals)
    if left:
        fill = data.draw(st.integers(1, left))
        assert sum(divide(fill, weights, totals, 1)) == fill


@pytest.mark.parametrize(
    ("weights", "fills", "totals"),
    [
        ((600, 400), (100, 100), ((100, 0), (100, 100))),
        ((100, 100, 100), (100, 100, 100), ((100, 0, 0), (100, 100, 0), (100, 100, 100))),
        ((600, 300, 100), (500,), ((300, 200, 0),)),
        ((950, 50), (1000,), ((950, 50),)),  # odd lots: at the end everybody has its own
    ],
)
def test_whole_lots_to_whom_they_are_due(weights: tuple[int, ...], fills: tuple[int, ...], totals: tuple[object, ...]) -> None:
    assert tuple(walk(list(weights), list(fills), 100)) == totals


def test_it_is_exact_at_any_size() -> None:
    weights = [333_333_333 * E9, 666_666_667 * E9]
    (totals,) = walk(weights, [500_000_000 * E9], 100 * E9)
    assert sum(totals) == 500_000_000 * E9
    assert abs(totals[0] - 166_666_666_500_000_000) < 100 * E9
