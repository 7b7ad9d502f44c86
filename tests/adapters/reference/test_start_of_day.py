"""The files of a trade date: the sample opens, and everything that can be missing, stale or wrong is named with what to do."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given

from adapters.reference import files, manifest, tables, write
from adapters.reference.start_of_day import COLUMNS, check
from domain.day_checks import EVERY_TABLE
from domain.day_rows import TABLES, DayRow, parse
from domain.errors import ReferenceDataError
from domain.values import to_e9
from tests.adapters.reference.day_files import CLOSE, DAY, append, drop, replace, sentences, without
from tests.domain.made_rows import ROWS


def test_the_sample_opens_and_is_what_the_writer_writes() -> None:
    found = check(files.SAMPLE)
    assert found.problems == ()
    day = found.day()
    for table, model in TABLES.items():
        assert (files.SAMPLE / f"{table}.csv").read_text() == write.table_text(model, day.rows[table]), table
    assert {path.name for path in files.SAMPLE.iterdir()} == {manifest.NAME, *(f"{table}.csv" for table in EVERY_TABLE)}
    assert found.manifest is not None
    assert (files.SAMPLE / manifest.NAME).read_text() == manifest.text(found.manifest)


@pytest.mark.parametrize("on", [DAY, date(2026, 11, 27), date(2026, 11, 29), date(2027, 1, 4)], ids=str)
def test_a_written_sample_opens_on_its_day(tmp_path: Path, on: date) -> None:
    write.write_sample(tmp_path / "day", on)
    assert sentences(tmp_path / "day", on) == []


def test_what_was_loaded_and_written_loads_as_the_same(folder: Path, tmp_path: Path) -> None:
    first = check(folder, DAY)
    again = tmp_path / "again"
    again.mkdir()
    for table in files.COLUMNS:
        (again / f"{table}.csv").write_bytes((folder / f"{table}.csv").read_bytes())
    write.write_tables(again, first.day().rows)
    write.write_manifest(again, {"trade_date": DAY, "base_currency": "USD", "calendar": "XSIM"}, "a test")
    second = check(again, DAY)
    assert second.day() == first.day()
    assert second.reference is not None and first.reference is not None
    assert list(second.reference.universe) == list(first.reference.universe)


@given(ROWS)
def test_any_row_is_written_to_a_file_and_read_from_it_as_the_same(row: DayRow) -> None:
    name = next(name for name, model in TABLES.items() if isinstance(row, model))
    table = tables.parse(f"{name}.csv", write.table_text(type(row), [row, row]).encode(), COLUMNS[name])
    assert [parse(type(row), read.cells) for read in table.rows] == [row, row]


def test_a_sample_is_not_written_over_anything(folder: Path) -> None:
    with pytest.raises(ReferenceDataError, match="has something in it"):
        write.write_sample(folder, DAY)


def test_a_sample_beyond_its_calendars_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="nothing is known of 2029"):
        write.write_sample(tmp_path / "day", date(2029, 2, 1))


def test_a_new_listing_needs_neither_close_nor_volume(folder: Path) -> None:
    for table in ("prices", "volumes"):
        without(folder, table, "JPM")
    assert len(sentences(folder)) == 2
    write.write_manifest(folder, {"trade_date": DAY, "new_listings": ("JPM",)}, "")
    assert sentences(folder) == []
    write.write_manifest(folder, {"trade_date": DAY, "new_listings": ("JPM", "NEWCO")}, "")
    assert sentences(folder) == ["the manifest: its new listing 'NEWCO' is no instrument; add it to instruments"]


# ------------------------------------------------------------------------------------- the day and its calendar


def test_a_day_off_does_not_open(folder: Path) -> None:
    thanksgiving = date(2026, 11, 26)
    write.write_manifest(folder, {"trade_date": thanksgiving, "calendar": "XNYS"}, "")
    expected = "holidays: XNYS does not trade on 2026-11-26: there is no day to open; give another --trade-date"
    assert expected in sentences(folder, thanksgiving)


def test_a_calendar_that_has_run_out_does_not_open(folder: Path) -> None:
    replace(folder, "calendars", "XLON,Europe/London,2025-01-01,2027-12-31", "XLON,Europe/London,2025-01-01,2026-11-23")
    drop("holidays", "XLON,2026-12")(folder)
    found = sentences(folder)
    runs = "calendars: the calendar of XLON runs from 2025-01-01 to 2026-11-23: nothing is known of 2026-11-24"
    assert any(sentence.startswith(runs) for sentence in found), found


def test_a_calendar_of_nowhere_does_not_open(folder: Path) -> None:
    write.write_manifest(folder, {"trade_date": DAY, "calendar": "XXXX"}, "")
    found = sentences(folder)
    assert found[0].startswith("the manifest: its calendar is of XXXX, and there is none; name one of XNAS, XNYS")


def test_files_of_another_day_do_not_open(folder: Path) -> None:
    found = sentences(folder, date(2026, 11, 25))
    todo = "ask for the files of the day, or give --trade-date"
    assert f"the manifest: is of 2026-11-24, and the day to open is 2026-11-25; {todo}" in found
    path = folder / manifest.NAME
    path.write_text(path.read_text().replace("as_of = 2026-11-24", "as_of = 2026-11-23", 1))
    stale = "instruments.csv: is stale: it is of 2026-11-23, and the day to open is 2026-11-24; ask the built-in sample"
    assert [sentence for sentence in sentences(folder) if sentence.startswith(stale)]


# ---------------------------------------------------------------------------------------- corporate actions


def test_a_split_carries_over_what_is_of_the_day_before(folder: Path) -> None:
    append(folder, "corporate_actions", "CA-9,AMZN,split,2026-11-24,5,2,,,")
    found = check(folder, DAY)
    day = found.day()
    assert day.facts().start_position_e9("HOUSE", "AMZN") == to_e9(2500)
    assert day.facts().locate_e9("FUND-7", "AMZN") == to_e9(3750)
    assert day.facts().adv_e9("AMZN") == to_e9(120_000_000)
    assert day.facts().reference_price_e9("AMZN") == to_e9("88.2")
    assert day.facts().reference_price_e9("AAPL") == to_e9("190.25")
    assert found.opened is not None and [action.id for action in found.opened.actions] == ["CA-1", "CA-9"]


def test_a_number_of_after_the_split_is_taken_as_it_is(folder: Path) -> None:
    append(folder, "corporate_actions", "CA-9,AMZN,split,2026-11-24,13,1,,,")
    replace(folder, "prices", f"AMZN,220.5,{CLOSE}", "AMZN,16.96,2026-11-24")
    day = check(folder, DAY).day()
    assert day.facts().reference_price_e9("AMZN") == to_e9("16.96")
    assert day.facts().start_position_e9("HOUSE", "AMZN") == to_e9(13_000)


def test_a_coming_split_changes_nothing(folder: Path) -> None:
    append(folder, "corporate_actions", "CA-9,AMZN,split,2026-11-25,7,1,,,")
    assert check(folder, DAY).day().facts().reference_price_e9("AMZN") == to_e9("220.5")


def test_a_new_name_takes_the_place_of_the_old_one(folder: Path) -> None:
    for table in ("instruments", "identifiers"):
        path = folder / f"{table}.csv"
        path.write_text(path.read_text().replace("\nAMZN,", "\nAMZ2,"))
    append(folder, "corporate_actions", "CA-9,AMZ2,rename,2026-11-24,,,,,AMZN", "CA-8,AMZN,split,2026-11-24,2,1,,,")
    day = check(folder, DAY).day()
    assert day.facts().start_position_e9("HOUSE", "AMZ2") == to_e9(2000)
    assert day.facts().start_position_e9("HOUSE", "AMZN") == 0
    assert day.facts().reference_price_e9("AMZ2") == to_e9("110.25")
