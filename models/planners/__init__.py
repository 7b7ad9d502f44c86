"""Planners: pure functions from what is left of an order to a schedule. `planner_for` finds one by its algorithm."""

from __future__ import annotations

from typing import Final

from domain.ports import Planner
from domain.values import Algo
from models.planners.adaptive import Adaptive
from models.planners.almgren_chriss import AlmgrenChriss
from models.planners.auctions import LeavesTheClose
from models.planners.pov import Pov
from models.planners.twap import Twap
from models.planners.vwap import Vwap
from models.sight import Sights, shipped

_PLANNERS: Final[dict[Algo, Planner]] = {
    Algo.TWAP: LeavesTheClose(Twap()),
    Algo.VWAP: LeavesTheClose(Vwap()),
    Algo.POV: LeavesTheClose(Pov()),
    Algo.AC: LeavesTheClose(AlmgrenChriss()),
}


def planner_for(algo: Algo, sights: Sights = shipped) -> Planner:
    """The planner of an algorithm, with its default settings. sights: the versions that it may foresee with."""
    return Adaptive(sights) if algo is Algo.ADAPTIVE else _PLANNERS[algo]
