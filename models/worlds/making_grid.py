"""The market maker's optimum with a signal and regimes, on a grid (regime, signal, inventory), backward in time. Compiled.

To the exact world (`models.worlds.making_exact`) come a drift of the middle that everybody could know, regimes of arrivals and of
how far orders reach, and adverse selection: every market order moves the middle by `jump` its way.

- The **signal** a has n + 1 values: n coins, each turned at the rate theta / 2 (Ehrenfest's urn), sum scaled to the deviation
  asked for. E[a_t] = a_0 exp(-theta t) exactly, and the world that is simulated is this chain, so that the optimum is that
  world's own.
- **Regimes** are visited at one rate, every other one with the same chance.
- h_t + a q - phi q^2 + (chains) + sum over sides of lambda_r / (e kappa_r) exp(kappa_r (h(q -+ 1) - h(q) - jump)) = 0, and the
  best distances are 1 / kappa_r + jump + h(q) - h(q -+ 1): adverse selection widens them by what the middle jumps.

Classical Runge-Kutta steps. With one value of the signal and one regime it is the closed form, which a test holds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from models.compiled import hot
from models.worlds.making_exact import F64, ExactConfig

LOOKS: Final = 40  # times at which quotes are kept; between two of them they hardly change
_STEPS: Final = 4_000


class MakingRegime(NamedTuple):
    """How a regime differs from the usual."""

    arrivals: float = 1.0  # times
    kappa: float = 1.0  # times
    depth: float = 0.0  # natural logarithm of what stands in the book over the usual


@dataclass(frozen=True)
class GridConfig:
    """The exact world's numbers and what comes to them."""

    base: ExactConfig = field(default_factory=ExactConfig)
    coins: int = 20  # n of the signal; 0: there is none
    signal_sd: float = 3.0  # prices a horizon
    signal_rate: float = 10.0  # theta, a horizon
    regimes: tuple[MakingRegime, ...] = (MakingRegime(0.7, 0.7, -0.7), MakingRegime(), MakingRegime(1.3, 1.4, 0.7))
    regime_rate: float = 6.0  # a horizon
    jump: float = 0.05  # of the middle, prices

    @property
    def signals(self) -> F64:
        """(n + 1,) values of the signal."""
        return np.asarray(self.signal_sd * (2.0 * np.arange(self.coins + 1) - self.coins) / math.sqrt(max(self.coins, 1)))


EXACT: Final = GridConfig(coins=0, regimes=(MakingRegime(),), jump=0.0)


class Optimum(NamedTuple):
    """value: of a maker who begins with nothing in a regime and signal of their long run. quotes (LOOKS + 1, R, A, 2Q + 1, 2):
    distances of bid and ask when 1, 1 - 1 / LOOKS .. 0 of the horizon is left."""

    value: float
    quotes: F64


@hot
def _slope(h: F64, out: F64, par: F64, signals: F64, regimes: F64) -> None:
    """out (R, A, 2Q + 1) = what h loses in time. par: running, coin rate, regime rate, jump."""
    n_regimes, n_signals, n = h.shape
    coins, limit = n_signals - 1, n // 2
    for r in range(n_regimes):
        arrivals, kappa = regimes[r, 0], regimes[r, 1]
        scale = arrivals / (math.e * kappa)
        for a in range(n_signals):
            for i in range(n):
                q = i - limit
                total = signals[a] * q - par[0] * q * q
                if a < coins:
                    total += 0.5 * par[1] * (coins - a) * (h[r, a + 1, i] - h[r, a, i])
                if a > 0:
                    total += 0.5 * par[1] * a * (h[r, a - 1, i] - h[r, a, i])
                for other in range(n_regimes):
                    if other != r:
                        total += par[2] / (n_regimes - 1) * (h[other, a, i] - h[r, a, i])
                if i + 1 < n:
                    total += scale * math.exp(kappa * (h[r, a, i + 1] - h[r, a, i] - par[3]))
                if i > 0:
                    total += scale * math.exp(kappa * (h[r, a, i - 1] - h[r, a, i] - par[3]))
                out[r, a, i] = total


@hot
def _step(h: F64, work: F64, dt: float, par: F64, signals: F64, regimes: F64) -> None:
    """h (R, A, 2Q + 1) one step back in time. work (5, R, A, 2Q + 1)."""
    for stage in range(4):
        share = 0.0 if stage == 0 else (1.0 if stage == 3 else 0.5)
        for r in range(h.shape[0]):
            for a in range(h.shape[1]):
                for i in range(h.shape[2]):
                    before = work[stage - 1, r, a, i] if stage > 0 else 0.0
                    work[4, r, a, i] = h[r, a, i] + share * dt * before
        _slope(work[4], work[stage], par, signals, regimes)
    for r in range(h.shape[0]):
        for a in range(h.shape[1]):
            for i in range(h.shape[2]):
                k = work[0, r, a, i] + 2.0 * work[1, r, a, i] + 2.0 * work[2, r, a, i] + work[3, r, a, i]
                h[r, a, i] += dt * k / 6.0


@hot
def _back(h: F64, work: F64, steps: int, dt: float, par: F64, signals: F64, regimes: F64) -> None:
    for _ in range(steps):
        _step(h, work, dt, par, signals, regimes)


def long_run(config: GridConfig) -> F64:
    """(R, A) chances of regime and signal in the long run: even, and binomial."""
    coins = np.array([math.comb(config.coins, k) for k in range(config.coins + 1)]) / 2.0**config.coins
    return np.tile(coins / len(config.regimes), (len(config.regimes), 1))


def regime_table(config: GridConfig) -> F64:
    """(R, 2) arrivals of each side a horizon, kappa."""
    return np.array([[one.arrivals * config.base.arrivals, one.kappa * config.base.kappa] for one in config.regimes])


def solve(config: GridConfig) -> Optimum:
    """The optimum of a world."""
    base, signals, regimes = config.base, config.signals, regime_table(config)
    q = base.inventories
    h = np.tile(-base.terminal * q**2, (len(regimes), len(signals), 1))
    work = np.zeros((5, *h.shape))
    par = np.array([base.running, config.signal_rate, config.regime_rate, config.jump])
    quotes = np.full((LOOKS + 1, *h.shape, 2), np.inf)
    for look in range(LOOKS, -1, -1):
        offset = (1.0 / regimes[:, 1] + config.jump)[:, None, None]
        quotes[look, :, :, :-1, 0] = offset + h[:, :, :-1] - h[:, :, 1:]
        quotes[look, :, :, 1:, 1] = offset + h[:, :, 1:] - h[:, :, :-1]
        if look > 0:
            _back(h, work, _STEPS // LOOKS, 1.0 / _STEPS, par, signals, regimes)
    return Optimum(float((long_run(config) * h[:, :, base.limit]).sum()), quotes)
