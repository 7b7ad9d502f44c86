"""Figures of strategies' costs on the same orders, with intervals by resampling orders.

Costs are (N, S): order i of every strategy met the same market, so whole rows are drawn with replacement (Efron 1979), 10,000
times; an interval is from 2.5 % to 97.5 % of the draws. Orders have chances of their own: an order is its own cluster. Where
several rows share one tape, `clusters` says which.

**Std** is of single orders' shortfalls as they happened, unless it is called the scenarios': the deviation of the scenarios'
mean shortfalls, which is what a table has whose mean is greater than its deviation (a single order's is several times its mean
under any calibrated impact).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.worlds.world import F64

DRAWS: Final = 10_000
TAIL: Final = 0.05
MARGIN_BPS: Final = 0.5  # registered before anything was judged: a difference smaller than this is called none
_CHUNK: Final = 250
I64 = NDArray[np.int64]


class Interval(NamedTuple):
    """A figure, and where 95 % of the draws have it."""

    value: float
    low: float
    high: float


class Resampled(NamedTuple):
    """Means (draws, S) of expected costs and of costs as they happened, deviations (draws, S) of the latter."""

    expected: F64
    happened: F64
    deviation: F64
    between: F64  # (draws, S) deviation of the scenarios' means


def resample(expected: F64, happened: F64, scenarios: I64, seed: int = 0, clusters: I64 | None = None) -> Resampled:
    """Draw orders with replacement.

    Args:
        expected, happened: (N, S) basis points. scenarios: (N,) 0 .. M - 1. clusters: (N,) 0 .. C - 1, drawn whole.
    """
    names = np.arange(len(expected)) if clusters is None else clusters
    count = int(names.max()) + 1
    flat = _flat(expected, happened)
    rows = [np.flatnonzero(scenarios == kind) for kind in range(int(scenarios.max()) + 1)]
    chance = np.random.Generator(np.random.Philox(key=seed))
    parts = []
    for begin in range(0, DRAWS, _CHUNK):
        draws = min(_CHUNK, DRAWS - begin)
        drawn = chance.integers(0, count, (draws, count)) + count * np.arange(draws)[:, None]  # (draws, C)
        times = np.bincount(drawn.ravel(), minlength=draws * count).reshape(draws, count).astype(np.float64)
        parts.append(np.stack([times[:, names[those]] @ flat[those] for those in rows], axis=1))  # (draws, M, 1 + 3 S)
    return _of_sums(np.concatenate(parts), expected.shape[1])


def figures(expected: F64, happened: F64, scenarios: I64) -> Resampled:
    """The same of the orders themselves, one draw: (1, S)."""
    flat = _flat(expected, happened)
    sums = np.stack([flat[scenarios == kind].sum(axis=0) for kind in range(int(scenarios.max()) + 1)])
    return _of_sums(sums[None], expected.shape[1])


def _flat(expected: F64, happened: F64) -> F64:
    """(N, 1 + 3 S): what is summed."""
    return np.column_stack([np.ones(len(expected)), expected, happened, happened**2])


def _of_sums(sums: F64, strategies: int) -> Resampled:
    """Of sums (draws, M, 1 + 3 S) of ones, expected, happened and squared."""
    whole = sums.sum(axis=1)  # (draws, 1 + 3 S)
    mean = whole[:, 1:] / whole[:, :1]
    expected, happened, squared = np.split(mean, 3, axis=1)
    there = sums[:, :, :1] > 0
    means = np.where(there, sums[:, :, 1 : 1 + strategies] / np.where(there, sums[:, :, :1], 1.0), np.nan)  # (draws, M, S)
    return Resampled(expected, happened, np.sqrt(np.maximum(squared - happened**2, 0)), np.nanstd(means, axis=1))


def interval(value: float, drawn: F64) -> Interval:
    """A figure with its draws (draws,)."""
    low, high = np.percentile(drawn, (2.5, 97.5))
    return Interval(value, float(low), float(high))


def ratio(one: F64, other: F64, drawn_one: F64, drawn_other: F64) -> Interval | None:
    """one / other with draws; None where the other is not clearly above 0, so that a ratio says nothing."""
    if np.percentile(drawn_other, 0.5) <= 0:
        return None
    return interval(float(one / other), drawn_one / drawn_other)


def p_value(drawn_difference: F64) -> float:
    """Two-sided, that a difference is 0: twice the smaller share of draws on one side of it, at least 1 / draws."""
    below, above = float(np.mean(drawn_difference <= 0)), float(np.mean(drawn_difference >= 0))
    return min(1.0, 2 * max(min(below, above), 1 / len(drawn_difference)))


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """Adjusted for how many are asked (Holm 1979)."""
    adjusted: dict[str, float] = {}
    least = 0.0
    for place, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[name]))
        adjusted[name] = least
    return adjusted


def tail_mean(costs: F64, share: float = TAIL) -> F64:
    """(S,) mean of the worst `share` of costs (N, S): conditional value at risk."""
    worst = max(1, round(share * len(costs)))
    return np.sort(costs, axis=0)[-worst:].mean(axis=0)
