"""The files of one session's wire journal: numbered segments of one UTC day each, appended to, dropped when they are old."""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from adapters.fix.wire_record import GENESIS, Kind, Placed, WireRecord, decode, encode, scan

log = logging.getLogger(__name__)
WIRE_FOLDER: Final = "wire"  # in the gateway's directory
SEGMENT_BYTES_MAX: Final = 16 * 1024 * 1024
SUFFIX: Final = ".wire"
_CUT_SUFFIX: Final = ".cut"
_DAY_NS: Final = 86_400_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Segment(NamedTuple):
    """A segment file by its name: `00000012-2026-11-22.wire`."""

    number: int
    day: str  # UTC, ISO
    path: Path


def folder(directory: Path, session: str) -> Path:
    """Where a session's segments lie; any name makes one folder."""
    return directory / quote(session, safe="").replace(".", "%2E")


def session_of(path: Path) -> str:
    """The session that a folder is of."""
    return unquote(path.name)


def segments(path: Path) -> list[Segment]:
    """The segments of a folder in order."""
    found = []
    for file in path.glob(f"*{SUFFIX}"):
        number, _, day = file.stem.partition("-")
        if number.isdigit():
            found.append(Segment(int(number), day, file))
    return sorted(found)


def day_of(time_ns: int) -> str:
    """The UTC day of a moment, ISO."""
    return (_EPOCH + timedelta(days=time_ns // _DAY_NS)).date().isoformat()


class Segments:
    """Writes one session's records. Not thread-safe: the journal's writer is alone here."""

    def __init__(self, path: Path, session: str, keep_days: int, now_ns: int) -> None:
        """Open or create; a tail that a killed process left half written is cut off and put aside.

        Args:
            keep_days: segments of days before that many days ago are removed; 0 keeps all.
        """
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = path
        self._session = session
        self._keep_days = keep_days
        self._file = -1
        self._number = 0
        self._day_from_ns = self._day_to_ns = 0
        self._size = 0  # of the file
        self._hash = GENESIS  # of the last record in the file
        self._next_hash = GENESIS  # of the last one in the buffer
        self._buffer: list[bytes] = []
        self._buffered = 0
        self._telling = False  # the buffer holds a mark of what was lost
        self._untold = 0  # lost records of which no mark tells yet
        self.lost_count = 0
        self._adopt(now_ns)

    def add(self, record: WireRecord) -> None:
        """Take one record; `write` brings it to the file."""
        if not self._day_from_ns <= record.time_ns < self._day_to_ns or self._size + self._buffered >= SEGMENT_BYTES_MAX:
            self.write()
            try:
                self._begin(record.time_ns)
            except OSError as error:
                self.lose(1, error)
                return
        if self._untold and not self._telling:
            self._telling = True
            self._put(_mark("lost", record.time_ns, records=self._untold))
        self._put(record)

    def lose(self, count: int, why: object) -> None:
        """So many records are not kept; the next that is kept stands behind a mark that says so."""
        if not self._untold:
            log.error("%s: the wire journal loses messages: %s", self._session, why)
        self._untold += count
        self.lost_count += count

    def mark(self, what: str, time_ns: int, **said: Any) -> None:
        """A record of the journal's own."""
        self.add(_mark(what, time_ns, **said))

    def write(self) -> None:
        """Hand what was added to the system. What it does not take is counted as lost, and the file stays whole."""
        if not self._buffer:
            return
        data, count = b"".join(self._buffer), len(self._buffer) - self._telling
        self._buffer, self._buffered = [], 0
        try:
            written = os.write(self._file, data)
            if written != len(data):
                os.ftruncate(self._file, self._size)
                raise OSError(f"{written} of {len(data)} bytes were taken: is the disk full?")
        except OSError as error:
            self._telling, self._next_hash = False, self._hash
            self.lose(count, error)
            return
        self._size += len(data)
        self._hash = self._next_hash
        if self._telling:
            self._telling, self._untold = False, 0

    def close(self) -> None:
        """Write what is left, and wait until it is on the disk."""
        self.write()
        self._close()

    # ----------------------------------------------------------------------------------------- inside

    def _put(self, record: WireRecord) -> None:
        data, self._next_hash = encode(record, self._next_hash)
        self._buffer.append(data)
        self._buffered += len(data)

    def _begin(self, time_ns: int) -> None:
        """A new segment for the day of a moment."""
        self._close()
        day = time_ns // _DAY_NS
        path = self._path / f"{self._number + 1:08d}-{day_of(time_ns)}{SUFFIX}"
        self._open(path, day)
        self._number += 1
        self._size = 0
        self._put(_mark("segment", time_ns, session=self._session, previous=self._hash.hex()))
        self._drop_old(time_ns)

    def _open(self, path: Path, day: int) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._day_from_ns, self._day_to_ns = day * _DAY_NS, (day + 1) * _DAY_NS

    def _close(self) -> None:
        if self._file >= 0:
            os.fsync(self._file)
            os.close(self._file)
            self._file, self._day_to_ns = -1, 0

    def _adopt(self, now_ns: int) -> None:
        cut = 0
        for segment in reversed(segments(self._path)):
            self._number = max(self._number, segment.number)
            data = segment.path.read_bytes()
            whole, last = _whole(data)
            if whole < len(data):
                cut += len(data) - whole
                _put_aside(segment.path, data, whole)
            if last is not None:
                self._hash = self._next_hash = last.hash
                if segment.day == day_of(now_ns) and segment.number == self._number:
                    self._open(segment.path, now_ns // _DAY_NS)
                    self._size = whole
                break
        self.mark("start", now_ns, cut=cut)
        self._drop_old(now_ns)

    def _drop_old(self, now_ns: int) -> None:
        if not self._keep_days:
            return
        oldest = day_of(now_ns - self._keep_days * _DAY_NS)
        for segment in segments(self._path):
            if segment.day >= oldest or segment.number == self._number:
                break  # only from the front: what is left must be one chain
            segment.path.unlink(missing_ok=True)
            segment.path.with_suffix(_CUT_SUFFIX).unlink(missing_ok=True)


def _mark(what: str, time_ns: int, **said: Any) -> WireRecord:
    return WireRecord(Kind.MARK, time_ns, 0, 0, 0, json.dumps({"mark": what, **said}).encode())


def _whole(data: bytes) -> tuple[int, Placed | None]:
    """Where the last whole record ends, and the record. Damage before it stays: it is evidence."""
    end, last = 0, None
    while (placed := decode(data, end)) is not None:
        end, last = placed.end, placed
    for found in scan(data, None, end):
        if isinstance(found, Placed):
            end, last = found.end, found
    return end, last


def _put_aside(path: Path, data: bytes, whole: int) -> None:
    log.warning("%s: %d bytes after the last whole record are cut off and put aside", path.name, len(data) - whole)
    with path.with_suffix(_CUT_SUFFIX).open("ab") as aside:
        aside.write(data[whole:])
    os.truncate(path, whole)
