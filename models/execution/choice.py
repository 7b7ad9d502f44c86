"""The numbers of strategies that have one, chosen on training seeds and training regimes alone, by their mean cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from models.execution.policies import Tilt, almgren_chriss
from models.worlds.world import TRAINING_REGIMES, TRAINING_SEEDS, Policy, World, run

# Urgency 0 is TWAP itself, which has a row of its own.
URGENCIES: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
STRENGTHS: Final = (-0.2, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
ORDERS: Final = 400  # of each regime


class Choice(NamedTuple):
    """What was chosen, and the mean cost of each candidate in basis points."""

    urgency: float
    strength: float
    urgency_bps: dict[float, float]
    strength_bps: dict[float, float]


def choose(world: World[Any], orders: int = ORDERS) -> Choice:
    """Almgren-Chriss's urgency and the tilt's strength for a world."""
    by_urgency = _costs(world, URGENCIES, lambda number: almgren_chriss(world.intervals, number), orders)
    by_strength = _costs(world, STRENGTHS, lambda number: Tilt("tilt", strength=number), orders)
    return Choice(
        min(by_urgency, key=by_urgency.__getitem__), min(by_strength, key=by_strength.__getitem__), by_urgency, by_strength
    )


def _costs(world: World[Any], numbers: tuple[float, ...], made: Callable[[float], Policy], orders: int) -> dict[float, float]:
    regimes = [name for name in TRAINING_REGIMES if name in world.regimes]
    seeds = [TRAINING_SEEDS[-1 - place] for place in range(len(regimes))]
    return {
        number: float(np.mean([
            run(world, made(number), seed, orders, regime).cost.expected_bps.mean()
            for seed, regime in zip(seeds, regimes, strict=True)
        ]))
        for number in numbers
    }  # fmt: skip
