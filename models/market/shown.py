"""What a market displays, told as it happens: tape records of the orders that rest in its book and of its trades. Compiled.

A venue publishes these. They speak of what can be traded with (`qty`), whosever it is: a reader that follows them has the
venue's own book, queue by queue. A book without room for them (`shown` of length 0) tells nothing.

| what happens | records |
|---|---|
| an order comes to rest | ADD |
| it is traded with | EXECUTE; with FLAG_AT_PRICE and FLAG_NO_PRINT in an auction, whose volume is one CROSS |
| it shrinks or goes without a trade | CANCEL, FLAG_ALL for the last of it |
| a print without a displayed order | TRADE, of which side the recorded print was, or CROSS |
| trading halts or goes on | STATUS |

Ids: a recorded order has its own; one of ours (from 2^62 on, which no feed can say) lies from 2^60 on; a displayed total that
came without ids stands as orders with ids from 2^61 on, and where it grows it is replaced. Market orders that wait for an auction
stand at the ladder's edge, have no price, and are not shown.
"""

from __future__ import annotations

from typing import Final

from domain.ports_market import ORDER_ID_MIN, SHOWN_ID_MIN
from domain.tape import FLAG_ALL, FLAG_AT_PRICE, FLAG_HALF_TICK, FLAG_NO_PRINT, FLAG_REPLACED, Kind
from models.compiled import hot, i64, inlined
from models.market.bits import above
from models.market.layout import ANONYMOUS, BASE, LAST_ID, OWNED, SHOWN, Book

OWN_ID: Final = i64(SHOWN_ID_MIN)
_ANONYMOUS_ID: Final = i64(1 << 61)
_OWN_SHIFT: Final = i64(ORDER_ID_MIN - SHOWN_ID_MIN)
_ADD, _CANCEL, _EXECUTE = i64(Kind.ADD), i64(Kind.CANCEL), i64(Kind.EXECUTE)
_TRADE, _CROSS, _STATUS = i64(Kind.TRADE), i64(Kind.CROSS), i64(Kind.STATUS)
_NONE: Final = i64(0)
_ALL, _HALF, _REPLACED = i64(FLAG_ALL), i64(FLAG_HALF_TICK), i64(FLAG_REPLACED)
_AUCTION: Final = i64(FLAG_AT_PRICE | FLAG_NO_PRINT)


@inlined
def has_room(b: Book) -> bool:
    """Whether the records of one more event fit. Each order says at most two; there is room for four of each."""
    return b.shown.size == 0 or b.pool[SHOWN] < b.orders.size


@inlined
def _write(b: Book, k: int, ts: int, oid: int, ticks: int, lots: int, flags: int, kind: int, side: int) -> None:
    n = b.pool[SHOWN]
    b.pool[SHOWN] = n + 1
    b.shown[n].ts_event_ns, b.shown[n].ts_recv_ns = ts, ts
    b.shown[n].order_id, b.shown[n].price_ticks, b.shown[n].size_lots = oid, ticks, lots
    b.shown[n].instrument, b.shown[n].flags = k, flags
    b.shown[n].kind, b.shown[n].side = kind, side


@inlined
def _order(b: Book, slot: int, ts: int, ticks: int, lots: int, flags: int, kind: int) -> None:
    """A record of the order in a slot, unless it is a market order."""
    k, side, price = i64(b.orders[slot].k), i64(b.orders[slot].side), i64(b.orders[slot].price)
    if price != (b.levels.shape[2] - 1 if side == 0 else 0):
        oid = b.orders[slot].oid - (_OWN_SHIFT if b.orders[slot].kind == OWNED else _NONE)
        _write(b, k, ts, oid, ticks, lots, flags, kind, 1 - 2 * side)


@inlined
def _ticks(b: Book, slot: int) -> int:
    return b.orders[slot].price + b.meta[i64(b.orders[slot].k), BASE]


@inlined
def show_order(b: Book, slot: int, ts: int) -> None:
    """The order in a slot has come to rest."""
    if b.shown.size == 0 or b.orders[slot].qty == 0:
        return
    if b.orders[slot].kind == ANONYMOUS:
        b.pool[LAST_ID] += 1
        b.orders[slot].oid = _ANONYMOUS_ID + b.pool[LAST_ID]
    _order(b, slot, ts, _ticks(b, slot), i64(b.orders[slot].qty), _NONE, _ADD)


@inlined
def show_less(b: Book, slot: int, executed: int, canceled: int, ts: int) -> None:
    """The order in a slot is about to lose lots, at its own price."""
    if b.shown.size == 0:
        return
    if executed > 0:
        _order(b, slot, ts, _ticks(b, slot), executed, _NONE, _EXECUTE)
    if canceled > 0:
        whole = executed + canceled == b.orders[slot].qty
        _order(b, slot, ts, _ticks(b, slot), canceled, _ALL if whole else _NONE, _CANCEL)


@inlined
def show_uncrossed(b: Book, slot: int, ticks: int, lots: int, ts: int) -> None:
    """The order in a slot is about to lose lots in an auction, whose volume is printed apart."""
    if b.shown.size > 0:
        _order(b, slot, ts, ticks, lots, _AUCTION, _EXECUTE)


@inlined
def show_replaced(b: Book, slot: int, ts: int) -> None:
    """The displayed total in a slot is about to grow: it goes, and `show_order` says what comes in its place."""
    if b.shown.size > 0 and b.orders[slot].qty > 0:
        _order(b, slot, ts, _ticks(b, slot), i64(b.orders[slot].qty), _ALL | _REPLACED, _CANCEL)


@inlined
def show_print(b: Book, k: int, side: int, half_ticks: int, lots: int, ts: int) -> None:
    """A trade without a displayed order. side: the resting one, 0 bid, 1 ask, below 0 not known."""
    if b.shown.size > 0 and lots > 0:
        sign = 1 if side == 0 else -1 if side == 1 else 0
        _write(b, k, ts, _NONE, half_ticks >> 1, lots, half_ticks & _HALF, _TRADE, sign)


@inlined
def show_cross(b: Book, k: int, half_ticks: int, lots: int, ts: int) -> None:
    """An auction's volume."""
    if b.shown.size > 0:
        _write(b, k, ts, _NONE, half_ticks >> 1, lots, half_ticks & _HALF, _CROSS, _NONE)


@inlined
def show_status(b: Book, k: int, status: int, ts: int) -> None:
    """The market's state is another."""
    if b.shown.size > 0:
        _write(b, k, ts, _NONE, _NONE, status, _NONE, _STATUS, _NONE)


@hot
def show_cleared(b: Book, k: int, ts: int) -> None:
    """All recorded orders of an instrument are about to go."""
    if b.shown.size > 0:
        _each(b, k, ts, False)


@hot
def show_all(b: Book, k: int, ts: int) -> None:
    """ADD for all that is displayed now, side by side, queue by queue from its front: where a reader begins."""
    if b.shown.size > 0:
        _each(b, k, ts, True)


@inlined
def _each(b: Book, k: int, ts: int, add: bool) -> None:
    for side in range(2):
        price = above(b.bits, k, side, 0)
        while price >= 0:
            slot = i64(b.levels[k, side, price].first)
            while slot > 0:
                lots = i64(b.orders[slot].qty)
                if lots > 0 and add:
                    _order(b, slot, ts, _ticks(b, slot), lots, _NONE, _ADD)
                elif lots > 0 and b.orders[slot].kind != OWNED:
                    show_less(b, slot, _NONE, lots, ts)
                slot = i64(b.orders[slot].next)
            price = above(b.bits, k, side, price + 1)
