"""The rules by which a book follows a feed, many instruments in one tape. Compiled.

The feed is the truth: nothing is matched, and what the feed says that cannot be is counted and has no other effect.
1. A crossed or locked book stands as the feed made it; events that leave it so are counted (N_CROSSED, N_LOCKED).
2. A cancel or an execution of an unknown id comes out of the display without ids at its price; with FLAG_BY_LEVEL what is
   missing then comes out of that level's youngest orders; with FLAG_MAY_BE_GONE nothing is missed. Else it is N_UNKNOWN, and so
   is a MODIFY of an unknown id. An ADD whose id is taken is N_UNKNOWN and changes nothing.
3. A cancel or an execution of more lots than are there takes what is there (N_SHORT).
4. LEVEL sets a price's total: a rise is display without ids behind the queue (FLAG_UNCOVERED: before it), a fall takes the
   youngest lots first.
5. What the market does is remembered (HALTED); the book goes on following, as venues go on sending. After the feed has lost
   something the instrument is SUSPECT until it is whole again. CLEAR empties the instrument. Instrument -1 means every one.
6. A full pool is N_OVERFLOW: the order is not there, and its later events are N_UNKNOWN.
7. A price outside the ladder is parked: see `models.market.ladder`. A LEVEL there is dropped (N_OUTSIDE).
8. Sizes below 0 or beyond 2^31 - 1 lots, a missing side, prices 2^30 ticks away, and unknown kinds are N_INVALID; an
   instrument that the book does not have is N_STRANGER of the pool.
9. FLAG_IOC never rests. TRADE with FLAG_QUEUE takes lots off the front of its level's queue.
10. CANCEL and EXECUTE without a side are of the order that the id names, at its side and price. An ADD without a side has that
    of the order which a CANCEL with FLAG_REPLACED took out just before; where that was not known, it is N_UNKNOWN.
11. An EXECUTE prints at the order's price, with FLAG_AT_PRICE at its own, and with FLAG_NO_PRINT not at all.
"""

from __future__ import annotations

from domain.tape import (
    EVERY_INSTRUMENT,
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_BY_LEVEL,
    FLAG_HALF_TICK,
    FLAG_IOC,
    FLAG_MAY_BE_GONE,
    FLAG_NO_PRINT,
    FLAG_QUEUE,
    FLAG_REPLACED,
    FLAG_UNCOVERED,
    Kind,
    Status,
    Tape,
)
from models.compiled import hot, i64, inlined
from models.market.ahead import coming, soon
from models.market.book import add, clear, find, give_back, grow, reduce, remember, take_slot
from models.market.ladder import park, place, unpark
from models.market.layout import (
    ANONYMOUS,
    BASE,
    HALTED,
    LAST_SIDE,
    LOTS_MAX,
    N_CROSSED,
    N_INVALID,
    N_LOCKED,
    N_SHORT,
    N_STRANGER,
    N_UNKNOWN,
    PARKED,
    PRINTS,
    RECORDED,
    REPLACED,
    SUSPECT,
    Book,
)
from models.market.matching import print_trade

_BID, _ASK, _UNKNOWN = i64(0), i64(1), i64(-1)
_NONE = i64(0)
_AHEAD, _NEAR = i64(6), i64(3)  # records
_FAR = i64(1 << 30)
_ADD, _MODIFY, _CANCEL, _EXECUTE = int(Kind.ADD), int(Kind.MODIFY), int(Kind.CANCEL), int(Kind.EXECUTE)
_LOST, _RESYNCED, _DISCONNECTED = int(Status.LOST), int(Status.RESYNCED), int(Status.DISCONNECTED)
_TRADE, _CROSS, _LEVEL, _CLEAR, _STATUS = int(Kind.TRADE), int(Kind.CROSS), int(Kind.LEVEL), int(Kind.CLEAR), int(Kind.STATUS)


@inlined
def _take(b: Book, k: int, slot: int, lots: int) -> int:
    """Take lots off an order. How many it had of them."""
    there = min(lots, i64(b.orders[slot].qty))
    price = b.orders[slot].price
    if 0 <= price < b.levels.shape[2]:
        reduce(b, slot, there, there)
        return there
    b.orders[slot].qty -= there
    b.orders[slot].rec -= there
    if b.orders[slot].qty == 0:
        unpark(b, k, slot)
        give_back(b, k, slot)
    return there


@hot
def _take_level(b: Book, k: int, side: int, price: int, lots: int) -> int:
    """Take lots off a level, the youngest order first. What is missing."""
    while lots > 0:
        slot = i64(b.levels[k, side, price].last)
        if slot == 0:
            break
        lots -= _take(b, k, slot, lots)
    return lots


@inlined
def _take_named(b: Book, k: int, slot: int, side: int, price: int, lots: int, flags: int) -> None:
    """The feed takes lots off the order in `slot` (0: nobody knows it)."""
    inside = 0 <= price < b.levels.shape[2]
    known = slot > 0
    if slot == 0 and inside:
        slot = i64(b.levels[k, side, price].first)
        while slot > 0 and b.orders[slot].kind != ANONYMOUS:
            slot = i64(b.orders[slot].next)
    missing = lots
    if slot > 0:
        missing -= _take(b, k, slot, lots)
    if missing > 0 and inside and flags & FLAG_BY_LEVEL:
        missing = _take_level(b, k, side, price, missing)
    if missing > 0:
        b.meta[k, N_SHORT if known else N_UNKNOWN] += 1


@inlined
def _rest(b: Book, k: int, oid: int, side: int, ticks: int, lots: int) -> None:
    """An order joins the queue of its price, or is parked."""
    price = place(b, k, side, ticks)
    if price >= 0:
        add(b, k, oid, RECORDED, side, price, lots, lots, False)
        return
    slot = take_slot(b, k)
    if slot > 0:
        b.orders[slot].oid, b.orders[slot].k, b.orders[slot].kind = oid, k, RECORDED
        b.orders[slot].side, b.orders[slot].price = side, ticks - b.meta[k, BASE]
        b.orders[slot].qty, b.orders[slot].rec = lots, lots
        remember(b, k, oid, slot)
        park(b, k, slot)


@inlined
def _level(b: Book, k: int, side: int, ticks: int, total: int, flags: int) -> None:
    price = place(b, k, side, ticks) if total > 0 else ticks - b.meta[k, BASE]
    if price < 0 or price >= b.levels.shape[2]:
        return
    missing = total - b.levels[k, side, price].rec
    if missing <= 0:
        _take_level(b, k, side, price, -missing)
        return
    level = b.levels[k, side, price]
    end = i64(level.first) if flags & FLAG_UNCOVERED else i64(level.last)
    if end > 0 and b.orders[end].kind == ANONYMOUS:
        grow(b, end, missing, missing)
    else:
        add(b, k, _NONE, ANONYMOUS, side, price, missing, missing, flags & FLAG_UNCOVERED != 0)


@hot
def _modify(b: Book, k: int, oid: int, ticks: int, lots: int) -> None:
    """Less at the same price keeps its place in the queue; anything else loses it."""
    slot = find(b, k, oid)
    if slot == 0:
        b.meta[k, N_UNKNOWN] += 1
        return
    qty, side = i64(b.orders[slot].qty), i64(b.orders[slot].side)
    if ticks - b.meta[k, BASE] == b.orders[slot].price and lots <= qty:
        _take(b, k, slot, qty - lots)
        return
    _take(b, k, slot, qty)
    if lots > 0:
        _rest(b, k, oid, side, ticks, lots)


@inlined
def _print(b: Book, k: int, half_ticks: int, lots: int, side: int) -> None:
    """A print of an aggressor who met this resting side (-1: nobody says which)."""
    print_trade(b, k, half_ticks, lots)
    b.meta[k, LAST_SIDE] = 0 if side < 0 else 1 - 2 * side
    b.meta[k, PRINTS] += 1


@hot
def _trade(b: Book, k: int, side: int, price: int, lots: int, flags: int) -> None:
    half = flags & FLAG_HALF_TICK
    if lots > 0:
        _print(b, k, 2 * (price + b.meta[k, BASE]) + half, lots, side)
    while flags & FLAG_QUEUE and side >= 0 and lots > 0 and 0 <= price < b.levels.shape[2]:
        slot = i64(b.levels[k, side, price].first)
        if slot == 0:
            b.meta[k, N_SHORT] += 1
            break
        lots -= _take(b, k, slot, lots)


@inlined
def _add(b: Book, k: int, oid: int, side: int, ticks: int, lots: int, flags: int) -> None:
    if side < 0:  # the order replaces the one that was just taken out
        side = b.meta[k, REPLACED] - 1
        b.meta[k, REPLACED] = 0
    if side < 0 or find(b, k, oid) > 0:
        b.meta[k, N_UNKNOWN] += 1
    elif lots > 0 and not flags & FLAG_IOC:
        _rest(b, k, oid, side, ticks, lots)


@inlined
def _less(b: Book, k: int, kind: int, oid: int, side: int, ticks: int, lots: int, flags: int) -> None:
    """CANCEL and EXECUTE of one order. Without a side the order alone says side and price."""
    slot = find(b, k, oid)
    price = ticks - b.meta[k, BASE]
    if slot > 0 and side < 0:
        side, price = i64(b.orders[slot].side), i64(b.orders[slot].price)
    elif side < 0 or flags & FLAG_AT_PRICE:
        price = i64(-1)  # nobody says where
    if flags & FLAG_REPLACED:
        b.meta[k, REPLACED] = side + 1 if slot > 0 else 0
    if kind == _EXECUTE:
        if not flags & FLAG_NO_PRINT and lots > 0 and (side >= 0 or flags & FLAG_AT_PRICE):
            half_ticks = 2 * ticks + (flags & FLAG_HALF_TICK) if flags & FLAG_AT_PRICE else 2 * (price + b.meta[k, BASE])
            _print(b, k, half_ticks, lots, side)
        _take_named(b, k, slot, side, price, lots, flags)
    elif slot > 0 and flags & FLAG_ALL:
        _take(b, k, slot, i64(b.orders[slot].qty))
    elif slot > 0 or not flags & FLAG_MAY_BE_GONE:
        _take_named(b, k, slot, side, price, max(lots, i64(slot == 0)), flags)


@hot
def _told(b: Book, k: int, kind: int, lots: int) -> None:
    """CLEAR and STATUS of one instrument."""
    if kind == _CLEAR:
        clear(b, k)
        while b.meta[k, PARKED] > 0:
            slot = b.meta[k, PARKED]
            _take(b, k, slot, i64(b.orders[slot].qty))
    elif lots < _LOST:
        b.meta[k, HALTED] = lots
    elif lots in (_LOST, _DISCONNECTED):
        b.meta[k, SUSPECT] = 1
    elif lots == _RESYNCED:
        b.meta[k, SUSPECT] = 0


@hot
def _elsewhere(b: Book, k: int, kind: int, lots: int) -> None:
    """A record of no instrument of this book: of every one, or of a stranger."""
    if k == EVERY_INSTRUMENT and kind in (_CLEAR, _STATUS) and 0 <= lots <= LOTS_MAX:
        for every in range(b.meta.shape[0]):
            _told(b, every, kind, lots)
    else:
        b.pool[N_STRANGER] += 1


@inlined
def apply_one(b: Book, tape: Tape, i: int) -> None:
    """Apply record i of a tape."""
    e = tape[i]
    k, kind, ticks, lots, flags = i64(e.instrument), i64(e.kind), e.price_ticks, e.size_lots, i64(e.flags)
    if k < 0 or k >= b.meta.shape[0]:
        _elsewhere(b, k, kind, lots)
        return
    side = _BID if e.side > 0 else _ASK if e.side < 0 else _UNKNOWN
    if lots < 0 or lots > LOTS_MAX or ticks <= -_FAR or ticks >= _FAR:
        b.meta[k, N_INVALID] += 1
    elif kind == _ADD:
        _add(b, k, e.order_id, side, ticks, lots, flags)
    elif kind in (_CANCEL, _EXECUTE):
        _less(b, k, kind, e.order_id, side, ticks, lots, flags)
    elif kind == _MODIFY:
        _modify(b, k, e.order_id, ticks, lots)
    elif kind == _LEVEL and side >= 0:
        _level(b, k, side, ticks, lots, flags)
    elif kind == _TRADE:
        _trade(b, k, side, ticks - b.meta[k, BASE], lots, flags)
    elif kind == _CROSS:
        print_trade(b, k, 2 * ticks, lots)
    elif kind in (_CLEAR, _STATUS):
        _told(b, k, kind, lots)
    else:
        b.meta[k, N_INVALID] += 1
    if b.ten[k, 0, 1] > 0 and b.ten[k, 0, 3] > 0 and b.ten[k, 0, 0] >= b.ten[k, 0, 2]:
        b.meta[k, N_CROSSED if b.ten[k, 0, 0] > b.ten[k, 0, 2] else N_LOCKED] += 1


@hot
def apply(b: Book, tape: Tape, start: int, stop: int) -> None:
    """Apply records start .. stop - 1 of a tape in which the book's instruments are mixed.

    Most of an event is waiting for memory. It is asked for some records ahead, in two steps, for a whole datagram at once.
    """
    for i in range(start, min(start + _AHEAD, stop)):
        soon(b, tape, i)
    for i in range(start, min(start + _NEAR, stop)):
        coming(b, tape, i)
    for i in range(start, stop):
        if i + _AHEAD < stop:
            soon(b, tape, i + _AHEAD)
        if i + _NEAR < stop:
            coming(b, tape, i + _NEAR)
        apply_one(b, tape, i)
