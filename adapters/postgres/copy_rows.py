"""Rows of the events table in the binary format of COPY."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from domain.event import Recorded

COLUMNS: Final = "seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash"
COPY_EVENTS: Final = f"COPY events ({COLUMNS}) FROM STDIN (FORMAT binary)"
_HEADER: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER: Final = b"\xff\xff"
_TO_TOPIC: Final = struct.Struct(">hiqi16siqi")  # number of fields, then each field behind its length
_TO_STATE: Final = struct.Struct(">iqi")
_HASHES: Final = struct.Struct(">i32si32s")


def pack_rows(recorded: Sequence[Recorded], states: Sequence[bytes]) -> bytes:
    """The data of one COPY of these events with their stored bytes."""
    parts = [_HEADER]
    to_topic, to_state, hashes = _TO_TOPIC.pack, _TO_STATE.pack, _HASHES.pack
    for event, state in zip(recorded, states, strict=True):
        topic = event.event.TOPIC.encode()
        parts += (
            to_topic(8, 8, event.seq, 16, event.stream.bytes, 8, event.version, len(topic)),
            topic,
            to_state(8, event.recorded_time_ns, len(state)),
            state,
            hashes(32, event.prev_hash, 32, event.hash),
        )
    parts.append(_TRAILER)
    return b"".join(parts)
