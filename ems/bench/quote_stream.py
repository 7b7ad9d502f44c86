"""The feed that `ems bench quote` measures on: a real day in ITCH over many instruments, a datagram for all that has one time."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.compiled import be16, be32, hot, put16, put64
from adapters.marketdata.itch_layout import Bytes
from adapters.marketdata.mold import HEADER, SESSION
from ems.bench.tape_stream import made_stream
from ems.quoting.journal import INPUT_BYTES
from models.compiled import i64

SESSION_NAME: Final = b"QUOTE     "
_TIME_AT: Final = 2 + 5  # within a framed message: six bytes, nanoseconds since midnight


class Feed(NamedTuple):
    """data: datagrams one behind the other; ends: (D + 1,) where each begins; event_ns: (D,) of their messages, UTC;
    messages: how many in all; symbols by stock locate."""

    data: Bytes
    ends: NDArray[np.int64]
    event_ns: NDArray[np.int64]
    messages: int
    symbols: dict[int, str]
    midnight_ns: int


@hot
def _pack(plain: Bytes, out: Bytes, ends: NDArray[np.int64], event_ns: NDArray[np.int64], midnight_ns: int) -> tuple[int, int]:
    """Datagrams of consecutive messages of one time that fit a frame. Returns (datagrams, bytes)."""
    at, to, n, number = i64(0), i64(0), i64(0), i64(1)
    while at < plain.size:
        begin, count, first_ns = to, i64(0), i64(-1)
        to += HEADER
        while at < plain.size:
            size = 2 + be16(plain, at)
            ns = (be16(plain, at + _TIME_AT) << 32) | be32(plain, at + _TIME_AT + 2)
            if (count > 0 and ns != first_ns) or to - begin + size > INPUT_BYTES:
                break
            first_ns = ns
            for i in range(size):
                out[to + i] = plain[at + i]
            to, at, count = to + size, at + size, count + 1
        put64(out, begin + SESSION, number)
        put16(out, begin + SESSION + 8, count)
        number += count
        event_ns[n] = midnight_ns + first_ns
        n += 1
        ends[n] = to
    return n, to


def made_feed(instruments: int, records_each: int) -> Feed:
    """Raises ReferenceDataError where the recorded day is not there."""
    stream = made_stream(instruments, records_each)
    room = stream.messages
    out, ends = np.zeros(len(stream.data) + HEADER * room, np.uint8), np.zeros(room + 1, np.int64)
    event_ns = np.zeros(room, np.int64)
    n, size = _pack(stream.data, out, ends, event_ns, stream.midnight_ns)
    data, begins = out[:size], ends[: n + 1]
    for i, byte in enumerate(SESSION_NAME):
        data[begins[:-1] + i] = byte
    return Feed(
        data, begins, event_ns[:n], stream.messages, {i: f"SYM{i}" for i in range(1, instruments + 1)}, stream.midnight_ns
    )
