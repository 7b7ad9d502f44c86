"""What the planner pool's workers run. Imports as little as a planner needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache
from typing import Final

from domain.basket import BasketRequest, BasketSchedule
from domain.schedule import PlanRequest, Schedule
from domain.values import Algo
from ems.config import Settings
from models.planners import planner_for

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


def begins(settings: Settings) -> Callable[[], None] | None:
    """What a new worker does first: load the world model where there is something to foresee by."""
    return None if settings.observer is None else _load


def _load() -> None:
    _warming()


def plan(request: PlanRequest | BasketRequest) -> Schedule | BasketSchedule:
    """The schedule of the request's algorithm, or of each order of a basket."""
    adaptive = isinstance(request, BasketRequest) or request.algo is Algo.ADAPTIVE
    return made(request, loading=adaptive and not _warming().over.is_set())


def made(request: PlanRequest | BasketRequest, *, loading: bool = False) -> Schedule | BasketSchedule:
    """The same where everything is loaded, or (loading) where it is not."""
    if isinstance(request, BasketRequest):
        from models.planners.basket_planner import BasketPlanner

        return BasketPlanner().instead(request, LOADING) if loading else BasketPlanner().plan(request)
    if loading:
        from models.planners.adaptive import Adaptive

        return Adaptive().instead(request, LOADING)
    return planner_for(request.algo).plan(request)
