"""Rows of the events table in the binary format of COPY."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

COLUMNS: Final = "seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash"
COPY_EVENTS: Final = f"COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)"
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
