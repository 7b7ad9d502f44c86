"""What is left to the closing auction, for planners that do not weigh it: all that the order allows."""

from __future__ import annotations

from dataclasses import dataclass

from domain.ports import Planner
from domain.schedule import PlanRequest, Schedule


@dataclass(frozen=True, slots=True)
class LeavesTheClose:
    """A planner that is asked for what the auction does not get."""

    planner: Planner

    def plan(self, request: PlanRequest) -> Schedule:
        """Whole lots at the close, the rest as the planner has it."""
        close_e9 = min(request.at_close_max_e9, request.remaining_e9) // request.lot_e9 * request.lot_e9
        if close_e9 <= 0:
            return self.planner.plan(request)
        rest = request.model_copy(update={"remaining_e9": request.remaining_e9 - close_e9, "at_close_max_e9": 0})
        return self.planner.plan(rest).model_copy(update={"at_close_e9": close_e9})
