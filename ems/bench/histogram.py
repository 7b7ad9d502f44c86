"""A histogram of durations with the same relative width everywhere, in compiled code and fixed memory.

After HdrHistogram (Tene): below 128 ns every nanosecond has a place of its own, above every power of two has 64 places, so that a
percentile is never more than 1.6 % below what was measured.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.compiled import i64, inlined

I64 = NDArray[np.int64]
_BITS: Final = 6
PLACES: Final = (40 - _BITS) << _BITS  # up to 2^39 ns: nine minutes
_ONE: Final = i64(1)


@inlined
def add(counts: I64, ns: int) -> None:
    """One more of that duration. counts: (PLACES,)."""
    rest, power = max(ns, 0), i64(0)
    while rest >= 2 << _BITS:
        rest >>= 1
        power += 1
    counts[min((power << _BITS) + rest, PLACES - 1)] += _ONE


def lower_bounds() -> I64:
    """The least duration of each place, (PLACES,) ns."""
    place = np.arange(PLACES)
    power = np.maximum((place >> _BITS) - 1, 0)
    bounds: I64 = (place - (power << _BITS)) << power
    return bounds


def percentile_ns(counts: I64, percent: float) -> float:
    """The duration that so many per cent do not exceed. NaN where nothing was counted."""
    total = int(counts.sum())
    if not total:
        return float("nan")
    at = int(np.searchsorted(np.cumsum(counts), np.ceil(total * percent / 100)))
    return float(lower_bounds()[at])
