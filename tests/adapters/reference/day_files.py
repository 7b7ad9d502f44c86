"""The sample as the files of a day, for tests that break them and write the manifest anew as their maker would."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from adapters.reference import write
from adapters.reference.start_of_day import check

DAY = date(2026, 11, 24)  # a Tuesday
CLOSE = "2026-11-23"


def remanifest(folder: Path) -> None:
    write.write_manifest(folder, {"trade_date": DAY}, "")


def replace(folder: Path, table: str, old: str, new: str) -> None:
    """Change a file, and the manifest with it: what its maker did."""
    path = folder / f"{table}.csv"
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new, 1))
    remanifest(folder)


def append(folder: Path, table: str, *lines: str) -> None:
    path = folder / f"{table}.csv"
    path.write_text(path.read_text() + "".join(f"{line}\n" for line in lines))
    remanifest(folder)


def without(folder: Path, table: str, start: str) -> None:
    path = folder / f"{table}.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith(start)))
    remanifest(folder)


def sentences(folder: Path, on: date = DAY) -> list[str]:
    found = check(folder, on)
    assert (found.opened is None) == bool(found.problems)
    return [problem.sentence() for problem in found.problems]


def edit(table: str, old: str, new: str) -> Callable[[Path], None]:
    return lambda folder: replace(folder, table, old, new)


def add(table: str, *lines: str) -> Callable[[Path], None]:
    return lambda folder: append(folder, table, *lines)


def drop(table: str, start: str) -> Callable[[Path], None]:
    return lambda folder: without(folder, table, start)
