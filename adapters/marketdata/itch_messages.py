"""ITCH 5.0 messages to tape records, one at a time: the table is in `adapters.marketdata.itch`. Compiled."""

from __future__ import annotations

from adapters.marketdata.compiled import be16, be32, be64, hot, i64
from adapters.marketdata.itch_layout import (
    CENT,
    CHOSEN,
    DAY_NS,
    LAST_NS,
    LENGTH_OF,
    MIDNIGHT_NS,
    NOT_FOLLOWED,
    OFFSET,
    ORDER_ID_MAX,
    PRICE_MAX,
    SIDE_TOLD,
    SKIPPED,
    Bytes,
    Fault,
    Itch,
)
from adapters.marketdata.records import write
from domain.tape import (
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_HALF_TICK,
    FLAG_NO_PRINT,
    FLAG_REPLACED,
    Kind,
    Status,
    Tape,
)

_ADD, _CANCEL, _EXECUTE = i64(Kind.ADD), i64(Kind.CANCEL), i64(Kind.EXECUTE)
_TRADE, _CROSS, _STATUS = i64(Kind.TRADE), i64(Kind.CROSS), i64(Kind.STATUS)
_EMPTY, _UNKNOWN_TYPE, _WRONG_LENGTH = i64(Fault.EMPTY), i64(Fault.UNKNOWN_TYPE), i64(Fault.WRONG_LENGTH)
_UNKNOWN_LOCATE, _BACKWARD, _BAD_TIME = i64(Fault.UNKNOWN_LOCATE), i64(Fault.BACKWARD_TIME), i64(Fault.BAD_TIME)
_BAD_SIDE, _BAD_PRICE, _BAD_SIZE = i64(Fault.BAD_SIDE), i64(Fault.BAD_PRICE), i64(Fault.BAD_SIZE)
_BAD_ID, _OFF_TICK, _CONTRADICTION = i64(Fault.BAD_ID), i64(Fault.OFF_TICK), i64(Fault.CONTRADICTION)
_A, _B, _C, _D, _E, _F, _H, _P, _Q, _R, _S, _U, _X, _Y, _SMALL_H = (i64(ord(letter)) for letter in "ABCDEFHPQRSUXYh")
_HALTED, _PAUSED, _QUOTING, _OPERATIONAL = i64(Status.HALTED), i64(Status.PAUSED), i64(Status.QUOTING), i64(4)
_NONE, _BUY, _SELL, _NO_PRICE = i64(0), i64(1), i64(-1), i64(-1)
_WHOLE = i64(FLAG_ALL)
_REPLACED = i64(FLAG_ALL | FLAG_REPLACED)
_HALF = i64(FLAG_HALF_TICK)


@hot
def fault(s: Itch, kind: int, at: int) -> None:
    if s.faults[kind, 0] == 0:
        s.faults[kind, 1] = s.meta[OFFSET] + at
    s.faults[kind, 0] += 1


@hot
def _put(out: Tape, n: int, s: Itch, ns: int, recv_ns: int, instrument: int, kind: int, order_id: int, price: int, size: int,
         flags: int, side: int) -> int:  # fmt: skip
    event_ns = s.meta[MIDNIGHT_NS] + ns
    seen_ns = recv_ns if recv_ns != 0 else event_ns
    write(out[n], event_ns, seen_ns, order_id, price, size, instrument, flags, kind, side)
    return n + 1


@hot
def _ticks(s: Itch, price: int, unit: int, side: int, at: int) -> int:
    """A displayed price in ticks; off the tick it is shown where it does not improve. -1: no price at all."""
    if price <= 0 or price > PRICE_MAX:
        fault(s, _BAD_PRICE, at)
        return _NO_PRICE
    ticks = price // CENT if unit == CENT else price // unit  # a division by a constant is a multiplication
    if ticks * unit != price:
        fault(s, _OFF_TICK, at)
        if side < 0:
            ticks += 1
    return ticks


@hot
def _refused_order(s: Itch, order_id: int, size: int, at: int) -> bool:
    if order_id <= 0 or order_id > ORDER_ID_MAX:
        fault(s, _BAD_ID, at)
        return True
    if size <= 0:
        fault(s, _BAD_SIZE, at)
        return True
    return False


@hot
def _side(letter: int) -> int:
    return _BUY if letter == _B else _SELL if letter == _S else _NONE


@hot
def _add(s: Itch, data: Bytes, at: int, ns: int, recv_ns: int, instrument: int, unit: int, out: Tape, n: int) -> int:
    order_id, side, size = be64(data, at + 11), _side(data[at + 19]), be32(data, at + 20)
    if _refused_order(s, order_id, size, at):
        return n
    if side == 0:
        fault(s, _BAD_SIDE, at)
        return n
    ticks = _ticks(s, be32(data, at + 32), unit, side, at)
    if ticks < 0:
        return n
    return _put(out, n, s, ns, recv_ns, instrument, _ADD, order_id, ticks, size, _NONE, side)


@hot
def _by_id(s: Itch, data: Bytes, at: int, kind: int, ns: int, recv_ns: int, instrument: int, out: Tape, n: int) -> int:
    """D, E, X: the order is all that they name."""
    order_id = be64(data, at + 11)
    if kind == _D:
        if _refused_order(s, order_id, _BUY, at):
            return n
        return _put(out, n, s, ns, recv_ns, instrument, _CANCEL, order_id, _NONE, _NONE, _WHOLE, _NONE)
    size = be32(data, at + 19)
    if _refused_order(s, order_id, size, at):
        return n
    kind = _EXECUTE if kind == _E else _CANCEL
    return _put(out, n, s, ns, recv_ns, instrument, kind, order_id, _NONE, size, _NONE, _NONE)


@hot
def _replace(s: Itch, data: Bytes, at: int, ns: int, recv_ns: int, instrument: int, unit: int, out: Tape, n: int) -> int:
    old, new, size = be64(data, at + 11), be64(data, at + 19), be32(data, at + 27)
    if _refused_order(s, old, size, at) or _refused_order(s, new, size, at):
        return n
    ticks = _ticks(s, be32(data, at + 31), unit, _NONE, at)
    if ticks < 0:
        return n
    n = _put(out, n, s, ns, recv_ns, instrument, _CANCEL, old, _NONE, _NONE, _REPLACED, _NONE)
    return _put(out, n, s, ns, recv_ns, instrument, _ADD, new, ticks, size, _NONE, _NONE)


@hot
def _execute_at(s: Itch, data: Bytes, at: int, ns: int, recv_ns: int, instrument: int, unit: int, out: Tape, n: int) -> int:
    order_id, size, price = be64(data, at + 11), be32(data, at + 19), be32(data, at + 32)
    if _refused_order(s, order_id, size, at):
        return n
    if price <= 0 or price > PRICE_MAX:
        fault(s, _BAD_PRICE, at)
        return n
    flags = FLAG_AT_PRICE | (_HALF if 2 * (price % unit) >= unit else _NONE)
    if data[at + 31] != _Y:
        flags |= FLAG_NO_PRINT
    return _put(out, n, s, ns, recv_ns, instrument, _EXECUTE, order_id, price // unit, size, flags, _NONE)


@hot
def _trade(s: Itch, data: Bytes, at: int, ns: int, recv_ns: int, instrument: int, unit: int, out: Tape, n: int) -> int:
    size, price = be32(data, at + 20), be32(data, at + 32)
    if size <= 0:
        fault(s, _BAD_SIZE, at)
        return n
    if price <= 0 or price > PRICE_MAX:
        fault(s, _BAD_PRICE, at)
        return n
    side = _side(data[at + 19]) if s.meta[SIDE_TOLD] else _NONE
    flags = _HALF if 2 * (price % unit) >= unit else _NONE
    return _put(out, n, s, ns, recv_ns, instrument, _TRADE, _NONE, price // unit, size, flags, side)


@hot
def _cross(s: Itch, data: Bytes, at: int, ns: int, recv_ns: int, instrument: int, unit: int, out: Tape, n: int) -> int:
    size, price = be64(data, at + 11), be32(data, at + 27)
    if size == 0:
        return n
    if size < 0:
        fault(s, _BAD_SIZE, at)
        return n
    if price <= 0 or price > PRICE_MAX:
        fault(s, _BAD_PRICE, at)
        return n
    flags = _HALF if 2 * (price % unit) >= unit else _NONE
    return _put(out, n, s, ns, recv_ns, instrument, _CROSS, _NONE, price // unit, size, flags, _NONE)


@hot
def _state(s: Itch, data: Bytes, at: int, ns: int, recv_ns: int, locate: int, instrument: int, out: Tape, n: int) -> int:
    """H and h: a record where the two together say something new."""
    was = s.halts[locate]
    if data[at] == _SMALL_H:
        if data[at + 19] != _Q:
            return n
        now = (was & 3) | (_OPERATIONAL if data[at + 20] == _H else _NONE)
    else:
        letter = data[at + 19]
        told = _HALTED if letter == _H else _PAUSED if letter == _P else _QUOTING if letter == _Q else _NONE
        now = (was & _OPERATIONAL) | told
    s.halts[locate] = now
    status = (now & 3) if now & 3 else _HALTED if now else _NONE
    return _put(out, n, s, ns, recv_ns, instrument, _STATUS, _NONE, _NONE, status, _NONE, _NONE)


@hot
def _introduce(s: Itch, data: Bytes, at: int, locate: int) -> None:
    """R: the locate has a symbol, and is followed or not."""
    symbol = be64(data, at + 11)
    if s.symbols[locate] != 0:
        if s.symbols[locate] != symbol:
            fault(s, _CONTRADICTION, at)
        return
    s.symbols[locate] = symbol
    if s.locates[locate].unit != 0:
        return
    s.locates[locate].unit = CENT
    s.locates[locate].instrument = NOT_FOLLOWED if s.meta[CHOSEN] else locate
    for i in range(s.wanted.shape[0]):
        if s.wanted[i, 0] == symbol:
            s.locates[locate].unit = s.wanted[i, 1]
            s.locates[locate].instrument = locate


@hot
def _other(s: Itch, data: Bytes, at: int, kind: int, ns: int, recv_ns: int, locate: int, instrument: int, unit: int, out: Tape,
           n: int) -> int:  # fmt: skip
    """The types that are not most of the traffic."""
    if kind == _C:
        return _execute_at(s, data, at, ns, recv_ns, instrument, unit, out, n)
    if kind == _P:
        return _trade(s, data, at, ns, recv_ns, instrument, unit, out, n)
    if kind == _Q:
        return _cross(s, data, at, ns, recv_ns, instrument, unit, out, n)
    if kind in (_H, _SMALL_H):
        return _state(s, data, at, ns, recv_ns, locate, instrument, out, n)
    return n


@hot
def _has_record(kind: int) -> bool:
    return kind in (_A, _D, _E, _X, _U, _F, _C, _P, _Q, _H, _SMALL_H)


@hot
def _body(s: Itch, data: Bytes, at: int, kind: int, ns: int, recv_ns: int, locate: int, out: Tape, n: int) -> int:
    instrument, unit = s.locates[locate].instrument, s.locates[locate].unit
    if unit == 0:
        fault(s, _UNKNOWN_LOCATE, at)
        return n
    if instrument == NOT_FOLLOWED:
        s.meta[SKIPPED] += 1
        return n
    if kind in (_A, _F):
        return _add(s, data, at, ns, recv_ns, instrument, unit, out, n)
    if kind == _U:
        return _replace(s, data, at, ns, recv_ns, instrument, unit, out, n)
    if kind not in (_D, _E, _X):
        return _other(s, data, at, kind, ns, recv_ns, locate, instrument, unit, out, n)
    return _by_id(s, data, at, kind, ns, recv_ns, instrument, out, n)


@hot
def decode_message(s: Itch, data: Bytes, at: int, length: int, recv_ns: int, out: Tape, n: int) -> int:
    """One message of `length` bytes at data[at:]; out has room for RECORDS_MAX records from n on. Returns the new n.

    recv_ns 0: the records' receive time is their event time.
    """
    if length == 0:
        fault(s, _EMPTY, at)
        return n
    kind = data[at]
    if LENGTH_OF[kind] != length:
        fault(s, _UNKNOWN_TYPE if LENGTH_OF[kind] == 0 else _WRONG_LENGTH, at)
        return n
    s.counts[kind] += 1
    locate, ns = be16(data, at + 1), (be16(data, at + 5) << 32) | be32(data, at + 7)
    if ns >= DAY_NS:
        fault(s, _BAD_TIME, at)
        return n
    if ns < s.meta[LAST_NS]:
        fault(s, _BACKWARD, at)
    s.meta[LAST_NS] = ns
    if _has_record(kind):
        return _body(s, data, at, kind, ns, recv_ns, locate, out, n)
    if kind == _R:
        _introduce(s, data, at, locate)
    return n
