"""Strategies that learn nothing: schedules, rules, and a program on constants. All of them see what any desk sees, no more.

Impact is what a desk without a model takes it to be: the square-root law for the whole, `CONSTANTS` for its parts. Where a number
is chosen, `models.execution.choice` chooses it on training seeds and regimes by the mean cost, the same measure for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from models.planners.almgren_chriss import trajectory
from models.planners.program import Outlook, quadratic, solve_many
from models.worlds.emission import read
from models.worlds.world import F64, Public, Seen, World

AVERSION: Final = 1e-3  # basis points that a desk pays for one squared basis point of variance less
EWMA: Final = 0.3  # weight of the newest interval in running averages


class Constants(NamedTuple):
    """What a desk without a model takes impact to be, as shares of the square-root law's cost."""

    temporary: float = 0.3
    transient: float = 0.5
    permanent: float = 0.2
    half_life: float = 5.0  # intervals, of transient impact
    prefactor: float = 1.0  # of the law


CONSTANTS: Final = Constants()


@dataclass
class Rule:
    """What the strategies below share: they look at nothing but public numbers, and remember nothing."""

    name: str
    looks: bool = False

    def begin(self, world: World[Any], paths: int, seed: int) -> None:
        """Nothing to forget."""


@dataclass
class Scheduled(Rule):
    """A schedule (n,), caught up with by spreading what is left as the rest of it is spread. None: the usual volume curve."""

    schedule: F64 | None = None

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        rest = (public.curve if self.schedule is None else self.schedule)[k:]
        return left * rest[0] / rest.sum()


def twap(intervals: int) -> Scheduled:
    """Evenly."""
    return Scheduled("twap", schedule=np.full(intervals, 1 / intervals))


def vwap() -> Scheduled:
    """As the market usually trades."""
    return Scheduled("vwap")


def almgren_chriss(intervals: int, urgency: float) -> Scheduled:
    """The closed form."""
    return Scheduled("ac", schedule=trajectory(intervals, urgency))


def static_transient(intervals: int) -> Scheduled:
    """The best fixed schedule for the constants: what transient impact alone makes worth while."""
    scale = np.ones(1)
    outlook = constant_outlook(scale, scale, intervals, intervals, CONSTANTS, risk=np.zeros((1, intervals)))
    form = quadratic(outlook, scale)
    shares = solve_many(form.G, form.b, scale, np.ones((1, intervals)))[0]
    return Scheduled("static", schedule=np.maximum(shares, 0))


@dataclass
class Pov(Rule):
    """A share of the market's volume: what it has traded, and in this interval what it traded in the last one."""

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares, so that after this interval we hold the share that finishes an order in a usual market."""
        rate = public.total / public.usual_volume
        now = public.volume[:, k - 1] if k else public.usual_volume * public.curve[0]
        return rate * (public.volume.sum(axis=1) + now) - public.bought.sum(axis=1)


@dataclass
class EstimatedAlmgrenChriss(Rule):
    """The closed form, its urgency from a volatility and an impact that are estimated as trading goes on.

    Impact: the square-root law at the order's participation, its temporary part. Volatility: of the middle's moves so far.
    """

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        variance = moved_variance(public)
        eta = CONSTANTS.temporary * law(public, np.sqrt(variance)) * public.intervals / public.total  # bps per share
        urgency = np.sqrt(AVERSION * variance / (public.total * eta))  # per interval
        rest = public.intervals - k
        x = np.maximum(urgency, 1e-6)
        return left * (1 - np.sinh(x * (rest - 1)) / np.sinh(x * rest))


@dataclass
class Tilt(Rule):
    """TWAP, more of it where more is bid than offered: the imbalance of the book's sizes times a strength."""

    strength: float = 0.0
    looks: bool = True

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        return left / (public.intervals - k) * (1 + self.strength * read(seen.book)[0])


@dataclass
class QpEwma(Rule):
    """The program on the constants, with running averages of volatility and volume in place of a model's forecasts."""

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares: the first of a schedule made anew."""
        rest, variance = public.intervals - k, moved_variance(public)
        busy = ewma_volume(public)[:, None] * np.ones(rest)  # (P, n - k)
        risk = AVERSION * variance[:, None] * np.ones(rest) / public.total[:, None]
        scale = law(public, np.sqrt(variance))
        outlook = constant_outlook(scale, public.total, public.intervals, rest, CONSTANTS, risk)
        outlook = outlook._replace(eta=outlook.eta / busy, displacement=displaced(public, outlook))
        return first_of_program(outlook, left, public)


def law(public: Public, sigma: F64) -> F64:
    """(P,) bps that the even schedule costs by the square-root law; sigma: of one interval's move, bps."""
    participation = public.total / public.usual_volume
    return 2 / 3 * CONSTANTS.prefactor * sigma * np.sqrt(public.intervals * participation)


def moved_variance(public: Public) -> F64:
    """(P,) running average of the squared moves, begun with what is usual; bps squared."""
    variance = np.full(len(public.total), USUAL_SIGMA_BPS**2)
    for moved in np.diff(public.mids, axis=1).T:
        variance += EWMA / 3 * (moved**2 - variance)
    return variance


USUAL_SIGMA_BPS: Final = 10.0


def ewma_volume(public: Public) -> F64:
    """(P,) the market's volume of late over the usual."""
    busy = np.ones(len(public.total))
    for k, traded in enumerate(public.volume.T):
        busy += EWMA * (traded / (public.usual_volume * public.curve[k]) - busy)
    return busy


def constant_outlook(cost_bps: F64, total: F64, intervals: int, rest: int, constants: Constants, risk: F64) -> Outlook:
    """Constants as an outlook of `rest` intervals: the even schedule of `total` shares over `intervals` costs cost_bps a share.

    Args:
        cost_bps, total: (P,). risk: (P, rest).
    """
    decay, n = 0.5 ** (1 / constants.half_life), intervals
    lasting = sum(0.5 + sum(decay**j for j in range(1, k + 1)) for k in range(n)) / n**2
    ones, scale = np.ones((len(total), rest)), (cost_bps / total)[:, None]
    return Outlook(
        alpha=0 * ones, eta=constants.temporary * scale * n * ones, kappa=constants.transient * scale / lasting * ones,
        decay=decay * ones, gamma=2 * constants.permanent * scale[:, 0], risk=risk, displacement=np.zeros(len(total)),
    )  # fmt: skip


def displaced(public: Public, outlook: Outlook) -> F64:
    """(P,) what our own purchases still displace by the outlook's transient impact, were it the same all along."""
    left = np.zeros(len(public.total))
    for u in public.bought.T:
        left = np.asarray(outlook.decay)[:, 0] * (left + np.asarray(outlook.kappa)[:, 0] * u)
    return left


def first_of_program(outlook: Outlook, left: F64, public: Public) -> F64:
    """(P,) what the best schedule of what is left buys now."""
    rest, left = public.intervals - public.k, np.maximum(left, 0.0)  # a finished order may lack a rounding of nothing
    form = quadratic(outlook, left)
    caps = np.minimum(np.maximum(public.cap, left / rest)[:, None], left[:, None]) * np.ones(rest)
    return solve_many(form.G, form.b, left, caps)[:, 0]
