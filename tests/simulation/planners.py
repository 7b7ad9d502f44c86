"""The planner pool: real planners, results late, lost, twice, out of order, or an error."""

from __future__ import annotations

from collections.abc import Callable

from domain.basket import BasketRequest
from domain.messages import PlanReady
from domain.schedule import PlanRequest
from ems.bootstrap.planning import made
from tests.simulation.world import MS, S, World


class SimPlannerPool:
    """`domain.ports.PlannerPool` of one desk process."""

    def __init__(self, world: World, deliver: Callable[[PlanReady], None]) -> None:
        self._world = world
        self._deliver = deliver

    def request(self, request: PlanRequest | BasketRequest) -> None:
        """Plan after a while."""
        world = self._world
        if world.strikes("plan_lost", 0.03):
            return
        delay_ns = world.between(S, 20 * S) if world.strikes("plan_late", 0.12) else world.between(MS, 50 * MS)
        world.after(delay_ns, self._plan, request)
        if world.strikes("plan_twice", 0.02):
            world.after(world.between(MS, 5 * S), self._plan, request)

    def _plan(self, request: PlanRequest | BasketRequest) -> None:
        if self._world.strikes("plan_failed", 0.03):
            self._deliver(PlanReady(request=request, schedule=None, error="the planner gave up"))
        else:
            self._deliver(PlanReady(request=request, schedule=made(request)))
