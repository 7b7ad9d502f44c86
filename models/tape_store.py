"""Stored tapes: a directory with a header and one memory-mapped file a column, appended to while a feed is recorded.

`header.json` says what the tape is of: its instruments with tick and lot, where it came from and that source's SHA-256, how many
records of which kind, the span of its times, and the SHA-256 of every column. It is written when the tape is sealed. A tape that
was never sealed, because its recorder died, is as long as its shortest column and is read without those sums.

`received_max` is the latest receive time up to and with each block's end: receive times may go back, but this never does, so
that seeking by time is exact.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from domain.errors import TapeError
from domain.tape import TAPE, Kind, Tape, empty_tape

FORMAT: Final = "ems-tape"
VERSION: Final = 1
BLOCK: Final = 4_096  # records of one entry of the time index
_HEADER: Final = "header.json"
_INDEX: Final = "received_max"
_HASHED_BYTES: Final = 1 << 20
_COLUMNS: Final = tuple(TAPE.names or ())
_NEVER: Final = -(1 << 63)


class TapeInstrument(NamedTuple):
    """What an instrument number of a tape means. Sizes at 1e-9, 0 where not known."""

    number: int
    symbol: str
    tick_size_e9: int
    lot_size_e9: int


class Source(NamedTuple):
    """Where a tape came from: a name, the SHA-256 of its bytes ("" for a live feed), and what was wrong with them, kind ->
    [how often, where first]."""

    name: str
    sha256: str
    feed: str
    faults: dict[str, list[int]]


class Header(NamedTuple):
    """Of a sealed tape all of it; of one that was not sealed the counts, sums and span are those that can be read off it."""

    instruments: tuple[TapeInstrument, ...]
    source: Source
    records: int
    first_ns: int  # receive times; 0 of an empty tape
    last_ns: int
    kinds: dict[str, int]
    columns: dict[str, str]  # SHA-256 by name
    sealed: bool


class TapeWriter:
    """Records appended to a new tape (`create`), or to one that was not sealed (`resume`). One writer at a time."""

    def __init__(self, path: Path, instruments: Sequence[TapeInstrument], source: Source, mode: str) -> None:
        """mode: of its column files, which `create` and `resume` know."""
        self.path = path
        self.records = 0
        self.instruments = tuple(instruments)  # these two may be known better at the end
        self.source = source
        self._files = {name: cast(BinaryIO, (path / f"{name}.bin").open(mode)) for name in (*_COLUMNS, _INDEX)}
        self._sums = {name: hashlib.sha256() for name in self._files}
        self._kinds = np.zeros(256, np.int64)
        self._span = (0, 0)
        self._latest = _NEVER

    @classmethod
    def create(cls, path: Path, instruments: Sequence[TapeInstrument], source: Source) -> TapeWriter:
        """A new tape. Raises TapeError where something is there already, or nothing can be made."""
        try:
            path.mkdir(parents=True)
            writer = cls(path, instruments, source, "wb")
        except OSError as error:
            raise TapeError(f"{path} cannot be made: {error.strerror}") from error
        writer.write_header(sealed=False)
        return writer

    @classmethod
    def resume(cls, path: Path) -> TapeWriter:
        """Goes on with a tape whose recorder died: what is not whole in every column is cut off.

        Raises TapeError where there is none, or a sealed one, which is never appended to.
        """
        stored = open_tape(path)
        if stored.header.sealed:
            raise TapeError(f"{path} is sealed: a sealed tape is not appended to")
        writer = cls(path, stored.header.instruments, stored.header.source, "r+b")
        writer.take_up(stored)
        return writer

    def take_up(self, stored: StoredTape) -> None:
        """Stands behind the last whole record of what is there, everything counted and summed."""
        self.records = len(stored)
        self._span = stored.header.first_ns, stored.header.last_ns
        for part in stored.parts():
            self._kinds += np.bincount(part["kind"], minlength=256)
            self._latest = max(self._latest, int(part["ts_recv_ns"].max()))
        for name in _COLUMNS:
            self._files[name].truncate(self.records * TAPE[name].itemsize)
            while block := self._files[name].read(_HASHED_BYTES):
                self._sums[name].update(block)
        self._files[_INDEX].truncate(0)
        self._write(_INDEX, stored.latest)

    def append(self, tape: Tape) -> None:
        """More records, in order of arrival."""
        if not len(tape):
            return
        for name in _COLUMNS:
            self._write(name, np.ascontiguousarray(tape[name]))
        received = tape["ts_recv_ns"]
        latest = np.maximum(np.maximum.accumulate(received), self._latest)
        self._latest = int(latest[-1])
        self._span = (self._span[0] if self.records else int(received.min()), self._latest)
        ends = np.arange((-self.records - 1) % BLOCK, len(tape), BLOCK)
        self._write(_INDEX, latest[ends])
        self._kinds += np.bincount(tape["kind"], minlength=256)
        self.records += len(tape)

    def flush(self) -> None:
        """What was appended survives a crash of the machine from now on."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())

    def close(self) -> Header:
        """Seal the tape: its header is complete, and it will not change any more."""
        self.leave()
        return self.write_header(sealed=True)

    def leave(self) -> None:
        """Stop without sealing: the tape can be read, and gone on with."""
        self.flush()
        for file in self._files.values():
            file.close()

    def _write(self, name: str, column: NDArray[Any]) -> None:
        data = column.tobytes()
        self._files[name].write(data)
        self._sums[name].update(data)

    def write_header(self, *, sealed: bool) -> Header:
        """What is known so far, all of it or nothing."""
        columns = {name: digest.hexdigest() for name, digest in self._sums.items()} if sealed else {}
        header = Header(tuple(self.instruments), self.source, self.records, *self._span, _named(self._kinds), columns, sealed)
        plain = header._asdict() | {
            "format": FORMAT, "version": VERSION, "instruments": [i._asdict() for i in header.instruments],
            "source": header.source._asdict(), "dtypes": {name: TAPE[name].str for name in _COLUMNS},
        }  # fmt: skip
        new = self.path / f"{_HEADER}.new"
        with new.open("w", encoding="utf-8") as file:
            json.dump(plain, file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        new.rename(self.path / _HEADER)
        return header


class StoredTape:
    """A tape on disk. columns: by name, (N,), mapped into memory, read only. latest: (N // BLOCK,), see received_max above."""

    def __init__(self, path: Path, header: Header, columns: dict[str, NDArray[Any]], latest: NDArray[np.int64]) -> None:
        self.path = path
        self.header = header
        self.columns = columns
        self.latest = latest

    def __len__(self) -> int:
        return self.header.records

    def records(self, start: int, stop: int) -> Tape:
        """Records start .. stop - 1 as an array of TAPE; fewer at the end."""
        start, stop, _ = slice(start, stop).indices(len(self))
        out = empty_tape(max(0, stop - start))
        for name, column in self.columns.items():
            out[name] = column[start : start + len(out)]
        return out

    def parts(self, size: int = 1 << 16, start: int = 0) -> Iterator[Tape]:
        """All records from `start` on, so many at a time."""
        for begin in range(start, len(self), size):
            yield self.records(begin, begin + size)

    def seek(self, time_ns: int) -> int:
        """Index of the first record received at time_ns or later; the length of the tape where there is none."""
        begin = int(np.searchsorted(self.latest, time_ns)) * BLOCK  # the first block that reaches the time
        later = np.flatnonzero(self.columns["ts_recv_ns"][begin : begin + BLOCK] >= time_ns)
        return begin + int(later[0]) if len(later) else len(self)

    def verify(self) -> list[str]:
        """The names of columns whose bytes are not those that were sealed; empty for a tape that was not sealed."""
        return [name for name, digest in self.header.columns.items() if _sha256(self.path / f"{name}.bin") != digest]


def open_tape(path: Path) -> StoredTape:
    """A stored tape, sealed or not.

    Raises:
        TapeError: there is none, its header is not one of ours, or a column is shorter than the header says.
    """
    try:
        plain = json.loads((path / _HEADER).read_text("utf-8"))
        if plain["format"] != FORMAT or plain["version"] != VERSION:
            raise TapeError(f"{path} is format {plain['format']!r} version {plain['version']!r}, not {FORMAT!r} {VERSION}")
        if plain["dtypes"] != {name: TAPE[name].str for name in _COLUMNS}:
            raise TapeError(f"{path} has other columns than this version's tapes")
        header = _header(plain)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TapeError(f"{path} is no stored tape: {type(error).__name__} {error}") from error
    columns = {name: _mapped(path / f"{name}.bin", TAPE[name]) for name in _COLUMNS}
    latest = _mapped(path / f"{_INDEX}.bin", np.dtype("i8"))
    shortest = min(map(len, columns.values()))
    if header.sealed and (shortest < header.records or len(latest) != header.records // BLOCK):
        raise TapeError(f"{path} is cut short: {shortest} records of {header.records}, {len(latest)} blocks in its index")
    if not header.sealed:
        header = _unsealed(header, columns, shortest)
        latest = np.maximum.accumulate(columns["ts_recv_ns"][: header.records])[BLOCK - 1 :: BLOCK]
    return StoredTape(path, header, {name: column[: header.records] for name, column in columns.items()}, latest)


def _header(plain: dict[str, Any]) -> Header:
    fields = {name: plain[name] for name in Header._fields}
    fields["instruments"] = tuple(TapeInstrument(**one) for one in plain["instruments"])
    fields["source"] = Source(**plain["source"])
    header = Header(**fields)
    if type(header.records) is not int or header.records < 0:
        raise ValueError(f"{header.records!r} records")
    return header


def _unsealed(header: Header, columns: dict[str, NDArray[Any]], records: int) -> Header:
    while records > 0 and columns["kind"][records - 1] == 0:  # room that the disk gave and the writer never filled
        records -= 1
    received, kinds = columns["ts_recv_ns"][:records], np.bincount(columns["kind"][:records], minlength=256)
    span = (int(received.min()), int(received.max())) if records else (0, 0)
    return header._replace(records=records, first_ns=span[0], last_ns=span[1], kinds=_named(kinds))


def _named(kinds: NDArray[np.int64]) -> dict[str, int]:
    """Counts by kind's value -> by name; what is no kind is none of ours."""
    return {kind.name.lower(): int(kinds[kind]) for kind in Kind if kinds[kind]}


def _mapped(path: Path, dtype: np.dtype[Any]) -> NDArray[Any]:
    try:
        length = path.stat().st_size // dtype.itemsize
        return np.memmap(path, dtype, "r", shape=(length,)) if length else np.zeros(0, dtype)
    except OSError as error:
        raise TapeError(f"{path} cannot be read: {error.strerror}") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_HASHED_BYTES):
            digest.update(block)
    return digest.hexdigest()
