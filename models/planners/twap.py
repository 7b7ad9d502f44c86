"""TWAP: the same quantity in every interval of the same length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.schedule import PlanRequest, Schedule
from models.planners.ladder import ladder


@dataclass(frozen=True, slots=True)
class Twap:
    """Equal slices. interval_ns is about how long each lasts; None: one a minute, at least 20."""

    NAME: ClassVar[str] = "twap/1"
    interval_ns: int | None = None

    def plan(self, request: PlanRequest) -> Schedule:
        """Slices in time order that sum to what remains; see `models.planners.ladder` for rounding and late starts."""
        slices = ladder(request, clock_time, self.interval_ns)
        return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=slices)


def clock_time(begin_ns: int, end_ns: int) -> int:
    """The weight of an interval where all moments are alike: its length."""
    return end_ns - begin_ns
