"""What the planner pool's workers run. Imports as little as a planner needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cache

from domain.schedule import PlanRequest, Schedule
from domain.values import Algo
from ems.config import Settings
from models.planners import planner_for


class _Warming:
    """Libraries, weights and compiled code take seconds in a new process: loaded beside, once, from the first need on."""

    def __init__(self) -> None:
        self.over = threading.Event()
        threading.Thread(target=self._run, name="warming", daemon=True).start()

    def _run(self) -> None:
        from models.planners.warm import warm

        warm()
        self.over.set()


@cache
def _warming() -> _Warming:
    return _Warming()


def begins(settings: Settings) -> Callable[[], None] | None:
    """What a new worker does first: load the world model where there is something to foresee by."""
    return None if settings.observer is None else _load


def _load() -> None:
    _warming()


def plan(request: PlanRequest) -> Schedule:
    """The schedule of the request's algorithm."""
    if request.algo is Algo.ADAPTIVE and not _warming().over.is_set():
        from models.planners.adaptive import Adaptive

        return Adaptive().instead(request, "the world model is being loaded")
    return planner_for(request.algo).plan(request)
