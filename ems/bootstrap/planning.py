"""What the planner pool's workers run. Imports as little as a planner needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Final

from domain.basket import BasketRequest, BasketSchedule
from domain.messages import PlanReady
from domain.schedule import PlanRequest, Schedule
from domain.values import Algo
from ems.bootstrap.logs import log_json
from ems.bootstrap.model_signing import verified
from ems.bootstrap.models import kept_in
from ems.bootstrap.runtime import Runtime
from ems.planner_pool import ProcessPlannerPool
from models.planners import planner_for
from models.sight import Sights, shipped, sights

LOWEST: Final = 19
LOADING: Final = "the world model is being loaded"


class _Warming:
    """Libraries, weights and compiled code take seconds in a new process: loaded beside, once, from the first need on."""

    def __init__(self) -> None:
        self.over = threading.Event()
        threading.Thread(target=self._run, name="warming", daemon=True).start()

    def _run(self) -> None:
        from models.planners.warm import warm

        try:
            warm()
        finally:
            self.over.set()  # what is missing then is every plan's own reason to fall back


@cache
def _warming() -> _Warming:
    return _Warming()


@cache
def _versions(kept: Path) -> Sights:
    return sights(kept, verified)


def planner_pool(runtime: Runtime, deliver: Callable[[PlanReady], None], count_error: Callable[[], None]) -> ProcessPlannerPool:
    """Workers that load the world model first, where there is something to foresee by."""
    begins = partial(_begin, foresees=runtime.settings.observer is not None)
    return ProcessPlannerPool(partial(plan, kept_in(runtime)), deliver, count_error=count_error, begins=begins)


def shadow_pool(runtime: Runtime, deliver: Callable[[PlanReady], None]) -> ProcessPlannerPool:
    """One worker for a version that decides nothing, behind everything else on the machine."""
    begins = partial(_begin, foresees=True)
    return ProcessPlannerPool(partial(plan, kept_in(runtime)), deliver, begins=begins, niceness=LOWEST)


def _begin(*, foresees: bool) -> None:
    log_json("planner")
    if foresees:
        _warming()


def plan(kept: Path, request: PlanRequest | BasketRequest) -> Schedule | BasketSchedule:
    """The schedule of the request's algorithm, or of each order of a basket. kept: where later versions than the code's are."""
    adaptive = isinstance(request, BasketRequest) or request.algo is Algo.ADAPTIVE
    return made(request, loading=adaptive and not _warming().over.is_set(), versions=_versions(kept))


def made(request: PlanRequest | BasketRequest, *, loading: bool = False, versions: Sights = shipped) -> Schedule | BasketSchedule:
    """The same where everything is loaded, or (loading) where it is not."""
    if isinstance(request, BasketRequest):
        from models.planners.basket_planner import BasketPlanner

        together = BasketPlanner(versions)
        return together.instead(request, LOADING) if loading else together.plan(request)
    if loading:
        from models.planners.adaptive import Adaptive

        return Adaptive(versions).instead(request, LOADING)
    return planner_for(request.algo, versions).plan(request)
