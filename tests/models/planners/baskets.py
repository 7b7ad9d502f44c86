"""Baskets for the tests."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.planners.basket_terms import Basket
from models.planners.outlook import Outlook

F64 = NDArray[np.float64]


def correlation(chance: np.random.Generator, m: int) -> F64:
    """Any (m, m)."""
    made = chance.normal(size=(m, m + 2))
    made = made @ made.T
    deviation = np.sqrt(np.diag(made))
    made = made / np.outer(deviation, deviation)
    np.fill_diagonal(made, 1.0)
    return (made + made.T) / 2


def basket(chance: np.random.Generator, m: int = 4, n: int = 6, **changes: Any) -> Basket:
    """m orders to buy and to sell, of 100 to 1,000 shares at 10 to 100."""
    totals, prices = chance.integers(100, 1_000, m).astype(np.float64), chance.integers(10, 100, m).astype(np.float64)
    volatility = (prices * chance.uniform(5e-4, 2e-3, m))[:, None] * np.ones((1, n))  # (m, n)
    usual = (prices * 1e-3 / totals)[:, None] * np.ones((1, n))
    look = Outlook(
        alpha=0.1 * volatility * chance.normal(size=(m, n)),
        eta=usual * chance.uniform(0.5, 2.0, (m, n)),
        kappa=usual,
        decay=np.full((m, n), 0.8),
        gamma=usual[:, 0] / 10,
        risk=np.zeros((m, n)),
        displacement=np.zeros(m),
    )
    made = Basket(
        names=tuple(f"S{i}" for i in range(m)), signs=chance.choice([1.0, -1.0], m), totals=totals, prices=prices, outlook=look,
        volatility=volatility, correlation=correlation(chance, m), caps=np.full((m, n), np.inf),
    )  # fmt: skip
    return made._replace(**changes)
