"""NASDAQ TotalView-ITCH 5.0 to tape records: compiled, no Python object per message.

What becomes of each message type:

| ITCH | tape |
|---|---|
| A F | ADD |
| E | EXECUTE by id, side 0 |
| C | EXECUTE by id with FLAG_AT_PRICE, and FLAG_NO_PRINT where it is not printable |
| X D | CANCEL by id; D with FLAG_ALL |
| U | CANCEL with FLAG_ALL and FLAG_REPLACED, then ADD with side 0 |
| P | TRADE; FLAG_HALF_TICK where the price is half a tick or more above the tick |
| Q | CROSS, unless its size is 0: no cross took place |
| H h | STATUS of the instrument; h (operational halt) of market Q alone |
| R | the directory; an instrument is known from then on |
| S Y L V W K J B I N O | counted by type; no record |

A message is decoded only when its frame has its type's length; everything else is counted by kind (`Fault`) with the offset
of the first, and passed over by its frame's length. Nothing beyond the given bytes is read.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from adapters.marketdata.compiled import be16, be32, be64, hot, i64
from adapters.marketdata.itch_layout import (
    CENT,
    DAY_NS,
    LAST_NS,
    MIDNIGHT_NS,
    OFFSET,
    ORDER_ID_MAX,
    PRICE_MAX,
    RECORDS_MAX,
    Bytes,
    Fault,
    Itch,
)
from adapters.marketdata.itch_messages import decode_message, fault
from adapters.marketdata.records import write
from domain.tape import FLAG_ALL, FLAG_REPLACED, Kind, Tape, empty_tape

_TRUNCATED, _CANCEL, _REPLACED = i64(Fault.TRUNCATED), i64(Kind.CANCEL), i64(FLAG_ALL | FLAG_REPLACED)
_U = i64(ord("U"))
# How the five messages that make up most of a day are laid out: their length, the tape's kind, and where id, size, price and
# side lie. Masks blank what a message does not have; a side at 0 is the type's own letter, which is no side.
_LENGTH, _KIND, _ID, _SIZE, _SIZE_MASK, _PRICE, _PRICE_MASK, _SIDE, _SIDED, _FLAGS = range(10)
_WORD: Final = 0xFFFFFFFF
_PLANS: Final = np.zeros((256, 10), np.int64)
_PLANS[ord("A")] = (36, Kind.ADD, 11, 20, _WORD, 32, _WORD, 19, 1, 0)
_PLANS[ord("F")] = (40, Kind.ADD, 11, 20, _WORD, 32, _WORD, 19, 1, 0)
_PLANS[ord("D")] = (19, Kind.CANCEL, 11, 11, 0, 11, 0, 0, 0, FLAG_ALL)
_PLANS[ord("E")] = (31, Kind.EXECUTE, 11, 19, _WORD, 11, 0, 0, 0, 0)
_PLANS[ord("X")] = (23, Kind.CANCEL, 11, 19, _WORD, 11, 0, 0, 0, 0)
_PLANS[ord("U")] = (35, Kind.ADD, 19, 27, _WORD, 31, _WORD, 0, 0, 0)
_SIDES: Final = np.zeros(256, np.int64)
_SIDES[ord("B")], _SIDES[ord("S")] = 1, -1


@hot
def decode_frames(s: Itch, data: Bytes, at: int, end: int, recv_ns: int, out: Tape, n: int) -> tuple[int, int]:
    """Messages framed by 2-byte lengths, as in files and datagrams, in data[at:end]. Returns (offset reached, new n).

    Stops before a frame that does not end within the bytes, and where out might not hold another message's records. What is
    plainly right and frequent is done here; all else by decode_message, which knows every type and every fault and says the
    same of these.
    """
    locates, counts, meta = s.locates, s.counts, s.meta
    midnight_ns, room = meta[MIDNIGHT_NS], out.size - RECORDS_MAX
    while at + 2 <= end and n <= room:
        length, m = be16(data, at), at + 2
        if m + length > end:
            break
        at = m + length
        letter = data[m] if length > 0 else 0
        plan = _PLANS[letter]
        plain = plan[_LENGTH] == length
        if plain and length > 0:
            ns, where = (be16(data, m + 5) << 32) | be32(data, m + 7), locates[be16(data, m + 1)]
            order_id, size = be64(data, m + plan[_ID]), be32(data, m + plan[_SIZE]) & plan[_SIZE_MASK]
            price, side = be32(data, m + plan[_PRICE]) & plan[_PRICE_MASK], _SIDES[data[m + plan[_SIDE]]]
            ticks = price // CENT
            plain = meta[LAST_NS] <= ns < DAY_NS and where.unit == CENT and where.instrument >= 0
            plain = plain and 0 < order_id <= ORDER_ID_MAX and (size > 0 or plan[_SIZE_MASK] == 0)
            plain = plain and (0 < price <= PRICE_MAX or plan[_PRICE_MASK] == 0) and ticks * CENT == price
            plain = plain and (side != 0 or plan[_SIDED] == 0)
            old = be64(data, m + 11)
            plain = plain and 0 < old <= ORDER_ID_MAX
        if not plain or length == 0:
            n = decode_message(s, data, m, length, recv_ns, out, n)
            continue
        counts[letter] += 1
        meta[LAST_NS] = ns
        event_ns = midnight_ns + ns
        seen_ns = recv_ns if recv_ns != 0 else event_ns
        if letter == _U:
            write(out[n], event_ns, seen_ns, old, 0, 0, where.instrument, _REPLACED, _CANCEL, 0)
            n += 1
        write(out[n], event_ns, seen_ns, order_id, ticks, size, where.instrument, plan[_FLAGS], plan[_KIND], side)
        n += 1
    return at, n


@hot
def decode_tail(s: Itch, at: int, end: int) -> None:
    """Nothing comes after these bytes: what decode_frames left of them is a truncated frame."""
    if at < end:
        fault(s, _TRUNCATED, at)


class Decoded(NamedTuple):
    """Records, and how many bytes they were made of: all, or up to a frame that is not whole."""

    tape: Tape
    consumed: int


def decode(s: Itch, data: bytes | Bytes, *, last: bool = True, recv_ns: int = 0) -> Decoded:
    """All records of bytes framed by 2-byte lengths. Faults are counted in the state, offsets from the stream's begin.

    Args:
        last: nothing comes after: an unfinished frame at the end is a fault. Otherwise give it again with what follows.
    """
    view = np.frombuffer(bytearray(data), np.uint8) if isinstance(data, bytes) else data
    at, parts = 0, []
    while True:
        out = empty_tape(min(1 << 20, len(view) // 10 + RECORDS_MAX))
        at, n = decode_frames(s, view, at, len(view), recv_ns, out, 0)
        parts.append(out[:n])
        if n + RECORDS_MAX <= len(out):
            break
    if last:
        decode_tail(s, at, len(view))
        at = len(view)
    s.meta[OFFSET] += at
    return Decoded(np.concatenate(parts) if len(parts) > 1 else parts[0], at)
