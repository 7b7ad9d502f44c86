"""The files of one bundle, written as they come; nothing of them is held. The same rows give the same bytes."""

from __future__ import annotations

import bz2
import csv
import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Literal, Self

import pyarrow as pa
import pyarrow.parquet as pq

BATCH_ROWS: Final = 10_000
_BLOCK: Final = 1 << 20


class Folder:
    """Port `ems.exports.ports.Outputs` on a directory that is empty. `close` before anything of it is read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._closing: list[Callable[[], None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Finish every file that is open."""
        closing, self._closing = self._closing, []
        for close in closing:
            close()

    def lines(self, name: str, packing: Literal["", "gz", "bz2"] = "") -> Callable[[bytes], None]:
        """A file of lines. Compressed ones say neither when they were made nor what they were called."""
        path = self._path(name)
        if packing == "bz2":
            packed = bz2.BZ2File(path, "wb", compresslevel=9)
            self._closing.append(packed.close)
            return lambda line: _ignore(packed.write(line))
        plain = path.open("wb")
        if packing == "":
            self._closing.append(plain.close)
            return lambda line: _ignore(plain.write(line))
        zipped = gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=plain, mtime=0)
        self._closing += [zipped.close, plain.close]
        return lambda line: _ignore(zipped.write(line))

    def csv(self, name: str, columns: Sequence[str]) -> Callable[[Sequence[Any]], None]:
        """A CSV file: UTF-8, one newline a row, nothing quoted that need not be."""
        file = self._path(name).open("w", encoding="utf-8", newline="")
        self._closing.append(file.close)
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        return lambda row: _ignore(writer.writerow(row))

    def parquet(self, name: str, columns: Sequence[str], integers: frozenset[str]) -> Callable[[Mapping[str, Any]], None]:
        """A Parquet file: 64-bit integers and text, null where a row has nothing."""
        schema = pa.schema([(column, pa.int64() if column in integers else pa.string()) for column in columns])
        writer = pq.ParquetWriter(self._path(name), schema, compression="zstd", write_statistics=True)
        held: list[Mapping[str, Any]] = []

        def flush() -> None:
            if held:
                writer.write_table(pa.table({name: [row.get(name) for row in held] for name in columns}, schema=schema))
                held.clear()

        def append(row: Mapping[str, Any]) -> None:
            held.append(row)
            if len(held) == BATCH_ROWS:
                flush()

        self._closing += [flush, writer.close]
        return append

    def write(self, name: str, data: bytes) -> None:
        """A whole file."""
        self._path(name).write_bytes(data)

    def files(self) -> Iterator[tuple[str, int, str]]:
        """Name, bytes and SHA-256 of every file, sorted by name."""
        for name in self.names():
            path = self.root / name
            yield name, path.stat().st_size, digest_of(path)

    def names(self) -> list[str]:
        """Every file, sorted."""
        return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def _path(self, name: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _ignore(_: object) -> None:
    """How many bytes were written is nobody's business: a file that takes fewer raises."""


def digest_of(path: Path) -> str:
    """SHA-256 of a file, block by block."""
    found = sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
