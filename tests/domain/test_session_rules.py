"""The windows of a session, over days, weeks and changes of the clock; and rules that cannot be followed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import ConfigError
from domain.session_rules import SessionRules

DAY = {"start_time": "07:00:00", "end_time": "17:30:00", "time_zone": "America/New_York"}
NIGHT = {"start_time": "18:00:00", "end_time": "17:00:00", "time_zone": "America/New_York"}
ROUND = {"start_time": "17:00:00", "end_time": "17:00:00", "time_zone": "Europe/London"}
WEEK = {"start_time": "18:00:00", "end_time": "17:00:00", "start_day": "sunday", "end_day": "friday", "time_zone": "UTC"}
ALL_WEEK = {"start_time": "00:00:00", "end_time": "00:00:00", "start_day": "monday", "end_day": "monday", "time_zone": "UTC"}


@pytest.mark.parametrize(
    ("rules", "now", "window"),
    [
        (DAY, "2026-03-06T11:59:59", None),
        (DAY, "2026-03-06T12:00:00", ("2026-03-06T12:00:00", "2026-03-06T22:30:00")),
        (DAY, "2026-03-06T22:29:59", ("2026-03-06T12:00:00", "2026-03-06T22:30:00")),
        (DAY, "2026-03-06T22:30:00", None),
        (DAY, "2026-03-09T11:00:00", ("2026-03-09T11:00:00", "2026-03-09T21:30:00")),  # summer time began on the 8th
        (NIGHT, "2026-01-13T22:30:00", None),
        (NIGHT, "2026-01-13T23:00:00", ("2026-01-13T23:00:00", "2026-01-14T22:00:00")),
        (NIGHT, "2026-01-14T03:00:00", ("2026-01-13T23:00:00", "2026-01-14T22:00:00")),
        (ROUND, "2026-01-14T16:59:59", ("2026-01-13T17:00:00", "2026-01-14T17:00:00")),
        (ROUND, "2026-01-14T17:00:00", ("2026-01-14T17:00:00", "2026-01-15T17:00:00")),
        (WEEK, "2026-01-11T17:59:59", None),  # a Sunday
        (WEEK, "2026-01-11T18:00:00", ("2026-01-11T18:00:00", "2026-01-16T17:00:00")),
        (WEEK, "2026-01-16T16:59:59", ("2026-01-11T18:00:00", "2026-01-16T17:00:00")),
        (WEEK, "2026-01-16T17:00:00", None),
        (ALL_WEEK, "2026-01-11T23:59:59", ("2026-01-05T00:00:00", "2026-01-12T00:00:00")),
        (ALL_WEEK, "2026-01-12T00:00:00", ("2026-01-12T00:00:00", "2026-01-19T00:00:00")),
    ],
)
def test_the_window_of_a_moment(rules: dict[str, Any], now: str, window: tuple[str, str] | None) -> None:
    found = SessionRules(**rules).window(_ns(now))
    assert found == (None if window is None else (_ns(window[0]), _ns(window[1])))


@pytest.mark.parametrize(
    "rules",
    [
        {"start_time": "07:00:00"},
        {"start_day": "monday", "end_day": "friday"},
        {**DAY, "start_day": "monday"},
        {**DAY, "start_day": "monday", "end_day": "payday"},
        {**DAY, "start_time": "25:00:00"},
        {**DAY, "time_zone": "Mars/Olympus"},
        {"heart_bt_int_min_s": 60, "heart_bt_int_max_s": 5},
        {"heart_bt_int_min_s": 0},
        {"username": "me"},
        {"password_env": "THERE"},
        {"username": "me", "password_env": "THERE", "password_file": "too"},
        {"tls_certificate": "mine.pem"},
        {"refused_logons_max": 0},
    ],
)
def test_rules_that_cannot_be_followed_are_one_sentence(rules: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"^FIX session OMS: "):
        SessionRules(**rules).check("FIX session OMS")


def test_no_rules_can_be_followed() -> None:
    SessionRules().check("FIX session OMS")
    assert not SessionRules().timed


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000
