"""`ems smoke`: which rooms it wakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.execution.smoke import backtest as worked

Told = Callable[[str, int, int, float], None]


def backtest(days: int, seed: int, orders: int, told: Told) -> dict[str, Any]:
    """See `models.execution.smoke.backtest`. Raises WeightsError: the shipped nets are missing or damaged."""
    told("compiling and reading the nets", 0, days, 0.0)
    return worked(days, seed, orders, lambda what, done, of: told(what, done, of, 0.0))
