"""The files of a trade date, read once and checked whole: what is wrong is collected, not only the first of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adapters.reference import files, manifest, tables
from adapters.reference.safe_files import read_bytes
from adapters.reference.tables import Table
from domain.day_checks import EVERY_TABLE, Opened, Placed, Rows, manifest_problems, open_day
from domain.day_load import Manifest, Problem
from domain.day_rows import TABLES, DayRow, columns, parse
from domain.errors import ReferenceDataError
from domain.instrument import ReferenceData
from domain.start_of_day import StartOfDay

ROW_PROBLEMS_MAX: Final = 50  # of a file: who has so many has the wrong file
_MEND: Final = "mend the file or ask {source} for another, then run ems load --manifest"
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {**files.COLUMNS, **{name: columns(model) for name, model in TABLES.items()}}
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a directory holds.

    Attributes:
        contents: the bytes of the files that are what the manifest says, by file name; those that were checked.
        opened: what the day can be opened with; None where there are problems.
    """

    manifest: Manifest | None
    problems: tuple[Problem, ...]
    contents: Mapping[str, bytes]
    reference: ReferenceData | None = None
    opened: Opened | None = None

    def day(self) -> StartOfDay:
        """What can be opened. Raises ReferenceDataError with the problems where nothing can."""
        if self.opened is None:
            raise ReferenceDataError("; ".join(problem.sentence() for problem in self.problems[:5]))
        return self.opened.day


def check(folder: Path, trade_date: date | None = None, progress: Progress = lambda _: None) -> Checked:
    """Read and check a directory.

    Args:
        trade_date: the day to open; by default the one that the manifest is of.
        progress: told what is looked at: each file's name before it is read, and then all of them.
    """
    try:
        found = manifest.read(folder)
    except ReferenceDataError as error:
        return Checked(None, (Problem("the manifest", str(error), "see ems load --manifest"),), {})
    problems = list(manifest_problems(found, trade_date or found.trade_date))
    contents: dict[str, bytes] = {}
    read: dict[str, Table] = {}
    for table in EVERY_TABLE:
        if table in found.files:
            progress(found.files[table].file)
            try:
                content = _content(folder, found, table)
                read[table] = tables.parse(found.files[table].file, content, COLUMNS[table])
            except ReferenceDataError as error:
                problems.append(Problem(table, str(error), _MEND.format(source=found.files[table].source)))
                continue
            contents[found.files[table].file] = content
            problems += _count_problems(found, table, len(read[table].rows))
    rows: dict[str, list[Placed]] = {}
    for table, model in TABLES.items():
        if table in read:
            rows[table] = []
            problems += _rows(read[table], model, rows[table], found.files[table].source)
    progress("all of them together")
    return _checked(found, problems, contents, read, rows)


def _content(folder: Path, found: Manifest, table: str) -> bytes:
    entry = found.files[table]
    content = read_bytes(folder / entry.file)
    if (sha256 := hashlib.sha256(content).hexdigest()) != entry.sha256:
        changed = f"{entry.file} is not the file of the manifest"
        raise ReferenceDataError(f"{changed}: its SHA-256 is {sha256[:16]}..., the manifest says {entry.sha256[:16]}...")
    return content


def _count_problems(found: Manifest, table: str, count: int) -> Iterator[Problem]:
    entry = found.files[table]
    if count != entry.rows:
        todo = _MEND.format(source=entry.source)
        yield Problem(entry.file, f"has {count} rows, the manifest says {entry.rows}", todo)


def _rows(table: Table, model: type[DayRow], good: list[Placed], source: str) -> Iterator[Problem]:
    bad = 0
    for row in table.rows:
        made = parse(model, row.cells)
        if isinstance(made, DayRow):
            good.append(Placed(row.place, made))
            continue
        bad += 1
        if bad > ROW_PROBLEMS_MAX:
            yield Problem(table.name, f"more than {ROW_PROBLEMS_MAX} rows are wrong", f"ask {source} for another file")
            return
        for column, reason in made:
            yield Problem(f"{row.place}, column {column}", reason, _MEND.format(source=source))


def _checked(
    found: Manifest, problems: list[Problem], contents: Mapping[str, bytes], read: Mapping[str, Table], rows: Rows
) -> Checked:
    """Check the tables against each other, as far as they could be read."""
    reference = None
    if all(table in read for table in files.COLUMNS):
        try:
            reference = files.reference_data(read)
        except ReferenceDataError as error:
            problems.append(Problem("the instrument tables", str(error), "mend the file, then run ems load --manifest"))
    if problems or reference is None:
        return Checked(found, tuple(problems), contents, reference)
    opened = open_day(found, reference, rows)
    if not isinstance(opened, Opened):
        return Checked(found, tuple(opened), contents, reference)
    return Checked(found, (), contents, reference, opened)
