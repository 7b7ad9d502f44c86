"""What is usual for a version of the world model: the reference that its drift is measured against. It lies beside its weights.

It is made of days of one market, those that the version was trained on or others like them: so many that what a day differs from
the next by can be told from a shift (`DAYS_LEAST`). Of a market that a version has no such days of it has no reference.

Bins are cut once, at the reference's deciles, and never follow what is judged by them. A level of alert is the specification's or
what undisturbed days themselves exceed less than once in `RARE` days, whichever is further out: features, and forecasts that
look at the same market again, follow each other closely, so that a window of them strays much further from the whole than
independent draws would. How far is not derived but measured: each reference day gives its worst value, and Gumbel's distribution
of maxima, fitted by moments, says what is exceeded with a given chance (Gumbel 1958).

Empty bins: shares are (count + 1/2) / (n + bins/2) on both sides, so that a bin that nobody fell into has a share.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from domain.errors import WeightsError
from models.net_contract import FEATURE_NAMES

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
BINS: Final = 10
DAYS_LEAST: Final = 10
NOMINAL: Final = 0.8  # of the interval whose coverage is watched
RARE: Final = 120.0  # days between two alerts of undisturbed forecasts, all detectors together, as far as the fit is right
OUTCOME: Final = "outcome"
BINNED: Final = (*FEATURE_NAMES, OUTCOME)
IC_ALERT: Final = 0.02
PSI_ALERT: Final = 0.2
COVERAGE_ALERT: Final = 5.0  # misses too many, or too few, beyond what the allowance forgives
ALLOWANCE: Final = 0.08  # of the coverage, that is forgiven at every forecast beside what days differ by
LONG: Final = "long_"  # what the names of indices over the long window begin with
DETECTORS: Final = ("ic", "coverage", *(f"psi.{name}" for name in BINNED), *(f"psi.{LONG}{name}" for name in BINNED))
_EULER: Final = 0.5772156649015329


class Day(NamedTuple):
    """N forecasts of one market. The last one's outcome is not known and it is left out.

    at_ns (N,): when. mean, log_scale, tail (N,): of the next step's return in price units, `models.net_contract.HEADS`. outcome
    (N,): the return, in the unit of its forecast. features, known (N, 6).
    """

    at_ns: I64
    mean: F64
    log_scale: F64
    tail: F64
    outcome: F64
    features: F64
    known: NDArray[np.bool_]

    @property
    def size(self) -> int:
        """N."""
        return len(self.at_ns)

    def part(self, begin: int, stop: int | None = None) -> Day:
        """Forecasts begin .. stop - 1."""
        cut = slice(begin, stop)
        return Day(
            self.at_ns[cut], self.mean[cut], self.log_scale[cut], self.tail[cut], self.outcome[cut], self.features[cut],
            self.known[cut],
        )  # fmt: skip


class Bins(NamedTuple):
    """Of one feature. edges: rising, at most nine; shares: of each bin, and last of what was not known."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    @classmethod
    def of(cls, values: F64, known: NDArray[np.bool_]) -> Self:
        """Cut at the deciles of what is known; equal deciles are one edge."""
        there = values[known]
        edges = np.unique(np.quantile(there, np.arange(1, BINS) / BINS)) if len(there) else np.zeros(0)
        counts = np.bincount(places(edges, values, known), minlength=len(edges) + 2)
        return cls(edges=tuple(edges.tolist()), shares=tuple(smoothed(counts).tolist()))


class Reference(NamedTuple):
    """Of one version in one kind of market.

    Attributes:
        days, forecasts: how much it is made of.
        scale: the magnitude of a standard score within which NOMINAL of the outcomes lay (a conformal interval).
        coverage: how many did, which is more where many outcomes are alike.
        allowance: of the coverage, what days differ by and a little more: so much is forgiven at every forecast.
        usual: of each detector, the mean of its worst value of a day.
        alert: of each detector, where an alert is raised.
    """

    weights_sha256: str
    market: str
    days: int
    forecasts: int
    scale: float
    coverage: float
    allowance: float
    bins: dict[str, Bins]
    usual: Mapping[str, float]
    alert: Mapping[str, float]

    def ratio(self, detector: str, value: float | None) -> float | None:
        """How far a value is on the way from what is usual (0) to an alert (1); None: it is not known."""
        if value is None or not math.isfinite(value):
            return None
        usual, alert = (self.usual["ic"], self.alert["ic"]) if detector == "ic" else (0.0, self.alert[detector])
        return (value - usual) / (alert - usual)

    def write(self, path: Path) -> None:
        """As one JSON file."""
        told = self._asdict() | {"bins": {name: one._asdict() for name, one in self.bins.items()}}
        path.write_text(json.dumps(told, indent=1) + "\n", "utf-8")

    @classmethod
    def read(cls, path: Path, digest: str) -> Self:
        """Raises WeightsError: it is not there, cannot be read, or is another version's."""
        try:
            told = json.loads(path.read_bytes())
            bins = {name: Bins(tuple(one["edges"]), tuple(one["shares"])) for name, one in told.pop("bins").items()}
            found = cls(bins=bins, **told)
        except OSError as cause:
            raise WeightsError(f"version {digest[:12]} has no drift reference ({path.name})") from cause
        except (ValueError, TypeError, KeyError, AttributeError) as cause:
            raise WeightsError(f"{path.name} is no drift reference: {cause}") from cause
        if found.weights_sha256 != digest:
            raise WeightsError(f"{path.name} is the drift reference of version {found.weights_sha256[:12]}, not of {digest[:12]}")
        return found


SUFFIX: Final = ".drift.json"


def beside(weights: Path) -> Path:
    """Where the reference of a weights file lies."""
    return weights.with_suffix(SUFFIX)


def reference_in(places: Sequence[Path], digest: str) -> Reference:
    """A version's, from the first of these files that is there. Raises WeightsError as `Reference.read`."""
    return Reference.read(next((place for place in places if place.exists()), places[-1]), digest)


def places(edges: F64 | Sequence[float], values: F64, known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(N,) the bin of each: above how many edges it lies; one place more for what is not known."""
    found = np.searchsorted(np.asarray(edges, np.float64), values, side="left")
    return np.where(known & np.isfinite(values), found, len(edges) + 1).astype(np.int64)


def smoothed(counts: NDArray[np.int64]) -> F64:
    """Shares of which none is 0."""
    return (counts + 0.5) / (counts.sum() + 0.5 * len(counts))


def psi(counts: NDArray[np.int64], shares: F64) -> float:
    """Population stability index of counted bins against the reference's shares: sum of (p - q) log(p / q)."""
    now = smoothed(counts)
    return float(((now - shares) * np.log(now / shares)).sum())


def standard(mean: F64, log_scale: F64, tail: F64, outcome: F64) -> F64:
    """The outcome's standard score by its forecast: n of outcome = mean + 2^log_scale sinh(k n) / k, k = softplus(tail)."""
    k = np.maximum(np.logaddexp(0.0, tail), 1e-6)
    return np.arcsinh(k * (outcome - mean) * np.exp2(-log_scale)) / k


def bare(days: Sequence[Day], digest: str, market: str) -> Reference:
    """Bins, scale and coverage; levels of alert are the specification's alone. Raises WeightsError: there is nothing to bin."""
    if not sum(day.size for day in days):
        raise WeightsError("a drift reference needs a day at least")
    scores = np.abs(np.concatenate([standard(d.mean, d.log_scale, d.tail, d.outcome) for d in days]))
    scale = float(np.quantile(scores, NOMINAL))
    features, known = np.concatenate([d.features for d in days]), np.concatenate([d.known for d in days])
    outcome = np.concatenate([d.outcome for d in days])
    bins = {name: Bins.of(features[:, at], known[:, at]) for at, name in enumerate(FEATURE_NAMES)}
    bins[OUTCOME] = Bins.of(outcome, np.ones(len(outcome), np.bool_))
    alert = dict.fromkeys(DETECTORS, PSI_ALERT) | {"ic": IC_ALERT, "coverage": COVERAGE_ALERT}
    coverage = float((scores <= scale).mean())
    ends = np.cumsum([day.size for day in days])[:-1]
    apart = max(abs(float((part <= scale).mean()) - coverage) for part in np.split(scores, ends))
    return Reference(
        weights_sha256=digest, market=market, days=len(days), forecasts=len(outcome), scale=scale,
        coverage=coverage, allowance=apart + ALLOWANCE, bins=bins, usual={"ic": 2 * IC_ALERT}, alert=alert,
    )  # fmt: skip


def calibrated(found: Reference, worst: Sequence[Mapping[str, float]]) -> Reference:
    """With levels of alert that undisturbed days do not reach. worst: of each of those days, every detector's worst value."""
    chance = 1.0 / (RARE * len(DETECTORS))
    usual, alert = {}, {}
    for name in DETECTORS:
        sign = -1.0 if name == "ic" else 1.0
        maxima = np.array([sign * day[name] for day in worst if name in day])
        usual[name], alert[name] = found.usual.get(name, 0.0), found.alert[name]
        if len(maxima):
            usual[name] = sign * float(maxima.mean())
        if len(maxima) > 1:
            alert[name] = sign * max(sign * alert[name], _rare(maxima, chance))
    return found._replace(usual=usual, alert=alert)


def _rare(maxima: F64, chance: float) -> float:
    """What a day's maximum exceeds with that chance: Gumbel's quantile, by moments."""
    scale = float(maxima.std(ddof=1)) * math.sqrt(6.0) / math.pi
    middle = float(maxima.mean()) - _EULER * scale
    return middle - scale * math.log(-math.log1p(-chance))
