"""The exact optimum of buying an order under linear impact with a signal and liquidity regimes, and what any linear rule costs.

State s = (q, D, a): shares left, displacement of the price by what was bought before, expected move of the price over the coming
interval. With u shares bought in interval k, q' = q - u and regime r (a Markov chain, seen before u is chosen):

    cost of the interval = q' (a + gamma u) + u (D + (eta_r + kappa_r / 2 + gamma / 2) u) + risk_r q'^2
    D' = decay_r (D + kappa_r u),   a' = phi a + innovation

That is sum u (price paid - price at arrival) summed by parts, so the price's own noise is integrated out. Costs-to-go are
s'M s + c, backward from M = 0, c = 0 (discrete-time linear-quadratic control; Almgren and Chriss 2000, Obizhaeva and Wang 2013
and Garleanu and Pedersen 2013 are special cases). The last interval buys all that is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvariantBroken

F64 = NDArray[np.float64]


class Chain(NamedTuple):
    """The problem's parameters over n intervals and R regimes. Prices in price units, shares in shares."""

    eta: F64  # (n, R) temporary impact, price per share
    kappa: F64  # (n, R) transient impact, price per share
    decay: F64  # (n, R) share of the displacement that is left an interval later
    risk: F64  # (n, R) risk aversion times the variance of an interval's move
    gamma: float  # permanent impact, price per share
    transition: F64  # (R, R) rows sum to 1
    start: F64  # (R,) chances of the first regime
    phi: float  # of the signal
    innovation: (
        F64  # (n,) variance of what the signal's estimate gains from interval k - 1 to k; [0] is that of the first estimate
    )
    first: float  # mean of the first signal, price units


class Solution(NamedTuple):
    """s'M s + c is the cost-to-go before interval k in regime r; the rule buys gains . s."""

    matrix: F64  # (n, R, 3, 3)
    constant: F64  # (n, R)
    gains: F64  # (n, R, 3)


def solve(chain: Chain, gains: F64 | None = None) -> Solution:
    """The optimum, or the cost of a rule.

    Args:
        gains: (n, R, 3) or (n, 1, 3) of a linear rule; None for the optimum. The last interval always buys what is left.

    Raises:
        InvariantBroken: buying more and more would earn money, so there is no optimum.
    """
    n, regimes = chain.eta.shape
    out = Solution(np.zeros((n, regimes, 3, 3)), np.zeros((n, regimes)), np.zeros((n, regimes, 3)))
    after, constant = np.zeros((regimes, 3, 3)), np.zeros(regimes)
    for k in reversed(range(n)):
        mean, known = np.tensordot(chain.transition, after, axes=1), chain.transition @ constant  # (R, 3, 3), (R,)
        for r in range(regimes):
            quadratic, linear, square = _stage(chain, k, r, mean[r])
            if k == n - 1:
                gain = np.array([1.0, 0.0, 0.0])
            elif gains is not None:
                gain = np.broadcast_to(gains, (n, regimes, 3))[k, r]
            elif square <= 0:
                raise InvariantBroken(f"interval {k}, regime {r}: impact that is not convex has no optimum")
            else:
                gain = -linear / square
            cross = np.outer(gain, linear)
            out.gains[k, r] = gain
            out.matrix[k, r] = quadratic + cross + cross.T + square * np.outer(gain, gain)
            gained = mean[r, 2, 2] * chain.innovation[k + 1] if k + 1 < n else 0.0
            out.constant[k, r] = known[r] + gained
        after, constant = out.matrix[k], out.constant[k]
    return out


def expected_cost(chain: Chain, solution: Solution, shares: float, displacement: float = 0.0) -> float:
    """Expected cost of the whole order in price units times shares, before anything is known."""
    s = np.array([shares, displacement, chain.first])
    at_start = s @ solution.matrix[0] @ s + solution.constant[0] + solution.matrix[0, :, 2, 2] * chain.innovation[0]  # (R,)
    return float(chain.start @ at_start)


def schedule_gains(schedule: F64) -> F64:
    """(n, 1, 3) of a rule that spreads whatever is left as a schedule (n,) of shares would."""
    left = schedule[::-1].cumsum()[::-1]
    gains = np.zeros((len(schedule), 1, 3))
    gains[:, 0, 0] = schedule / left
    return gains


def _stage(chain: Chain, k: int, r: int, mean: F64) -> tuple[F64, F64, float]:
    """H, g and h of the cost-to-go s'H s + 2 u g's + h u^2 of buying u now."""
    eta, kappa, decay, risk = chain.eta[k, r], chain.kappa[k, r], chain.decay[k, r], chain.risk[k, r]
    moves, bought = np.diag([1.0, decay, chain.phi]), np.array([-1.0, decay * kappa, 0.0])
    quadratic = np.array([[risk, 0.0, 0.5], [0.0, 0.0, 0.0], [0.5, 0.0, 0.0]]) + moves.T @ mean @ moves
    linear = np.array([chain.gamma / 2 - risk, 0.5, -0.5]) + moves.T @ mean @ bought
    square = eta + kappa / 2 - chain.gamma / 2 + risk + bought @ mean @ bought
    return quadratic, linear, float(square)
