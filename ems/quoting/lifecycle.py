"""The life of a quote: placed, kept, replaced, cancelled. One order a side and instrument, one change at a time. Compiled.

| the order | nothing is wanted | the same price, size within twice | another price or size |
|---|---|---|---|
| there is none | | | place |
| placing, replacing | cancel | wait | wait |
| working | cancel | keep: its place in the queue is worth more | replace; where it has traded, or may not: cancel |
| canceling | wait | wait | wait |

A cancel asks for the order and for its replacement, whichever is there, and is asked for again when the venue does not answer. A
quote that may not be moved stays only where it is no more generous than the one that is wanted.
"""

from __future__ import annotations

from adapters.ouch.compiled import CANCEL_MAX, DAY, ENTER_MAX, REPLACE_MAX, SHOWN, put_cancel, put_enter, put_replace
from ems.quoting.checks import HARMLESS, may_leave, release, reserved
from ems.quoting.compiled import hot, inlined
from ems.quoting.journal import OUTPUT_BYTES, U8
from ems.quoting.state import (
    ANSWER_NS,
    CANCELING,
    FILLED,
    FREE,
    LAST_REF,
    LIVE,
    LONG_MAX,
    NEXT_LOTS,
    NEXT_PRICE,
    NEXT_REF,
    OPEN,
    OWNED_K,
    OWNED_REF,
    OWNED_SIDE,
    PHASE,
    PLACING,
    POSITION,
    PRICE,
    REF,
    REPLACING,
    SENT_NS,
    SHORT_MAX,
    SKIPPED_REFS,
    SYMBOL,
    UNDONE,
    UNIT_E4,
    WORKING,
    Own,
)
from models.compiled import i64
from models.hot_clock import now_ns as clock_ns

_NONE = i64(0)
_TRUE = True


@inlined
def room(out: U8, n: int, size: int) -> bool:
    """Does a frame of that size fit behind n bytes, and into the journal's record?"""
    return n + size <= min(out.size, OUTPUT_BYTES)


@inlined
def _new_ref(own: Own, k: int, side: int) -> int:
    """The next UserRefNum whose row is free: as all rows are many more than orders that can live, it is never far."""
    ref, mask = own.words[LAST_REF] + 1, own.refs.shape[0] - 1
    while _is_live(own, own.refs[ref & mask, OWNED_REF]):
        own.words[SKIPPED_REFS] += 1
        ref += 1
    row = own.refs[ref & mask]
    row[OWNED_REF], row[OWNED_K], row[OWNED_SIDE] = ref, k, side
    own.words[LAST_REF] = ref
    return ref


@inlined
def _is_live(own: Own, ref: int) -> bool:
    if ref == 0:
        return False
    row = own.refs[ref & (own.refs.shape[0] - 1)]
    o = own.orders[row[OWNED_K], row[OWNED_SIDE]]
    return o[REF] == ref or o[NEXT_REF] == ref


@inlined
def forget(own: Own, k: int, side: int) -> None:
    """The order is gone, and with it the replacement that it did not live to see."""
    o = own.orders[k, side]
    lots = o[OPEN] + o[NEXT_LOTS]
    if o[PHASE] != FREE:
        own.words[LIVE] -= 1
    for i in range(SENT_NS):
        o[i] = 0
    release(own, k, side, lots)


@inlined
def drop_next(own: Own, k: int, side: int) -> None:
    """The replacement will not come; the order stands as it was."""
    o = own.orders[k, side]
    lots = o[NEXT_LOTS]
    o[NEXT_REF], o[NEXT_PRICE], o[NEXT_LOTS] = 0, 0, 0
    if o[PHASE] == REPLACING:
        o[PHASE] = WORKING
    release(own, k, side, lots)


@inlined
def cancel(own: Own, k: int, side: int, now_ns: int, out: U8, n: int) -> int:
    """Ask for the order back, once until the venue's time to answer is over. The new n."""
    o = own.orders[k, side]
    if o[PHASE] == FREE or (o[CANCELING] != 0 and abs(now_ns - o[SENT_NS]) < own.words[ANSWER_NS]):
        return n
    if not room(out, n, CANCEL_MAX + (CANCEL_MAX if o[NEXT_REF] != 0 else 0)):
        own.words[UNDONE] = 1
        return n
    n = put_cancel(out, n, o[REF], _NONE)
    if o[NEXT_REF] != 0:
        n = put_cancel(out, n, o[NEXT_REF], _NONE)
    o[CANCELING], o[SENT_NS] = 1, now_ns
    return n


@inlined
def pull(own: Own, k: int, now_ns: int, out: U8, n: int) -> int:
    """Cancel both sides. The new n."""
    n = cancel(own, k, _NONE, now_ns, out, n)
    return cancel(own, k, _NONE + 1, now_ns, out, n)


@hot
def pull_all(own: Own, now_ns: int, out: U8, n: int) -> int:
    """Cancel everything. The new n; UNDONE says whether there was no room for all."""
    if own.words[LIVE] > 0:
        for k in range(own.orders.shape[0]):
            n = pull(own, k, now_ns, out, n)
    return n


@inlined
def _fits(own: Own, k: int, side: int, lots: int) -> int:
    """As many of these lots as the position alone leaves room for."""
    held = own.table[k, POSITION]
    most = own.table[k, LONG_MAX] - held if side == 0 else own.table[k, SHORT_MAX] + held
    return min(lots, max(most, _NONE))


@inlined
def overreached(own: Own, k: int, side: int) -> bool:
    """Is more open than there is room for? A broken trade or a lowered limit makes it so."""
    return reserved(own, k, side) > 0 and _fits(own, k, side, reserved(own, k, side)) < reserved(own, k, side)


@inlined
def _place(own: Own, k: int, side: int, price: int, lots: int, kill: int, now_ns: int, out: U8, n: int) -> tuple[int, int]:
    lots = min(lots, _fits(own, k, side, lots + reserved(own, k, side)) - reserved(own, k, side))
    if lots <= 0 or not room(out, n, ENTER_MAX):
        return n, _NONE
    said = may_leave(own, k, side, price, lots, kill, now_ns)
    if said == 0:
        o, ref, began_ns = own.orders[k, side], _new_ref(own, k, side), clock_ns()
        n = put_enter(
            out, n, ref, 1 - 2 * side, lots, own.table[k, SYMBOL], price * own.table[k, UNIT_E4], DAY, SHOWN, _TRUE
        )  # fmt: skip
        own.spent[0] += clock_ns() - began_ns
        o[REF], o[PHASE], o[PRICE], o[OPEN], o[FILLED], o[SENT_NS] = ref, PLACING, price, lots, 0, now_ns
        own.words[LIVE] += 1
    return n, said


@inlined
def _replace(own: Own, k: int, side: int, price: int, lots: int, kill: int, now_ns: int, out: U8, n: int) -> tuple[int, int]:
    o, said = own.orders[k, side], _NONE
    enough = _fits(own, k, side, lots + reserved(own, k, side)) >= lots + reserved(own, k, side)
    if o[FILLED] == 0 and enough and room(out, n, REPLACE_MAX):
        said = may_leave(own, k, side, price, lots, kill, now_ns)
        if said == 0:
            ref, began_ns = _new_ref(own, k, side), clock_ns()
            n = put_replace(out, n, o[REF], ref, lots, price * own.table[k, UNIT_E4], DAY, SHOWN, _TRUE)
            own.spent[0] += clock_ns() - began_ns
            o[NEXT_REF], o[NEXT_PRICE], o[NEXT_LOTS], o[PHASE], o[SENT_NS] = ref, price, lots, REPLACING, now_ns
            return n, said
        passive = o[PRICE] <= price if side == 0 else o[PRICE] >= price
        if passive and said & ~HARMLESS == 0:
            return n, said
    return cancel(own, k, side, now_ns, out, n), said


@inlined
def show(own: Own, k: int, side: int, price: int, lots: int, kill: int, now_ns: int, out: U8, n: int) -> tuple[int, int]:
    """Bring an order nearer to what is wanted: price in ticks, lots, 0 for no quote. Returns the new n, and what forbade it."""
    o = own.orders[k, side]
    lots = _fits(own, k, side, lots)
    if o[PHASE] == FREE:
        return _place(own, k, side, price, lots, kill, now_ns, out, n) if lots > 0 else (n, _NONE)
    if lots == 0 or overreached(own, k, side):
        return cancel(own, k, side, now_ns, out, n), _NONE
    if o[PHASE] != WORKING or o[CANCELING] != 0:
        return n, _NONE
    if price == o[PRICE] and 2 * o[OPEN] >= lots and o[OPEN] <= 2 * lots:
        return n, _NONE
    return _replace(own, k, side, price, lots, kill, now_ns, out, n)
