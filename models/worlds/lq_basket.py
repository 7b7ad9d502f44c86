"""The exact linear-quadratic world of baskets: what `models.worlds.lq` is for one order, with prices that move together.

m instruments, each with impact, volatility and signal of its own by the same rules (`models.worlds.lq.LqWorld.usual`); moves and
signals have one correlation matrix, of a common factor and sectors; temporary and permanent impact reach the others by `cross`;
one liquidity factor for all switches between a deep and a thin state. Shares are of value: every price is 10,000 at arrival, so
that price differences are basis points and a basket's cost over its gross value is in basis points of it.

What is judged is the expected cost plus the aversion times the variance, both over the gross value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from models.worlds.lq import LqConfig, LqWorld
from models.worlds.riccati_basket import BasketChain
from models.worlds.world import CAP_SLICES, F64, chance, config_sha256

_SIGNAL, _LIQUIDITY = 2, 3  # streams


@dataclass(frozen=True)
class BasketConfig:
    """Everything that decides how the world behaves."""

    signs: tuple[float, ...] = (1.0, 1.0, -1.0, -1.0)  # 1 buys
    participation: tuple[float, ...] = (0.10, 0.06, 0.08, 0.05)  # of each instrument's volume over the horizon
    volatility: tuple[float, ...] = (1.0, 1.3, 0.8, 1.1)  # times an interval's usual
    sectors: tuple[int, ...] = (0, 1, 0, 1)
    market: float = 0.4  # correlation of any two
    sector: float = 0.3  # more, of two of a sector
    cross: float = 0.2  # part of temporary and permanent impact that is shared
    urgency: float = 2.0  # kappa T of the average order alone, which sets the aversion
    one: LqConfig = field(default_factory=LqConfig)


class BasketState(NamedTuple):
    """P baskets before interval k, of m orders; sales are below 0."""

    k: int
    left: F64  # (P, m)
    displaced: F64  # (P, m)
    signal: F64  # (P, n, m) of all intervals: what is shown is that of k
    factor: F64  # (P, n)
    cost: F64  # (P,) expected so far, the price's own noise integrated out
    variance: F64  # (P,) so far


class BasketWorld:
    """See the module."""

    name: Final = "basket"

    def __init__(self, config: BasketConfig | None = None) -> None:
        self.config = config or BasketConfig()
        self.alone = LqWorld(self.config.one)
        c, n = self.config, self.config.one.intervals
        self.intervals, self.orders = n, len(c.signs)
        self.signs = np.array(c.signs)
        self.totals = np.array(c.participation) * n * c.one.volume_shares  # (m,)
        self.sigma = np.array(c.volatility) * c.one.sigma_bps  # (m,) of an interval
        self.impact = self.alone.usual(np.array(c.participation), np.array(c.volatility), np.ones(self.orders))
        self.caps = CAP_SLICES * self.totals / n  # (m,) of an interval

    @property
    def config_sha256(self) -> str:
        """Of name and settings."""
        return config_sha256(self.name, self.config)

    @cached_property
    def correlation(self) -> F64:
        """(m, m) of moves and of signals."""
        sectors = np.array(self.config.sectors)
        shared = self.config.market + self.config.sector * (sectors[:, None] == sectors)
        return np.asarray(np.where(np.eye(self.orders, dtype=bool), 1.0, shared))

    @cached_property
    def covariance(self) -> F64:
        """(m, m) of an interval's moves, squared basis points."""
        return self.correlation * np.outer(self.sigma, self.sigma)

    @property
    def aversion(self) -> float:
        """Per squared basis point and share."""
        steepness = (self.impact.eta + self.impact.kappa / 2).mean() / (self.sigma**2).mean()
        return float(steepness * (self.config.urgency / self.intervals) ** 2)

    @property
    def gross(self) -> float:
        """Shares of all orders."""
        return float(self.totals.sum())

    @property
    def factors(self) -> F64:
        """(R,) of impact, deep and thin."""
        return np.array(self.config.one.factors)

    def mixed(self, own: F64) -> F64:
        """(m, m) impact of each on each, of (m,) on itself."""
        root, c = np.sqrt(own), self.config.cross
        return (1 - c) * np.diag(own) + c * np.outer(root, root) * self.correlation

    def chain(self) -> BasketChain:
        """The exact problem."""
        c, n, regimes = self.config.one, self.intervals, len(self.factors)
        sd = self.alone.signal_sd / c.sigma_bps * self.sigma
        signals = self.correlation * np.outer(sd, sd)
        innovation = np.repeat(((1 - self.alone.phi**2) * signals)[None], n, axis=0)
        innovation[0] = signals
        eta = self.factors[:, None, None] * self.mixed(self.impact.eta)
        return BasketChain(
            eta=np.broadcast_to(eta, (n, *eta.shape)),
            kappa=np.broadcast_to(self.factors[:, None] * self.impact.kappa, (n, regimes, self.orders)),
            decay=np.full(self.orders, self.alone.decay),
            gamma=self.mixed(self.impact.gamma),
            risk=self.aversion * self.covariance,
            transition=np.array([[c.stay, 1 - c.stay], [1 - c.stay, c.stay]]),
            start=np.full(regimes, 1 / regimes),
            phi=self.alone.phi,
            innovation=innovation,
        )

    def expected_factors(self, factor: F64, ahead: int) -> F64:
        """(..., ahead) of liquidity given what it is now (...)."""
        mean, reversion = self.factors.mean(), 2 * self.config.one.stay - 1
        return np.asarray(mean + (factor[..., None] - mean) * reversion ** np.arange(ahead))

    def start(self, seed: int, paths: int) -> BasketState:
        """P baskets have arrived; drawn row by row, whatever is traded."""
        n, m, phi = self.intervals, self.orders, self.alone.phi
        sd = self.alone.signal_sd / self.config.one.sigma_bps * self.sigma
        root = np.linalg.cholesky(self.correlation) * sd[:, None]
        noise = chance(seed, _SIGNAL).standard_normal((paths, n, m)) @ root.T  # (P, n, m)
        signal = noise.copy()
        for k in range(1, n):
            signal[:, k] = phi * signal[:, k - 1] + np.sqrt(1 - phi**2) * noise[:, k]
        draws = chance(seed, _LIQUIDITY).random((paths, n))
        switched = draws > self.config.one.stay
        switched[:, 0] = draws[:, 0] > 0.5
        factor = self.factors[np.cumsum(switched, axis=1) % 2]  # (P, n)
        left = np.broadcast_to(self.signs * self.totals, (paths, m))
        return BasketState(0, left, np.zeros((paths, m)), signal, factor, np.zeros(paths), np.zeros(paths))

    def trade(self, state: BasketState, shares: F64) -> BasketState:
        """Trade (P, m), sales below 0, in interval k; in the last one, whatever is left."""
        k = state.k
        v = state.left if k == self.intervals - 1 else shares
        factor, gamma = state.factor[:, k : k + 1], self.mixed(self.impact.gamma)
        walked = state.displaced + factor * (v @ self.mixed(self.impact.eta) + v * self.impact.kappa / 2) + v @ gamma / 2
        left = state.left - v
        cost = (left * (state.signal[:, k] + v @ gamma)).sum(axis=1) + (v * walked).sum(axis=1)
        variance = np.einsum("pi,ij,pj->p", left, self.covariance, left)
        displaced = self.alone.decay * (state.displaced + factor * self.impact.kappa * v)
        return BasketState(k + 1, left, displaced, state.signal, state.factor, state.cost + cost, state.variance + variance)

    def judged_bps(self, state: BasketState) -> F64:
        """(P,) expected cost plus the aversion times the variance, over the gross value."""
        return np.asarray((state.cost + self.aversion * state.variance) / self.gross)
