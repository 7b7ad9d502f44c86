"""Writing a directory of the start of day: the tables from their rows, the manifest from the files, and an example."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from adapters.reference import files, manifest, tables
from adapters.reference.safe_files import read_bytes
from adapters.reference.start_of_day import COLUMNS, check
from domain.day_checks import EVERY_TABLE
from domain.day_load import Manifest, ManifestFile
from domain.day_rows import TABLES, DayRow, cells, column, columns
from domain.errors import ReferenceDataError


def table_text(model: type[DayRow], rows: Iterable[DayRow]) -> str:
    """A table as commented CSV: what it is about, what each column means, the rows."""
    out = io.StringIO(newline="")
    out.write(f"# {' '.join((model.__doc__ or '').split())}\n")
    for field, info in model.model_fields.items():
        out.write(f"# {column(field)}: {info.description}\n")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(columns(model))
    writer.writerows(cells(row).values() for row in rows)
    return out.getvalue()


def write_tables(folder: Path, rows: Mapping[str, Iterable[DayRow]]) -> None:
    """Write the tables of the day into a folder. Raises ReferenceDataError where that cannot be."""
    for name, model in TABLES.items():
        _put(folder / f"{name}.csv", table_text(model, rows.get(name, ())))


def write_manifest(folder: Path, terms: Mapping[str, Any], source: str) -> Manifest:
    """Write the manifest of a folder over the files that are there, or over the one that is there.

    Args:
        terms: trade_date, and base_currency, calendar and new_listings, which an older manifest may say instead.
        source: of the files that an older manifest says nothing of.

    Raises:
        ReferenceDataError: a file cannot be read, a table is missing, or something is said nowhere.
    """
    old = manifest.read(folder) if manifest.present(folder) else None
    said = {} if old is None else old.model_dump(include={"base_currency", "calendar", "new_listings"})
    said |= {name: value for name, value in terms.items() if value}
    for name in ("base_currency", "calendar"):
        if name not in said:
            raise ReferenceDataError(f"no manifest says it yet: give --{name.replace('_', '-')}")
    entries = {table: _entry(folder, table, said["trade_date"], old, source) for table in EVERY_TABLE}
    made = Manifest.read(manifest.NAME, {**said, "files": entries})
    (folder / "manifest.json").unlink(missing_ok=True)
    _put(folder / manifest.NAME, manifest.text(made))
    return made


def _entry(folder: Path, table: str, on: date, old: Manifest | None, source: str) -> ManifestFile:
    found = [name for suffix in ("csv", "parquet") if (folder / (name := f"{table}.{suffix}")).exists()]
    if len(found) != 1:
        raise ReferenceDataError(f"{folder}: there must be one {table}.csv or {table}.parquet, there are {len(found)}")
    before = None if old is None else old.files.get(table)
    if not (by := source or (before.source if before is not None else "")):
        raise ReferenceDataError(f"no manifest says where {found[0]} comes from: give --source")
    content = read_bytes(folder / found[0])
    rows = len(tables.parse(found[0], content, COLUMNS[table]).rows)
    return ManifestFile(file=found[0], sha256=hashlib.sha256(content).hexdigest(), rows=rows, as_of=on, source=by)


def write_sample(folder: Path, on: date) -> Manifest:
    """Write the built-in sample into a new directory as the files of a trade date.

    Raises:
        ReferenceDataError: the directory has something in it, or the sample's calendars do not reach to that day.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ReferenceDataError(f"{folder} has something in it; name a new directory")
    sample = check(files.SAMPLE)
    day, reference = sample.day(), sample.reference
    assert reference is not None and sample.manifest is not None
    terms = sample.manifest.model_dump(include={"base_currency", "calendar", "new_listings"})
    closes = {mic: calendar.previous_trading_day(on) for mic, calendar in reference.calendars.items()}

    def last_close(row: DayRow) -> date:
        symbol = row.get("symbol")
        return closes[terms["calendar"] if symbol is None else reference.universe[symbol].mic]

    rows = {name: [_moved(row, day.trade_date, on, last_close) for row in found] for name, found in day.rows.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for table in files.COLUMNS:
        _put(folder / f"{table}.csv", (files.SAMPLE / f"{table}.csv").read_text("utf-8"))
    write_tables(folder, rows)
    return write_manifest(folder, {**terms, "trade_date": on}, "the built-in sample")


def _moved(row: DayRow, of: date, on: date, last_close: Callable[[DayRow], date]) -> DayRow:
    """A row of the day `of` as one of the day `on`."""
    changes: dict[str, Any] = {}
    for name in type(row).model_fields:
        if name == "as_of":
            changes[name] = last_close(row)
        elif isinstance(value := getattr(row, name), date):
            changes[name] = on + (value - of)
    return row.model_copy(update=changes) if changes else row


def _put(path: Path, text: str) -> None:
    """Write a file beside its place and move it there: a link in its place is replaced, not followed."""
    fresh = path.with_name(path.name + ".new")
    try:
        fresh.unlink(missing_ok=True)
        with fresh.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as cause:
        raise ReferenceDataError(f"{path} cannot be written: {cause.strerror}") from cause
