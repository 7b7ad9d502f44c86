"""A tape as a picture needs it: the ten levels, the features and the trades of one instrument at evenly spaced moments."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.calendar import Calendar
from domain.errors import ReferenceDataError
from domain.tape import FLAG_HALF_TICK, Kind, Tape
from models import feature_arrays as fa
from models.compiled import hot
from models.feature_arrays import Features, make_features
from models.feature_session import begin_day
from models.features import arrival_rate, spread_average, update
from models.market.book import vector
from models.market.follow import apply_one
from models.market.layout import Book, make_book

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
SECTIONS = 50  # VPIN's buckets are a fiftieth of the tape's volume


class View(NamedTuple):
    """C moments, P prints.

    times_ns (C,), ten (C, 10, 4) as the book keeps it, values (C, 7) as the features are, NaN where not known;
    prints (P, 3): time in ns, price in half ticks, lots.
    """

    times_ns: I64
    ten: I64
    values: F64
    prints: I64


@hot
def _walk(
    b: Book, f: Features, tape: Tape, begin: int, stop: int, ends: I64, times_ns: I64, ten: I64, values: F64, known: I64
) -> None:
    """Records begin .. stop - 1; at each of the ends what stands then."""
    for c in range(ends.size):
        for i in range(begin, ends[c]):
            apply_one(b, tape, i)
            update(f, b, tape, i)
        begin = ends[c]
        spread_average(f, 0, times_ns[c])
        arrival_rate(f, 0, times_ns[c], 0)
        vector(b, 0, ten[c])
        for n in range(fa.FEATURES):
            values[c, n] = f.values[0, n]
        known[c] = f.ints[0, fa.KNOWN]
    for i in range(begin, stop):
        apply_one(b, tape, i)
        update(f, b, tape, i)


def view(tape: Tape, instrument: int, columns: int, calendar: Calendar | None = None) -> View:
    """Walk through one instrument's records.

    Args:
        calendar: whose days the features begin anew with and whose times the regime follows; without one it is all one day.

    Raises:
        ReferenceDataError: the tape has none, or all of one moment; or the calendar does not know its days.
    """
    tape = tape[tape["instrument"] == instrument].copy()
    if tape.size == 0 or tape["ts_event_ns"].max() <= tape["ts_event_ns"].min():
        raise ReferenceDataError(f"the tape has no time with instrument {instrument}")
    tape["instrument"] = 0
    tape = tape[np.argsort(tape["ts_event_ns"], kind="stable")]
    times_ns = np.linspace(tape["ts_event_ns"][0], tape["ts_event_ns"][-1], columns).astype(np.int64)
    ends = np.searchsorted(tape["ts_event_ns"], times_ns, side="right")
    traded = np.isin(tape["kind"], [Kind.EXECUTE, Kind.TRADE])
    volume = int(tape["size_lots"][traded].sum())
    f = make_features(bucket_lots=max(1, volume // SECTIONS), half_life_ns=max(10**9, int(times_ns[-1] - times_ns[0]) // 1_000))
    ten, values, known = np.zeros((columns, 40), np.int64), np.zeros((columns, fa.FEATURES)), np.zeros(columns, np.int64)
    book, begin = make_book(None, 1 << 16, 1 << 20), 0
    for on, from_c, to_c, stop in _days(tape, times_ns, calendar):
        if calendar is not None and on is not None:
            begin_day(f, 0, calendar, on)
        part = slice(from_c, to_c)
        _walk(book, f, tape, begin, stop, ends[part], times_ns[part], ten[part], values[part], known[part])
        begin = stop
    values[(known[:, None] >> np.arange(fa.FEATURES) & 1) == 0] = np.nan
    half_ticks = 2 * tape["price_ticks"] + (tape["flags"] & FLAG_HALF_TICK)
    return View(
        times_ns,
        ten.reshape(columns, 10, 4),
        values,
        np.column_stack([tape["ts_event_ns"], half_ticks, tape["size_lots"]])[traded],
    )


def _days(tape: Tape, times_ns: I64, calendar: Calendar | None) -> Iterator[tuple[date | None, int, int, int]]:
    """(day, its first moment, the moment behind its last, the record behind its last) of each local date, in order."""
    if calendar is None:
        yield None, 0, len(times_ns), len(tape)
        return
    on, last = calendar.date_at(int(times_ns[0])), calendar.date_at(int(times_ns[-1]))
    from_c = 0
    while on <= last:
        ends_ns = calendar.midnight_ns(on + timedelta(days=1))
        to_c, stop = int(np.searchsorted(times_ns, ends_ns)), int(np.searchsorted(tape["ts_event_ns"], ends_ns))
        yield on, from_c, to_c, stop
        from_c, on = to_c, on + timedelta(days=1)
