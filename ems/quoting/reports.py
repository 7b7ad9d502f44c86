"""What the venue says of our orders, folded into positions and places of orders. Compiled.

A message that cannot be understood of what we have sent puts the quoter out of step: nothing but cancels leaves until the process
has asked the venue what there is (`resynchronised`). What the venue says of a position is believed all the same.

| message | of the order that we have | of one that is gone | of one that is not ours |
|---|---|---|---|
| accepted, replaced | it works; other terms: out of step | out of step, and cancelled | out of step, and cancelled |
| executed | position, and less is open; more than was open: out of step | position, and out of step | out of step |
| the same execution again | nothing | nothing | |
| canceled | less is open | nothing | nothing |
| rejected | it, or its replacement, is gone; the instrument is not quoted for a while | nothing | out of step |
| cancel rejected | it may be asked for again | nothing | nothing |
| priority, modified | its price, or its size | nothing | nothing |
| broken | the execution is taken back; not remembered: out of step | | |
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.ouch import layout as ouch
from adapters.ouch.compiled import CANCEL_MAX, put_cancel
from ems.quoting.checks import hold, release, reserve, weigh
from ems.quoting.compiled import hot, inlined
from ems.quoting.journal import U8
from ems.quoting.lifecycle import drop_next, forget, room
from ems.quoting.state import (
    BUYING,
    CANCELING,
    DISABLED,
    FILL_LOTS,
    FILL_REF,
    FILLED,
    FILLS,
    FILLS_AT,
    FREE,
    HELD_LOTS,
    I64,
    LAST_REF,
    LATE_REPORTS,
    LIVE,
    MATCH,
    MISMATCH,
    NEXT_LOTS,
    NEXT_PRICE,
    NEXT_REF,
    OPEN,
    OUT_OF_STEP,
    OVERFILLED,
    OWNED_K,
    OWNED_REF,
    OWNED_SIDE,
    PAUSE_NS,
    PHASE,
    PLACING,
    POSITION,
    PRICE,
    REF,
    REJECTS,
    REPLACING,
    RESUME_NS,
    SELLING,
    UNDONE,
    UNIT_E4,
    UNKNOWN_BREAK,
    UNKNOWN_ORDER,
    UNREADABLE,
    WORKING,
    Own,
)
from models.compiled import i64

_A, _B, _C, _D, _E, _G, _I, _J, _M, _S, _T, _U = (i64(ord(letter)) for letter in "ABCDEGIJMSTU")
_NONE: Final = i64(0)
NOBODY: Final = i64(-1)


@inlined
def owner(own: Own, ref: int) -> int:
    """Instrument x 2 + side of an order that we have sent, as far as is remembered; NOBODY for one that is not ours."""
    row = own.refs[ref & (own.refs.shape[0] - 1)]
    return row[OWNED_K] * 2 + row[OWNED_SIDE] if ref > 0 and row[OWNED_REF] == ref else NOBODY


@inlined
def _out_of_step(own: Own, why: int) -> None:
    own.words[OUT_OF_STEP] |= why


@inlined
def _stranger(own: Own, ref: int, out: U8, n: int) -> int:
    """An order lives at the venue that we do not have: it is to go."""
    _out_of_step(own, UNKNOWN_ORDER)
    if not room(out, n, CANCEL_MAX):
        own.words[UNDONE] = 1
        return n
    return put_cancel(out, n, ref, _NONE)


@inlined
def _opened(own: Own, k: int, side: int, lots: int) -> None:
    """An order works with that many lots; more than were sent are believed, and are a mismatch."""
    o = own.orders[k, side]
    if lots > o[OPEN]:
        _out_of_step(own, MISMATCH)
        reserve(own, k, side, lots - o[OPEN])
    else:
        release(own, k, side, o[OPEN] - lots)
    o[OPEN], o[PHASE] = lots, WORKING


@inlined
def _accepted(own: Own, f: I64, k: int, side: int, replaced: bool, out: U8, n: int) -> int:
    o = own.orders[k, side]
    ref = f[ouch.REF]
    shares, open_before = f[ouch.SHARES], o[OPEN]
    if replaced and o[NEXT_REF] == ref and o[REF] == f[ouch.REF_OLD]:
        o[REF], o[OPEN], o[PRICE], o[FILLED] = ref, o[NEXT_LOTS], o[NEXT_PRICE], o[NEXT_LOTS] - shares
        o[NEXT_REF], o[NEXT_PRICE], o[NEXT_LOTS] = 0, 0, 0
        release(own, k, side, open_before)
    elif o[REF] != ref:
        return _stranger(own, ref, out, n)
    elif replaced or o[PHASE] != PLACING:
        own.words[LATE_REPORTS] += 1
        return n
    if f[ouch.STATE] == 0 or shares == 0:
        forget(own, k, side)
        return n
    unit = own.table[k, UNIT_E4]
    if f[ouch.SIDE] != 1 - 2 * side or unit == 0:
        _out_of_step(own, MISMATCH)
    else:
        o[PRICE] = (f[ouch.PRICE_E4] + (unit - 1 if side == 0 else 0)) // unit
    _opened(own, k, side, shares)
    return n


@inlined
def _repeated(own: Own, match: int, ref: int) -> int:
    """Where this execution is remembered, NOBODY without."""
    for i in range(FILLS):
        if own.fills[i, MATCH] == match and own.fills[i, FILL_REF] == ref:
            return i
    return NOBODY


@inlined
def _executed(own: Own, f: I64, k: int, side: int) -> None:
    o, w = own.orders[k, side], own.words
    ref, lots = f[ouch.REF], f[ouch.SHARES]
    if _repeated(own, f[ouch.MATCH], ref) >= 0:
        w[LATE_REPORTS] += 1
        return
    row = own.fills[w[FILLS_AT]]
    row[MATCH], row[FILL_REF], row[FILL_LOTS] = f[ouch.MATCH], ref, lots
    w[FILLS_AT] = w[FILLS_AT] + 1 if w[FILLS_AT] + 1 < FILLS else 0
    hold(own, k, lots if side == 0 else -lots)
    if o[REF] == ref:
        if lots > o[OPEN]:
            _out_of_step(own, OVERFILLED)
        taken = min(lots, o[OPEN])
        o[OPEN] -= taken
        o[FILLED] += lots
        release(own, k, side, taken)
        if o[OPEN] == 0:
            forget(own, k, side)
        elif o[PHASE] == PLACING:
            o[PHASE] = WORKING
    else:
        _out_of_step(own, UNKNOWN_ORDER)
        weigh(own, k)


@inlined
def _broken(own: Own, f: I64, k: int, side: int) -> None:
    at = _repeated(own, f[ouch.MATCH], f[ouch.REF])
    if at < 0:
        _out_of_step(own, UNKNOWN_BREAK)
        return
    lots = own.fills[at, FILL_LOTS]
    own.fills[at, FILL_LOTS] = 0
    hold(own, k, -lots if side == 0 else lots)
    weigh(own, k)


@inlined
def _canceled(own: Own, f: I64, k: int, side: int) -> None:
    o = own.orders[k, side]
    if o[REF] == f[ouch.REF]:
        taken = min(f[ouch.SHARES], o[OPEN])
        o[OPEN] -= taken
        release(own, k, side, taken)
        if o[OPEN] == 0:
            forget(own, k, side)
        else:
            o[CANCELING] = 0
    elif o[NEXT_REF] == f[ouch.REF]:
        _out_of_step(own, MISMATCH)
        drop_next(own, k, side)
    else:
        own.words[LATE_REPORTS] += 1


@inlined
def _rejected(own: Own, f: I64, k: int, side: int, now_ns: int) -> None:
    o, ref = own.orders[k, side], f[ouch.REF]
    if o[REF] == ref and o[PHASE] == PLACING:
        forget(own, k, side)
    elif o[NEXT_REF] == ref and o[PHASE] == REPLACING:
        drop_next(own, k, side)
    else:
        own.words[LATE_REPORTS] += 1
        return
    own.words[REJECTS] += 1
    own.table[k, RESUME_NS] = now_ns + own.words[PAUSE_NS]


@inlined
def _altered(own: Own, f: I64, k: int, side: int, kind: int) -> None:
    """Cancel reject, priority and modified."""
    o, unit = own.orders[k, side], own.table[k, UNIT_E4]
    if o[REF] != f[ouch.REF] or o[PHASE] == FREE:
        own.words[LATE_REPORTS] += 1
    elif kind == _I:
        o[CANCELING] = 0
    elif kind == _T and unit > 0:
        o[PRICE] = (f[ouch.PRICE_E4] + (unit - 1 if side == 0 else 0)) // unit
    elif kind == _M and f[ouch.SHARES] > 0:
        _opened(own, k, side, f[ouch.SHARES])


@hot
def fold(own: Own, f: I64, kind: int, now_ns: int, out: U8, n: int) -> tuple[int, int]:
    """One message, which read_report has put into f. Returns the new n, and the instrument that it is of, -1 of none."""
    if kind <= 0:
        _out_of_step(own, UNREADABLE)
        return n, NOBODY
    if kind == _G or (kind == _S and f[ouch.EVENT] == _E):
        _out_of_step(own, DISABLED)
        return n, NOBODY
    if kind not in (_A, _U, _C, _D, _E, _B, _J, _I, _T, _M):
        return n, NOBODY
    whose = owner(own, f[ouch.REF])
    if whose < 0:
        if kind in (_A, _U):
            n = _stranger(own, f[ouch.REF], out, n)
        elif kind in (_E, _J):
            _out_of_step(own, UNKNOWN_ORDER)
        elif kind == _B:
            _out_of_step(own, UNKNOWN_BREAK)
        return n, NOBODY
    k, side = whose >> 1, whose & 1
    if kind in (_A, _U):
        n = _accepted(own, f, k, side, kind == _U, out, n)
    elif kind == _E:
        _executed(own, f, k, side)
    elif kind in (_C, _D):
        _canceled(own, f, k, side)
    elif kind == _J:
        _rejected(own, f, k, side, now_ns)
    elif kind == _B:
        _broken(own, f, k, side)
    else:
        _altered(own, f, k, side, kind)
    return n, k


def resynchronised(own: Own, positions: Mapping[int, int], next_ref: int) -> None:
    """The venue has said that no order of ours is left and which UserRefNum comes next: quoting may go on.

    Args:
        positions: signed lots by instrument; 0 where it is not there.
        next_ref: as the account query's answer has it.
    """
    own.orders[:] = 0
    own.table[:, [BUYING, SELLING]] = 0
    own.table[:, POSITION] = [positions.get(k, 0) for k in range(own.orders.shape[0])]
    own.words[[OUT_OF_STEP, LIVE, UNDONE]] = 0
    own.words[LAST_REF] = max(int(own.words[LAST_REF]), next_ref - 1)
    own.words[HELD_LOTS] = int(abs(own.table[:, POSITION]).sum())
    for k in range(own.orders.shape[0]):
        weigh(own, k)
