"""The volume curve: which share of a day's volume usually trades in each part of the session.

Learned from bars of full trading days. Every day counts the same however much it traded, and a bucket that is far out
of line on one day (a block, an index change) is cut back before the mean, so that it does not become a habit. A few
days are mostly noise: the built-in curve stands in for two more, which fades as days are added.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.calendar import Calendar
from domain.errors import ReferenceDataError

OUTLIER_RATIO: Final = 4.0  # a share above this many medians of its bucket is cut back to that
OUTLIER_DAYS_MIN: Final = 3  # fewer days tell nothing of what is usual
PRIOR_DAYS: Final = 2.0

# The built-in curve: a level, a burst that decays from the open, a rise toward the close; weights and times as
# fractions of the session. About a seventh of the volume falls into the first half hour of 6.5 and a sixth into the last.
_LEVEL, _OPEN, _OPEN_DECAY, _CLOSE, _CLOSE_RISE = 0.7, 1.6, 0.08, 2.2, 0.06


def day_volumes(
    begin_ns: NDArray[np.int64], volume_shares: NDArray[np.int64], calendar: Calendar, bucket_ns: int
) -> dict[date, NDArray[np.float64]]:
    """Volume in each bucket of the regular session, for every full trading day among the bars.

    Half days, days without trading, and bars outside the session are left out; a missing bar counts as no volume.

    Args:
        begin_ns: (N,) when each bar begins, UTC; a bar lies in the bucket that holds its beginning.
        volume_shares: (N,) shares traded in it.
        bucket_ns: length of a bucket; it must divide the session.

    Returns:
        (buckets,) shares a day.

    Raises:
        ReferenceDataError: a bar beyond the calendar's horizon, a session that is no whole number of buckets, or two
            bars that begin together.
    """
    if len(np.unique(begin_ns)) != len(begin_ns):
        raise ReferenceDataError("two bars begin at the same time")
    days: dict[date, NDArray[np.float64]] = {}
    order = np.argsort(begin_ns, kind="stable")
    begin_ns, volume_shares = begin_ns[order], volume_shares[order]
    for day in sorted({calendar.date_at(int(moment_ns)) for moment_ns in begin_ns}):
        if not calendar.is_trading_day(day) or calendar.is_half_day(day):
            continue
        open_ns, close_ns = calendar.open_close_ns(day)
        if (close_ns - open_ns) % bucket_ns:
            raise ReferenceDataError(f"the session of {calendar.mic} on {day} is no whole number of {bucket_ns} ns")
        first, last = np.searchsorted(begin_ns, [open_ns, close_ns])
        if first < last:
            buckets = (begin_ns[first:last] - open_ns) // bucket_ns
            shares = np.bincount(buckets, weights=volume_shares[first:last], minlength=(close_ns - open_ns) // bucket_ns)
            days[day] = shares.astype(np.float64)
    return days


def learn_curve(days: Sequence[Sequence[float] | NDArray[np.float64]], prior_days: float = PRIOR_DAYS) -> tuple[float, ...]:
    """The mean over days of each bucket's share of its day, outliers cut back; sums to 1.

    Args:
        days: volume in each bucket, one sequence a day, all of one length.
        prior_days: how many days the built-in curve counts for; 0 leaves the data alone.

    Raises:
        ReferenceDataError: no day, days of different lengths, a volume that is negative or not finite, or a day
            without volume.
    """
    if not days or len({len(day) for day in days}) != 1 or len(days[0]) == 0:
        raise ReferenceDataError("a volume curve needs days of one and the same number of buckets")
    volumes = np.array(days, dtype=np.float64)  # (D, buckets)
    totals = volumes.sum(axis=1, keepdims=True)  # (D, 1)
    if not np.isfinite(volumes).all() or (volumes < 0).any() or (totals <= 0).any():
        raise ReferenceDataError("a volume curve needs volumes that are finite, not negative, and not all zero on a day")
    shares = volumes / totals  # (D, buckets)
    if len(days) >= OUTLIER_DAYS_MIN:
        usual = np.median(shares, axis=0)  # (buckets,)
        # A bucket that is usually empty has no scale of its own: there the even share stands in.
        shares = np.minimum(shares, OUTLIER_RATIO * np.where(usual > 0, usual, 1 / len(usual)))  # (D, buckets)
    mean = shares.mean(axis=0)  # (buckets,)
    prior = np.array(default_curve(len(mean)))  # (buckets,)
    curve = len(days) * mean / mean.sum() + prior_days * prior  # (buckets,)
    return tuple(float(share) for share in curve / curve.sum())


def default_curve(buckets: int = 78) -> tuple[float, ...]:
    """A plain U-shape for where there are no bars to learn from; sums to 1.

    The rate at u in [0, 1] of the session is 0.7 + 1.6 exp(-u / 0.08) + 2.2 exp(-(1 - u) / 0.06), up to a constant; a
    bucket holds its integral. 78 buckets are five minutes each of six and a half hours. Raises ValueError below 1.
    """
    if buckets < 1:
        raise ValueError(f"a curve needs at least one bucket, not {buckets}")
    edges = [_default_volume_to(i / buckets) for i in range(buckets + 1)]
    return tuple((after - before) / edges[-1] for before, after in pairwise(edges))


def _default_volume_to(u: float) -> float:
    opening = _OPEN * _OPEN_DECAY * (1 - math.exp(-u / _OPEN_DECAY))
    closing = _CLOSE * _CLOSE_RISE * (math.exp((u - 1) / _CLOSE_RISE) - math.exp(-1 / _CLOSE_RISE))
    return _LEVEL * u + opening + closing
