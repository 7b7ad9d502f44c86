"""`ems tape tables`: what it writes is what a desk and a start of day read; real bars give the curves that the bars give."""

from __future__ import annotations

import csv
import json
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters.reference.tables import read as read_table
from domain.day_rows import AverageVolume, DayRow, columns, parse
from domain.errors import ConfigError, ReferenceDataError
from domain.tape import Kind, tape_of
from ems.bootstrap.reference import FileReference
from ems.cli import app
from ems.config import Settings
from models.tape_store import Source, TapeInstrument, TapeWriter
from models.volume_curve import default_curve

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
BARS = DATA / "bars_1min_lean"


def run(*words: str | Path) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["tape", "tables", *map(str, words), "--json"])
    assert result.exit_code == 0, result.output or result.exception
    return dict(json.loads(result.output))


def fails(*words: str | Path) -> BaseException | None:
    return CliRunner().invoke(app, ["tape", "tables", *map(str, words)]).exception


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def a_tape(path: Path, symbol: str = "AMZN", day: str = "2026-11-23") -> Path:
    """Ten lots of a hundred shares at 09:31 New York, thirty at 15:59; a spread of two cents from the open to the close."""
    cent, hundred = 10_000_000, 100 * 10**9
    told = [
        ("14:30", Kind.LEVEL, 10_000, 5, 1), ("14:30", Kind.LEVEL, 10_002, 5, -1), ("14:31", Kind.TRADE, 10_000, 10, 1),
        ("20:59", Kind.TRADE, 10_002, 30, -1),
    ]  # fmt: skip
    rows = [(ns(f"{day}T{clock}:00"), 0, 0, ticks, lots, 0, 0, int(kind), side) for clock, kind, ticks, lots, side in told]
    writer = TapeWriter.create(path, [TapeInstrument(0, symbol, cent, hundred)], Source("made", "", "itch", {}))
    writer.append(tape_of(rows))
    writer.close()
    return path


def minute_bars(folder: Path, symbol: str, day: str, rows: list[str]) -> Path:
    path = folder / symbol / f"{day}_trade.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bars.csv", "\n".join(rows))
    return path


def test_a_tape_becomes_tables_that_a_desk_and_a_start_of_day_read(tmp_path: Path) -> None:
    found = run(a_tape(tmp_path / "t"), "--to", tmp_path / "tables")
    assert found["left_out"] == {}
    assert found["tables"] == {
        "AMZN": {
            "as_of": "2026-11-23", "days": 1, "average_daily_volume": 4_000, "spread": "0.02", "spread_bps": 1.9998,
            "daily_volatility": None, "intraday_volatility": 0.0,
        }
    }  # fmt: skip
    volumes = read_table(tmp_path / "tables", "volumes", columns(AverageVolume)).rows
    row = parse(AverageVolume, volumes[0].cells)
    assert isinstance(row, DayRow) and row == AverageVolume(
        symbol="AMZN", average_daily_volume_e9=4_000 * 10**9, as_of=date(2026, 11, 23)
    )
    reference = FileReference.load(Settings(bars=tmp_path / "tables"))
    amzn = reference.instrument("AMZN")
    assert amzn is not None
    same, later = (reference.day(amzn, ns(at)) for at in ("2026-11-23T15:00:00", "2026-11-24T15:00:00"))
    assert same is not None and later is not None
    assert reference.volume_curve(amzn, same).shares == default_curve(78), "a day does not know itself"
    curve, plain = reference.volume_curve(amzn, later).shares, default_curve(78)
    assert curve[0] > plain[0] and curve[-1] > plain[-1] and sum(curve) == pytest.approx(1)
    assert curve[-1] - 2 / 3 * plain[-1] == pytest.approx(3 * (curve[0] - 2 / 3 * plain[0])), "one day beside two of the built-in"


def test_of_two_sources_for_a_day_the_first_counts(tmp_path: Path) -> None:
    bars = minute_bars(tmp_path / "bars", "amzn", "20261123", ["34200000,1000000,1000000,1000000,1000000,7"])
    found = run(a_tape(tmp_path / "t"), bars, "--to", tmp_path / "a")
    assert found["tables"]["AMZN"]["average_daily_volume"] == 4_000 and found["left_out"] == {"AMZN named before": 1}
    found = run(bars, tmp_path / "t", "--to", tmp_path / "b")
    assert found["tables"]["AMZN"]["average_daily_volume"] == 7


def test_symbols_without_a_calendar_are_left_out_or_take_the_one_that_is_named(tmp_path: Path) -> None:
    a_tape(tmp_path / "t", symbol="NOBODY")
    assert run(tmp_path / "t", "--to", tmp_path / "a") == {
        "tables": {},
        "files": [str(tmp_path / "a" / name) for name in ("volumes.csv", "market.csv", "bucket_volumes.csv")],
        "left_out": {"NOBODY in no instrument table": 1},
    }
    assert run(tmp_path / "t", "--to", tmp_path / "b", "--mic", "XNAS")["tables"]["NOBODY"]["days"] == 1
    assert FileReference.load(Settings(bars=tmp_path / "b")).instrument("NOBODY") is None, "and a desk passes it over"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("AMZN,2026-11-23,60,1 2", "volumes are kept by 300 seconds"),
        ("AMZN,2026-11-23,300,1 x", "no whole number of shares"),
        ("AMZN,2026-11-23,300,1 -2", "no whole number of shares"),
        ("AMZN,yesterday,300,1 2", "bucket_volumes.csv line 2, column day"),
        ("AMZN,2026-11-23,300,1 2\nAMZN,2026-11-23,300,1 2", "is there twice"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_the_desk(tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "bucket_volumes.csv").write_text(f"symbol,day,bucket_s,volumes\n{row}\n")
    with pytest.raises(ReferenceDataError, match=says):
        FileReference.load(Settings(bars=tmp_path))


def test_what_is_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for words, says in (
        ([tmp_path / "none"], "there is no"),
        ([tmp_path], "neither tapes nor bars"),
        ([tmp_path / "notes.txt"], "neither a tape nor bars"),
        ([tmp_path / "notes.txt", "--mic", "XXXX"], "no calendar of 'XXXX'"),
    ):
        error = fails(*words, "--to", tmp_path / "to")
        assert isinstance(error, ConfigError) and says in str(error)


def test_real_minute_bars_give_the_volumes_and_the_curve_that_the_bars_give(tmp_path: Path) -> None:
    if not BARS.exists():
        pytest.skip("no recorded market data: bars_1min_lean is not beside this clone")
    found = run(BARS / "bac", BARS / "ibm", "--to", tmp_path)
    days = ("20131004", "20131007", "20131008", "20131009")
    session = [
        sum(int(row[5]) for row in csv.reader(_lines(day)) if 34_080_000 <= int(row[0]) < 57_900_000) for day in days
    ]  # 09:28 to 16:05
    assert found["tables"]["BAC"]["average_daily_volume"] == round(sum(session) / 4)
    assert 0.0099 < float(found["tables"]["BAC"]["spread"]) < 0.011, "a cent"
    assert 0.005 < found["tables"]["IBM"]["intraday_volatility"] < 0.05
    curves = []
    for folder in (tmp_path, BARS):
        reference = FileReference.load(Settings(bars=folder))
        bac = reference.instrument("BAC")
        assert bac is not None
        day = reference.day(bac, ns("2013-10-11T15:00:00"))
        assert day is not None
        curves.append(reference.volume_curve(bac, day).shares)
    assert curves[0] == curves[1] != default_curve(78)


def _lines(day: str) -> list[str]:
    with zipfile.ZipFile(BARS / "bac" / f"{day}_trade.zip") as archive:
        return archive.read(archive.namelist()[0]).decode().splitlines()


def test_real_hours_days_and_quarters_of_an_hour(tmp_path: Path) -> None:
    hours, days, quarters = DATA / "bars_hourly_lean" / "spy.zip", DATA / "daily_ohlcv_lean" / "spy.zip", DATA / "bars_eqker_2019"
    if not (hours.exists() and days.exists() and quarters.exists()):
        pytest.skip("no recorded market data: hourly, daily and 15-minute bars are not beside this clone")
    by_hour = run(hours, "--to", tmp_path / "h", "--mic", "XNYS")["tables"]["SPY"]
    by_day = run(days, "--to", tmp_path / "d", "--mic", "XNYS")["tables"]["SPY"]
    assert by_hour["as_of"] == by_day["as_of"] == "2021-03-31"
    assert by_hour["average_daily_volume"] == pytest.approx(by_day["average_daily_volume"], rel=0.2)
    assert by_hour["daily_volatility"] == pytest.approx(by_day["daily_volatility"], rel=0.2)
    found = run(quarters / "MSFT_15min.csv.gz", quarters / "MSFT_daily.csv.gz", "--to", tmp_path / "q", "--days", "30")
    assert found["tables"]["MSFT"]["days"] == 30 and found["left_out"]["MSFT named before"] == 30
