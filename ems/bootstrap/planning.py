"""What the planner pool's workers run. Imports as little as a planner needs."""

from __future__ import annotations

from domain.schedule import PlanRequest, Schedule
from models.planners import planner_for


def plan(request: PlanRequest) -> Schedule:
    """The schedule of the request's algorithm."""
    return planner_for(request.algo).plan(request)
