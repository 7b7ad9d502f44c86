"""Bounds, not strategies: rows that are told what no desk knows, or know the law of the world. None could
trade for anybody.

- `TrueMeans`: the program on true expectations given the world's own state, made anew in each interval. What it leaves of the
  optimum is the program's doing, not a forecast's.
- `LqOptimum`: the exact rule of the linear-quadratic world, held to no cap.
- `Filter`: sees books alone, but knows by which law they show signal and liquidity: the best that any forecaster can come to.
- `SignalOracle`: knows the whole path of signal and liquidity. `PriceOracle`: knows every price: cheating, an upper limit of it.
- `VolumeOracle`: VWAP along the volume that will be traded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from models.execution.policies import Rule, first_of_program
from models.planners.program import Outlook, quadratic
from models.worlds.bounds import optimum
from models.worlds.emission import read
from models.worlds.lq import LqWorld
from models.worlds.world import F64, Public, Seen, Truth, World


@dataclass
class _Told(Rule):
    uncapped: bool = False
    truth: Truth = field(init=False, repr=False)

    def tell(self, truth: Truth) -> None:
        """What the world knows before this interval."""
        self.truth = truth


@dataclass
class TrueMeans(_Told):
    """True expectations; without caps the program may sell and has a closed form, as the optimum may and has."""

    name: str = "true_means"

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        outlook = outlook_of(self.truth)
        return _free(outlook, left) if self.uncapped else first_of_program(outlook, left, public)


@dataclass
class SignalOracle(_Told):
    """The signal's and liquidity's whole path."""

    name: str = "signal_oracle"

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        t = self.truth
        return first_of_program(outlook_of(t)._replace(alpha=t.alphas, eta=t.etas, kappa=t.kappas), left, public)


@dataclass
class PriceOracle(_Told):
    """Every price: cheating."""

    name: str = "price_oracle"

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        t = self.truth
        return first_of_program(outlook_of(t)._replace(alpha=t.moves, eta=t.etas, kappa=t.kappas), left, public)


@dataclass
class VolumeOracle(_Told):
    """VWAP along the volume that will be."""

    name: str = "vwap_oracle"

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        return left * self.truth.volume[:, 0] / self.truth.volume.sum(axis=1)


@dataclass
class LqOptimum(_Told):
    """The exact rule of each scenario in one regime."""

    name: str = "lq_optimum"
    uncapped: bool = True
    regime: str = "mixed"
    gains: F64 = field(init=False, repr=False)

    def begin(self, world: World[Any], paths: int, seed: int) -> None:
        """The rule of each order's scenario."""
        assert isinstance(world, LqWorld)
        rules = np.stack([optimum(world, self.regime, one).gains for one in world.config.scenarios])  # (S, n, R, 3)
        self.gains = rules[np.arange(paths) % len(rules)]  # (P, n, R, 3)

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares, which may be less than none."""
        t, rows = self.truth, np.arange(len(left))
        thin = (t.factor[:, 0] > 1).astype(int) if self.gains.shape[2] > 1 else np.zeros(len(left), int)
        return (self.gains[rows, k, thin] * np.column_stack([left, t.displacement, t.alpha[:, 0]])).sum(axis=1)


@dataclass
class Filter(_Told):
    """Kalman's mean of the signal and the chances of the two states of liquidity, from the books alone.

    It is told impact's and volatility's usual size in its regime and what its purchases still displace, which a desk can measure,
    and never the signal or the liquidity.
    """

    name: str = "filter"
    looks: bool = True
    world: LqWorld = field(init=False, repr=False)
    mean: F64 = field(init=False, repr=False)  # (P,) of the signal, over its usual deviation
    doubt: float = field(init=False, repr=False)
    thin: F64 = field(init=False, repr=False)  # (P,) chance

    def begin(self, world: World[Any], paths: int, seed: int) -> None:
        """Nothing is known of the signal but how it varies."""
        assert isinstance(world, LqWorld)
        self.world, self.mean, self.doubt, self.thin = world, np.zeros(paths), 1.0, np.full(paths, 0.5)

    def shares(self, k: int, left: F64, seen: Seen, public: Public) -> F64:
        """(P,) shares."""
        c, t, ahead = self.world.config, self.truth, np.arange(public.intervals - k)
        imbalance, depth = read(seen.book)
        if k:
            self.mean, self.doubt = self.world.phi * self.mean, self.world.phi**2 * self.doubt + 1 - self.world.phi**2
            self.thin = 0.5 + (2 * c.stay - 1) * (self.thin - 0.5)
        gain = self.doubt / (self.doubt + c.signal_noise)
        self.mean, self.doubt = self.mean + gain * (imbalance - self.mean), (1 - gain) * self.doubt
        deep_miss, thin_miss = ((depth + np.log(f * t.impact)) ** 2 / (2 * c.depth_noise**2) for f in c.factors)
        odds = self.thin / np.maximum(1 - self.thin, 1e-300) * np.exp(np.clip(deep_miss - thin_miss, -300, 300))
        self.thin = odds / (1 + odds)
        average = np.mean(c.factors)
        later = (average + np.diff(c.factors) * (self.thin - 0.5))[:, None] - average
        factor = average + later * (2 * c.stay - 1) ** ahead  # (P, n - k)
        alpha = (self.mean * self.world.signal_sd * t.volatility)[:, None] * self.world.phi**ahead
        eta, kappa = (each / t.factor for each in (t.eta, t.kappa))
        outlook = outlook_of(t)._replace(alpha=alpha, eta=eta * factor, kappa=kappa * factor)
        return first_of_program(outlook, left, public)


def _free(outlook: Outlook, left: F64) -> F64:
    """(P,) the first of the schedule of least cost, of which any part may be less than none: G u = level - b, sum u = left."""
    form = quadratic(outlook, np.abs(left))  # without risk neither G nor b depends on how much is left
    right = np.stack([form.b, np.ones_like(form.b)], axis=2)  # (P, m, 2)
    solved = np.linalg.solve(form.G, right)
    level = (left + solved[:, :, 0].sum(axis=1)) / solved[:, :, 1].sum(axis=1)
    return np.asarray(level * solved[:, 0, 1] - solved[:, 0, 0])


def outlook_of(truth: Truth) -> Outlook:
    """True expectations as an outlook."""
    t = truth
    return Outlook(
        alpha=t.alpha, eta=t.eta, kappa=t.kappa, decay=t.decay, gamma=t.gamma, risk=t.risk, displacement=t.displacement
    )
