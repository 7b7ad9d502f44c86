"""The times of a day that the regime is told by, from the instrument's calendar: half days, days off and time zones are its."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np

from domain.calendar import Calendar, Phase
from models.feature_arrays import Features, reset

PRE_CLOSE_NS: Final = 30 * 60 * 10**9  # before the close: a sixth of a day's volume trades in its last half hour
_NEVER: Final = int(np.iinfo(np.int64).max)


def session_of(calendar: Calendar, on: date, pre_close_ns: int = PRE_CLOSE_NS) -> tuple[int, int, int, int, int]:
    """When the opening auction, continuous trading, the pre-close, the close and the end of the closing auction are, ns.

    A day without an opening auction begins with continuous trading, one without a closing auction ends with the close. On a
    day off all of them are never: the market is closed. A session shorter than the pre-close is pre-close from its beginning.
    A break between two sessions of a day counts as continuous trading. Raises ReferenceDataError beyond the calendar's horizon.
    """
    spans = calendar.phases(on)
    if not spans:
        return _NEVER, _NEVER, _NEVER, _NEVER, _NEVER
    open_ns, close_ns = calendar.open_close_ns(on)
    begins_ns = min([open_ns, *(span.begin_ns for span in spans if span.phase is Phase.OPENING_AUCTION)])
    ends_ns = max([close_ns, *(span.end_ns for span in spans if span.phase is Phase.CLOSING_AUCTION)])
    return begins_ns, open_ns, max(open_ns, close_ns - pre_close_ns), close_ns, ends_ns


def begin_day(f: Features, k: int, calendar: Calendar, on: date, pre_close_ns: int = PRE_CLOSE_NS) -> None:
    """A new day of instrument k: its values begin anew, its regime follows the day's own times. Raises as `session_of`."""
    *times, end_ns = session_of(calendar, on, pre_close_ns)
    reset(f, k)
    f.session[k] = times
    f.end_ns[k] = end_ns
