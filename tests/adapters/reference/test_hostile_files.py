"""Files that mean harm, or were made badly: each is refused by name, at once, and nothing outside the directory is read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.reference import manifest, safe_files, tables, write
from adapters.reference.safe_files import FILE_BYTES_MAX, LINE_BYTES_MAX, LINES_MAX, read_bytes
from adapters.reference.start_of_day import check
from domain.errors import ReferenceDataError
from tests.adapters.reference.day_files import DAY, sentences

HEADER = b"account,symbol,quantity,as_of\n"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def put(folder: Path, content: bytes) -> None:
    """Positions whose checksum the manifest has: their maker says that they are meant so."""
    path = folder / manifest.NAME
    text = path.read_text()
    old = next(line for line in text.partition("[files.positions]")[2].splitlines() if line.startswith("sha256"))
    (folder / "positions.csv").write_bytes(content)
    path.write_text(text.replace(old, f'sha256 = "{sha256(content)}"'))


HOSTILE: dict[str, tuple[bytes, str]] = {
    "a line of a megabyte": (HEADER + b"x" * 1_000_000, f"line 2 has 1000000 bytes, {LINE_BYTES_MAX} are allowed"),
    "a line of a hundred megabytes": (b"," * 100_000_000, f"has 100000000 bytes, {FILE_BYTES_MAX} are allowed"),
    "more lines than anybody has": (b"\n" * (LINES_MAX + 1), f"has more than {LINES_MAX} lines"),
    "NUL": (HEADER + b"HOUSE,AM\0ZN,1,2026-11-23\n", "line 2: byte 38 is NUL"),
    "another encoding": (HEADER + "HOUSÉ,AMZN,1,2026-11-23\n".encode("latin-1"), "byte 34 is not UTF-8"),
    "UTF-16": (HEADER.decode().encode("utf-16"), "is NUL"),
    "an open quote": (HEADER + b'"HOUSE,AMZN,1,2026-11-23\n', "positions.csv line 2"),
    "other columns": (b"account,symbol,qty,as_of\n", "missing ['quantity'], unknown ['qty']"),
    "a column twice": (b"account,symbol,quantity,quantity,as_of\n", "the columns must be account, symbol, quantity, as_of"),
    "too few cells": (HEADER + b"HOUSE,AMZN\n", "positions.csv line 2: 2 cells where the header has 4"),
    "nothing": (b"", "positions.csv is empty"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_by_name(folder: Path, case: str) -> None:
    content, why = HOSTILE[case]
    put(folder, content)
    found = sentences(folder)
    assert len(found) == 1 and found[0].startswith("positions: positions.csv") and why in found[0], found


def test_a_file_that_is_not_the_manifests(folder: Path) -> None:
    path = folder / "positions.csv"
    path.write_text(path.read_text().replace("2500", "2501"))
    found = sentences(folder)
    assert len(found) == 1 and "positions.csv is not the file of the manifest: its SHA-256 is " in found[0]


def test_a_count_that_is_not_the_manifests(folder: Path) -> None:
    path = folder / manifest.NAME
    path.write_text(path.read_text().replace("rows = 6\n", "rows = 7\n"))
    found = sentences(folder)
    assert len(found) == 1 and found[0].startswith("positions.csv: has 6 rows, the manifest says 7; mend the file or ask")


def test_a_missing_file(folder: Path) -> None:
    (folder / "positions.csv").unlink()
    found = sentences(folder)
    mend = "mend the file or ask the built-in sample for another, then run ems load --manifest"
    assert found == [f"positions: positions.csv cannot be read: No such file or directory; {mend}"]


# ------------------------------------------------------------------------------------------ what is no file


def test_links_pipes_and_directories_are_no_files(folder: Path, tmp_path: Path) -> None:
    path, secret = folder / "positions.csv", tmp_path / "elsewhere.csv"
    path.rename(secret)
    path.symlink_to(secret)
    assert "positions.csv is a symbolic link; put the file itself there" in sentences(folder)[0]
    path.unlink()
    os.mkfifo(path)
    assert "positions.csv is not a plain file" in sentences(folder)[0]
    path.unlink()
    path.mkdir()
    assert "positions.csv is not a plain file" in sentences(folder)[0]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(folder: Path) -> None:
    (folder / "positions.csv").chmod(0)
    assert "positions.csv cannot be read: Permission denied" in sentences(folder)[0]


@pytest.mark.parametrize("change", ["longer", "shorter", "as long"])
def test_a_file_that_changes_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str) -> None:
    path = tmp_path / "positions.csv"
    path.write_bytes(b"x" * 3_000_000)
    os.utime(path, ns=(1, 1))
    reading = os.read

    def then_written(descriptor: int, length: int) -> bytes:
        chunk = reading(descriptor, length)
        if change == "longer" and path.stat().st_size == 3_000_000:
            with path.open("ab") as file:
                file.write(b"y")
        elif change == "shorter":
            os.truncate(path, 1_000_000)
        elif change == "as long":
            path.write_bytes(b"y" * 3_000_000)
        return chunk

    monkeypatch.setattr(safe_files.os, "read", then_written)
    with pytest.raises(ReferenceDataError, match="written to while it was read; try again when its maker has finished"):
        read_bytes(path)


def test_what_was_checked_is_what_is_kept(folder: Path) -> None:
    found = check(folder, DAY)
    assert found.manifest is not None
    kept = {name: sha256(content) for name, content in found.contents.items()}
    assert kept == {entry.file: entry.sha256 for entry in found.manifest.files.values()}


# ---------------------------------------------------------------------------------------------- Parquet


def test_parquet_that_unfolds_beyond_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "UNFOLDED_BYTES_MAX", 10_000_000)
    text = "x" * 100_000
    table = pa.table({"account": [text] * 1000, "symbol": ["A"] * 1000, "quantity": [1] * 1000, "as_of": ["x"] * 1000})
    path = tmp_path / "positions.parquet"
    parquet.write_table(table, path, compression="zstd")
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ReferenceDataError, match="unfolds to more than 10000000 bytes"):
        tables.parse(path.name, path.read_bytes(), ("account", "symbol", "quantity", "as_of"))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -0.0, 1e300], ids=str)
def test_numbers_of_parquet_are_held_to_the_same(folder: Path, number: float) -> None:
    (folder / "positions.csv").unlink()
    values = {"account": ["HOUSE"], "symbol": ["AMZN"], "quantity": [number], "as_of": ["2026-11-23"]}
    parquet.write_table(pa.table(values), folder / "positions.parquet")
    write.write_manifest(folder, {"trade_date": DAY}, "")
    found = sentences(folder)
    assert len(found) == 1 and found[0].startswith("positions.parquet row 1, column quantity: "), found


# ------------------------------------------------------------------------------------------- the manifest


def text_edit(old: str, new: str) -> Callable[[str], str]:
    def edited(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return edited


MANIFESTS: dict[str, tuple[Callable[[str], str], str]] = {
    "a path upward": (
        text_edit('"positions.csv"', '"../positions.csv"'),
        "the file of positions is positions.csv or positions.pa",
    ),
    "an absolute path": (
        text_edit('"positions.csv"', '"/etc/passwd"'),
        "the file of positions is positions.csv or positions.par",
    ),
    "another table's file": (
        text_edit('"positions.csv"', '"cash.csv"'),
        "the file of positions is positions.csv or positions.pa",
    ),
    "no TOML": (text_edit("trade_date", "[trade_date"), "manifest.toml cannot be read: "),
    "no checksum": (text_edit("sha256 = ", "# sha256 = "), "manifest.toml, files.instruments.sha256: Field required"),
    "a short checksum": (text_edit('sha256 = "', 'sha256 = "0'), "files.instruments.sha256: String should match pattern"),
    "rows below zero": (
        text_edit("rows = 10", "rows = -1"),
        "files.instruments.rows: Input should be greater than or equal to 0",
    ),
    "rows as text": (text_edit("rows = 10", 'rows = "10"'), "files.instruments.rows: Input should be a valid integer"),
    "an unknown setting": (text_edit("trade_date", "threshold = 5\ntrade_date"), "threshold: Extra inputs are not permitted"),
    "no day": (text_edit("trade_date = 2026-11-24", ""), "manifest.toml, trade_date: Field required"),
    "an impossible day": (text_edit("trade_date = 2026-11-24", 'trade_date = "0001-01-01"'), "'0001-01-01' is not between"),
    "nested without end": (lambda _: "a = " + "[" * 100_000, "manifest.toml cannot be read: "),
    "too large": (lambda _: "# " + "x" * 2_000_000, "manifest.toml has 2000002 bytes, 1048576 are allowed"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_is_none(folder: Path, case: str) -> None:
    breaking, why = MANIFESTS[case]
    path = folder / manifest.NAME
    path.write_text(breaking(path.read_text()))
    found = sentences(folder)
    assert len(found) == 1 and found[0].startswith("the manifest: ") and why in found[0], found


def test_no_manifest_two_and_one_that_is_a_link(folder: Path, tmp_path: Path) -> None:
    path = folder / manifest.NAME
    (folder / "manifest.json").write_text("{}")
    assert "has both manifest.toml and manifest.json; keep one" in sentences(folder)[0]
    (folder / "manifest.json").unlink()
    path.rename(tmp_path / "elsewhere")
    assert "has no manifest.toml; ems load --manifest writes one" in sentences(folder)[0]
    path.symlink_to(tmp_path / "elsewhere")
    assert "manifest.toml is a symbolic link" in sentences(folder)[0]


def test_a_manifest_is_not_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    path, elsewhere = folder / manifest.NAME, tmp_path / "elsewhere"
    path.unlink()
    path.symlink_to(elsewhere)
    write.write_manifest(folder, {"trade_date": DAY, "base_currency": "USD", "calendar": "XSIM"}, "a test")
    assert not elsewhere.exists() and not path.is_symlink()
    assert sentences(folder) == []


def test_a_table_that_is_missing_or_unknown(folder: Path) -> None:
    path = folder / manifest.NAME
    path.write_text(path.read_text().replace("[files.locates]", "[files.locatez]").replace("locates.csv", "locatez.csv"))
    (folder / "locates.csv").rename(folder / "locatez.csv")
    found = sentences(folder)
    assert "the manifest: names no file of locates; add locates.csv and run ems load --manifest" in found
    assert any(one.startswith("the manifest: names a file of locatez, which is no table; there are instruments") for one in found)


def test_json_says_the_same(folder: Path) -> None:
    found: dict[str, Any] = manifest.read(folder).model_dump(mode="json")
    (folder / manifest.NAME).unlink()
    path = folder / "manifest.json"
    path.write_text(json.dumps(found))
    assert sentences(folder) == []
    path.write_text("[" * 100_000)
    assert "manifest.json cannot be read: " in sentences(folder)[0]
    path.write_text("[]")
    assert "manifest.json is not a table of settings" in sentences(folder)[0]


def test_writing_a_manifest_asks_for_what_is_said_nowhere(folder: Path) -> None:
    (folder / manifest.NAME).unlink()
    terms: dict[str, Any] = {"trade_date": DAY}
    with pytest.raises(ReferenceDataError, match="give --base-currency"):
        write.write_manifest(folder, terms, "a test")
    with pytest.raises(ReferenceDataError, match="give --calendar"):
        write.write_manifest(folder, terms | {"base_currency": "USD"}, "a test")
    with pytest.raises(ReferenceDataError, match=r"no manifest says where instruments\.csv comes from: give --source"):
        write.write_manifest(folder, terms | {"base_currency": "USD", "calendar": "XSIM"}, "")
    write.write_manifest(folder, terms | {"base_currency": "USD", "calendar": "XSIM"}, 'a "quoted" name, \\ and é')
    assert sentences(folder) == []
    assert manifest.read(folder).files["cash"].source == 'a "quoted" name, \\ and é'
    (folder / "cash.csv").unlink()
    with pytest.raises(ReferenceDataError, match=r"one cash.csv or cash.parquet, there are 0"):
        write.write_manifest(folder, terms, "")
