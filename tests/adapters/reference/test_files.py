"""Reference data from files: the sample, Parquet, digests, and errors that name the cell."""

from __future__ import annotations

import hashlib
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from adapters.reference.files import COLUMNS, SAMPLE, load, load_sample
from domain.calendar import Phase
from domain.errors import ReferenceDataError
from domain.values import to_e9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample that a test may break."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "reference"))


def line_of(path: Path, text: str) -> int:
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if line.startswith(text))


def test_the_sample_is_whole() -> None:
    data = load_sample()
    assert {"AMZN", "AAPL", "BAC", "IBM", "SPY", "DEMO"} <= {instrument.symbol for instrument in data.universe}
    amzn = data.universe.find("ric", "AMZN.O")
    assert amzn is data.universe["AMZN"]
    assert amzn.on_tick(to_e9("220.51"), date(2012, 6, 21))
    assert not amzn.on_tick(to_e9("220.515"), date(2012, 6, 21))
    opens_ns, closes_ns = data.calendar_of("AMZN").open_close_ns(date(2012, 6, 21))
    assert (closes_ns - opens_ns) == to_e9(6.5 * 3600)


def test_the_practice_share_trades_around_the_clock() -> None:
    xsim = load_sample().calendar_of("DEMO")
    assert all(xsim.phase_at(to_e9(second)) is Phase.CONTINUOUS for second in range(1_795_000_000, 1_796_000_000, 9_999))


@pytest.mark.parametrize(
    ("day", "trades", "half"),
    [
        ("2013-11-29", True, True),  # the day after Thanksgiving
        ("2018-12-05", False, False),  # a day of mourning
        ("2020-07-03", False, False),  # Independence Day on a Saturday is kept on the Friday
        ("2021-12-31", True, False),  # New Year's Day on a Saturday is not
        ("2024-03-29", False, False),  # Good Friday
        ("2026-06-19", False, False),
        ("2026-12-24", True, True),
    ],
)
def test_new_york_days(day: str, trades: bool, half: bool) -> None:
    for mic in ("XNAS", "XNYS", "ARCX"):
        calendar = load_sample().calendars[mic]
        assert calendar.is_trading_day(date.fromisoformat(day)) is trades
        assert calendar.is_half_day(date.fromisoformat(day)) is half


def test_digests_are_those_of_the_files(folder: Path) -> None:
    before = load(folder).sha256
    paths = [folder / f"{table}.csv" for table in COLUMNS]
    assert before == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}
    with (folder / "holidays.csv").open("a") as file:
        file.write("XNAS,2026-03-13,,a new holiday\n")
    changed = load(folder)
    assert [name for name, digest in changed.sha256.items() if digest != before[name]] == ["holidays.csv"]
    assert not changed.calendars["XNAS"].is_trading_day(date(2026, 3, 13))


def test_parquet_says_the_same(folder: Path) -> None:
    skip_notes = csv.ParseOptions(invalid_row_handler=lambda _: "skip")
    for table in COLUMNS:
        path = folder / f"{table}.csv"
        read = csv.read_csv(path, csv.ReadOptions(skip_rows=1), skip_notes)
        if "tick" in read.column_names:  # as a decimal column; the others keep the types that pyarrow guesses
            ticks = pa.array([Decimal(str(tick)) for tick in read["tick"].to_pylist()])
            read = read.set_column(read.column_names.index("tick"), "tick", ticks)
        parquet.write_table(read, path.with_suffix(".parquet"))
        path.unlink()
    from_parquet, from_csv = load(folder), load_sample()
    assert list(from_parquet.universe) == list(from_csv.universe)
    assert from_parquet.calendars == from_csv.calendars
    assert set(from_parquet.sha256) == {f"{table}.parquet" for table in COLUMNS}


@pytest.mark.parametrize(
    ("file", "old", "new", "why"),
    [
        ("instruments.csv", "AMZN,{}", 'AMZN,"Amazon",XNAS,USD,,,0.5x,1,US', "column lot: '0.5x' is not a decimal number"),
        ("instruments.csv", "AMZN,{}", 'AMZN,"Amazon",XNAS,USD,,,1,1,EU', "column tick_table: there is no tick table 'EU'"),
        ("instruments.csv", "AMZN,{}", 'AMZN,"Amazon",XNAX,USD,,,1,1,US', "column mic: there is no calendar of 'XNAX'"),
        ("instruments.csv", "AMZN,{}", 'AMZN,"Amazon",XNAS,,,,1,1,US', "column currency: is empty"),
        ("instruments.csv", "AMZN,{}", 'AMZN,"Amazon",XNAS,USD,US0231351068,,1,1,US', "AMZN: 'US0231351068' is not an ISIN"),
        ("instruments.csv", "AMZN,{}", "AMZN,Amazon,XNAS", "3 cells where the header has 9"),
        ("identifiers.csv", "AMZN,ric{}", "AMZM,ric,AMZN.O", "column symbol: there is no instrument 'AMZM'"),
        ("tick_tables.csv", "US,2006-01-31,1,{}", "US,2006-01-31,1.00005,0.01", "does not begin on a tick of"),
        ("tick_tables.csv", "US,2006-01-31,1,{}", "US,31.1.2006,1,0.01", "column valid_from: '31.1.2006' is not a date"),
        ("calendars.csv", "XNAS{}", "XNAS,America/Gotham,2012-01-01,2028-12-31,12345", "no time zone 'America/Gotham'"),
        ("calendars.csv", "XNAS{}", "XNAS,UTC,2012-01-01,2028-12-31,MoTu", "column weekdays: 'MoTu' is not a list of days"),
        ("calendars.csv", "XNYS{}", "XNAS,UTC,2012-01-01,2028-12-31,12345", "there is no calendar of 'XNYS'"),
        ("session_hours.csv", "XSIM{}", "XSIM,1990-01-01,continuous,00:00,24:01", "column ends: '24:01' is not a time of day"),
        ("session_hours.csv", "XSIM{}", "XSIM,1990-01-01,open,00:00,24:00", "column phase: 'open' is none of closed"),
        ("session_hours.csv", "XSIM{}", "XSIM,1990-01-01,continuous,09:00,08:00", "a phase must begin before it ends"),
        ("holidays.csv", "XNAS,2012-01-16{}", "XNAS,2012-01-02,,again", "column date: 2012-01-02 is there twice"),
        ("holidays.csv", "XNAS,2012-01-16{}", "XNAS,2012-01-16,17:00,too late", "2012-01-16 does not close within the session"),
    ],
)
def test_an_error_names_file_line_and_column(folder: Path, file: str, old: str, new: str, why: str) -> None:
    path = folder / file
    start = old.removesuffix("{}")
    number = line_of(path, start)
    lines = path.read_text().splitlines()
    lines[number - 1] = new
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ReferenceDataError) as caught:
        load(folder)
    assert why in str(caught.value)
    if "column" in why or "cells" in why:
        assert f"{file} line {number}" in str(caught.value)


def test_contradicting_names_are_found_across_files(folder: Path) -> None:
    with (folder / "identifiers.csv").open("a") as file:
        file.write("BAC,ric,AMZN.O\n")
    with pytest.raises(ReferenceDataError, match=r"AMZN and BAC both claim the ric AMZN\.O"):
        load(folder)


def test_files_that_are_missing_doubled_or_unreadable(folder: Path) -> None:
    (folder / "holidays.parquet").write_bytes(b"not parquet")
    with pytest.raises(ReferenceDataError, match=r"one holidays.csv or holidays.parquet, there are 2"):
        load(folder)
    (folder / "holidays.csv").unlink()
    with pytest.raises(ReferenceDataError, match=r"holidays.parquet is not a Parquet file"):
        load(folder)
    (folder / "holidays.parquet").unlink()
    with pytest.raises(ReferenceDataError, match="there are 0"):
        load(folder)
    (folder / "holidays.csv").write_bytes(b"mic,date,closes,name\nXNAS,2012-01-02,,\xff\n")
    with pytest.raises(ReferenceDataError, match=r"holidays\.csv: byte 38 is not UTF-8"):
        load(folder)
    (folder / "holidays.csv").write_text("# only a note\n")
    with pytest.raises(ReferenceDataError, match=r"holidays.csv is empty"):
        load(folder)
    (folder / "holidays.csv").write_text("mic,day,closes,name\n")
    with pytest.raises(ReferenceDataError, match=r"missing \['date'\], unknown \['day'\]"):
        load(folder)
    (folder / "holidays.csv").write_text('mic,date,closes,name\nXNAS,"2012-01-02,,open quote\n')
    with pytest.raises(ReferenceDataError, match=r"holidays.csv line 2"):
        load(folder)
