"""Almgren-Chriss: the schedule that weighs temporary impact against the risk of waiting, in closed form.

What is left at time t of T is X sinh(kappa (T - t)) / sinh(kappa T), with kappa^2 = aversion x volatility^2 / eta (Almgren and
Chriss 2000, in the limit of small intervals). kappa T is all that shapes it: 0 is TWAP, 1 is hardly bent, 5 trades most of the
order in its first third. It is called urgency here, has no unit, and is what a trader sets.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from domain.errors import ProgramInput
from domain.schedule import PlanRequest, Schedule
from domain.values import E9
from models.planners.ladder import Weight, ladder

F64 = NDArray[np.float64]
URGENCY: Final = 1.0  # where the client names none
_ONE: Final = 2**60  # a schedule's whole, as an integer that a float survives exactly


@dataclass(frozen=True, slots=True)
class AlmgrenChriss:
    """Along the closed form's line from the order's start to its end, so that a plan made again continues the one before."""

    NAME: ClassVar[str] = "ac/1"
    interval_ns: int | None = None

    def plan(self, request: PlanRequest) -> Schedule:
        """Slices in time order that sum to what remains; see `models.planners.ladder` for rounding and late starts."""
        slices = ladder(request, line(request), self.interval_ns)
        return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=slices)


def line(request: PlanRequest) -> Weight:
    """The share of an interval in the whole order, in integers."""
    urgency = URGENCY if request.urgency_e9 is None else request.urgency_e9 / E9
    span_ns = max(1, request.end_ns - request.start_ns)

    def done(moment_ns: int) -> int:
        """By a moment."""
        left = min(max(request.end_ns - moment_ns, 0), span_ns) / span_ns
        return round((1.0 - left_at(left, urgency)) * _ONE)

    return lambda begin_ns, end_ns: done(end_ns) - done(begin_ns)


def trajectory(n: int, urgency: float) -> F64:
    """(n,) shares of 1 to trade in each of n equal intervals.

    Args:
        urgency: kappa T, without unit, >= 0.

    Raises:
        ProgramInput: no interval, or an urgency that is no number or below 0.
    """
    if n < 1 or not 0.0 <= urgency < math.inf:
        raise ProgramInput(f"a trajectory of {n} intervals and urgency {urgency}")
    left = np.array([left_at(1.0 - k / n, urgency) for k in range(n + 1)])
    return -np.diff(left)


def urgency(aversion: float, volatility: float, eta: float, span: float) -> float:
    """kappa T of a horizon.

    Args:
        aversion: cost that one is ready to pay per variance, 1 / (price units x shares).
        volatility: of the price, price units per square root of a unit of time.
        eta: temporary impact, price units per share and unit of time.
        span: the horizon, units of time.

    Raises:
        ProgramInput: what is below 0, no number, or an impact of 0 or less.
    """
    if not (0 <= aversion < math.inf and 0 <= volatility < math.inf and 0 < eta < math.inf and 0 <= span < math.inf):
        raise ProgramInput(f"no urgency of aversion {aversion}, volatility {volatility}, impact {eta} and horizon {span}")
    return span * volatility * math.sqrt(aversion / eta)


def left_at(time_left: float, urgency: float) -> float:
    """The share of the order that is left when `time_left` of its time is, both 0 to 1: sinh(u t) / sinh(u) without overflow."""
    if time_left <= 0.0:
        return 0.0
    if urgency < 1e-4:  # sinh x = x (1 + x^2 / 6): off by less than 1e-9
        return time_left
    up, whole = -2.0 * urgency * time_left, -2.0 * urgency
    return math.exp(urgency * (time_left - 1.0)) * math.expm1(up) / math.expm1(whole)
