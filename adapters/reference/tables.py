"""One table of text from a CSV or Parquet file, whose every cell knows where it came from.

CSV: UTF-8, a header line, empty lines and lines that begin with # are skipped. Parquet: columns of any type that reads
as text. An error names file, line or row, and column.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from adapters.reference.safe_files import check_text
from domain.cells import iso_day, number_e9, plain_text
from domain.errors import NumberError, ReferenceDataError

UNFOLDED_BYTES_MAX: Final = 256 << 20
_BATCH_ROWS: Final = 1024


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by column; an empty cell is an empty text."""

    place: str  # "instruments.csv line 4"
    cells: dict[str, str]

    def wrong(self, column: str, why: str) -> ReferenceDataError:
        """The error that names this cell."""
        return ReferenceDataError(f"{self.place}, column {column}: {why}")

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        try:
            return plain_text(self._there(column))
        except ValueError as cause:
            raise self.wrong(column, str(cause)) from cause

    def optional(self, column: str) -> str | None:
        """A cell that may be empty."""
        return self.text(column) if self.cells[column] else None

    def e9(self, column: str) -> int:
        """A decimal number at 1e-9."""
        try:
            found = number_e9(self._there(column))
        except NumberError as cause:
            raise self.wrong(column, str(cause)) from cause
        assert isinstance(found, int)
        return found

    def day(self, column: str) -> date:
        """A date as 2026-11-27."""
        try:
            found = iso_day(self._there(column))
        except ValueError as cause:
            raise self.wrong(column, str(cause)) from cause
        assert isinstance(found, date)
        return found

    def _there(self, column: str) -> str:
        if not self.cells[column]:
            raise self.wrong(column, "is empty")
        return self.cells[column]

    def wall_s(self, column: str) -> int:
        """A time of day as 09:30 or 09:30:00, up to 24:00, in seconds since midnight on the wall clock."""
        parts = self.text(column).split(":")
        if not (2 <= len(parts) <= 3 and all(part.isascii() and part.isdigit() and len(part) == 2 for part in parts)):
            raise self.wrong(column, f"{self.cells[column]!r} is not a time of day such as 09:30")
        hour, minute, second = (int(part) for part in [*parts, "00"][:3])
        if minute > 59 or second > 59 or (hour * 60 + minute) * 60 + second > 86_400:
            raise self.wrong(column, f"{self.cells[column]!r} is not a time of day such as 09:30")
        return (hour * 60 + minute) * 60 + second


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows, and the SHA-256 of the bytes they were read from."""

    name: str
    sha256: str
    rows: tuple[Row, ...]


def read(folder: Path, table: str, columns: tuple[str, ...]) -> Table:
    """Read folder/table.csv or folder/table.parquet, whichever is there.

    Raises:
        ReferenceDataError: neither or both are there, the file cannot be read, or its columns are not exactly these.
    """
    found = [path for suffix in ("csv", "parquet") if (path := folder / f"{table}.{suffix}").is_file()]
    if len(found) != 1:
        raise ReferenceDataError(f"{folder}: there must be one {table}.csv or {table}.parquet, there are {len(found)}")
    path = found[0]
    try:
        content = path.read_bytes()
    except OSError as cause:
        raise ReferenceDataError(f"{path} cannot be read: {cause.strerror}") from cause
    return parse(path.name, content, columns)


def parse(name: str, content: bytes, columns: tuple[str, ...]) -> Table:
    """The table in the bytes of a file of that name. Raises ReferenceDataError as `read`."""
    rows = _csv_rows if name.endswith(".csv") else _parquet_rows
    return Table(name, hashlib.sha256(content).hexdigest(), tuple(rows(name, content, columns)))


def _csv_rows(name: str, content: bytes, columns: tuple[str, ...]) -> Iterator[Row]:
    check_text(name, content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as cause:
        raise ReferenceDataError(f"{name}: byte {cause.start} is not UTF-8") from cause
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for cells in lines:
            if not cells or cells[0].startswith("#"):
                continue
            place = f"{name} line {lines.line_num}"
            stripped = [cell.strip() for cell in cells]
            if header is None:
                header = stripped
                _check_header(place, header, columns)
            elif len(cells) != len(header):
                raise ReferenceDataError(f"{place}: {len(cells)} cells where the header has {len(header)}")
            else:
                yield Row(place, dict(zip(header, stripped, strict=True)))
    except csv.Error as cause:
        raise ReferenceDataError(f"{name} line {lines.line_num}: {cause}") from cause
    if header is None:
        raise ReferenceDataError(f"{name} is empty")


def _parquet_rows(name: str, content: bytes, columns: tuple[str, ...]) -> Iterator[Row]:
    import pyarrow as pa  # here, so that a desk with CSV files does not carry it
    from pyarrow import parquet

    number = size = 0
    try:
        file = parquet.ParquetFile(pa.BufferReader(content))
        _check_header(name, file.schema_arrow.names, columns)
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            size += batch.nbytes  # a few bytes of Parquet may unfold to more than memory holds
            if size > UNFOLDED_BYTES_MAX:
                raise ReferenceDataError(f"{name} unfolds to more than {UNFOLDED_BYTES_MAX} bytes")
            for cells in batch.to_pylist():
                number += 1
                yield Row(f"{name} row {number}", {column: _as_text(cell) for column, cell in cells.items()})
    except (pa.ArrowException, OSError) as cause:
        raise ReferenceDataError(f"{name} is not a Parquet file: {cause}") from cause


def _as_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):  # before date, which it also is
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and math.isfinite(cell):
        return f"{Decimal(repr(cell)):f}"
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell).strip()


def _check_header(place: str, header: Iterable[str], columns: tuple[str, ...]) -> None:
    names = list(header)
    missing = [column for column in columns if column not in names]
    unknown = [column for column in names if column not in columns]
    if missing or unknown or len(names) != len(set(names)):
        raise ReferenceDataError(f"{place}: the columns must be {', '.join(columns)}; missing {missing}, unknown {unknown}")
