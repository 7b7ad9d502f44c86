"""Reading a wire journal, also one that a gateway is writing: messages in order, and where the files are damaged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from adapters.fix.wire_record import Kind, Placed, WireRecord, scan
from adapters.fix.wire_segments import Segment, day_of, segments, session_of


class Told(NamedTuple):
    """A record of a session. event_seq of a repeat is that of the message repeated."""

    session: str
    record: WireRecord


class Fault(NamedTuple):
    """A place in the files where a record is missing, torn or altered.

    Attributes:
        torn: nothing whole follows: cut off, or still being written.
    """

    session: str
    path: Path
    offset: int
    why: str
    torn: bool = False


def sessions(directory: Path) -> list[str]:
    """The sessions that a journal has files of."""
    return sorted(session_of(path) for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []


def read(path: Path, *, since_ns: int = 0, until_ns: int | None = None) -> Iterator[Told | Fault]:
    """A session's records and faults in order, marks included.

    Args:
        path: the session's folder.
        since_ns, until_ns: moments between which records are wanted; days outside are not read at all, so what lies in
            them is neither checked nor known to repeats.
    """
    session = session_of(path)
    names = _Names()
    number, prev_hash = 0, None
    for segment in segments(path):
        if segment.day < day_of(since_ns) or (until_ns is not None and segment.day > day_of(until_ns)):
            continue
        if number and segment.number != number + 1:
            yield Fault(session, segment.path, 0, f"segment {number + 1} is missing before it")
            prev_hash = None
        number = segment.number
        for found in _scanned(segment, prev_hash):
            if isinstance(found, Placed):
                prev_hash = found.hash
                record = names.resolved(found.record)
                if since_ns <= record.time_ns and (until_ns is None or record.time_ns <= until_ns):
                    yield Told(session, record)
            else:
                prev_hash = None
                yield Fault(session, segment.path, found.offset, found.why, found.torn)


def _scanned(segment: Segment, prev_hash: bytes | None) -> Iterator[Placed | Fault]:
    try:
        data = segment.path.read_bytes()
    except OSError as error:
        yield Fault("", segment.path, 0, f"it cannot be read: {error.strerror}")
        return
    for found in scan(data, prev_hash):
        yield found if isinstance(found, Placed) else Fault("", segment.path, found.offset, found.why, found.torn)


class _Names:
    """Which event each outbound number of the numbering of now derives from: a repeat bears the number alone."""

    def __init__(self) -> None:
        self._epoch = 0
        self._events: dict[int, int] = {}

    def resolved(self, record: WireRecord) -> WireRecord:
        """The record with its event, where an earlier one under the same number has it."""
        if record.kind not in (Kind.OUT, Kind.KEPT):
            return record
        if record.reset_epoch != self._epoch:
            self._epoch = record.reset_epoch
            self._events.clear()
        if record.event_seq:
            self._events[record.msg_seq_num] = record.event_seq
            return record
        known = self._events.get(record.msg_seq_num, 0) if b"\x0143=Y\x01" in record.raw else 0
        return record._replace(event_seq=known) if known else record
