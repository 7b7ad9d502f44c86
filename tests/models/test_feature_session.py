"""The regime of the day by an instrument's calendar: full days, half days, days off, and a new day that begins anew."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from adapters.reference import files
from domain.calendar import Calendar, Hours, Phase, PhaseHours
from domain.errors import ReferenceDataError
from domain.tape import Kind, tape_of
from models import feature_arrays as fa
from models.feature_arrays import make_features
from models.feature_session import begin_day, session_of
from models.features import update
from models.market.follow import apply_one
from models.market.layout import make_book
from models.tape_view import view

CALENDAR = files.load_sample().calendars["XNAS"]
MONDAY, TUESDAY, HALF_DAY, HOLIDAY = date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 27), date(2026, 11, 26)
FULL = [("09:27:59", fa.CLOSED), ("09:28", fa.OPENING), ("09:30", fa.CONTINUOUS), ("15:29", fa.CONTINUOUS),
        ("15:30", fa.PRE_CLOSE), ("16:00", fa.CLOSING), ("16:04:59", fa.CLOSING), ("16:05", fa.CLOSED)]  # fmt: skip
HALF = [("09:29", fa.OPENING), ("12:29", fa.CONTINUOUS), ("12:30", fa.PRE_CLOSE), ("13:00", fa.CLOSING), ("13:05", fa.CLOSED),
        ("15:59", fa.CLOSED)]  # fmt: skip


def ns(day: date, clock: str) -> int:
    return int(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


@pytest.mark.parametrize(("day", "expected"), [(MONDAY, FULL), (HALF_DAY, HALF), (HOLIDAY, [("12:00", fa.CLOSED)])])
def test_the_regime_is_the_calendars(day: date, expected: list[tuple[str, int]]) -> None:
    f, b = make_features(), make_book(None, 64, 16)
    begin_day(f, 0, CALENDAR, day)
    found = []
    for clock, _ in expected:
        tape = tape_of([(ns(day, clock), 0, 0, 10, 5, 0, 0, Kind.LEVEL, 1)])
        apply_one(b, tape, 0)
        update(f, b, tape, 0)
        found.append((clock, int(f.values[0, fa.REGIME])))
    assert found == expected


def test_a_new_day_begins_anew_and_other_instruments_go_on() -> None:
    f, b = make_features(2), make_book(None, 64, 16, 2)
    tape = tape_of([(ns(MONDAY, "10:00"), 0, 0, 10, 5, k, 0, Kind.LEVEL, 1) for k in range(2)])
    for k in range(2):
        begin_day(f, k, CALENDAR, MONDAY)
        apply_one(b, tape, k)
        update(f, b, tape, k)
    begin_day(f, 0, CALENDAR, TUESDAY)
    assert not f.values[0].any() and f.values[1, fa.QUEUE] == 1.0
    assert tuple(f.session[0]) == session_of(CALENDAR, TUESDAY)[:4] and f.session[1, 1] == ns(MONDAY, "09:30")


def test_a_market_without_auctions_and_a_session_shorter_than_the_pre_close() -> None:
    hours = Hours(valid_from=date(2020, 1, 1), phases=(PhaseHours(Phase.CONTINUOUS, 36_000, 37_200),))
    plain = Calendar(mic="XTST", time_zone="UTC", first_date=date(2020, 1, 1), last_date=date(2030, 1, 1), hours=(hours,))
    begins, opens, pre_close, closes, ends = session_of(plain, MONDAY)
    assert begins == opens == pre_close and closes == ends == opens + 1_200 * 10**9
    with pytest.raises(ReferenceDataError, match="nothing is known"):
        session_of(plain, date(2031, 1, 1))


def test_a_picture_of_two_days_has_the_regimes_of_both() -> None:
    half, hours = (HALF_DAY, "12:45"), [(TUESDAY, "09:29"), (TUESDAY, "12:45"), (TUESDAY, "15:45"), (HALF_DAY, "09:29")]
    rows = [(ns(day, clock), 0, 0, 10, 5, 0, 0, Kind.LEVEL, 1) for day, clock in [*hours, half, (HALF_DAY, "13:02")]]
    shown = view(tape_of(rows), 0, 20_000, CALENDAR)
    regimes = {
        (day, clock): shown.values[int(np.searchsorted(shown.times_ns, ns(day, clock))), fa.REGIME]
        for day, clock in [*hours, half]
    }
    expected = [fa.OPENING, fa.CONTINUOUS, fa.PRE_CLOSE, fa.OPENING, fa.PRE_CLOSE]
    assert dict(zip(regimes, expected, strict=True)) == regimes
    assert shown.values[-1, fa.REGIME] == fa.CLOSING
    night = shown.values[int(np.searchsorted(shown.times_ns, ns(date(2026, 11, 25), "03:00"))), fa.REGIME]
    assert np.isnan(night), "a new day, of which nothing is known before its first record"
