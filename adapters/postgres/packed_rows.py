"""Rows of the events table as Postgres takes them: in the binary format of COPY, and as one array for each column."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from typing import Final

COLUMNS: Final = "seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash"
COPY_EVENTS: Final = f"COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)"
INSERT_EVENTS: Final = f"INSERT INTO events ({COLUMNS}) SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)".encode()
_BIGINT, _UUID, _TEXT, _BYTEA = (20, 1016), (2950, 2951), (25, 1009), (17, 1001)  # oids of a type and of its array
_TYPES: Final = (_BIGINT, _UUID, _BIGINT, _TEXT, _BIGINT, _BYTEA, _BYTEA, _BYTEA)
ARRAY_OIDS: Final = tuple(array for _, array in _TYPES)
_ARRAY: Final = struct.Struct(">iiiii")  # one dimension, without nulls, of such a type, this long, counted from 1
_LENGTH: Final = struct.Struct(">i")
BIGINT: Final = struct.Struct(">q")
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_TO_TOPIC: Final = struct.Struct(">hiqi16siqi")  # number of fields, then each field behind its length
_TO_STATE: Final = struct.Struct(">iqi")
_HASHES: Final = struct.Struct(">i32si32s")

# seq, the stream's bytes, version, the topic's bytes, recorded_time_ns, state, prev_hash, hash
PackedRow = tuple[int, bytes, int, bytes, int, bytes, bytes, bytes]


def pack_rows(rows: Iterable[PackedRow]) -> bytes:
    """The data of one COPY of these rows, which name their columns in the order of COLUMNS."""
    parts = [_HEADER]
    to_topic, to_state, hashes = _TO_TOPIC.pack, _TO_STATE.pack, _HASHES.pack
    for seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash_ in rows:
        parts += (
            to_topic(8, 8, seq, 16, stream, 8, version, len(topic)),
            topic,
            to_state(8, recorded_time_ns, len(state)),
            state,
            hashes(32, prev_hash, 32, hash_),
        )
    parts.append(_TRAILER)
    return b"".join(parts)


def pack_arrays(rows: Sequence[PackedRow]) -> list[bytes]:
    """The parameters of INSERT_EVENTS for these rows, at least one."""
    length = _LENGTH.pack
    packed = []
    for (oid, _), column in zip(_TYPES, zip(*rows, strict=True), strict=True):
        values = map(BIGINT.pack, column) if oid == _BIGINT[0] else column
        parts = [_ARRAY.pack(1, 0, oid, len(rows), 1)]
        for value in values:
            parts += (length(len(value)), value)
        packed.append(b"".join(parts))
    return packed
