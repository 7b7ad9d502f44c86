"""Volume, spread and volatility of a day against plain sums; half days, auctions and time outside the session."""

from __future__ import annotations

import math
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.reference import files
from domain.tape import FLAG_HALF_TICK, FLAG_NO_PRINT, Kind, tape_of
from models.market_tables import BUCKET_NS, Bars, DayFigures, days_of_bars, days_of_tape, usual, with_spread
from models.volume_curve import day_volumes

CALENDAR = files.load_sample().calendars["XNAS"]
MONDAY, HALF_DAY, HOLIDAY = date(2026, 11, 23), date(2026, 11, 27), date(2026, 11, 26)
MINUTE, CENT, SHARE = 60 * 10**9, 10_000_000, 10**9


def ns(day: date, clock: str) -> int:
    moment = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo("America/New_York"))
    return int(moment.timestamp()) * 10**9


def bars(rows: list[tuple[int, int, int, int]]) -> Bars:
    return Bars(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))


def test_a_day_is_its_auctions_and_its_continuous_trading() -> None:
    day, half, off = MONDAY, HALF_DAY, HOLIDAY
    rows = [
        (ns(day, "08:00"), MINUTE, 100, 7), (ns(day, "09:28"), MINUTE, 100, 10), (ns(day, "09:30"), MINUTE, 100, 20),
        (ns(day, "15:59"), MINUTE, 104, 30), (ns(day, "16:00"), MINUTE, 105, 40), (ns(day, "17:00"), MINUTE, 109, 50),
        (ns(off, "12:00"), MINUTE, 100, 9), (ns(half, "12:59"), MINUTE, 110, 5), (ns(half, "13:06"), MINUTE, 111, 6),
    ]  # fmt: skip
    found = days_of_bars(bars(rows), CALENDAR)
    assert {day: (f.volume, f.close_e9) for day, f in found.items()} == {day: (100, 105), half: (5, 110)}
    assert found[half].buckets is None
    buckets = found[day].buckets
    assert buckets is not None and (len(buckets), buckets[0], buckets[-1], buckets.sum()) == (78, 20, 30, 50)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=7))
def test_long_bars_are_spread_evenly_and_lose_nothing(volumes: list[int]) -> None:
    rows = [(ns(MONDAY, "09:30") + i * 30 * MINUTE, 30 * MINUTE, 100, volume) for i, volume in enumerate(volumes)]
    found = days_of_bars(bars(rows), CALENDAR)
    if not sum(volumes):
        assert found == {}
        return
    buckets = found[MONDAY].buckets
    assert buckets is not None and buckets.sum() == sum(volumes)
    for i, volume in enumerate(volumes):
        six = buckets[6 * i : 6 * i + 6]
        assert six.sum() == volume and six.max() - six.min() <= 1


def test_bars_of_a_day_tell_volume_and_close_alone() -> None:
    rows = [(ns(day, "00:00"), 86_400 * 10**9, 100 + i, 10 * i) for i, day in enumerate((MONDAY, HOLIDAY, HALF_DAY))]
    found = days_of_bars(bars(rows), CALENDAR)
    assert list(found) == [HALF_DAY], "no volume, and no trading"
    assert (found[HALF_DAY].volume, found[HALF_DAY].close_e9, found[HALF_DAY].buckets) == (20, 102, None)


def test_variance_is_of_five_minute_marks() -> None:
    closes = [100, 101, 99, 102]
    rows = [(ns(MONDAY, "09:30") + i * 5 * MINUTE, 5 * MINUTE, close, 1) for i, close in enumerate(closes)]
    expected = sum(math.log(b / a) ** 2 for a, b in pairwise(closes))
    assert days_of_bars(bars(rows), CALENDAR)[MONDAY].variance == pytest.approx(expected)


def test_what_is_usual() -> None:
    days = {
        date(2026, 11, 16 + i): DayFigures(10.0 * (i + 1), close, None, spread, 100.0, variance)
        for i, (close, spread, variance) in enumerate(
            [(100.0, 1.0, math.nan), (110.0, math.nan, 0.0004), (99.0, 3.0, 0.0016), (108.9, 2.0, math.nan)]
        )
    }
    found = usual(days, 4)
    returns = [math.log(1.1), math.log(0.9), math.log(1.1)]
    assert (found.as_of, found.days, found.average_daily_volume) == (date(2026, 11, 19), 4, 25.0)
    assert (found.spread_e9, found.spread_bps) == (pytest.approx(2.0), pytest.approx(200.0))
    assert found.daily_volatility == pytest.approx(np.std(returns, ddof=1))
    assert found.intraday_volatility == pytest.approx(math.sqrt(0.001))
    last = usual(days, 2)
    assert last.average_daily_volume == 35.0 and math.isnan(last.daily_volatility), "one return has no deviation"


def test_the_spread_of_moments_leaves_out_missing_sides_and_crosses() -> None:
    bid, ask = np.array([100, 0, 105, 100]), np.array([102, 101, 104, 100])
    found = with_spread(DayFigures(1.0, 1.0, None), bid, ask)
    assert (found.spread_e9, found.middle_e9) == (1.0, 100.5)
    assert math.isnan(with_spread(DayFigures(1.0, 1.0, None), bid[1:3], ask[1:3]).spread_e9)


STEP = st.tuples(
    st.integers(0, 24 * 60 * 60), st.sampled_from(["level", "level", "level", "trade", "cross", "hidden", "clear"]),
    st.sampled_from([1, -1]), st.integers(95, 105), st.integers(0, 9),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.lists(STEP, max_size=60))
def test_a_tape_against_plain_sums(steps: list[tuple[int, str, int, int, int]]) -> None:
    rows, shown, last, sums = [], {1: {}, -1: {}}, None, [0, 0.0]
    open_ns, close_ns = CALENDAR.open_close_ns(MONDAY)
    volume = 0
    marks: dict[int, float] = {}
    for at_s, what, side, ticks, lots in [*sorted(steps), (24 * 60 * 60, "end", 1, 1, 1)]:
        now = ns(MONDAY, "00:00") + at_s * 10**9
        both = bool(shown[1] and shown[-1]) and max(shown[1]) <= min(shown[-1])
        begin = open_ns if last is None else max(last, open_ns)
        if both and min(now, close_ns) > begin:
            sums[0] += min(now, close_ns) - begin
            sums[1] += (min(shown[-1]) - max(shown[1])) * (min(now, close_ns) - begin)
        if both:
            for mark in range(open_ns, close_ns + 1, BUCKET_NS):
                if (last or 0) <= mark < now:
                    marks[mark] = (min(shown[-1]) + max(shown[1])) / 2
        last = now
        kinds = {"level": Kind.LEVEL, "trade": Kind.TRADE, "cross": Kind.CROSS, "hidden": Kind.EXECUTE, "clear": Kind.CLEAR}
        if what == "end":
            break
        flags = {"trade": FLAG_HALF_TICK, "hidden": FLAG_NO_PRINT}.get(what, 0)
        rows.append((now, now, 0, ticks, lots, 3, flags, int(kinds[what]), side if what in ("level", "trade") else 0))
        if what == "level":
            shown[side].pop(ticks, None)
            shown[side].update({ticks: lots} if lots else {})
        elif what == "clear":
            shown = {1: {}, -1: {}}
        elif what in ("trade", "cross") and ns(MONDAY, "09:28") <= now < ns(MONDAY, "16:05") and lots:
            volume += lots
    found = days_of_tape(tape_of(rows), CALENDAR, CENT, SHARE) if rows else {}
    if not volume:
        assert found == {}
        return
    day = found[MONDAY]
    assert day.volume == volume
    expected = sums[1] / sums[0] * CENT if sums[0] else math.nan
    assert day.spread_e9 == pytest.approx(expected, nan_ok=True)
    known = [marks[mark] for mark in sorted(marks)]
    variance = sum(math.log(b / a) ** 2 for a, b in pairwise(known)) if len(known) > 1 else math.nan
    assert day.variance == pytest.approx(variance, nan_ok=True)


def test_two_days_of_a_tape_and_their_volume_by_bucket() -> None:
    days, rows = (MONDAY, date(2026, 11, 24)), []
    for n, day in enumerate(days, 1):
        for clock, lots in (("09:31", 5 * n), ("09:34", 2), ("15:58", 7)):
            rows.append((ns(day, clock), 0, 0, 100, lots, 0, 0, int(Kind.TRADE), 1))
    tape = tape_of(rows)
    found = days_of_tape(tape, CALENDAR, CENT, SHARE)
    assert [figures.volume for figures in found.values()] == [14, 19]
    bars = day_volumes(tape["ts_event_ns"], tape["size_lots"], CALENDAR, BUCKET_NS)
    for day in days:
        buckets = found[day].buckets
        assert buckets is not None and (buckets == bars[day]).all()
