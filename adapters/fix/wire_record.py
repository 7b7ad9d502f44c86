"""Records of the wire journal: one message as it was on the wire, its place in a chain of hashes, and how damage is found.

A record is a header, the message, the SHA-256 over the record before it and these two, and a CRC-32 over all three::

    4 magic  1 kind  3 zero  4 length  4 reset epoch  8 time_ns  8 MsgSeqNum  8 event seq  message  32 hash  4 CRC

The CRC tells a record that is torn or changed by accident; the chain tells one that was changed, taken out or put in
with its CRC made to fit. Whoever can write the files can make the whole chain anew: its end is worth what vouches for it.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum
from hashlib import sha256
from typing import Any, Final, NamedTuple

GENESIS: Final = bytes(32)  # what the first record of a session chains to
MAGIC: Final = b"WIRE"
_HEADER: Final = struct.Struct(">4sB3xIIQQQ")
_CRC: Final = struct.Struct(">I")
_HASH_BYTES: Final = 32
HEADER_BYTES: Final = _HEADER.size
OVERHEAD_BYTES: Final = HEADER_BYTES + _HASH_BYTES + _CRC.size
_pack, _unpack_from, _crc = _HEADER.pack, _HEADER.unpack_from, _CRC.pack


class Kind(IntEnum):
    """What a record is. KEPT: the engine has numbered and stored a message for a peer that is not there."""

    MARK = 0  # the journal's own: JSON
    IN = 1
    OUT = 2
    KEPT = 3


class WireRecord(NamedTuple):
    """One record. Numbers that are not known are 0.

    Attributes:
        reset_epoch: how often the session's numbering had started again.
        event_seq: log sequence of the event that an outbound message derives from.
        raw: the bytes on the wire; of a KEPT record none, of a mark JSON.
    """

    kind: int
    time_ns: int
    reset_epoch: int
    msg_seq_num: int
    event_seq: int
    raw: bytes

    def mark(self) -> dict[str, Any]:
        """What a mark says."""
        return dict(json.loads(self.raw))


class Placed(NamedTuple):
    """A record where it lies."""

    offset: int
    end: int
    record: WireRecord
    hash: bytes


class Damage(NamedTuple):
    """Bytes that are no whole record, or a record that does not follow the one before it.

    Attributes:
        end: where the next whole record begins; equal to the size of what was read where there is none.
        why: what is wrong, for a person.
        torn: nothing whole follows: a write that was cut off, or that is still under way.
    """

    offset: int
    end: int
    why: str
    torn: bool


def encode(record: WireRecord, prev_hash: bytes) -> tuple[bytes, bytes]:
    """The bytes of a record after the one with prev_hash, and its own hash."""
    kind, time_ns, reset_epoch, msg_seq_num, event_seq, raw = record
    body = _pack(MAGIC, kind, len(raw), reset_epoch, time_ns, msg_seq_num, event_seq) + raw
    own = sha256(prev_hash + body).digest()
    hashed = body + own
    return hashed + _crc(zlib.crc32(hashed)), own


def decode(data: bytes, offset: int) -> Placed | None:
    """The record at an offset, None where no whole and unharmed one lies."""
    if len(data) - offset < OVERHEAD_BYTES or not data.startswith(MAGIC, offset):
        return None
    _, kind, length, reset_epoch, time_ns, msg_seq_num, event_seq = _unpack_from(data, offset)
    start = offset + HEADER_BYTES
    hash_at = start + length
    crc_at = hash_at + _HASH_BYTES
    end = crc_at + _CRC.size
    if end > len(data) or _crc(zlib.crc32(memoryview(data)[offset:crc_at])) != data[crc_at:end]:
        return None
    record = WireRecord(kind, time_ns, reset_epoch, msg_seq_num, event_seq, data[start:hash_at])
    return Placed(offset, end, record, data[hash_at:crc_at])


def scan(data: bytes, prev_hash: bytes | None = None, offset: int = 0) -> Iterator[Placed | Damage]:
    """Everything in a segment's bytes, in order; damage stands where it was found, and what follows it is still read.

    Args:
        prev_hash: what the first record chains to, None where that is not known and so not checked.
        offset: where to begin.
    """
    while offset < len(data):
        placed = decode(data, offset)
        if placed is None:
            end = _next_whole(data, offset + 1)
            yield Damage(offset, end, "no whole record: its bytes were changed or cut off", torn=end == len(data))
            offset, prev_hash = end, None
            continue
        if prev_hash is not None and not follows(data, placed, prev_hash):
            yield Damage(offset, offset, "the record does not follow the one before it: one of the two was altered", torn=False)
        yield placed
        offset, prev_hash = placed.end, placed.hash


def follows(data: bytes, placed: Placed, prev_hash: bytes) -> bool:
    """Is the record's hash the one that the hash before it leads to?"""
    body = data[placed.offset : placed.offset + HEADER_BYTES + len(placed.record.raw)]
    return sha256(prev_hash + body).digest() == placed.hash


def _next_whole(data: bytes, offset: int) -> int:
    while (offset := data.find(MAGIC, offset)) >= 0:
        if decode(data, offset) is not None:
            return offset
        offset += 1
    return len(data)
