"""The front over cost, risk and completion: nothing is better in all, and weights choose what they say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from domain.errors import ProgramInput
from models.planners.basket import cost, variance
from models.planners.basket_front import Preference, chosen, front, undominated
from models.planners.basket_terms import Band, BasketLimits, gross
from tests.models.planners.baskets import basket

MADE = basket(np.random.default_rng(21), signs=np.array([1.0, 1.0, -1.0, -1.0]))
LIMITS = BasketLimits(running=Band(-0.8 * gross(MADE), 0.8 * gross(MADE)), least=np.array([1.0, 0.5, 0.0, 0.2]))


def test_no_point_and_no_schedule_that_keeps_the_limits_is_better_in_all() -> None:
    points = front(MADE, LIMITS)
    figures, value = np.array([each.figures for each in points]), gross(MADE)
    assert len(points) > 15 and np.ptp(figures, axis=0).min() > 1e-3, "a front that trades all three off"
    for i, own in enumerate(figures):
        others = np.delete(figures, i, axis=0)
        assert not ((others <= own).all(axis=1) & (others < own).any(axis=1)).any()
    chance, tried = np.random.default_rng(3), 0
    price = (MADE.signs * MADE.prices)[:, None]
    for _ in range(400):
        near = points[chance.integers(len(points))].solution.shares
        filled = LIMITS.least + (1 - LIMITS.least) * chance.uniform(0, 1, 4)
        other = chance.dirichlet(np.full(6, 2.0), 4) * (filled * MADE.totals)[:, None]
        u = near + chance.uniform(0, 0.3) * (other - near)
        if np.abs((price * u).sum(axis=0).cumsum()).max() > 0.8 * value:
            continue
        tried += 1
        left = 1 - float(u.sum(axis=1) @ MADE.prices) / value
        own = np.array([cost(MADE, u) / value * 1e4, math.sqrt(variance(MADE, u)) / value * 1e4, left])
        assert not ((own < figures - 1e-7).all(axis=1)).any()
    assert tried > 100


def test_weights_choose_and_only_their_ratios_count() -> None:
    one, same = chosen(MADE, LIMITS, Preference(1.0, 2.0, 0.5)), chosen(MADE, LIMITS, Preference(4.0, 8.0, 2.0))
    assert one.figures == pytest.approx(same.figures, rel=1e-6)
    costs, risks = zip(
        *((p.cost_bps, p.risk_bps) for p in (chosen(MADE, LIMITS, Preference(1.0, r, 1.0)) for r in (0, 1, 9))), strict=True
    )
    assert risks[0] > risks[1] > risks[2] and costs[0] < costs[1] < costs[2]
    traded = [chosen(MADE, LIMITS, Preference(1.0, 0.5, c)).completion for c in (0.0, 1.0, 50.0)]
    assert traded[0] < traded[1] < traded[2] == pytest.approx(1.0, abs=1e-6)
    for point in front(MADE, LIMITS):
        assert _weighed(one, one) <= _weighed(one, point) + 1e-9


def _weighed(by, point) -> float:  # type: ignore[no-untyped-def]
    left = (1 - point.completion) * gross(MADE)
    return point.solution.cost + by.weights.aversion * point.solution.variance + by.weights.unfinished * left


def test_where_everything_is_finished_the_front_is_a_line_of_cost_and_risk() -> None:
    points = front(MADE, BasketLimits())
    assert len(points) > 8 and all(each.completion == pytest.approx(1.0, abs=1e-9) for each in points)
    assert all(np.diff([each.risk_bps for each in points]) > 0) and all(np.diff([each.cost_bps for each in points]) < 0)


def test_what_is_dominated_or_alike_is_left_out() -> None:
    points = [chosen(MADE, BasketLimits(), Preference(1.0, risk, 0.0)) for risk in (0.1, 1.0)]
    worse = points[0]._replace(cost_bps=points[0].cost_bps + 1)
    assert undominated([*points, worse, points[1]]) == points


@pytest.mark.parametrize("weights", [(0.0, 1.0, 1.0), (1.0, -1.0, 0.0), (1.0, math.nan, 0.0), (math.inf, 1.0, 1.0)])
def test_weights_that_are_none_are_named(weights: tuple[float, float, float]) -> None:
    with pytest.raises(ProgramInput, match="that of cost is above 0"):
        chosen(MADE, LIMITS, Preference(*weights))
