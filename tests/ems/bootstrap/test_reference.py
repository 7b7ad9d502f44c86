"""The Reference port: trade dates, days off, curves that never look ahead."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from ems.bootstrap import sample_reference
from ems.bootstrap.reference import FileReference
from ems.config import Settings
from models.volume_curve import default_curve

BARS = Path(__file__).resolve().parents[4] / "shared" / "data" / "bars_1min_lean"


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def test_the_trade_date_is_the_home_markets() -> None:
    reference = sample_reference()
    assert reference.trade_date(ns("2026-11-24T03:00:00")) == "2026-11-23", "still yesterday in New York"
    assert reference.trade_date(ns("2026-11-24T06:00:00")) == "2026-11-24"


def test_days_off_and_beyond_the_horizon_there_is_no_session() -> None:
    reference = sample_reference()
    amzn = reference.instrument("AMZN")
    assert amzn is not None
    day = reference.day(amzn, ns("2026-11-24T15:00:00"))
    assert day is not None and (day.trade_date, day.close_ns - day.open_ns) == ("2026-11-24", 6.5 * 3600 * 1e9)
    assert reference.day(amzn, ns("2026-11-26T15:00:00")) is None, "Thanksgiving"
    assert reference.day(amzn, ns("2050-01-03T15:00:00")) is None
    assert reference.instrument("NONE") is None


def test_without_bars_the_curve_is_the_plain_one_of_the_days_length() -> None:
    reference = sample_reference()
    amzn = reference.instrument("AMZN")
    assert amzn is not None
    half = reference.day(amzn, ns("2026-11-27T15:00:00"))
    assert half is not None
    curve = reference.volume_curve(amzn, half)
    assert curve.shares == default_curve(42), "three and a half hours of five minutes"
    assert curve.open_ns == half.open_ns and curve.bucket_ns == 300_000_000_000


def test_a_curve_is_learned_from_earlier_days_alone() -> None:
    if not BARS.exists():
        pytest.skip("no recorded market data: bars_1min_lean is not beside this clone")
    reference = FileReference.load(Settings(bars=BARS))
    bac = reference.instrument("BAC")
    assert bac is not None

    def shares(at: str) -> tuple[float, ...]:
        day = reference.day(bac, ns(at))
        assert day is not None
        return reference.volume_curve(bac, day).shares

    first, second, later = (shares(at) for at in ("2013-10-04T15:00:00", "2013-10-07T15:00:00", "2013-10-11T15:00:00"))
    assert first == default_curve(78), "there is nothing earlier than the first day"
    assert len({first, second, later}) == 3
    assert sum(later) == pytest.approx(1)
