"""The volume curve: learned day by day, and held against days it has not seen."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from adapters.marketdata.bars import read_csv_trades, read_lean_hourly_trades, read_lean_minute_trades
from adapters.reference.files import load_sample
from domain.calendar import Calendar
from domain.errors import ReferenceDataError
from models.volume_curve import day_volumes, default_curve, learn_curve

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
MINUTE_NS = 60_000_000_000
FIVE_NS, QUARTER_NS, HALF_HOUR_NS = 5 * MINUTE_NS, 15 * MINUTE_NS, 30 * MINUTE_NS
Days = dict[date, NDArray[np.float64]]


@pytest.fixture(scope="module")
def xnys() -> Calendar:
    return load_sample().calendars["XNYS"]


def folder(name: str) -> Path:
    if not (DATA / name).is_dir():
        pytest.skip(f"recorded bars are not there: {DATA / name}")
    return DATA / name


# ------------------------------------------------------------------------------------- made-up days


def test_every_day_counts_the_same_however_much_it_traded() -> None:
    assert learn_curve([[1, 3], [6_000, 2_000]], prior_days=0) == (0.5, 0.5)


def test_one_day_far_out_of_line_does_not_become_a_habit() -> None:
    usual, index_change = [10.0] * 10, [10.0] * 9 + [10_000.0]
    assert learn_curve([usual, usual, index_change], prior_days=0)[-1] < 0.25  # 0.4 if it counted in full
    assert learn_curve([usual, index_change], prior_days=0)[-1] > 0.5  # of two days none is the usual one


def test_a_bucket_that_is_usually_empty_may_trade_now_and_then() -> None:
    assert learn_curve([[1, 1, 0], [1, 1, 0], [1, 1, 1]], prior_days=0)[2] == pytest.approx(1 / 9)


def test_the_built_in_curve_stands_in_for_two_days_and_fades() -> None:
    flat = [1.0] * 26
    built_in = default_curve(26)
    assert learn_curve([flat] * 2) == pytest.approx([(share + 1 / 26) / 2 for share in built_in])
    assert learn_curve([flat] * 2000) == pytest.approx([1 / 26] * 26, rel=0.01)


@given(
    days=st.lists(st.lists(st.integers(0, 10**9), min_size=7, max_size=7).filter(any), min_size=1, max_size=10),
    prior_days=st.floats(0, 10),
)
def test_a_curve_sums_to_one(days: list[list[float]], prior_days: float) -> None:
    curve = learn_curve(days, prior_days)
    assert sum(curve) == pytest.approx(1)
    assert all(share >= 0 for share in curve)


@pytest.mark.parametrize("days", [[], [[]], [[1, 2], [1, 2, 3]], [[1, -1]], [[1, float("nan")]], [[1, 2], [0, 0]]])
def test_days_that_teach_nothing_are_refused(days: list[list[float]]) -> None:
    with pytest.raises(ReferenceDataError, match="a volume curve needs"):
        learn_curve(days)


@pytest.mark.parametrize("buckets", [1, 7, 26, 78, 390])
def test_the_built_in_curve_is_a_u(buckets: int) -> None:
    curve = default_curve(buckets)
    assert sum(curve) == pytest.approx(1)
    if buckets >= 7:
        middle = curve[buckets // 2]
        assert curve[0] > 1.5 * middle
        assert curve[-1] > 1.5 * middle
    assert sum(curve[: buckets // 13]) == pytest.approx(sum(default_curve(13)[: (buckets // 13) * 13 // buckets]), abs=1e-12)


def test_a_curve_has_a_bucket() -> None:
    with pytest.raises(ValueError, match="at least one bucket, not 0"):
        default_curve(0)


def session_bars(calendar: Calendar, day: date, *offsets_min: int) -> NDArray[np.int64]:
    open_ns, _ = calendar.open_close_ns(day)
    return np.array([open_ns + offset * MINUTE_NS for offset in offsets_min], dtype=np.int64)


def test_only_the_regular_session_of_full_days_counts(xnys: Calendar) -> None:
    full, half = date(2013, 11, 27), date(2013, 11, 29)
    begin_ns = np.concatenate([session_bars(xnys, half, 0, 5), session_bars(xnys, full, 389, -1, 0, 1, 30, 390)])
    volumes = np.array([7, 7, 8, 1000, 1, 2, 4, 1000], dtype=np.int64)
    days = day_volumes(begin_ns, volumes, xnys, HALF_HOUR_NS)
    assert list(days) == [full]
    assert days[full].tolist() == [3, 4, *[0] * 10, 8]


def test_bars_that_do_not_fit_are_refused(xnys: Calendar) -> None:
    bars = session_bars(xnys, date(2013, 11, 27), 0, 1)
    volumes = np.ones(2, dtype=np.int64)
    with pytest.raises(ReferenceDataError, match="no whole number"):
        day_volumes(bars, volumes, xnys, 7 * MINUTE_NS)
    with pytest.raises(ReferenceDataError, match="same time"):
        day_volumes(bars[[0, 0]], volumes, xnys, HALF_HOUR_NS)
    with pytest.raises(ReferenceDataError, match="nothing is known of 1970-01-01"):
        day_volumes(bars - bars[0] + 10**14 // 2, volumes, xnys, HALF_HOUR_NS)


# ------------------------------------------------------------------------------------- recorded days


def error(curve: Any, day: NDArray[np.float64]) -> float:
    """Mean distance between the expected and the realised cumulative share of the day, over buckets."""
    return float(np.abs(np.cumsum(curve) - np.cumsum(day / day.sum())).mean())


def leave_one_out(days: Days) -> NDArray[np.float64]:
    """(D, 2): errors of the curve learned from the other days and of a flat one, for each day."""
    volumes = list(days.values())
    flat = np.full(len(volumes[0]), 1 / len(volumes[0]))
    others = [volumes[:i] + volumes[i + 1 :] for i in range(len(volumes))]
    return np.array([(error(learn_curve(rest), day), error(flat, day)) for rest, day in zip(others, volumes, strict=True)])


def lean_days(symbol: str, calendar: Calendar, bucket_ns: int) -> Days:
    bars = [read_lean_minute_trades(path) for path in sorted((folder("bars_1min_lean") / symbol).glob("*_trade.zip"))]
    begin_ns, volumes = (np.concatenate(arrays) for arrays in ([b.begin_ns for b in bars], [b.volume_shares for b in bars]))
    return day_volumes(begin_ns, volumes, calendar, bucket_ns)


@pytest.mark.needs_data
def test_unseen_days_of_minute_bars_are_tracked_better_than_by_a_flat_curve(xnys: Calendar) -> None:
    """Sixteen days of four symbols, five-minute buckets, three days to learn from. On one of them (IBM) flat is as good."""
    symbols = ("aig", "bac", "ibm", "spy")
    errors = np.vstack([leave_one_out(lean_days(symbol, xnys, FIVE_NS)) for symbol in symbols])
    learned, flat = errors.mean(axis=0)
    assert errors.shape == (16, 2)
    assert learned < 0.65 * flat
    assert (errors[:, 0] < errors[:, 1]).sum() >= 15


@pytest.mark.needs_data
def test_thirty_days_of_quarter_hours_are_tracked_better_still(xnys: Calendar) -> None:
    files = sorted(folder("bars_eqker_2019").glob("*_15min.csv.gz"))
    bars = [read_csv_trades(path, QUARTER_NS) for path in files]
    errors = np.vstack([leave_one_out(day_volumes(b.begin_ns, b.volume_shares, xnys, QUARTER_NS)) for b in bars])
    learned, flat = errors.mean(axis=0)
    assert errors.shape == (11 * 30, 2)
    assert learned < 0.55 * flat
    assert (errors[:, 0] < errors[:, 1]).mean() > 0.9


@pytest.mark.needs_data
def test_recorded_minute_bars_have_half_their_lines_outside_the_session(xnys: Calendar) -> None:
    """The trap of these files: bars before and after the session, which must not count."""
    bars = read_lean_minute_trades(folder("bars_1min_lean") / "aapl" / "20140606_trade.zip")
    (day,) = day_volumes(bars.begin_ns, bars.volume_shares, xnys, HALF_HOUR_NS).values()
    open_ns, close_ns = xnys.open_close_ns(date(2014, 6, 6))
    inside = (bars.begin_ns >= open_ns) & (bars.begin_ns < close_ns)
    assert len(bars.begin_ns) == 783
    assert inside.sum() == 390
    assert day.sum() == bars.volume_shares[inside].sum() < bars.volume_shares.sum()


@pytest.mark.needs_data
def test_half_days_of_recorded_hours_are_left_out(xnys: Calendar) -> None:
    bars = read_lean_hourly_trades(folder("bars_hourly_lean") / "spy.zip")
    known = bars.begin_ns >= 1_325_400_000_000_000_000  # 2012: where the sample's calendar begins
    days = day_volumes(bars.begin_ns[known], bars.volume_shares[known], xnys, HALF_HOUR_NS)
    assert date(2013, 11, 27) in days
    assert date(2013, 11, 29) not in days
    assert date(2018, 12, 5) not in days
    assert all((volumes[[0, 1, 3, 5, 7, 9, 11]] > 0).all() for volumes in days.values())  # the half hours that bars begin in
