"""What a basket can have of low cost, low risk and completion: the schedules of which none is better in all, and the one that a
trader's weights choose.

Cost is the expected shortfall, risk its standard deviation, completion the share of the basket's value that is traded. Weights
are of these three, each over what an even schedule has: its impact's cost, its variance, and the whole value:

    least   w_cost cost / impact_even + w_risk variance / variance_even + w_completion left / value

All three are convex in the shares, so that every schedule that is not dominated is the least for some weights, and with weights
above 0 none that is found is dominated (Geoffrion 1968; Boyd and Vandenberghe 2004, section 4.7.4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import ProgramInput
from models.planners.basket import BasketSolution, cost, solve, variance
from models.planners.basket_terms import Basket, BasketLimits, Weights, check, gross

F64 = NDArray[np.float64]
RISKS: Final = tuple(10.0 ** (each / 3) for each in range(-6, 7))  # w_risk over w_cost
COMPLETIONS: Final = (0.5, 1.0, 2.0, 4.0, 16.0)  # w_completion over w_cost, where orders may be left
SAME: Final = 1e-6  # of a figure's range over the front: no difference


class Preference(NamedTuple):
    """A trader's weights, none below 0 and the first above it; only their ratios count."""

    cost: float
    risk: float
    completion: float


class Point(NamedTuple):
    """cost_bps, risk_bps: of the basket's value. completion: 0 to 1. weights: the preference's, as the program has them."""

    preference: Preference
    weights: Weights
    cost_bps: float
    risk_bps: float
    completion: float
    solution: BasketSolution

    @property
    def figures(self) -> F64:
        """(3,) each better where it is less."""
        return np.array([self.cost_bps, self.risk_bps, 1.0 - self.completion])


def chosen(basket: Basket, limits: BasketLimits, preference: Preference) -> Point:
    """The schedule that these weights choose.

    Raises:
        ProgramInput: weights that are no weights; and as `models.planners.basket.solve`.
    """
    if not all(0 <= each < math.inf for each in preference) or preference.cost <= 0:
        raise ProgramInput(f"weights {tuple(preference)}: that of cost is above 0, those of risk and completion not below")
    check(basket, limits, Weights())
    impact, risked = _even(basket)
    over = impact / preference.cost  # the program's unit is currency of cost
    aversion = preference.risk * over / risked if risked > 0 else 0.0
    value = gross(basket)
    weights = Weights(aversion, preference.completion * over / value)
    found = solve(basket, limits, weights)
    traded = float((found.shares @ np.ones(found.shares.shape[1])) @ basket.prices) / value
    cost_bps, risk_bps = found.cost / value * 1e4, math.sqrt(found.variance) / value * 1e4
    return Point(preference, weights, cost_bps, risk_bps, min(1.0, traded), found)


def front(
    basket: Basket, limits: BasketLimits, *, risks: Sequence[float] = RISKS, completions: Sequence[float] = COMPLETIONS
) -> list[Point]:
    """The points of a grid of weights of which none is dominated, by rising risk.

    Args:
        risks, completions: their weights over that of cost. Where every order has to be finished completion has none.
    """
    if limits.least is None or bool((np.asarray(limits.least) >= 1).all()):
        completions = (0.0,)
    found = [chosen(basket, limits, Preference(1.0, risk, completion)) for risk in risks for completion in completions]
    return sorted(undominated(found), key=lambda point: (point.risk_bps, point.cost_bps))


def undominated(points: Sequence[Point]) -> list[Point]:
    """Those than which none is better in one figure and not worse in the others; of those that are alike, the first."""
    figures = np.array([each.figures for each in points])  # (N, 3)
    same = SAME * np.maximum(np.ptp(figures, axis=0), 1e-12)
    kept: list[int] = []
    for i, own in enumerate(figures):
        beaten = ((figures <= own + same).all(axis=1) & (figures < own - same).any(axis=1)).any()
        if not beaten and not any((np.abs(figures[j] - own) <= same).all() for j in kept):
            kept.append(i)
    return [points[i] for i in kept]


def _even(basket: Basket) -> tuple[float, float]:
    """Impact's cost and the variance of trading evenly, as near as caps let: what weights are measured by."""
    n = basket.caps.shape[1]
    even = np.minimum(basket.caps, basket.totals[:, None] / n)
    flat = basket._replace(
        outlook=basket.outlook._replace(alpha=np.zeros_like(basket.outlook.alpha), displacement=np.zeros(len(even)))
    )
    return max(cost(flat, even), 1e-6 * gross(basket)), variance(basket, even)
