"""The closing auction as an order's last leg: what it takes, and what it is expected to cost there.

No feed of ours shows an auction before it happens, so it is sized by what is published: it trades about 8 % of a day's volume.
The day's volume is what is foreseen of the order's intervals over their share in the usual day. Everything in an auction pays
one price, that the square-root law moves by Y sigma_day sqrt(Q / V_day) (as in `models.planners.impact`); a program of squares
needs it as price per share, so it is taken where a tenth of the auction is traded.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from domain.schedule import PlanRequest
from domain.values import E9
from models.planners.foresight import Foreseen
from models.planners.impact import PARTICIPATION, PREFACTOR
from models.planners.outlook import Closing

AUCTION: Final = 0.08  # of a day's volume


def closing_leg(request: PlanRequest, ahead: Foreseen, edges_ns: list[int], *, price: float, size: float) -> Closing | None:
    """The leg of an order that may leave something to the auction; None where it may not, or the day's volume is not known.

    Args:
        edges_ns: of the intervals that `ahead` is of. price, size: its units in currency and in shares.
    """
    share = usual_share(request, edges_ns[0], edges_ns[-1])
    session_ns = len(request.volume_curve) * request.curve_bucket_ns
    foreseen = float(ahead.volume.sum()) * size
    if request.at_close_max_e9 <= 0 or share <= 0 or foreseen <= 0:
        return None
    day = foreseen / share
    variance = float((ahead.deviation**2).sum()) * session_ns / (edges_ns[-1] - edges_ns[0])  # of a day, price units squared
    taken = PARTICIPATION * AUCTION * day  # a tenth of the auction
    eta = PREFACTOR * np.sqrt(variance * PARTICIPATION * AUCTION) * price / taken
    rate = request.max_participation_e9
    most = np.inf if rate is None else rate / E9 * AUCTION * day
    return Closing(float(eta), min(request.at_close_max_e9 / E9, float(most)))


def usual_share(request: PlanRequest, begin_ns: int, end_ns: int) -> float:
    """Which part of a day's volume usually trades between two moments, 0 to 1; 0 without a curve."""
    if not request.volume_curve or request.curve_bucket_ns <= 0:
        return 0.0
    opens = request.curve_open_ns + request.curve_bucket_ns * np.arange(len(request.volume_curve), dtype=np.int64)
    low, high = np.maximum(opens, begin_ns), np.minimum(opens + request.curve_bucket_ns, end_ns)
    inside = np.maximum(high - low, 0) / request.curve_bucket_ns
    return float(inside @ np.asarray(request.volume_curve))
