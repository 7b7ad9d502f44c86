"""The market maker's problem whose answer is known: Cartea and Jaimungal (2015), section 10, in closed form.

Market orders arrive as two Poisson processes of rate lambda, each reaches a quote at distance delta from the middle with chance
exp(-kappa delta), the middle is a martingale, and one share trades a time. The maker wants the mean of
cash + q S - alpha q_T^2 - phi times the integral of q^2, with |q| <= Q. With w = exp(kappa h) the equation is linear:

    A[q, q] = -phi kappa q^2, A[q, q +- 1] = lambda / e, w(t) = expm(A (T - t)) exp(-alpha kappa q^2), h = ln(w) / kappa
    delta_bid = 1 / kappa - h(q + 1) + h(q), delta_ask = 1 / kappa - h(q - 1) + h(q), V = cash + q S + h

Units: prices as in Avellaneda and Stoikov (2008), whose numbers are the defaults; times are shares of the horizon.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
_TERMS: Final = 24  # of the exponential's series, for a norm of at most a half


@dataclass(frozen=True)
class ExactConfig:
    """The model's numbers. With them V* = 64.72 and constant quotes at 1 / kappa are worth 42.14."""

    arrivals: float = 140.0  # market orders of each side in a horizon
    kappa: float = 1.5  # of a price
    sigma: float = 2.0  # of a horizon, prices
    limit: int = 30  # Q, shares
    running: float = 0.5  # phi
    terminal: float = 0.01  # alpha

    @property
    def inventories(self) -> F64:
        """(2Q + 1,) from -Q to Q."""
        return np.arange(-self.limit, self.limit + 1, dtype=np.float64)


def matrix_exponential(matrix: F64) -> F64:
    """expm(M) (n, n), by scaling and squaring of the series."""
    halvings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-300)))) + 1)
    scaled = matrix / 2.0**halvings
    total = term = np.eye(len(matrix))
    for n in range(1, _TERMS):
        term = term @ scaled / n
        total = total + term
    for _ in range(halvings):
        total = total @ total
    return total


def heights(config: ExactConfig, left: float = 1.0) -> F64:
    """h (2Q + 1,): what a position is worth beyond cash and the middle when `left` of the horizon is left."""
    q, n = config.inventories, 2 * config.limit + 1
    matrix = np.diag(-config.running * config.kappa * q**2)
    matrix += config.arrivals / np.e * (np.eye(n, k=1) + np.eye(n, k=-1))
    w = matrix_exponential(left * matrix) @ np.exp(-config.terminal * config.kappa * q**2)
    return np.log(w) / config.kappa


def best_value(config: ExactConfig) -> float:
    """V*: of a maker who begins with nothing."""
    return float(heights(config)[config.limit])


def best_rate(config: ExactConfig) -> float:
    """The long run's optimal gain a horizon: the greatest eigenvalue of A over kappa."""
    q, n = config.inventories, 2 * config.limit + 1
    matrix = np.diag(-config.running * config.kappa * q**2)
    matrix += config.arrivals / np.e * (np.eye(n, k=1) + np.eye(n, k=-1))
    return float(np.linalg.eigvalsh(matrix)[-1] / config.kappa)


def best_quotes(config: ExactConfig, left: float) -> F64:
    """(2Q + 1, 2): distances of bid and ask; infinite where the limit forbids the side."""
    h = heights(config, left)
    quotes = np.full((len(h), 2), np.inf)
    quotes[:-1, 0] = 1.0 / config.kappa - h[1:] + h[:-1]
    quotes[1:, 1] = 1.0 / config.kappa - h[:-1] + h[1:]
    return quotes


def fixed_value(config: ExactConfig, distance: float | None = None) -> float:
    """What quotes at one distance (1 / kappa where none is said) are worth, exactly: the value of a Markov chain with rewards."""
    q, n = config.inventories, 2 * config.limit + 1
    delta = 1.0 / config.kappa if distance is None else distance
    fills = config.arrivals * np.exp(-config.kappa * delta)
    up, down = fills * (q < config.limit), fills * (q > -config.limit)
    chain = np.diag(up[:-1], 1) + np.diag(down[1:], -1) - np.diag(up + down)
    reward = delta * (up + down) - config.running * q**2
    both = np.zeros((n + 1, n + 1))  # the last column integrates the reward
    both[:n, :n], both[:n, n] = chain, reward
    value = matrix_exponential(both) @ np.append(-config.terminal * q**2, 1.0)
    return float(value[config.limit])
