"""Single messages of a wire journal, found by their numbers without reading it all: from header to header, and only what is
wanted is decoded and held against its checksum and the record before it.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from adapters.fix.wire_reader import Told
from adapters.fix.wire_record import HEADER_BYTES, MAGIC, OVERHEAD_BYTES, Kind, WireRecord, decode, follows
from adapters.fix.wire_segments import Segment, segments, session_of

_HEAD: Final = struct.Struct(">4sB3xIIQQQ")
_HASH: Final = 32
_CRC: Final = 4


class FoundAt(NamedTuple):
    """A message, where it lies, and whether it is whole and follows the record before it."""

    told: Told
    path: Path
    offset: int
    intact: bool


def find(
    path: Path, numbers: Collection[tuple[int, int]], seqs: Collection[int], since_ns: int, until_ns: int, text: bytes = b""
) -> Iterator[FoundAt]:
    """A session's messages in order.

    Args:
        path: the session's folder.
        numbers: (reset epoch, MsgSeqNum) of received ones.
        seqs: events whose messages are wanted.
        since_ns, until_ns: files that hold nothing between these are not opened but for their first record.
        text: or any message that holds these bytes, where they are given.
    """
    wanted, told = frozenset(numbers), frozenset(seqs)
    for segment in _between(segments(path), since_ns, until_ns):
        yield from _in(segment, session_of(path), wanted, told, text)


def _between(every: list[Segment], since_ns: int, until_ns: int) -> Iterator[Segment]:
    begins = [(_first_ns(segment), segment) for segment in every]
    for (begin_ns, segment), (end_ns, _) in pairwise([*begins, (until_ns + 1, None)]):
        if segment is not None and begin_ns <= until_ns and end_ns >= since_ns:
            yield segment


def _first_ns(segment: Segment) -> int:
    with segment.path.open("rb") as file:
        head = file.read(HEADER_BYTES)
    return int(_HEAD.unpack(head)[4]) if len(head) == HEADER_BYTES and head.startswith(MAGIC) else 0


def _in(
    segment: Segment, session: str, numbers: frozenset[tuple[int, int]], seqs: frozenset[int], text: bytes
) -> Iterator[FoundAt]:
    if segment.path.stat().st_size == 0:
        return
    with segment.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        offset, end, unpack, spoilt = 0, len(data) - OVERHEAD_BYTES, _HEAD.unpack_from, False
        while offset <= end:
            magic, kind, length, epoch, _, number, seq = unpack(data, offset)
            if magic != MAGIC:  # a damaged place: on from the next record
                spoilt, offset = True, data.find(MAGIC, offset + 1)
                if offset < 0:
                    return
                continue
            following = offset + OVERHEAD_BYTES + length
            if (
                (kind == Kind.IN and (epoch, number) in numbers)
                or (seq and seq in seqs)
                or (text and data.find(text, offset, following) >= 0)
            ):
                yield _at(data, segment, session, offset, following, spoilt)
            offset, spoilt = following, False


def _at(data: mmap.mmap, segment: Segment, session: str, offset: int, end: int, spoilt: bool) -> FoundAt:
    record = data[max(0, offset - _HASH - _CRC) : end]
    own = min(offset, _HASH + _CRC)
    placed = decode(record, own)
    if placed is None:
        kind, length, epoch, time_ns, number, seq = _HEAD.unpack_from(data, offset)[1:]
        raw = data[offset + HEADER_BYTES : min(len(data), offset + HEADER_BYTES + length)]
        return FoundAt(Told(session, WireRecord(kind, time_ns, epoch, number, seq, raw)), segment.path, offset, intact=False)
    before = record[:_HASH] if offset else None  # the first of a file follows the last of the file before
    chained = before is None or follows(record, placed, before)
    return FoundAt(Told(session, placed.record), segment.path, offset, intact=chained and not spoilt)
