"""Where an instrument's ladder of prices stands, and how it follows the market. Compiled.

A book that follows a feed does not know its prices beforehand. The first price puts the ladder around itself. Orders at
prices outside it are parked: known by id, in no queue, not among the ten levels, counted (N_OUTSIDE). The ladder moves, and
everything finds its place anew, in the queue's order (N_MOVED), when
1. a bid above its top or an ask below its bottom arrives: the market has gone there; or
2. a price outside it lies within half a ladder of the best price of its own side, or of the other where that is empty.
A stub quote far from the market therefore never moves it, and a market that drifts takes it along, at the price of one walk
over the instrument's orders for every half ladder.
"""

from __future__ import annotations

from models.compiled import hot, i64, inlined
from models.market.bits import above, vacate
from models.market.book import displayed, link
from models.market.layout import (
    ANCHORED,
    BASE,
    BEST_ASK,
    BEST_BID,
    N_MOVED,
    N_OUTSIDE,
    PARKED,
    TEN,
    Book,
)


@hot
def park(b: Book, k: int, slot: int) -> None:
    """Link a slot into the instrument's list of orders outside the ladder, newest first."""
    head = b.meta[k, PARKED]
    b.orders[slot].prev = 0
    b.orders[slot].next = head
    if head > 0:
        b.orders[head].prev = slot
    b.meta[k, PARKED] = slot


@hot
def unpark(b: Book, k: int, slot: int) -> None:
    """Take a slot out of that list."""
    before, after = i64(b.orders[slot].prev), i64(b.orders[slot].next)
    if before > 0:
        b.orders[before].next = after
    else:
        b.meta[k, PARKED] = after
    if after > 0:
        b.orders[after].prev = before


@hot
def _unhook(b: Book, k: int) -> int:
    """Take every order out of its queue, keeping all of them in one chain, queue after queue. Its head."""
    head, tail = i64(0), i64(0)
    for side in range(2):
        price = above(b.bits, k, side, 0)
        while price >= 0:
            level = b.levels[k, side, price]
            if tail > 0:
                b.orders[tail].next = level.first
            else:
                head = i64(level.first)
            tail = i64(level.last)
            level.qty, level.rec, level.first, level.last, level.orders = 0, 0, 0, 0, 0
            vacate(b.bits, k, side, price)
            price = above(b.bits, k, side, price + 1)
    return head


@hot
def _hook(b: Book, k: int, slot: int, shift: int, front: bool) -> None:
    """Put every order of a chain where it belongs after a shift of indices."""
    while slot > 0:
        after = i64(b.orders[slot].next)
        side, price = i64(b.orders[slot].side), i64(b.orders[slot].price) + shift
        b.orders[slot].price = price
        if 0 <= price < b.levels.shape[2]:
            link(b, k, slot, side, price, front)
            b.levels[k, side, price].qty += b.orders[slot].qty
            b.levels[k, side, price].rec += b.orders[slot].rec
        else:
            park(b, k, slot)
        slot = after


@hot
def _show_anew(b: Book, k: int) -> None:
    """The ten levels and the best prices, from the queues."""
    b.ten[k] = 0
    window = b.levels.shape[2]
    for side in range(2):
        i = window - 1 if side == 0 else 0
        level = 0
        while level < TEN:
            i = displayed(b, k, side, i)
            if i < 0:
                break
            b.ten[k, level, 2 * side] = i + b.meta[k, BASE]
            b.ten[k, level, 2 * side + 1] = b.levels[k, side, i].qty
            level += 1
            i += -1 if side == 0 else 1
    b.meta[k, BEST_BID] = b.ten[k, 0, 0] - b.meta[k, BASE] if b.ten[k, 0, 1] > 0 else -1
    b.meta[k, BEST_ASK] = b.ten[k, 0, 2] - b.meta[k, BASE] if b.ten[k, 0, 3] > 0 else window


@hot
def move(b: Book, k: int, base: int) -> None:
    """Put an instrument's ladder at base .. base + window - 1, with all its orders. Queues keep their order."""
    shift = b.meta[k, BASE] - base
    parked = b.meta[k, PARKED]
    queued = _unhook(b, k)
    b.meta[k, PARKED] = 0
    b.meta[k, BASE] = base
    _hook(b, k, queued, shift, False)
    _hook(b, k, parked, shift, True)  # the list is newest first, and a price is parked as a whole
    _show_anew(b, k)
    b.meta[k, N_MOVED] += 1


@inlined
def place(b: Book, k: int, side: int, ticks: int) -> int:
    """Index of a price at which something wants to stand, after the ladder has moved if it must; -1: outside (counted)."""
    window = b.levels.shape[2]
    i = ticks - b.meta[k, BASE]
    if 0 <= i < window and b.meta[k, ANCHORED] != 0:
        return i
    if b.meta[k, ANCHORED] == 0:
        b.meta[k, ANCHORED] = 1
        b.meta[k, BASE] = ticks - window // 2
        return window // 2
    bid, ask = b.meta[k, BEST_BID], b.meta[k, BEST_ASK]
    anchor = i
    if (side == 0 and i < 0) or (side == 1 and i > 0):  # away from the market, or the market has drifted
        has_bid, has_ask = bid >= 0, ask < window
        if side == 0:
            anchor = bid if has_bid else ask if has_ask else i
        else:
            anchor = ask if has_ask else bid if has_bid else i
    if anchor != i and abs(i - anchor) >= window // 2:
        b.meta[k, N_OUTSIDE] += 1
        return -1
    move(b, k, b.meta[k, BASE] + anchor - window // 2)
    return ticks - b.meta[k, BASE]
