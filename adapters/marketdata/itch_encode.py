"""Tape records to NASDAQ TotalView-ITCH 5.0, for the simulated venue: the other direction of `adapters.marketdata.itch`.

What ITCH can say of a tape is an order-level day: ADD, EXECUTE, CANCEL, a replacement's pair, TRADE, CROSS and the STATUS of an
instrument. A record that it cannot say (a LEVEL, a CLEAR, a MODIFY that keeps its id, a price or size beyond its fields) is
refused, and the encoder says where; `adapters.marketdata.named_orders` makes an order-level day of any tape. Receive times, and
the side and price of what is named by its id, do not travel: the reader has them from its own clock and its own table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from adapters.marketdata.compiled import hot, i64, put16, put32, put64
from adapters.marketdata.itch_layout import (
    CENT,
    DAY_NS,
    I64,
    LENGTHS,
    MESSAGE_MAX,
    ORDER_ID_MAX,
    PRICE_MAX,
    Bytes,
    symbol_number,
)
from domain.errors import ReferenceDataError
from domain.tape import (
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_BY_LEVEL,
    FLAG_HALF_TICK,
    FLAG_MAY_BE_GONE,
    FLAG_NO_PRINT,
    FLAG_REPLACED,
    Kind,
    Status,
    Tape,
)

_ADD, _CANCEL, _EXECUTE = i64(Kind.ADD), i64(Kind.CANCEL), i64(Kind.EXECUTE)
_TRADE, _CROSS, _STATUS = i64(Kind.TRADE), i64(Kind.CROSS), i64(Kind.STATUS)
_PREFIX: Final = 2
_HEADER: Final = 11
_U32_MAX: Final = (1 << 32) - 1
_NONE, _BLANK, _BLANKS = i64(0), i64(0x20), i64(0x20202020)
_L: Final = {letter: i64(ord(letter)) for letter in "ADEXUCPQHBSYN"}
_A, _D, _E, _X, _U, _C, _P, _Q, _H = (_L[letter] for letter in "ADEXUCPQH")
_B, _S, _Y, _N = (_L[letter] for letter in "BSYN")
_LEN: Final = np.zeros(256, np.int64)
for _name, _length in LENGTHS.items():
    _LEN[ord(_name)] = _length
_LETTER_OF_STATUS: Final = np.frombuffer(b"THPQ", np.uint8).astype(np.int64)
_STATUS_MAX: Final = int(Status.QUOTING)
_KNOWN_CANCEL: Final = FLAG_ALL | FLAG_REPLACED | FLAG_BY_LEVEL | FLAG_MAY_BE_GONE
_KNOWN_EXECUTE: Final = FLAG_AT_PRICE | FLAG_NO_PRINT | FLAG_HALF_TICK | FLAG_BY_LEVEL
FRAME_MAX: Final = _PREFIX + MESSAGE_MAX


@hot
def _begin(out: Bytes, at: int, letter: int, locate: int, ns: int) -> int:
    """Frame and header. Returns where the message's own fields begin."""
    put16(out, at, _LEN[letter])
    out[at + 2] = letter
    put16(out, at + 3, locate)
    put16(out, at + 5, _NONE)  # tracking number: the venue's own affair
    put16(out, at + 7, ns >> 32)
    put32(out, at + 9, ns)
    return at + _PREFIX + _HEADER


@hot
def _price(price_ticks: int, flags: int, unit: int) -> int:
    return price_ticks * unit + (unit // 2 if flags & FLAG_HALF_TICK else 0)


@hot
def _letter(side: int) -> int:
    return _B if side > 0 else _S if side < 0 else _BLANK


@hot
def _can_say(kind: int, order_id: int, size: int, price: int, flags: int, side: int) -> bool:
    """Whether one message (or the first of a replacement's pair) holds all of it."""
    if kind == _STATUS:
        return 0 <= size <= _STATUS_MAX
    if kind == _CROSS:
        return size > 0 and 0 < price <= PRICE_MAX and flags & ~FLAG_HALF_TICK == 0
    if size < 0 or size > _U32_MAX:
        return False
    if kind == _TRADE:
        return size > 0 and 0 < price <= PRICE_MAX and flags & ~FLAG_HALF_TICK == 0
    if order_id <= 0 or order_id > ORDER_ID_MAX:
        return False
    if kind == _ADD:
        return size > 0 and 0 < price <= PRICE_MAX and flags == 0 and side != 0
    if kind == _CANCEL:
        return flags & ~_KNOWN_CANCEL == 0 and (size > 0 or flags & FLAG_ALL != 0)
    return kind == _EXECUTE and size > 0 and flags & ~_KNOWN_EXECUTE == 0 and price <= PRICE_MAX


@hot
def _order(out: Bytes, at: int, kind: int, locate: int, ns: int, order_id: int, size: int, price: int, flags: int, side: int,
           symbol: int, match: int) -> int:  # fmt: skip
    """A, C, D, E or X. Returns the offset behind it."""
    if kind == _ADD:
        body = _begin(out, at, _A, locate, ns)
        put64(out, body, order_id)
        out[body + 8] = _letter(side)
        put32(out, body + 9, size)
        put64(out, body + 13, symbol)
        put32(out, body + 21, price)
        return body + 25
    if kind == _CANCEL:
        body = _begin(out, at, _D if flags & FLAG_ALL else _X, locate, ns)
        put64(out, body, order_id)
        if flags & FLAG_ALL:
            return body + 8
        put32(out, body + 8, size)
        return body + 12
    at_price = flags & FLAG_AT_PRICE != 0
    body = _begin(out, at, _C if at_price else _E, locate, ns)
    put64(out, body, order_id)
    put32(out, body + 8, size)
    put64(out, body + 12, match)
    if not at_price:
        return body + 20
    out[body + 20] = _N if flags & FLAG_NO_PRINT else _Y
    put32(out, body + 21, price)
    return body + 25


@hot
def _print(
    out: Bytes, at: int, kind: int, locate: int, ns: int, size: int, price: int, side: int, symbol: int, match: int
) -> int:
    """P, Q, or H for a status, whose size is the status. Returns the offset behind it."""
    if kind == _TRADE:
        body = _begin(out, at, _P, locate, ns)
        put64(out, body, _NONE)
        out[body + 8] = _letter(side)
        put32(out, body + 9, size)
        put64(out, body + 13, symbol)
        put32(out, body + 21, price)
        put64(out, body + 25, match)
        return body + 33
    if kind == _CROSS:
        body = _begin(out, at, _Q, locate, ns)
        put64(out, body, size)
        put64(out, body + 8, symbol)
        put32(out, body + 16, price)
        put64(out, body + 20, match)
        out[body + 28] = _BLANK
        return body + 29
    body = _begin(out, at, _H, locate, ns)
    put64(out, body, symbol)
    out[body + 8] = _LETTER_OF_STATUS[size]
    out[body + 9] = _BLANK
    put32(out, body + 10, _BLANKS)
    return body + 14


@hot
def encode_records(
    tape: Tape, i: int, end: int, midnight_ns: int, units: I64, symbols: I64, out: Bytes, at: int, match: int
) -> tuple[int, int]:
    """Frames of the records tape[i:end] into out[at:]; a trade's match number is `match` + its record's index + 1. Returns (index
    reached, offset reached).

    Stops before a record that ITCH cannot say and where out might not hold another frame: the caller tells the two apart
    by the room that is left. units, symbols: (65536,) by instrument, which is the stock locate; a unit of 0: not known.
    """
    while i < end and at + FRAME_MAX <= out.size:
        e = tape[i]
        locate, ns = e.instrument + _NONE, e.ts_event_ns - midnight_ns
        if locate < 0 or locate >= units.size or units[locate] == 0 or ns < 0 or ns >= DAY_NS:
            break
        kind, flags, unit = e.kind, e.flags, units[locate]
        price = _price(e.price_ticks, flags, unit)
        if not _can_say(kind, e.order_id, e.size_lots, price, flags, e.side):
            break
        if kind == _CANCEL and flags & FLAG_REPLACED:
            if i + 1 >= end or not _completes(tape, i, unit):
                break
            new = tape[i + 1]
            body = _begin(out, at, _U, locate, ns)
            put64(out, body, e.order_id)
            put64(out, body + 8, new.order_id)
            put32(out, body + 16, new.size_lots)
            put32(out, body + 20, _price(new.price_ticks, new.flags, unit))
            at, i = body + 24, i + 2
            continue
        if kind in (_ADD, _CANCEL, _EXECUTE):
            at = _order(out, at, kind, locate, ns, e.order_id, e.size_lots, price, flags, e.side, symbols[locate], match + i + 1)
        else:
            at = _print(out, at, kind, locate, ns, e.size_lots, price, e.side, symbols[locate], match + i + 1)
        i += 1
    return i, at


@hot
def _completes(tape: Tape, i: int, unit: int) -> bool:
    """Whether the record after a replaced order is its replacement."""
    old, new = tape[i], tape[i + 1]
    same = new.kind == _ADD and new.instrument == old.instrument and new.ts_event_ns == old.ts_event_ns
    return same and _can_say(_ADD, new.order_id, new.size_lots, _price(new.price_ticks, new.flags, unit), new.flags, 1)


def encode(tape: Tape, midnight_ns: int, symbols: Mapping[int, str], *, unit: int = CENT, introduce: bool = True) -> Bytes:
    """A tape as an ITCH file's bytes, (N,): a directory message per instrument, then the records.

    Args:
        midnight_ns: New York's midnight of the tape's day.
        symbols: instrument number, which becomes the stock locate -> symbol.
        unit: 1/10,000 USD per tick.
        introduce: whether the directory goes first.

    Raises:
        ReferenceDataError: a record that ITCH cannot say; the text names its index.
    """
    units, numbers = np.zeros(1 << 16, np.int64), np.zeros(1 << 16, np.int64)
    for instrument, symbol in symbols.items():
        units[instrument], numbers[instrument] = unit, symbol_number(symbol)
    head = b"".join(directory_message(i, s) for i, s in sorted(symbols.items())) if introduce else b""
    out = np.empty(len(head) + len(tape) * FRAME_MAX + FRAME_MAX, np.uint8)
    out[: len(head)] = np.frombuffer(head, np.uint8)
    done, at = encode_records(tape, 0, len(tape), midnight_ns, units, numbers, out, len(head), 0)
    if done < len(tape):
        raise ReferenceDataError(f"record {done} is nothing that ITCH can say: {tape[done]}")
    return out[:at]


def event_message(code: str, since_midnight_ns: int) -> bytes:
    """A framed S: O and C begin and end the messages, S and E the system's hours, Q and M the market's."""
    body = b"S" + bytes(4) + since_midnight_ns.to_bytes(6, "big") + code.encode("ascii")
    assert len(body) == LENGTHS["S"]
    return len(body).to_bytes(2, "big") + body


def directory_message(locate: int, symbol: str, since_midnight_ns: int = 0) -> bytes:
    """A framed R: a listed common stock in round lots of 100."""
    fields = symbol_number(symbol).to_bytes(8, "big") + b"QN" + (100).to_bytes(4, "big") + b"NC" + b"Z " + b"P" + b"N" + b"N1"
    head = locate.to_bytes(2, "big") + bytes(2) + since_midnight_ns.to_bytes(6, "big")
    body = b"R" + head + fields + b"N" + bytes(4) + b"N"
    assert len(body) == LENGTHS["R"]
    return len(body).to_bytes(2, "big") + body
