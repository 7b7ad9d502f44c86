"""The rules by which a recorded tape and our orders share one book. Compiled.

A recorded market did not know our orders. These rules make the two live together, and each departure is counted:

1. Our order queues behind everything displayed at its price at that moment, and ahead of what comes later.
2. A recorded execution of s lots at a price was an aggressor of s lots. It reaches our orders at better prices and
   those ahead of the executed order first, and fills up to s lots of them (DISPLACED). The recorded order leaves the
   book as recorded all the same, so the book never keeps liquidity that the tape will not take away.
3. A recorded order, or a rise of a level, that crosses our resting order trades with it at our price first.
4. What we take from the display is gone until the tape replaces it. Later recorded cancels and executions apply to
   what is left of the order; the part that we had taken is counted (TAKEN_SHORT) and has no effect.
5. Recorded cancels behind us do not help us, those ahead move us up. A level that shrinks without ids loses its
   youngest lots first, which is the careful assumption for our place in its queue.
6. A hidden execution fills our orders at strictly better prices, and at its price those with no display ahead.
"""

from __future__ import annotations

from domain.tape import (
    FLAG_ALL,
    FLAG_BY_LEVEL,
    FLAG_HALF_TICK,
    FLAG_IOC,
    FLAG_MAY_BE_GONE,
    FLAG_QUEUE,
    FLAG_UNCOVERED,
    Kind,
    Status,
    Tape,
)
from models.compiled import hot, i64
from models.market.book import add, clear, find, grow, reduce
from models.market.layout import (
    ANONYMOUS,
    BASE,
    BEST_ASK,
    BEST_BID,
    CALLING,
    DISPLACED,
    FALL,
    HALTED,
    HIGH,
    I64,
    LOTS_MAX,
    LOW,
    N_INVALID,
    N_OUTSIDE,
    N_UNKNOWN,
    OWN,
    OWNED,
    RECORDED,
    RISE,
    TAKEN_SHORT,
    Book,
)
from models.market.matching import NONE, match, print_trade, record_fill
from models.market.shown import (
    has_room,
    show_cleared,
    show_cross,
    show_less,
    show_order,
    show_print,
    show_replaced,
    show_status,
)

_BID, _ASK, _UNKNOWN = i64(0), i64(1), i64(-1)
_NOBODY = i64(0)
_LOST = int(Status.LOST)
_DISPLAY = i64(-1)  # in place of a slot: any displayed order
_ADD, _MODIFY, _CANCEL, _EXECUTE = int(Kind.ADD), int(Kind.MODIFY), int(Kind.CANCEL), int(Kind.EXECUTE)
_TRADE, _CROSS, _LEVEL, _CLEAR, _STATUS = int(Kind.TRADE), int(Kind.CROSS), int(Kind.LEVEL), int(Kind.CLEAR), int(Kind.STATUS)


@hot
def _fill_ours(b: Book, k: int, side: int, price: int, stop: int, lots: int, ts: int, fills: I64, n: int) -> tuple[int, int]:
    """A recorded aggressor reaches our resting orders before the order in slot `stop` (-1: before any display), but nobody
    while an auction gathers orders. Returns (lots left of the aggressor, fill rows)."""
    left, step = lots, -1 if side == 0 else 1
    i = b.meta[k, BEST_BID] if side == 0 else b.meta[k, BEST_ASK]
    while b.meta[k, CALLING] == 0 and left > 0 and b.meta[k, OWN] > 0 and (price - i) * step >= 0:
        slot = i64(b.levels[k, side, i].first)
        while slot > 0 and left > 0:
            after = i64(b.orders[slot].next)
            if i == price and (slot == stop or (stop < 0 and b.orders[slot].kind != OWNED and b.orders[slot].qty > 0)):
                return left, n
            if b.orders[slot].kind == OWNED:
                lots_traded = min(left, i64(b.orders[slot].qty))
                n = record_fill(fills, n, ts, b, slot, _NOBODY, RECORDED, lots_traded)
                print_trade(b, k, 2 * (i + b.meta[k, BASE]), lots_traded)
                b.meta[k, DISPLACED] += lots_traded
                show_less(b, slot, lots_traded, NONE, ts)
                reduce(b, slot, lots_traded, NONE)
                left -= lots_traded
            slot = after
        i += step
    return left, n


@hot
def _take_recorded(b: Book, k: int, slot: int, lots: int, executed: int, ts: int) -> tuple[int, int]:
    """The tape takes lots off a recorded order, of which so many at most were executed. Returns (lots that it had on record,
    executed lots that it did not display)."""
    on_record = min(lots, i64(b.orders[slot].rec))
    there = min(on_record, i64(b.orders[slot].qty))
    traded = min(there, executed)
    b.meta[k, TAKEN_SHORT] += on_record - there
    show_less(b, slot, traded, there - traded, ts)
    reduce(b, slot, there, on_record)
    return on_record, executed - traded


@hot
def _first_anonymous(b: Book, k: int, side: int, price: int) -> int:
    slot = i64(b.levels[k, side, price].first)
    while slot > 0 and b.orders[slot].kind != ANONYMOUS:
        slot = i64(b.orders[slot].next)
    return slot


@hot
def _take_level(b: Book, k: int, side: int, price: int, lots: int, executed: int, ts: int) -> tuple[int, int]:
    """The tape takes lots off a level without saying whose: the youngest lose theirs first. Returns (lots that are missing,
    executed lots that were not displayed)."""
    slot = i64(b.levels[k, side, price].last)
    while lots > 0 and slot > 0:
        before = i64(b.orders[slot].prev)
        if b.orders[slot].kind != OWNED:
            taken, executed = _take_recorded(b, k, slot, lots, executed, ts)
            lots -= taken
        slot = before
    return lots, executed


@hot
def _take_named(b: Book, k: int, slot: int, side: int, price: int, lots: int, flags: int, executed: int, ts: int) -> int:
    """The tape takes lots off the order in `slot` (-1: nobody knows it): it stood in the display before the tape began
    or came into its sight, if there is display without ids at its price. What cannot be found is counted. Returns how many
    executed lots were not displayed."""
    if slot == 0:
        slot = _first_anonymous(b, k, side, price)
    missing = lots
    if slot > 0:
        taken, executed = _take_recorded(b, k, slot, lots, executed, ts)
        missing -= taken
    if missing > 0 and flags & FLAG_BY_LEVEL:
        missing, executed = _take_level(b, k, side, price, missing, executed, ts)
    if missing > 0:
        b.meta[k, N_UNKNOWN] += 1
    return executed


@hot
def _cancel(b: Book, k: int, oid: int, side: int, price: int, lots: int, flags: int, ts: int) -> None:
    slot = find(b, k, oid)
    if slot > 0 and flags & FLAG_ALL:
        _take_recorded(b, k, slot, i64(b.orders[slot].rec), NONE, ts)
    elif slot > 0 or not flags & FLAG_MAY_BE_GONE:
        _take_named(b, k, slot, side, price, lots, flags, NONE, ts)


@hot
def _rest(b: Book, k: int, oid: int, kind: int, side: int, price: int, lots: int, ts: int, fills: I64, n: int, flags: int) -> int:
    """A recorded order or a rise of a level arrives: it trades where it crosses, the rest is displayed."""
    first = n
    left, n = match(b, k, side, price, lots, oid, kind, ts, fills, n)
    ours = 0
    for i in range(first, n):
        ours += fills[i, 6]
    on_record = left + ours  # the tape knows nothing of what we traded
    if on_record == 0 or flags & FLAG_IOC:
        return n
    level = b.levels[k, side, price]
    end = i64(level.first) if flags & FLAG_UNCOVERED else i64(level.last)
    if kind == ANONYMOUS and end > 0 and b.orders[end].kind == ANONYMOUS:
        if left > 0:
            show_replaced(b, end, ts)
        grow(b, end, left, on_record)
        if left > 0:
            show_order(b, end, ts)
    else:
        slot = add(b, k, oid, kind, side, price, left, on_record, flags & FLAG_UNCOVERED != 0)
        if slot > 0:
            show_order(b, slot, ts)
    return n


@hot
def _execute(b: Book, k: int, oid: int, side: int, price: int, lots: int, flags: int, ts: int, fills: I64, n: int) -> int:
    slot = find(b, k, oid)
    if slot == 0:
        slot = _first_anonymous(b, k, side, price)
    left, n = _fill_ours(b, k, side, price, slot, lots, ts, fills, n)
    if left > 0:
        print_trade(b, k, 2 * (price + b.meta[k, BASE]), left)
    left = _take_named(b, k, slot, side, price, lots, flags, left, ts)
    show_print(b, k, side, 2 * (price + b.meta[k, BASE]), left, ts)
    return n


@hot
def _trade(b: Book, k: int, side: int, price: int, lots: int, flags: int, ts: int, fills: I64, n: int) -> int:
    """A print without an order id: hidden liquidity, or (FLAG_QUEUE) the front of a level's queue."""
    left, half = lots, flags & FLAG_HALF_TICK
    if side >= 0:
        bound = price + 1 if half and side == 0 else price
        left, n = _fill_ours(b, k, side, bound, _DISPLAY, lots, ts, fills, n)
        while flags & FLAG_QUEUE and left > 0:
            slot = i64(b.levels[k, side, price].first)
            while slot > 0 and b.orders[slot].qty == 0:
                slot = i64(b.orders[slot].next)
            if slot == 0:
                break
            if b.orders[slot].kind == OWNED:
                left, n = _fill_ours(b, k, side, price, _DISPLAY, left, ts, fills, n)
            else:
                lots_there = min(left, i64(b.orders[slot].qty))
                taken, _ = _take_recorded(b, k, slot, lots_there, lots_there, ts)
                print_trade(b, k, 2 * (price + b.meta[k, BASE]), taken)
                left -= taken
    if left > 0:
        print_trade(b, k, 2 * (price + b.meta[k, BASE]) + half, left)
        show_print(b, k, side, 2 * (price + b.meta[k, BASE]) + half, left, ts)
    return n


@hot
def _level(b: Book, k: int, side: int, price: int, total: int, flags: int, ts: int, fills: I64, n: int) -> int:
    excess = b.levels[k, side, price].rec - total
    if excess < 0:
        return _rest(b, k, _NOBODY, ANONYMOUS, side, price, -excess, ts, fills, n, flags)
    _take_level(b, k, side, price, excess, NONE, ts)
    return n


@hot
def _modify(b: Book, k: int, oid: int, price: int, lots: int, ts: int, fills: I64, n: int) -> int:
    slot = find(b, k, oid)
    if slot == 0:
        b.meta[k, N_UNKNOWN] += 1
        return n
    if price == b.orders[slot].price and lots <= b.orders[slot].rec:
        _take_recorded(b, k, slot, i64(b.orders[slot].rec) - lots, NONE, ts)
        return n
    side = i64(b.orders[slot].side)
    _take_recorded(b, k, slot, i64(b.orders[slot].rec), NONE, ts)
    return _rest(b, k, oid, RECORDED, side, price, lots, ts, fills, n, NONE)


@hot
def apply(b: Book, k: int, tape: Tape, start: int, fills: I64) -> tuple[int, int]:
    """Apply tape events of instrument k from `start` on. Returns (index of the first event not applied, fill rows).

    Stops before an event whose fills (at most one of each order of ours) or records might not fit, and after one with a
    trade that reaches a stop order.
    """
    n, i, meta = NONE, start, b.meta[k]
    while i < tape.size and fills.shape[0] - n > meta[OWN] and has_room(b) and meta[HIGH] < meta[RISE] and meta[LOW] > meta[FALL]:
        e = tape[i]
        i += 1
        kind, oid, lots, ts = e.kind, e.order_id, e.size_lots, e.ts_event_ns
        price, flags = e.price_ticks - b.meta[k, BASE], e.flags | NONE
        side = _BID if e.side > 0 else _ASK if e.side < 0 else _UNKNOWN
        if kind in (_CANCEL, _EXECUTE) and side == _UNKNOWN:
            slot = find(b, k, oid)
            if slot > 0:  # the id alone names the order
                side, price = i64(b.orders[slot].side), i64(b.orders[slot].price)
        if kind == _STATUS:
            if lots < _LOST:
                b.meta[k, HALTED] = lots
                show_status(b, k, lots, ts)
        elif kind == _CLEAR:
            show_cleared(b, k, ts)
            clear(b, k)
        elif kind == _CROSS:
            print_trade(b, k, 2 * e.price_ticks, lots)
            show_cross(b, k, 2 * e.price_ticks, lots, ts)
        elif price < 0 or price >= b.levels.shape[2]:
            b.meta[k, N_OUTSIDE] += 1
        elif lots < 0 or lots > LOTS_MAX or (side == _UNKNOWN and kind != _TRADE and kind != _MODIFY):
            b.meta[k, N_INVALID] += 1
        elif kind == _ADD:
            if find(b, k, oid) > 0:
                b.meta[k, N_UNKNOWN] += 1  # the id is taken
            else:
                n = _rest(b, k, oid, RECORDED, side, price, lots, ts, fills, n, flags)
        elif kind == _CANCEL:
            _cancel(b, k, oid, side, price, lots, flags, ts)
        elif kind == _EXECUTE:
            n = _execute(b, k, oid, side, price, lots, flags, ts, fills, n)
        elif kind == _TRADE:
            n = _trade(b, k, side, price, lots, flags, ts, fills, n)
        elif kind == _LEVEL:
            n = _level(b, k, side, price, lots, flags, ts, fills, n)
        elif kind == _MODIFY:
            n = _modify(b, k, oid, price, lots, ts, fills, n)
    return i, n
