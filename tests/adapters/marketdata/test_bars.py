"""Bars from files: local time to UTC, absent sides, order, and errors that name the line."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.marketdata.bars import (
    read_csv_trades,
    read_lean_hourly_trades,
    read_lean_minute_quotes,
    read_lean_minute_trades,
)
from domain.errors import ReferenceDataError
from domain.values import to_e9

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data"


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


def zipped(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(path.stem + ".csv", text)
    return path


def gzipped(folder: Path, text: str) -> Path:
    path = folder / "ACME_1min.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


@pytest.mark.parametrize(
    ("name", "opens"),
    [
        ("20140106_trade.zip", "2014-01-06 14:30"),
        ("20140606_trade.zip", "2014-06-06 13:30"),
        ("20140310_trade.zip", "2014-03-10 13:30"),
    ],
)
def test_minute_trades(tmp_path: Path, name: str, opens: str) -> None:
    bars = read_lean_minute_trades(zipped(tmp_path, name, "34200000,6459400,6464900,6458800,6461600,36169\n"))
    assert [int(column[0]) for column in bars] == [
        ns(opens), to_e9("645.94"), to_e9("646.49"), to_e9("645.88"), to_e9("646.16"), 36_169,
    ]  # fmt: skip


def test_an_absent_side_is_not_a_price_of_zero(tmp_path: Path) -> None:
    text = "14400000,300000,300000,300000,310000,300,,,,,0\n14460000,,,,,0,1,1,1,1,5\n14520000,1,1,1,1,2,3,3,3,3,4\n"
    bars = read_lean_minute_quotes(zipped(tmp_path, "20130627_quote.zip", text))
    assert bars.has_bid.tolist() == [True, False, True]
    assert bars.has_ask.tolist() == [False, True, True]
    assert bars.bid_e9[0] == to_e9(31)
    assert (bars.bid_shares[0], bars.ask_shares[1]) == (300, 5)


def test_the_first_hourly_bar_begins_at_the_open(tmp_path: Path) -> None:
    text = "20131129 09:00,10000,10000,10000,10000,5\n20131129 10:00,10000,10000,10000,10000,6\n"
    bars = read_lean_hourly_trades(zipped(tmp_path, "spy.zip", text))
    assert bars.begin_ns.tolist() == [ns("2013-11-29 14:30"), ns("2013-11-29 15:00")]
    assert bars.volume_shares.tolist() == [5, 6]


def test_csv_is_stamped_with_ends_and_comes_newest_first(tmp_path: Path) -> None:
    text = (
        "datetime,open,high,low,close,volume\n2019-02-15 09:32:00,2,2.5,1.5,2.25,20\n2019-02-15 09:31:00,1,1.0001,0.9999,1,10\n"
    )
    bars = read_csv_trades(gzipped(tmp_path, text))
    assert bars.begin_ns.tolist() == [ns("2019-02-15 14:30"), ns("2019-02-15 14:31")]
    assert bars.high_e9.tolist() == [to_e9("1.0001"), to_e9("2.5")]
    assert bars.volume_shares.tolist() == [10, 20]
    longer = read_csv_trades(gzipped(tmp_path, text), bar_ns=15 * 60_000_000_000)
    assert longer.begin_ns[0] == ns("2019-02-15 14:16")


def test_no_bars_are_empty_arrays(tmp_path: Path) -> None:
    assert [len(column) for column in read_lean_minute_trades(zipped(tmp_path, "20140106_trade.zip", ""))] == [0] * 6


GOOD = "34200000,2,3,1,2,5\n"


@pytest.mark.parametrize(
    ("read", "name", "text", "why"),
    [
        (read_lean_minute_trades, "20140106_trade.zip", GOOD + "34260000,2,3,1,2\n", r"line 2: 5 cells where there should be 6"),
        (read_lean_minute_trades, "20140106_trade.zip", GOOD + "\n34260000,2,3,1,2,x\n", r"line 3: invalid literal.*'x'"),
        (read_lean_minute_trades, "20140106_trade.zip", "34200000,2,1,3,2,5\n", r"1 bars whose high, low or volume cannot be"),
        (read_lean_minute_trades, "20140106_trade.zip", "34200000,2,3,1,2,-5\n", r"1 bars whose high, low or volume cannot be"),
        (read_lean_minute_trades, "monday_trade.zip", GOOD, r"does not begin with a date"),
        (read_lean_minute_quotes, "20140106_quote.zip", GOOD, r"line 1: 6 cells where there should be 11"),
        (read_lean_hourly_trades, "spy.zip", "20131129,2,3,1,2,5\n", r"line 1: time data '20131129' does not match"),
        (read_lean_hourly_trades, "spy.zip", "20131129 09:00,2,3,1,2\n", r"line 1: 4 cells where there should be 5"),
    ],
)
def test_an_error_names_the_line(tmp_path: Path, read: Callable[[Path], Any], name: str, text: str, why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why) as caught:
        read(zipped(tmp_path, name, text))
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time,open\n", r"line 1: the header is 'time,open'"),
        ("datetime,open,high,low,close,volume\n2019-02-15 09:31:00,1,1,1,1.x,10\n", r"line 2: '1\.x' is not a decimal number"),
        ("datetime,open,high,low,close,volume\n15.2.2019,1,1,1,1,10\n", r"line 2: Invalid isoformat string"),
    ],
)
def test_an_error_in_a_csv_names_the_line(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(ReferenceDataError, match=why):
        read_csv_trades(gzipped(tmp_path, text))


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    broken = tmp_path / "20140106_trade.zip"
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        read_lean_minute_trades(broken)
    broken.write_bytes(b"not a zip")
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        read_lean_minute_trades(broken)
    with pytest.raises(ReferenceDataError, match="cannot be read"):
        read_csv_trades(broken)
    with zipfile.ZipFile(broken, "w") as archive:
        archive.writestr("a.csv", GOOD)
        archive.writestr("b.csv", GOOD)
    with pytest.raises(ReferenceDataError, match="holds 2 files"):
        read_lean_minute_trades(broken)


@pytest.mark.needs_data
def test_every_recorded_minute_file_reads() -> None:
    if not (DATA / "bars_1min_lean").is_dir():
        pytest.skip(f"recorded bars are not there: {DATA / 'bars_1min_lean'}")
    trades = sorted((DATA / "bars_1min_lean").glob("*/*_trade.zip"))
    quotes = sorted((DATA / "bars_1min_lean").glob("*/*_quote.zip"))
    assert (len(trades), len(quotes)) == (26, 25)
    absent = 0
    for path in quotes:
        bars = read_lean_minute_quotes(path)
        absent += int((~bars.has_bid).sum() + (~bars.has_ask).sum())
        assert (bars.bid_e9[bars.has_bid] > 0).all()
        assert (bars.ask_e9[bars.has_ask] > 0).all()
    assert absent == 7
    assert all((np.diff(read_lean_minute_trades(path).begin_ns) > 0).all() for path in trades)
