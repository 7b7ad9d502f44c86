"""What the arms of a wheel cost, compared without bias and whenever one likes.

Each order t, in the order of assignment, gives every arm a an estimate of what it would have cost there,

    psi_t(a) = m_{t-1}(s_t, a) + 1{A_t = a} (Y_t - m_{t-1}(s_t, a)) / p_t(a)

with Y_t its cost in basis points, s_t its stratum, p_t(a) the recorded probability, and m_{t-1} the mean of earlier orders
of the arm in the stratum (of the arm, where there is none; of all, where the arm has none; 0 for the first). Given the past
its expectation is the arm's mean, however weights moved on what was seen before: the augmented inverse-probability estimate
(J. Robins, A. Rotnitzky and L. Zhao, Journal of the American Statistical Association 89, 1994), its predictable form as in
I. Waudby-Smith et al., Anytime-valid off-policy inference for contextual bandits, ACM/IMS Journal of Data Science, 2024.

The interval of a difference of two arms holds at all times at once, so that looking every day and stopping at will costs
nothing: the asymptotic confidence sequence of I. Waudby-Smith, D. Arbour, R. Sinha, E. Kennedy and A. Ramdas, Time-uniform
central limit theory and asymptotic confidence sequences, Annals of Statistics 52(6), 2024,

    mean_t +- sd_t sqrt( 2 (t rho^2 + 1) / (t^2 rho^2) log( sqrt(t rho^2 + 1) / alpha ) )

the normal mixture of H. Robbins, Annals of Mathematical Statistics 41(5), 1970, in an estimated variance; alpha is divided
by the number of pairs (Bonferroni). rho makes it tightest at about TIGHTEST orders. It is asymptotic: before BURN_IN orders
nothing is told.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, NamedTuple

from domain.values import E9
from domain.wheel import WEIGHT_MIN_E9, Arm, Assigned

ALPHA: Final = 0.05
TIGHTEST: Final = 200
BURN_IN: Final = 30


class Outcome(NamedTuple):
    """What became of an assignment. cost_bps None: it has no figure. ended: it works no more."""

    assigned: Assigned
    ended: bool
    cost_bps: float | None


class ArmResult(NamedTuple):
    """orders: drawn and with a figure; missing: without. mean_bps: estimated over all orders compared, not only its own."""

    arm: str
    orders: int
    missing: int
    raw_mean_bps: float | None
    mean_bps: float | None
    low_bps: float | None
    high_bps: float | None


class Difference(NamedTuple):
    """mean cost of `arm` less that of `other`; apart: the always-valid interval excludes 0."""

    arm: str
    other: str
    mean_bps: float
    low_bps: float | None
    high_bps: float | None
    apart: bool


@dataclass(frozen=True, slots=True)
class Results:
    """compared: orders that all of this is over; waiting: from the first order on that has not ended, nothing counts yet."""

    compared: int
    waiting: int
    missing: int
    arms: tuple[ArmResult, ...]
    differences: tuple[Difference, ...]
    alpha: float


@dataclass(slots=True)
class Series:
    """Running mean and variance (B. Welford, Technometrics 4(3), 1962)."""

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        self.count += 1
        step = value - self.mean
        self.mean += step / self.count
        self.squares += step * (value - self.mean)

    @property
    def sd(self) -> float:
        return math.sqrt(self.squares / self.count) if self.count else 0.0


@dataclass(slots=True)
class _Means:
    """What was seen before, for each arm."""

    cells: dict[tuple[str, str], Series] = field(default_factory=dict)
    arms: dict[str, Series] = field(default_factory=dict)
    whole: Series = field(default_factory=Series)

    def expected(self, stratum: str, arm: str) -> float:
        for series in (self.cells.get((stratum, arm)), self.arms.get(arm), self.whole):
            if series is not None and series.count:
                return series.mean
        return 0.0

    def see(self, stratum: str, arm: str, cost_bps: float) -> None:
        for series in (self.cells.setdefault((stratum, arm), Series()), self.arms.setdefault(arm, Series()), self.whole):
            series.add(cost_bps)


def compare(arms: Sequence[Arm], outcomes: Iterable[Outcome], alpha: float = ALPHA) -> Results:
    """Compare the arms of one round of a wheel.

    Args:
        outcomes: of the round's assignments. Everything before the first order that works still is looked at, and nothing
            behind it: else the arms that end sooner would be seen sooner.
    """
    names, told = [arm.name for arm in arms], sorted(outcomes, key=lambda one: one.assigned.number)
    done = next((place for place, one in enumerate(told) if not one.ended), len(told))
    seen, series = _Means(), {name: Series() for name in names}
    pairs = {pair: Series() for pair in combinations(names, 2)}
    missing = dict.fromkeys(names, 0)
    for assigned, _, cost_bps in told[:done]:
        if cost_bps is None:
            missing[assigned.arm] += 1
            continue
        psi = _estimates(names, assigned, cost_bps, seen)
        seen.see(assigned.stratum, assigned.arm, cost_bps)
        for name in names:
            series[name].add(psi[name])
        for (one, other), found in pairs.items():
            found.add(psi[one] - psi[other])
    share = alpha / max(1, len(pairs))
    raw = seen.arms
    return Results(
        compared=sum(found.count for found in raw.values()),
        waiting=len(told) - done,
        missing=sum(missing.values()),
        arms=tuple(_arm(name, raw.get(name), missing[name], series[name], alpha / max(1, len(names))) for name in names),
        differences=tuple(_difference(one, other, found, share) for (one, other), found in pairs.items()),
        alpha=alpha,
    )


def _estimates(names: Sequence[str], assigned: Assigned, cost_bps: float, seen: _Means) -> dict[str, float]:
    found = {}
    for name, weight_e9 in zip(names, assigned.weights_e9, strict=True):
        expected = seen.expected(assigned.stratum, name)
        drawn = (cost_bps - expected) * E9 / weight_e9 if assigned.arm == name else 0.0
        found[name] = expected + drawn
    return found


def _arm(name: str, raw: Series | None, missing: int, series: Series, alpha: float) -> ArmResult:
    radius = half_width(series.count, series.sd, alpha)
    count = raw.count if raw is not None else 0
    mean = series.mean if series.count else None
    low, high = (None, None) if radius is None or mean is None else (mean - radius, mean + radius)
    return ArmResult(name, count, missing, raw.mean if raw is not None else None, mean, low, high)


def _difference(arm: str, other: str, series: Series, alpha: float) -> Difference:
    radius = half_width(series.count, series.sd, alpha)
    if radius is None:
        return Difference(arm, other, series.mean, None, None, False)
    return Difference(arm, other, series.mean, series.mean - radius, series.mean + radius, abs(series.mean) > radius)


def half_width(count: int, sd: float, alpha: float) -> float | None:
    """Of the confidence sequence after so many orders; None before BURN_IN."""
    if count < BURN_IN:
        return None
    rho2 = (2 * math.log(1 / alpha) + math.log(1 + 2 * math.log(1 / alpha))) / TIGHTEST  # of the same paper
    scale = count * rho2 + 1
    return sd * math.sqrt(2 * scale / (count * count * rho2) * math.log(math.sqrt(scale) / alpha))


def moved(arms: Sequence[Arm], weights_e9: Sequence[int], results: Results) -> tuple[int, ...]:
    """The rule: an arm that costs more than another, by an always-valid interval, has its weight halved, down to
    WEIGHT_MIN_E9; what it gives up goes to the arms that do not, in proportion to what they have. Without such an arm nothing
    moves.
    """
    worse = {d.arm if d.mean_bps > 0 else d.other for d in results.differences if d.apart}
    names = [arm.name for arm in arms]
    kept: Mapping[str, int] = {
        name: max(WEIGHT_MIN_E9, weight_e9 // 2) if name in worse else weight_e9
        for name, weight_e9 in zip(names, weights_e9, strict=True)
    }
    better = [name for name in names if name not in worse]
    if not worse or not better:
        return tuple(weights_e9)
    free_e9, whole_e9 = E9 - sum(kept.values()), sum(kept[name] for name in better)
    given = {name: free_e9 * kept[name] // whole_e9 for name in better}
    given[better[0]] += free_e9 - sum(given.values())
    return tuple(kept[name] + given.get(name, 0) for name in names)
