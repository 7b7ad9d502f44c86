"""Calendars: local hours in UTC through changes of the clocks, holidays, half days, and the horizon."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.calendar import Calendar, HalfDay, Hours, Phase, PhaseHours
from domain.errors import ReferenceDataError

HOUR_S = 3600
NEW_YORK = (
    PhaseHours(Phase.PRE_OPEN, 4 * HOUR_S, 34_080),
    PhaseHours(Phase.OPENING_AUCTION, 34_080, 34_200),
    PhaseHours(Phase.CONTINUOUS, 34_200, 16 * HOUR_S),
    PhaseHours(Phase.CLOSING_AUCTION, 16 * HOUR_S, 57_900),
    PhaseHours(Phase.POST_CLOSE, 57_900, 20 * HOUR_S),
)
SECOND_NS = 1_000_000_000


def calendar(**changes: Any) -> Calendar:
    values: dict[str, Any] = {
        "mic": "XNAS",
        "time_zone": "America/New_York",
        "first_date": date(2026, 1, 1),
        "last_date": date(2026, 12, 31),
        "hours": (Hours(valid_from=date(2026, 1, 1), phases=NEW_YORK),),
        "holidays": frozenset({date(2026, 11, 26), date(2026, 12, 25)}),
        "half_days": (HalfDay(date(2026, 11, 27), 13 * HOUR_S),),
        **changes,
    }
    return Calendar.model_validate(values)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * SECOND_NS


@pytest.mark.parametrize(
    ("day", "opens", "closes"),
    [
        ("2026-03-06", "2026-03-06 14:30", "2026-03-06 21:00"),  # winter time
        ("2026-03-09", "2026-03-09 13:30", "2026-03-09 20:00"),  # the clocks went forward the night before last
        ("2026-10-30", "2026-10-30 13:30", "2026-10-30 20:00"),
        ("2026-11-02", "2026-11-02 14:30", "2026-11-02 21:00"),
        ("2026-11-27", "2026-11-27 14:30", "2026-11-27 18:00"),  # half day
    ],
)
def test_the_session_keeps_its_local_hours(day: str, opens: str, closes: str) -> None:
    assert calendar().open_close_ns(date.fromisoformat(day)) == (ns(opens), ns(closes))


def test_a_session_over_the_change_of_the_clocks_loses_an_hour() -> None:
    night = (PhaseHours(Phase.CONTINUOUS, 0, 24 * HOUR_S),)
    around = calendar(hours=(Hours(valid_from=date(2026, 1, 1), phases=night),), weekdays=frozenset(range(7)), half_days=())
    lengths = {on: around.open_close_ns(date(2026, *on)) for on in ((3, 7), (3, 8), (11, 1))}
    hours = {on: (close_ns - open_ns) // SECOND_NS / HOUR_S for on, (open_ns, close_ns) in lengths.items()}
    assert hours == {(3, 7): 24, (3, 8): 23, (11, 1): 25}


@pytest.mark.parametrize(
    ("moment", "phase"),
    [
        ("2026-11-20 08:59:59", Phase.CLOSED),
        ("2026-11-20 09:00", Phase.PRE_OPEN),
        ("2026-11-20 14:28", Phase.OPENING_AUCTION),
        ("2026-11-20 14:30", Phase.CONTINUOUS),
        ("2026-11-20 20:59:59", Phase.CONTINUOUS),
        ("2026-11-20 21:00", Phase.CLOSING_AUCTION),
        ("2026-11-20 21:05", Phase.POST_CLOSE),
        ("2026-11-21 01:00", Phase.CLOSED),
        ("2026-11-21 15:00", Phase.CLOSED),  # Saturday
        ("2026-11-26 15:00", Phase.CLOSED),  # holiday
        ("2026-11-27 17:59:59", Phase.CONTINUOUS),
        ("2026-11-27 18:00", Phase.CLOSING_AUCTION),  # half day: what follows the close moves with it
        ("2026-11-27 18:05", Phase.POST_CLOSE),
        ("2026-11-27 22:00", Phase.CLOSED),
    ],
)
def test_phases(moment: str, phase: Phase) -> None:
    assert calendar().phase_at(ns(moment)) is phase


def test_trading_days() -> None:
    xnas = calendar()
    assert xnas.is_trading_day(date(2026, 11, 25))
    assert not xnas.is_trading_day(date(2026, 11, 26))
    assert not xnas.is_trading_day(date(2026, 11, 28))
    assert xnas.is_half_day(date(2026, 11, 27))
    assert not xnas.is_half_day(date(2026, 11, 25))
    assert xnas.date_at(ns("2026-11-27 04:59")) == date(2026, 11, 26)
    with pytest.raises(ReferenceDataError, match="XNAS does not trade on 2026-11-26"):
        xnas.open_close_ns(date(2026, 11, 26))


@pytest.mark.parametrize(
    ("moment", "opens"),
    [
        ("2026-11-25 14:29:59", "2026-11-25 14:30"),
        ("2026-11-25 14:30", "2026-11-25 14:30"),
        ("2026-11-25 14:30:01", "2026-11-27 14:30"),  # over the holiday
        ("2026-11-27 20:00", "2026-11-30 14:30"),  # over the weekend
    ],
)
def test_next_open(moment: str, opens: str) -> None:
    assert calendar().next_open(ns(moment)) == ns(opens)


@pytest.mark.parametrize(
    ("on", "before"),
    [
        (date(2026, 11, 25), date(2026, 11, 24)),
        (date(2026, 11, 27), date(2026, 11, 25)),  # over the holiday
        (date(2026, 11, 30), date(2026, 11, 27)),  # over the weekend, to a half day
        (date(2026, 11, 29), date(2026, 11, 27)),
        (date(2027, 1, 1), date(2026, 12, 31)),
    ],
)
def test_the_trading_day_before(on: date, before: date) -> None:
    assert calendar().previous_trading_day(on) == before


def test_before_the_first_day_there_is_none() -> None:
    with pytest.raises(ReferenceDataError, match="nothing is known of 2025-12-31"):
        calendar().previous_trading_day(date(2026, 1, 1))


@pytest.mark.parametrize("on", [date(2025, 12, 31), date(2027, 1, 1)])
def test_nothing_is_known_beyond_the_horizon(on: date) -> None:
    with pytest.raises(ReferenceDataError, match=f"2026-01-01 to 2026-12-31: nothing is known of {on}"):
        calendar().is_trading_day(on)
    with pytest.raises(ReferenceDataError, match="nothing is known"):
        calendar().phase_at(ns(f"{on} 15:00"))


def test_no_open_follows_the_last() -> None:
    with pytest.raises(ReferenceDataError, match="ends on 2026-12-31: no open is known after 2026-12-31 14:30:01 UTC"):
        calendar().next_open(ns("2026-12-31 14:30:01"))


def test_hours_are_dated_and_may_break_for_lunch() -> None:
    morning, afternoon = PhaseHours(Phase.CONTINUOUS, 9 * HOUR_S, 41_400), PhaseHours(Phase.CONTINUOUS, 45_000, 15 * HOUR_S)
    later = PhaseHours(Phase.CONTINUOUS, 45_000, 55_800)
    tokyo = calendar(
        time_zone="Asia/Tokyo",
        half_days=(),
        hours=(
            Hours(valid_from=date(2026, 1, 1), phases=(morning, afternoon)),
            Hours(valid_from=date(2026, 11, 5), phases=(morning, later)),
        ),
    )
    assert tokyo.open_close_ns(date(2026, 11, 4)) == (ns("2026-11-04 00:00"), ns("2026-11-04 06:00"))
    assert tokyo.open_close_ns(date(2026, 11, 5)) == (ns("2026-11-05 00:00"), ns("2026-11-05 06:30"))
    assert tokyo.phase_at(ns("2026-11-05 03:00")) is Phase.CLOSED
    assert tokyo.phase_at(ns("2026-11-05 03:30")) is Phase.CONTINUOUS


@given(day=st.dates(date(2026, 1, 1), date(2026, 12, 31)), second=st.integers(0, 86_399))
def test_phase_and_spans_tell_the_same(day: date, second: int) -> None:
    xnas = calendar()
    moment_ns = ns(f"{day} 05:00") + second * SECOND_NS
    if xnas.date_at(moment_ns) > xnas.last_date:
        return
    inside = [
        s.phase
        for on in (day, day - timedelta(1))
        if on.year == 2026
        for s in xnas.phases(on)
        if s.begin_ns <= moment_ns < s.end_ns
    ]
    assert [xnas.phase_at(moment_ns)] == (inside or [Phase.CLOSED])


@pytest.mark.parametrize(
    ("phases", "why"),
    [
        ((PhaseHours(Phase.CONTINUOUS, 10, 10),), "begin before it ends"),
        ((PhaseHours(Phase.CONTINUOUS, 10, 86_401),), "within one day"),
        ((PhaseHours(Phase.PRE_OPEN, 0, 10), PhaseHours(Phase.CONTINUOUS, 9, 20)), "may not overlap"),
        ((PhaseHours(Phase.PRE_OPEN, 0, 10),), "needs a continuous phase"),
        ((), "needs a continuous phase"),
    ],
)
def test_impossible_hours_are_refused(phases: tuple[PhaseHours, ...], why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why):
        Hours(valid_from=date(2026, 1, 1), phases=phases)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"time_zone": "America/Gotham"}, "no time zone 'America/Gotham'"),
        ({"last_date": date(2025, 1, 1)}, "ends before it begins"),
        ({"hours": ()}, "no session hours for 2026-01-01"),
        ({"hours": (Hours(valid_from=date(2026, 1, 2), phases=NEW_YORK),)}, "no session hours for 2026-01-01"),
        ({"hours": (Hours(valid_from=date(2026, 1, 1), phases=NEW_YORK),) * 2}, "date order"),
        ({"half_days": (HalfDay(date(2026, 11, 26), 13 * HOUR_S),)}, "both a holiday and a half day"),
        ({"half_days": (HalfDay(date(2026, 11, 27), 16 * HOUR_S),)}, "does not close within the session"),
        ({"half_days": (HalfDay(date(2026, 11, 27), 46_800), HalfDay(date(2026, 11, 27), 46_801))}, "there twice"),
    ],
)
def test_contradicting_calendars_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why):
        calendar(**changes)
