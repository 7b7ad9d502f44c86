"""From shares of intervals to slices of whole lots, and what of the schedule before is left as it stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.schedule import PlanRequest, Slice
from models.planners.ladder import SECOND_NS
from models.planners.program import INTERVALS

F64 = NDArray[np.float64]


def carried(request: PlanRequest, begin_ns: int) -> tuple[tuple[Slice, ...], int]:
    """What the schedule before has begun and not filled, as it stands, and from when on there is something to decide.

    Where that is nothing any more all that is left is due, but for what was left to the closing auction.
    """
    if request.due_until_ns <= begin_ns:
        return (), begin_ns
    until_ns = min(request.due_until_ns, request.end_ns)
    due_e9 = min(max(request.due_e9, 0), request.remaining_e9)
    if due_e9 < request.remaining_e9:
        due_e9 = due_e9 // request.lot_e9 * request.lot_e9
    if until_ns >= request.end_ns:
        due_e9 = request.remaining_e9 - at_close(request, request.remaining_e9 - due_e9)
    return (Slice(begin_ns, until_ns, due_e9),) if due_e9 else (), until_ns


def at_close(request: PlanRequest, wanted_e9: int) -> int:
    """Whole lots of what is wanted in the closing auction, no more than the order allows."""
    return max(0, min(wanted_e9, request.at_close_max_e9, request.remaining_e9)) // request.lot_e9 * request.lot_e9


def edges_of(start_ns: int, end_ns: int, free_ns: int) -> list[int]:
    """The bounds of what is still to be decided: 20 intervals from start to end, none shorter than a second, the first cut."""
    span_ns = end_ns - start_ns
    count = max(1, min(INTERVALS, span_ns // SECOND_NS))
    bounds = [start_ns + span_ns * i // count for i in range(count + 1)]
    return [free_ns, *(bound for bound in bounds if bound > free_ns)]


def along(shares: F64, edges: list[int], left_e9: int, lot_e9: int) -> tuple[Slice, ...]:
    """Whole lots along the sum of the shares, never half a lot off it; the odd rest goes with the last."""
    whole = float(shares.sum())
    targets = np.cumsum(shares) / whole if whole > 0 else np.arange(1, len(shares) + 1) / len(shares)
    slices, released_e9 = [], 0
    for k, target in enumerate(targets):
        last = k + 1 == len(targets)
        due_e9 = left_e9 if last else min(round(float(target) * left_e9 / lot_e9) * lot_e9, left_e9 // lot_e9 * lot_e9)
        if due_e9 > released_e9:
            slices.append(Slice(edges[k], edges[k + 1], due_e9 - released_e9))
            released_e9 = due_e9
    return tuple(slices)
