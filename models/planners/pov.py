"""POV: keep to a share of what the market trades."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.errors import InvariantBroken
from domain.schedule import PlanRequest, Schedule, Slice
from domain.values import E9
from models.planners.ladder import all_now


@dataclass(frozen=True, slots=True)
class Pov:
    """No plan ahead: one slice of what is due now, and another when the market has traded more.

    Due is participation x market volume since the order began, less what was filled since, in whole lots. The market's
    volume counts our own fills, so participation is our share of all trading. A last lot that is not whole is due when
    it is all that is left.
    """

    NAME: ClassVar[str] = "pov/1"

    def plan(self, request: PlanRequest) -> Schedule:
        """One slice from now to the end of the order, or none; everything that is left once the end has come.

        Raises:
            InvariantBroken: the request has no participation rate.
        """
        return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=self._slices(request))

    def _slices(self, request: PlanRequest) -> tuple[Slice, ...]:
        if request.participation_e9 is None:
            raise InvariantBroken(f"{request.parent}: pov without a participation rate")
        if request.now_ns >= request.end_ns:
            return all_now(request)
        if request.now_ns < request.start_ns or request.market is None or request.remaining_e9 <= 0:
            return ()
        traded_e9 = max(0, request.market.volume_e9 - request.started_volume_e9)
        due_e9 = request.participation_e9 * traded_e9 // E9 - (request.filled_e9 - request.start_filled_e9)
        if due_e9 < request.remaining_e9:
            due_e9 = due_e9 // request.lot_e9 * request.lot_e9
        due_e9 = min(due_e9, request.remaining_e9)
        return (Slice(request.now_ns, request.end_ns, due_e9),) if due_e9 > 0 else ()
