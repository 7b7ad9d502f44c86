"""The exact optimum of working a basket under linear impact, with covariance, correlated signals and liquidity regimes, and what
any linear rule costs: `models.worlds.riccati` with vectors for numbers.

State s = (q, D, a), m numbers each: signed shares left (sales below 0), displacement of the prices by what was traded before,
expected moves over the coming interval. With v traded in interval k, q' = q - v and regime r (a Markov chain, seen before v is
chosen):

    cost of the interval = q'.(a + Gamma v) + v.(D + (E_r + K_r / 2 + Gamma / 2) v) + q'.Lambda q'
    D' = decay (D + K_r v),   a' = phi a + innovation

E and Gamma are symmetric matrices, K is diagonal, Lambda is the aversion times the covariance of an interval's moves. Costs-to-go
are s'M s + c, backward from M = 0, c = 0: discrete-time linear-quadratic control. Almgren and Chriss 2000 (their appendix on
portfolios) and Garleanu and Pedersen 2013 are special cases. The last interval trades all that is left.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import InvariantBroken

F64 = NDArray[np.float64]


class BasketChain(NamedTuple):
    """The problem's parameters over n intervals and R regimes, m instruments. Prices in price units, shares in shares."""

    eta: F64  # (n, R, m, m) temporary impact, price per share
    kappa: F64  # (n, R, m) transient impact
    decay: F64  # (m,) share of the displacement that is left an interval later
    gamma: F64  # (m, m) permanent impact
    risk: F64  # (m, m) aversion times the covariance of an interval's moves
    transition: F64  # (R, R) rows sum to 1
    start: F64  # (R,) chances of the first regime
    phi: float  # of the signals
    innovation: F64  # (n, m, m) covariance of what signals gain from interval k - 1 to k; [0] is that of the first


class BasketRule(NamedTuple):
    """s'M s + c is the cost-to-go before interval k in regime r; the rule trades gains s."""

    matrix: F64  # (n, R, 3 m, 3 m)
    constant: F64  # (n, R)
    gains: F64  # (n, R, m, 3 m)


def solve(chain: BasketChain, gains: F64 | None = None) -> BasketRule:
    """The optimum, or the cost of a rule.

    Args:
        gains: (n, R, m, 3 m) or (n, 1, m, 3 m) of a linear rule; None for the optimum. The last interval trades what is left.

    Raises:
        InvariantBroken: trading more and more would earn money, so there is no optimum.
    """
    n, regimes, m = chain.kappa.shape
    size = 3 * m
    out = BasketRule(np.zeros((n, regimes, size, size)), np.zeros((n, regimes)), np.zeros((n, regimes, m, size)))
    given = None if gains is None else np.broadcast_to(gains, (n, regimes, m, size))
    after, constant = np.zeros((regimes, size, size)), np.zeros(regimes)
    for k in reversed(range(n)):
        mean, known = np.tensordot(chain.transition, after, axes=1), chain.transition @ constant  # (R, 3m, 3m), (R,)
        for r in range(regimes):
            quadratic, linear, square = _stage(chain, k, r, mean[r])
            if k == n - 1:
                gain = np.eye(m, size)
            elif given is not None:
                gain = given[k, r]
            else:
                gain = -_divided(square, linear.T, f"interval {k}, regime {r}")
            cross = linear @ gain  # (3m, 3m)
            out.gains[k, r] = gain
            out.matrix[k, r] = quadratic + cross + cross.T + gain.T @ square @ gain
            gained = np.sum(mean[r, 2 * m :, 2 * m :] * chain.innovation[k + 1]) if k + 1 < n else 0.0
            out.constant[k, r] = known[r] + gained
        after, constant = out.matrix[k], out.constant[k]
    return out


def expected_cost(chain: BasketChain, rule: BasketRule, shares: F64) -> float:
    """Expected cost of the whole basket, signed shares (m,), in price units times shares, before anything is known."""
    m = len(shares)
    s = np.concatenate([shares, np.zeros(2 * m)])
    signal = np.einsum("rij,ij->r", rule.matrix[0, :, 2 * m :, 2 * m :], chain.innovation[0])
    return float(chain.start @ (np.einsum("i,rij,j->r", s, rule.matrix[0], s) + rule.constant[0] + signal))


def schedule_gains(schedule: F64, m: int) -> F64:
    """(n, 1, m, 3 m) of a rule that spreads whatever is left of each as a schedule (n,) of shares would."""
    left = schedule[::-1].cumsum()[::-1]
    return (schedule / left)[:, None, None, None] * np.eye(m, 3 * m)


def apart(chain: BasketChain) -> F64:
    """(n, R, m, 3 m) of a rule by which each order is worked at its own optimum, as if the others were not there."""
    n, regimes, m = chain.kappa.shape
    gains = np.zeros((n, regimes, m, 3 * m))
    for i in range(m):
        own = slice(i, i + 1)
        one = chain._replace(
            eta=chain.eta[:, :, own, own], kappa=chain.kappa[:, :, own], decay=chain.decay[own], gamma=chain.gamma[own, own],
            risk=chain.risk[own, own], innovation=chain.innovation[:, own, own],
        )  # fmt: skip
        gains[:, :, i, i::m] = solve(one).gains[:, :, 0]
    return gains


def _stage(chain: BasketChain, k: int, r: int, mean: F64) -> tuple[F64, F64, F64]:
    """H (3m, 3m), g (3m, m) and h (m, m) of the cost-to-go s'H s + 2 s'g v + v'h v of trading v now."""
    m, zero, one = len(chain.decay), np.zeros((len(chain.decay),) * 2), np.eye(len(chain.decay))
    kappa, decay = np.diag(chain.kappa[k, r]), np.diag(chain.decay)
    moves = np.zeros((3 * m, 3 * m))
    moves[:m, :m], moves[m : 2 * m, m : 2 * m], moves[2 * m :, 2 * m :] = one, decay, chain.phi * one
    traded = np.concatenate([-one, decay @ kappa, zero])  # (3m, m)
    now = np.block([[chain.risk, zero, one / 2], [zero, zero, zero], [one / 2, zero, zero]])
    linear = np.concatenate([chain.gamma / 2 - chain.risk, one / 2, -one / 2])
    square = chain.eta[k, r] + kappa / 2 - chain.gamma / 2 + chain.risk
    return now + moves.T @ mean @ moves, linear + moves.T @ mean @ traded, square + traded.T @ mean @ traded


def _divided(square: F64, right: F64, where: str) -> F64:
    """square^-1 right, for a square that is positive definite."""
    try:
        root = np.linalg.cholesky((square + square.T) / 2)
    except np.linalg.LinAlgError as error:
        raise InvariantBroken(f"{where}: impact that is not convex has no optimum") from error
    return np.asarray(np.linalg.solve(root.T, np.linalg.solve(root, right)))
