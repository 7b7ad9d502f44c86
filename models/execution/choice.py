"""The numbers of strategies that have one, chosen on training seeds and training regimes alone, by their mean cost."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from domain.ports_spread import Mapper
from models.execution.policies import Tilt, almgren_chriss
from models.spread import IN_PROCESS, spread
from models.worlds.world import TRAINING_REGIMES, TRAINING_SEEDS, Policy, World, run

# Urgency 0 is TWAP itself, which has a row of its own.
URGENCIES: Final = (0.25, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
STRENGTHS: Final = (-0.2, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
ORDERS: Final = 400  # of each regime
Told = Callable[[str, int, int], None]


class Choice(NamedTuple):
    """What was chosen, and the mean cost of each candidate in basis points."""

    urgency: float
    strength: float
    urgency_bps: dict[float, float]
    strength_bps: dict[float, float]


class _Piece(NamedTuple):
    """A candidate in a regime."""

    made: str
    number: float
    seed: int
    regime: str


def choose(world: World[Any], orders: int = ORDERS, told: Told = lambda *_: None, mapper: Mapper = IN_PROCESS) -> Choice:
    """Almgren-Chriss's urgency and the tilt's strength for a world. mapper: who works the orders."""
    regimes = [name for name in TRAINING_REGIMES if name in world.regimes]
    seeds = [TRAINING_SEEDS[-1 - place] for place in range(len(regimes))]
    candidates = [("urgency", each) for each in URGENCIES] + [("strength", each) for each in STRENGTHS]
    pieces = [_Piece(*each, *where) for each in candidates for where in zip(seeds, regimes, strict=True)]
    found = spread(mapper, partial(_mean_bps, world, orders), pieces, partial(told, "choosing on training seeds"))
    means = {
        each: float(np.mean([bps for piece, bps in zip(pieces, found, strict=True) if piece[:2] == each])) for each in candidates
    }
    by_urgency, by_strength = ({n: means[what, n] for w, n in candidates if w == what} for what in ("urgency", "strength"))
    return Choice(
        min(by_urgency, key=by_urgency.__getitem__), min(by_strength, key=by_strength.__getitem__), by_urgency, by_strength
    )


def _mean_bps(world: World[Any], orders: int, piece: _Piece) -> float:
    made, number = piece.made, piece.number
    policy: Policy = almgren_chriss(world.intervals, number) if made == "urgency" else Tilt("tilt", strength=number)
    return float(run(world, policy, piece.seed, orders, piece.regime).cost.expected_bps.mean())
