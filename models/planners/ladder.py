"""What TWAP and VWAP share: a fixed grid of release times and whole lots along a line of cumulative targets.

The line runs from what was filled at the order's start to its whole quantity at its end, and the grid hangs on start
and end alone. So a plan made again after a fill continues the plan before it. Were the remainder spread from now
instead, each fill would bring a new first slice forward, and the order would rush itself through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain.schedule import PlanRequest, Slice

SECOND_NS: Final = 1_000_000_000
MINUTE_NS: Final = 60 * SECOND_NS
SLICES_MIN: Final = 20

Weight = Callable[[int, int], int]  # the share of a time interval [begin_ns, end_ns) in the trading, in any integer unit


def grid(start_ns: int, end_ns: int, interval_ns: int | None = None) -> tuple[int, ...]:
    """Boundaries of equal intervals from start to end, both included.

    Args:
        interval_ns: about how long an interval lasts. None: one a minute, at least 20, none shorter than a second.
    """
    span_ns = end_ns - start_ns
    if interval_ns is None:
        count = min(max(SLICES_MIN, span_ns // MINUTE_NS), span_ns // SECOND_NS)
    else:
        count = span_ns // interval_ns
    count = max(1, count)
    return tuple(start_ns + span_ns * i // count for i in range(count + 1))


def ladder(request: PlanRequest, weight: Weight, interval_ns: int | None = None) -> tuple[Slice, ...]:
    """Slices from now to the end of the order that sum exactly to what remains.

    Each release brings the order to its line at the end of the interval that begins. What should have been released
    before now and is not filled falls into the first slice. All but the last are whole lots, the odd rest goes with
    the last; empty ones are left out.
    """
    begin_ns = max(request.now_ns, request.start_ns)
    if request.remaining_e9 <= 0:
        return ()
    if begin_ns >= request.end_ns:
        return all_now(request)
    whole = weight(request.start_ns, request.end_ns)
    bounds = [bound for bound in grid(request.start_ns, request.end_ns, interval_ns) if bound > begin_ns]
    slices, released_e9 = [], 0
    for end_ns in bounds:
        due_e9 = _due_e9(request, weight(request.start_ns, end_ns), whole)
        if due_e9 > released_e9:
            slices.append(Slice(begin_ns, end_ns, due_e9 - released_e9))
            released_e9 = due_e9
        begin_ns = end_ns
    return tuple(slices)


def all_now(request: PlanRequest) -> tuple[Slice, ...]:
    """Everything that is left, at once: the order is at its end."""
    begin_ns = max(request.now_ns, request.start_ns)
    return (Slice(begin_ns, begin_ns + 1, request.remaining_e9),) if request.remaining_e9 > 0 else ()


def _due_e9(request: PlanRequest, passed: int, whole: int) -> int:
    """What is to be released, beyond what is filled, when `passed` of the order's `whole` weight has passed."""
    if passed >= whole:
        return request.remaining_e9
    line_e9 = request.remaining_e9 + request.filled_e9 - request.start_filled_e9
    ahead_e9 = request.start_filled_e9 + line_e9 * passed // whole - request.filled_e9
    lots = (2 * ahead_e9 + request.lot_e9) // (2 * request.lot_e9)  # the nearest: never half a lot off the line
    return max(0, min(lots, request.remaining_e9 // request.lot_e9)) * request.lot_e9
