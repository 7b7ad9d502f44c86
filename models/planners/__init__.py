"""Planners: pure functions from what is left of an order to a schedule. `planner_for` finds one by its algorithm."""

from __future__ import annotations

from domain.ports import Planner
from domain.values import Algo
from models.planners.adaptive import Adaptive
from models.planners.almgren_chriss import AlmgrenChriss
from models.planners.pov import Pov
from models.planners.twap import Twap
from models.planners.vwap import Vwap

_PLANNERS: dict[Algo, Planner] = {
    Algo.TWAP: Twap(), Algo.VWAP: Vwap(), Algo.POV: Pov(), Algo.AC: AlmgrenChriss(), Algo.ADAPTIVE: Adaptive()
}  # fmt: skip


def planner_for(algo: Algo) -> Planner:
    """The planner of an algorithm, with its default settings."""
    return _PLANNERS[algo]
