"""VWAP: quantity in proportion to the volume that the market usually trades in each interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

from domain.errors import InvariantBroken
from domain.schedule import PlanRequest, Schedule
from models.planners.ladder import Weight, ladder
from models.planners.twap import clock_time

# Shares of the day become integers by a power of two, which a float survives exactly: the plan is the same everywhere.
_SHARE_ONE: Final = 2**60


@dataclass(frozen=True, slots=True)
class Vwap:
    """Slices along the request's volume curve; its first and last bucket count for the part inside the order's window.

    Without a curve, or where the curve has no volume between start and end, slices are equal and the schedule's
    planner says "vwap/1 flat".
    """

    NAME: ClassVar[str] = "vwap/1"
    interval_ns: int | None = None

    def plan(self, request: PlanRequest) -> Schedule:
        """Slices in time order that sum to what remains; see `models.planners.ladder` for rounding and late starts.

        Raises:
            InvariantBroken: the curve has a share that is negative or not finite, or buckets without length.
        """
        weight = usual_volume(request)
        flat = weight(request.start_ns, request.end_ns) == 0
        slices = ladder(request, clock_time if flat else weight, self.interval_ns)
        return Schedule(planner=f"{self.NAME} flat" if flat else self.NAME, filled_e9=request.filled_e9, slices=slices)


def usual_volume(request: PlanRequest) -> Weight:
    """The weight of an interval: the curve's volume in it, spread evenly within each bucket. None outside the curve.

    Raises: InvariantBroken, as Vwap.plan.
    """
    open_ns, bucket_ns = request.curve_open_ns, request.curve_bucket_ns
    if any(not math.isfinite(share) or share < 0 for share in request.volume_curve):
        raise InvariantBroken(f"{request.parent}: a volume curve has a share that is negative or not finite")
    if request.volume_curve and bucket_ns <= 0:
        raise InvariantBroken(f"{request.parent}: a volume curve needs buckets longer than {bucket_ns} ns")
    shares = [int(share * _SHARE_ONE) for share in request.volume_curve]
    before = [0]
    for share in shares:
        before.append(before[-1] + share)

    def volume_to(moment_ns: int) -> int:
        """Volume from the open to a moment, in units of _SHARE_ONE / bucket_ns so that a part of a bucket is exact."""
        bucket, inside_ns = divmod(moment_ns - open_ns, bucket_ns)
        if bucket < 0:
            return 0
        if bucket >= len(shares):
            return before[-1] * bucket_ns
        return before[bucket] * bucket_ns + shares[bucket] * inside_ns

    return lambda begin_ns, end_ns: volume_to(end_ns) - volume_to(begin_ns) if shares else 0
