"""Volume, spread and volatility of an instrument's days, from bars or from a tape, and what is usual over some of them.

A day's volume is that of its auctions and of its continuous trading, by the instrument's calendar; spread and realised
variance are of continuous trading alone. Prices are taken as they are: a split between two days is part of the daily volatility.

| figure | formula |
|---|---|
| average daily volume | mean of the days' volumes |
| spread | mean over the days of the best ask less the best bid, weighted by time; of quote bars the mean at their ends |
| daily volatility | standard deviation of ln(close / close of the day before) |
| intraday volatility | root of the mean over the days of the sum of squared ln returns between five-minute marks |

Time in which a side is missing or the book is crossed has no spread.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.calendar import Calendar, Phase
from domain.tape import FLAG_HALF_TICK, FLAG_NO_PRINT, Kind, Tape
from models.compiled import hot, i64
from models.market.follow import apply_one
from models.market.layout import Book, make_book
from models.volume_curve import day_volumes

BUCKET_NS: Final = 300 * 10**9
_TRADED: Final = (Phase.OPENING_AUCTION, Phase.CONTINUOUS, Phase.CLOSING_AUCTION)
_DAY_NS: Final = 86_400 * 10**9
_CAPACITY: Final = 1 << 20
_DEVIATION_MIN: Final = 3  # returns that make a standard deviation

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


class Bars(NamedTuple):
    """(N,) each: when a bar begins, UTC, its length, its last price at 1e-9 and its volume in shares."""

    begin_ns: Ints
    length_ns: Ints
    close_e9: Ints
    volume: Ints


class DayFigures(NamedTuple):
    """One day. buckets: shares in each five minutes of continuous trading, None of a half day or where only the day is known.
    spread_e9, middle_e9, variance: NaN where not known."""

    volume: float
    close_e9: float
    buckets: Reals | None
    spread_e9: float = math.nan
    middle_e9: float = math.nan
    variance: float = math.nan


class Usual(NamedTuple):
    """What is usual over some days. Volatilities are ratios (0.01 is one per cent); NaN where not known."""

    as_of: date
    days: int
    average_daily_volume: float
    spread_e9: float
    spread_bps: float
    daily_volatility: float
    intraday_volatility: float


def usual(days: Mapping[date, DayFigures], last: int) -> Usual:
    """Over the last so many of the days. There must be one."""
    chosen = sorted(days)[-last:]
    figures = [days[day] for day in chosen]
    closes = np.array([figure.close_e9 for figure in figures])
    returns = np.diff(np.log(closes[closes > 0]))
    shares = np.array([figure.spread_e9 / figure.middle_e9 for figure in figures])
    return Usual(
        as_of=chosen[-1],
        days=len(chosen),
        average_daily_volume=float(np.mean([figure.volume for figure in figures])),
        spread_e9=_mean(figure.spread_e9 for figure in figures),
        spread_bps=1e4 * _mean(shares),
        daily_volatility=float(np.std(returns, ddof=1)) if len(returns) >= _DEVIATION_MIN else math.nan,
        intraday_volatility=math.sqrt(_mean(figure.variance for figure in figures)),
    )


def _mean(values: Iterable[float]) -> float:
    """Of those that are known."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def days_of_bars(bars: Bars, calendar: Calendar) -> dict[date, DayFigures]:
    """The days on which the market trades among these bars.

    A bar longer than five minutes has its volume spread evenly over its five minutes; one of a day has no times in it.

    Raises:
        ReferenceDataError: a bar beyond the calendar's horizon, or two that begin together.
    """
    if len(bars.begin_ns) and int(bars.length_ns.max()) >= _DAY_NS:
        return {
            calendar.date_at(begin_ns): DayFigures(float(volume), float(close_e9), None)
            for begin_ns, _, close_e9, volume in zip(*(column.tolist() for column in bars), strict=True)
            if volume > 0 and calendar.is_trading_day(calendar.date_at(begin_ns))
        }
    begin_ns, volume = _spread_out(bars)
    full = day_volumes(begin_ns, volume, calendar, BUCKET_NS)
    found = {}
    for day in sorted({calendar.date_at(int(at_ns)) for at_ns in bars.begin_ns}):
        traded = [span for span in calendar.phases(day) if span.phase in _TRADED]
        chosen = Bars(*(column[_within(bars.begin_ns, traded)] for column in bars))
        if not len(chosen.begin_ns) or not chosen.volume.sum():
            continue
        ends_ns = chosen.begin_ns + chosen.length_ns
        marks = _marks(ends_ns, chosen.close_e9.astype(np.float64), *calendar.open_close_ns(day))
        found[day] = DayFigures(float(chosen.volume.sum()), float(chosen.close_e9[-1]), full.get(day), variance=_variance(marks))
    return found


def with_spread(figures: DayFigures, bid_e9: Ints, ask_e9: Ints) -> DayFigures:
    """A day's figures with the spread of these moments; (N,) each, 0 where a side is missing."""
    good = (bid_e9 > 0) & (ask_e9 >= bid_e9)
    if not good.any():
        return figures
    spread, middle = ask_e9[good] - bid_e9[good], (ask_e9[good] + bid_e9[good]) / 2
    return figures._replace(spread_e9=float(spread.mean()), middle_e9=float(middle.mean()))


def days_of_tape(tape: Tape, calendar: Calendar, tick_size_e9: int, lot_size_e9: int) -> dict[date, DayFigures]:
    """The days of one instrument's records (any number in them counts as it). Raises ReferenceDataError as `days_of_bars`."""
    tape = tape[np.argsort(tape["ts_event_ns"], kind="stable")].copy()
    tape["instrument"] = 0
    prints = np.isin(tape["kind"], [Kind.TRADE, Kind.EXECUTE, Kind.CROSS]) & ((tape["flags"] & FLAG_NO_PRINT) == 0)
    if not prints.any():
        return {}
    traded = tape[prints]
    prices = (traded["price_ticks"] + 0.5 * ((traded["flags"] & FLAG_HALF_TICK) != 0)) * tick_size_e9
    volumes = np.rint(traded["size_lots"] * (lot_size_e9 / 1e9)).astype(np.int64)
    seconds, place = np.unique(traded["ts_event_ns"] // 10**9, return_inverse=True)
    sums = np.bincount(place, weights=volumes).astype(np.int64)
    full = day_volumes(seconds * 10**9, sums, calendar, BUCKET_NS)
    book, found = make_book(None, 1 << 16, _CAPACITY), {}
    begin = 0
    for day in sorted({calendar.date_at(int(at_s) * 10**9) for at_s in seconds}):
        if not (spans := [span for span in calendar.phases(day) if span.phase in _TRADED]):
            continue
        open_ns, close_ns = calendar.open_close_ns(day)
        end = int(np.searchsorted(tape["ts_event_ns"], close_ns, side="right"))
        marks, sums_of_time = np.full((close_ns - open_ns) // BUCKET_NS + 1, np.nan), np.zeros(3)
        _walk(book, tape, begin, end, open_ns, close_ns, marks, sums_of_time)
        begin = end
        of_day = _within(traded["ts_event_ns"], spans)
        if not volumes[of_day].sum():
            continue
        time_ns, spread, middle = (float(value) for value in sums_of_time)
        spread_e9, middle_e9 = (spread / time_ns, middle / time_ns) if time_ns else (math.nan, math.nan)
        found[day] = DayFigures(
            float(volumes[of_day].sum()), float(prices[of_day][-1]), full.get(day),
            spread_e9 * tick_size_e9, middle_e9 * tick_size_e9, _variance(marks),
        )  # fmt: skip
    return found


@hot
def _walk(b: Book, tape: Tape, begin: int, end: int, open_ns: int, close_ns: int, marks: Reals, sums: Reals) -> None:
    """Follow the book. marks: the middle in ticks at each five minutes, where there is one; sums: ns with two sides and an
    uncrossed book, and over them spread and middle in ticks, weighted by time."""
    last, next_mark = open_ns, i64(0)
    for i in range(begin, end + 1):
        now = tape[i].ts_event_ns if i < end else close_ns
        bid, bid_lots, ask, ask_lots = b.ten[0, 0, 0], b.ten[0, 0, 1], b.ten[0, 0, 2], b.ten[0, 0, 3]
        whole = bid_lots > 0 and ask_lots > 0 and ask >= bid
        until = min(now, close_ns)
        if until > last:
            if whole:
                sums[0] += until - last
                sums[1] += float(ask - bid) * (until - last)
                sums[2] += 0.5 * (ask + bid) * (until - last)
            last = until
        while next_mark < marks.size and (open_ns + next_mark * BUCKET_NS < now or i == end):
            if whole:
                marks[next_mark] = 0.5 * (ask + bid)
            next_mark += 1
        if i < end:
            apply_one(b, tape, i)


def _spread_out(bars: Bars) -> tuple[Ints, Ints]:
    """Bars of five minutes at most: beginnings and volumes."""
    parts = np.maximum(1, bars.length_ns // BUCKET_NS)
    first = np.repeat(np.cumsum(parts) - parts, parts)
    nth = np.arange(int(parts.sum())) - first
    begin_ns, volume, count = (np.repeat(column, parts) for column in (bars.begin_ns, bars.volume, parts))
    return begin_ns + nth * BUCKET_NS, volume * (nth + 1) // count - volume * nth // count  # the sum stays what it was


def _within(times_ns: Ints, spans: Sequence[tuple[Phase, int, int]]) -> NDArray[np.bool_]:
    inside = np.zeros(len(times_ns), np.bool_)
    for _, begin_ns, end_ns in spans:
        inside |= (times_ns >= begin_ns) & (times_ns < end_ns)
    return inside


def _marks(ends_ns: Ints, closes: Reals, open_ns: int, close_ns: int) -> Reals:
    """The last close at or before each five-minute mark from the open to the close; NaN before the first."""
    marks = np.arange(open_ns, close_ns + 1, BUCKET_NS)
    at = np.searchsorted(ends_ns, marks, side="right") - 1
    return np.where(at >= 0, closes[np.maximum(at, 0)], np.nan)


def _variance(marks: Reals) -> float:
    """Sum of squared ln returns between marks that are known and prices; NaN without two."""
    known = marks[marks > 0]
    return float((np.diff(np.log(known)) ** 2).sum()) if len(known) > 1 else math.nan
