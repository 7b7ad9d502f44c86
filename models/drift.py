"""Has the market or the forecasting of it left what a version was made for? Detectors over the last forecasts of one market.

| detector | what is measured | alert |
|---|---|---|
| `ic` | Spearman's correlation of the last 500 forecast returns with what came of them, from 100 on | below 0.02 |
| `coverage` | two-sided CUSUM of misses of the interval that holds 80 % of the reference | 5 misses beyond the allowance |
| `psi.*` | population stability index, last 500: each feature and the outcome, ten bins fixed on the reference | above 0.2 |
| `psi.long_*` | the same of the last 10,000, for what follows itself for longer than 500 | above 0.2 |

Ranks and not Pearson: returns have heavy tails and most steps move nothing, so that one jump would decide a product moment of
500. Where the reference's own undisturbed days go further than these levels, the alert is where they do not go
(`models.drift_reference`). Pure: forecasts and outcomes in, figures out.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.standing import Standing
from models.drift_reference import BINNED, LONG, OUTCOME, Day, Reference, places, psi, standard
from models.net_contract import FEATURE_NAMES

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
WINDOW: Final = 500
LONG_WINDOW: Final = 10_000
WARM: Final = 100
EVERY: Final = 10  # forecasts from one look to the next
_LONG: Final = f"psi.{LONG}"
_CEILING: Final = 2.0  # of the alert's level: a sum that has gone there comes back in time


class Seen(NamedTuple):
    """One forecast and what came of it."""

    mean: float
    outcome: float
    miss: bool
    bins: tuple[int, ...]  # of the features, then of the outcome


class _Binned:
    """Counts of the bins of the last forecasts."""

    def __init__(self, shares: list[F64], window: int) -> None:
        self._shares = shares
        self._counts = [np.zeros(len(each), np.int64) for each in shares]
        self._bins: list[tuple[int, ...]] = [()] * window
        self._window = window
        self._taken = 0

    def take(self, bins: tuple[int, ...]) -> None:
        at = self._taken % self._window
        for n, (counts, bin_) in enumerate(zip(self._counts, bins, strict=True)):
            if self._taken >= self._window:
                counts[self._bins[at][n]] -= 1
            counts[bin_] += 1
        self._bins[at] = bins
        self._taken += 1

    def indices(self) -> list[float | None]:
        """None before the window is full."""
        if self._taken < self._window:
            return [None] * len(self._shares)
        return [psi(counts, shares) for counts, shares in zip(self._counts, self._shares, strict=True)]


class Skill:
    """Forecast returns of the last WINDOW, beside what came of them. It needs no reference."""

    def __init__(self) -> None:
        self._pairs = np.zeros((WINDOW, 2))
        self.forecasts = 0

    def take(self, mean: float, outcome: float) -> None:
        """One more."""
        self._pairs[self.forecasts % WINDOW] = mean, outcome
        self.forecasts += 1

    def ic(self) -> float | None:
        """The rank correlation; None while there are too few, or where nothing varies."""
        pairs = self._pairs[: min(self.forecasts, WINDOW)]
        return rank_correlation(pairs[:, 0], pairs[:, 1]) if len(pairs) >= WARM else None


class DriftWatch:
    """One market's. Forecasts are given in their order.

    Args:
        capped: does the coverage's sum stop at twice its alert, so that it comes back when coverage does?
    """

    def __init__(self, reference: Reference, *, capped: bool = True) -> None:
        self._reference = reference
        shares = [np.array(reference.bins[name].shares) for name in BINNED]
        self._short, self._long = _Binned(shares, WINDOW), _Binned(shares, LONG_WINDOW)
        self._skill = Skill()
        self._ceiling = _CEILING * reference.alert["coverage"] if capped else float("inf")
        self._sums = [0.0, 0.0]  # too many misses, too few

    @property
    def forecasts(self) -> int:
        """Taken so far."""
        return self._skill.forecasts

    def take(self, seen: Seen) -> None:
        """One more."""
        self._short.take(seen.bins)
        self._long.take(seen.bins)
        self._skill.take(seen.mean, seen.outcome)
        beyond = float(seen.miss) - (1.0 - self._reference.coverage)
        for n, sign in enumerate((1.0, -1.0)):
            self._sums[n] = min(self._ceiling, max(0.0, self._sums[n] + sign * beyond - self._reference.allowance))

    def figures(self) -> dict[str, float | None]:
        """Every detector's statistic; None while there are too few forecasts, or where nothing varies."""
        found: dict[str, float | None] = {"ic": self._skill.ic()}
        found["coverage"] = max(self._sums) if self.forecasts >= WARM else None
        found |= {f"psi.{name}": value for name, value in zip(BINNED, self._short.indices(), strict=True)}
        return found | {f"psi.{LONG}{name}": value for name, value in zip(BINNED, self._long.indices(), strict=True)}

    def standing(self) -> Standing:
        """The figures beside the reference's levels. The long window is left out until it is full: the short one covers it."""
        figures = {name: value for name, value in self.figures().items() if value is not None or not name.startswith(_LONG)}
        ratios = {name: self._reference.ratio(name, value) for name, value in figures.items()}
        return Standing(self.forecasts, ratios, figures)


def judged(day: Day, reference: Reference) -> list[Seen]:
    """A day's forecasts as the detectors take them."""
    scores = np.abs(standard(day.mean, day.log_scale, day.tail, day.outcome))
    columns = [places(reference.bins[name].edges, day.features[:, at], day.known[:, at]) for at, name in enumerate(FEATURE_NAMES)]
    columns.append(places(reference.bins[OUTCOME].edges, day.outcome, np.ones(day.size, np.bool_)))
    bins = np.stack(columns, axis=1).tolist()
    rows = zip(day.mean.tolist(), day.outcome.tolist(), (scores > reference.scale).tolist(), map(tuple, bins), strict=True)
    return [Seen(*row) for row in rows]


def looks(day: Day, reference: Reference, watch: DriftWatch | None = None) -> list[dict[str, float | None]]:
    """The figures after every tenth forecast of a day."""
    watch, found = watch or DriftWatch(reference), []
    for seen in judged(day, reference):
        watch.take(seen)
        if watch.forecasts % EVERY == 0:
            found.append(watch.figures())
    return found


def worst(day: Day, reference: Reference) -> dict[str, float]:
    """The worst that each detector sees in a day of its own: the greatest, of the IC the least."""
    found: dict[str, float] = {}
    for figures in looks(day, reference, DriftWatch(reference, capped=False)):
        for name, value in figures.items():
            if value is not None:
                found[name] = min(found.get(name, value), value) if name == "ic" else max(found.get(name, value), value)
    return found


def rank_correlation(xs: F64, ys: F64) -> float | None:
    """Spearman's, ties have their mean rank; None where one side does not vary or holds what is no number.

    The same as `domain.trigger_metrics.information_coefficient`, which the watchdog's threshold is defined by, in arrays.
    """
    if not (np.isfinite(xs).all() and np.isfinite(ys).all()):
        return None
    a, b = _ranks(xs), _ranks(ys)
    variances = float(a @ a) * float(b @ b)
    return float(a @ b) / float(np.sqrt(variances)) if variances > 0 else None


def _ranks(values: F64) -> F64:
    """Mean ranks less their mean."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - 0.5 * (counts - 1))[inverse] - 0.5 * (len(values) + 1)


class Forecast(NamedTuple):
    """Of a step's return, price units; middle: of the market when it was made, ticks; unit: what a price unit is then, ticks."""

    mean: float
    log_scale: float
    tail: float
    middle: float
    unit: float


class Judge:
    """One live market's: holds each step's forecast until the next step tells what came of it. Without a reference it reckons the
    correlation alone, judges nothing, and says so.
    """

    def __init__(self, reference: Reference | None, why: str = "") -> None:
        self._reference = reference
        self._watch = DriftWatch(reference) if reference is not None else None
        self._skill = Skill()
        self._before: tuple[Forecast, F64, NDArray[np.bool_]] | None = None
        self._standing = Standing(why=why)
        self._why = why

    def step(self, forecast: Forecast, features: NDArray[np.float32], known: NDArray[np.float32]) -> None:
        """A forecast is made, so the one before is over. features, known (6,): as they were shown."""
        before = self._before
        self._before = forecast, features.astype(np.float64), known > 0
        if before is None or not before[0].unit > 0:
            return
        made, seen, there = before
        outcome = (forecast.middle - made.middle) / made.unit
        if self._watch is None or self._reference is None:
            self._skill.take(made.mean, outcome)
            if self._skill.forecasts % EVERY == 0:
                self._standing = Standing(self._skill.forecasts, figures={"ic": self._skill.ic()}, why=self._why)
            return
        mean, log_scale, tail, came = (np.array([value]) for value in (made.mean, made.log_scale, made.tail, outcome))
        day = Day(np.zeros(1, np.int64), mean, log_scale, tail, came, seen[None], there[None])
        self._watch.take(judged(day, self._reference)[0])
        if self._watch.forecasts % EVERY == 0:
            self._standing = self._watch.standing()

    def standing(self) -> Standing:
        """As it was at the last look."""
        return self._standing
