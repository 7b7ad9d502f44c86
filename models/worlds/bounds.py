"""What the best that can be done costs in the linear-quadratic world, exactly, and what any linear rule costs.

- `full`: signal and liquidity are seen as they are. No rule costs less on average.
- `shown`: the signal is known only as the shown imbalance and past moves tell it, liquidity as it is. The signal enters the cost
  linearly, so its Kalman mean takes its place exactly (certainty equivalence); what the mean gains from interval to interval has
  less variance than the signal itself. No reader of the books does better: that liquidity too is noisy can only cost more.
- `blind`: liquidity as it is, and nothing is known of the signal but its mean.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from models.worlds.lq import LqWorld, Scenario
from models.worlds.riccati import Chain, Solution, expected_cost, schedule_gains, solve
from models.worlds.world import F64, Regime, regime_named

Known = Literal["full", "shown", "blind"]


def chain(world: LqWorld, regime: str = "mixed", scenario: Scenario | None = None, known: Known = "full") -> Chain:
    """The exact problem of one scenario's order in one regime.

    Raises:
        ConfigError: in this regime the world is not linear-quadratic.
    """
    like, own = regime_named(regime, exact_regimes(world)), scenario or world.config.scenarios[0]
    c, n = world.config, world.intervals
    volatility, impact = np.array([own.volatility * like.volatility]), np.array([own.impact * like.impact])
    usual = world.usual(np.array([own.participation]), volatility, impact)
    factors = np.array(c.factors) if like.switching else np.ones(1)
    transition = np.array([[c.stay, 1 - c.stay], [1 - c.stay, c.stay]]) if like.switching else np.ones((1, 1))
    first = world.first_signal(volatility, np.array([own.drift + like.drift]))
    return Chain(
        eta=np.outer(usual.eta / world.curve, factors),
        kappa=np.outer(np.full(n, usual.kappa), factors),
        decay=np.full((n, len(factors)), world.decay),
        risk=np.zeros((n, len(factors))),
        gamma=float(usual.gamma[0]),
        transition=transition,
        start=np.full(len(factors), 1 / len(factors)),
        phi=world.phi,
        innovation=_innovations(world, like, known) * (world.signal_sd * float(volatility[0])) ** 2,
        first=float(first[0]),
    )


def exact_regimes(world: LqWorld) -> tuple[str, ...]:
    """Those whose optimum is known."""
    return tuple(name for name in world.regimes if not (regime_named(name).power_law or regime_named(name).backward))


def best_bps(world: LqWorld, regime: str = "mixed", known: Known = "full") -> float:
    """Mean over the scenarios of the least expected cost."""
    return float(np.mean([cost_bps(world, one, regime, known) for one in world.config.scenarios]))


def schedule_bps(world: LqWorld, schedule: F64, regime: str = "mixed") -> float:
    """Mean over the scenarios of the expected cost of a fixed schedule (n,), whatever its sum."""
    gains = schedule_gains(schedule)
    return float(np.mean([cost_bps(world, one, regime, gains=gains) for one in world.config.scenarios]))


def optimum(world: LqWorld, regime: str = "mixed", scenario: Scenario | None = None) -> Solution:
    """The rule itself."""
    return solve(chain(world, regime, scenario))


def cost_bps(world: LqWorld, own: Scenario, regime: str = "mixed", known: Known = "full", gains: F64 | None = None) -> float:
    """The expected cost of one scenario's order, by a linear rule or (None) at best."""
    problem, shares = chain(world, regime, own, known), own.participation * world.intervals * world.config.volume_shares
    return expected_cost(problem, solve(problem, gains), shares) / shares


def _innovations(world: LqWorld, regime: Regime, known: Known) -> F64:
    """(n,) variances of what the signal's estimate gains, over the usual signal's variance."""
    c, phi, variance = world.config, world.phi, regime.signal**2
    own = np.full(world.intervals, variance * (1 - phi**2))
    own[0] = variance
    if known == "full":
        return own
    gained, doubt, last = np.zeros(world.intervals), 0.0, 0.0
    if known == "blind" or variance == 0.0:
        return gained
    noise_of_moves = (1 - c.signal_r2) / c.signal_r2
    for k in range(world.intervals):
        after = 1 / (1 / (phi**2 * doubt + own[k]) + 1 / c.signal_noise)
        gained[k] = phi**2 * last + own[k] - after
        last, doubt = after, 1 / (1 / after + 1 / noise_of_moves)  # the move that follows tells a little more
    return gained
