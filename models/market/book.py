"""A limit order book of orders, many instruments at once: its verbs, compiled. The arrays are in `models.market.layout`.

Adding, changing and taking an order out cost the same whatever the book holds: ids are found through an open-addressing table,
an order is linked into the queue of its price, and the next price is found through bits. The ten best levels of each side are
kept in order beside it, ready as the book vector of the models.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from models.compiled import hot, i64, inlined
from models.market.bits import above, below, occupy, vacate
from models.market.layout import (
    ANONYMOUS,
    BASE,
    BEST_ASK,
    BEST_BID,
    FREE,
    I64,
    LIVE,
    N_OVERFLOW,
    OWN,
    OWNED,
    TEN,
    USED,
    Book,
)

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


@inlined
def tag_of(k: int, oid: int) -> int:
    """32 bits of an id. Eight ids in a row stay neighbours: those of one moment share a cache line."""
    block = (np.uint64(oid) >> np.uint64(3)) + (np.uint64(k) << np.uint64(44))
    mixed = (block * _MIX) >> np.uint64(35)
    return i64(int((mixed << np.uint64(3)) | (np.uint64(oid) & np.uint64(7))))


@inlined
def find(b: Book, k: int, oid: int) -> int:
    """Slot of an order id of instrument k, 0 if there is none."""
    mask = b.ids.size - 1
    tag = tag_of(k, oid)
    i = tag & mask
    while True:
        slot = i64(b.ids[i].slot)
        if slot == 0 or (b.ids[i].tag == tag and b.orders[slot].oid == oid and b.orders[slot].k == k):
            return slot
        i = (i + 1) & mask


@inlined
def remember(b: Book, k: int, oid: int, slot: int) -> None:
    """Enter an id that is not known yet."""
    mask = b.ids.size - 1
    tag = tag_of(k, oid)
    i = tag & mask
    while b.ids[i].slot != 0:
        i = (i + 1) & mask
    b.ids[i].tag = tag
    b.ids[i].slot = slot


@inlined
def _forget(b: Book, k: int, oid: int, slot: int) -> None:
    mask = b.ids.size - 1
    i = tag_of(k, oid) & mask
    while b.ids[i].slot != slot:
        i = (i + 1) & mask
    j = i
    while True:  # close the gap, so that no probe sequence is cut
        j = (j + 1) & mask
        if b.ids[j].slot == 0:
            break
        home = i64(b.ids[j].tag) & mask
        if ((j - home) & mask) >= ((j - i) & mask):
            b.ids[i].tag = b.ids[j].tag
            b.ids[i].slot = b.ids[j].slot
            i = j
    b.ids[i].slot = 0


@inlined
def displayed(b: Book, k: int, side: int, i: int) -> int:
    """Index of the best price with displayed lots, at i or worse; -1 if there is none."""
    if side == 0:
        i = below(b.bits, k, 0, i)
        while i >= 0 and b.levels[k, 0, i].qty == 0:  # ghosts alone
            i = below(b.bits, k, 0, i - 1)
    else:
        i = above(b.bits, k, 1, i)
        while i >= 0 and b.levels[k, 1, i].qty == 0:
            i = above(b.bits, k, 1, i + 1)
    return i


@inlined
def _vacated(b: Book, k: int, side: int, at: int) -> None:
    """A level of the ten is gone: the worse ones move up, and the next behind the tenth comes in."""
    c = 2 * side
    last = at
    step = -1 if side == 0 else 1
    tenth = b.ten[k, TEN - 1, c] - b.meta[k, BASE]
    full = b.ten[k, TEN - 1, c + 1] > 0
    while last < TEN - 1 and b.ten[k, last + 1, c + 1] > 0:
        b.ten[k, last, c] = b.ten[k, last + 1, c]
        b.ten[k, last, c + 1] = b.ten[k, last + 1, c + 1]
        last += 1
    b.ten[k, last, c] = 0
    b.ten[k, last, c + 1] = 0
    if full:
        i = displayed(b, k, side, tenth + step)
        if i >= 0:
            b.ten[k, last, c] = i + b.meta[k, BASE]
            b.ten[k, last, c + 1] = b.levels[k, side, i].qty


@inlined
def _show(b: Book, k: int, side: int, price: int, before: int, after: int) -> None:
    """A level's displayed lots have changed: keep the ten best levels and the best price."""
    c, sign = 2 * side, 1 - 2 * side
    ticks = price + b.meta[k, BASE]
    if b.ten[k, TEN - 1, c + 1] > 0 and (b.ten[k, TEN - 1, c] - ticks) * sign > 0:
        return
    at = 0
    while b.ten[k, at, c + 1] > 0 and (b.ten[k, at, c] - ticks) * sign > 0:  # ends: a full ten has no better price left
        at += 1
    if before > 0 and after > 0:
        b.ten[k, at, c + 1] = after
        return
    if after > 0:
        for j in range(TEN - 1, at, -1):
            b.ten[k, j, c] = b.ten[k, j - 1, c]
            b.ten[k, j, c + 1] = b.ten[k, j - 1, c + 1]
        b.ten[k, at, c] = ticks
        b.ten[k, at, c + 1] = after
    else:
        _vacated(b, k, side, at)
    if at == 0:
        best = b.ten[k, 0, c] - b.meta[k, BASE]
        if side == 0:
            b.meta[k, BEST_BID] = best if b.ten[k, 0, 1] > 0 else -1
        else:
            b.meta[k, BEST_ASK] = best if b.ten[k, 0, 3] > 0 else b.levels.shape[2]


@inlined
def change(b: Book, k: int, side: int, price: int, qty: int, rec: int) -> None:
    """Add to a level's sums and keep what is shown of it."""
    before = b.levels[k, side, price].qty
    b.levels[k, side, price].qty = before + qty
    b.levels[k, side, price].rec += rec
    if qty != 0:
        _show(b, k, side, price, before, before + qty)


@hot
def full(b: Book) -> bool:
    """Whether the pool has no slot left."""
    return b.pool[FREE] == 0 and b.pool[USED] == b.orders.size - 1


@inlined
def take_slot(b: Book, k: int) -> int:
    """A slot out of the pool, 0 (counted) when it is full."""
    slot = b.pool[FREE]
    if slot > 0:
        b.pool[FREE] = b.orders[slot].next
    elif b.pool[USED] < b.orders.size - 1:
        b.pool[USED] += 1
        slot = b.pool[USED]
    else:
        b.meta[k, N_OVERFLOW] += 1
        return 0
    b.pool[LIVE] += 1
    return slot


@inlined
def link(b: Book, k: int, slot: int, side: int, price: int, front: bool) -> None:
    """Put a slot at the front or the back of its price's queue; the sums stay as they are."""
    first, last = b.levels[k, side, price].first, b.levels[k, side, price].last
    b.orders[slot].next = 0
    b.orders[slot].prev = 0
    if first == 0:
        b.levels[k, side, price].first = slot
        b.levels[k, side, price].last = slot
        occupy(b.bits, k, side, price)
    elif front:
        b.orders[slot].next = first
        b.orders[first].prev = slot
        b.levels[k, side, price].first = slot
    else:
        b.orders[slot].prev = last
        b.orders[last].next = slot
        b.levels[k, side, price].last = slot
    b.levels[k, side, price].orders += 1


@inlined
def add(b: Book, k: int, oid: int, kind: int, side: int, price: int, qty: int, rec: int, front: bool) -> int:
    """Queue an order, at the front or the back of its price. Its slot, or 0 (counted) when the pool is full."""
    slot = take_slot(b, k)
    if slot == 0:
        return slot
    b.orders[slot].oid, b.orders[slot].k, b.orders[slot].kind = oid, k, kind
    b.orders[slot].side, b.orders[slot].price = side, price
    b.orders[slot].qty, b.orders[slot].rec = qty, rec
    link(b, k, slot, side, price, front)
    if kind != ANONYMOUS:
        remember(b, k, oid, slot)
    if kind == OWNED:
        b.meta[k, OWN] += 1
    change(b, k, side, price, qty, rec)
    return slot


@inlined
def unlink(b: Book, k: int, slot: int, side: int, price: int) -> None:
    """Take a slot out of its price's queue; the sums stay as they are."""
    before, after = b.orders[slot].prev, b.orders[slot].next
    if before > 0:
        b.orders[before].next = after
    else:
        b.levels[k, side, price].first = after
    if after > 0:
        b.orders[after].prev = before
    else:
        b.levels[k, side, price].last = before
    b.levels[k, side, price].orders -= 1
    if before == 0 and after == 0:
        vacate(b.bits, k, side, price)


@inlined
def give_back(b: Book, k: int, slot: int) -> None:
    """A slot that stands in no queue returns to the pool."""
    if b.orders[slot].kind != ANONYMOUS:
        _forget(b, k, b.orders[slot].oid, slot)
    if b.orders[slot].kind == OWNED:
        b.meta[k, OWN] -= 1
    b.orders[slot].next = b.pool[FREE]
    b.pool[FREE] = slot
    b.pool[LIVE] -= 1


@inlined
def reduce(b: Book, slot: int, qty: int, rec: int) -> None:
    """Take lots off an order; it leaves the book when neither quantity is left."""
    k, side, price = i64(b.orders[slot].k), i64(b.orders[slot].side), i64(b.orders[slot].price)
    b.orders[slot].qty -= qty
    b.orders[slot].rec -= rec
    if b.orders[slot].qty == 0 and b.orders[slot].rec == 0:
        unlink(b, k, slot, side, price)
        give_back(b, k, slot)
    change(b, k, side, price, -qty, -rec)


@inlined
def grow(b: Book, slot: int, qty: int, rec: int) -> None:
    """Add lots to anonymous displayed quantity, which has no place of its own in the queue to lose."""
    k, side, price = i64(b.orders[slot].k), i64(b.orders[slot].side), i64(b.orders[slot].price)
    b.orders[slot].qty += qty
    b.orders[slot].rec += rec
    change(b, k, side, price, qty, rec)


@hot
def clear(b: Book, k: int) -> None:
    """Take all displayed quantity of an instrument out; our own orders stay."""
    for side in range(2):
        price = above(b.bits, k, side, 0)
        while price >= 0:
            slot = i64(b.levels[k, side, price].first)
            while slot > 0:
                after = i64(b.orders[slot].next)
                if b.orders[slot].kind != OWNED:
                    reduce(b, slot, b.orders[slot].qty, b.orders[slot].rec)
                slot = after
            price = above(b.bits, k, side, price + 1)


@inlined
def vector(b: Book, k: int, out: I64) -> None:
    """The ten best levels of instrument k as (40,): 10 x [bid_px, bid_sz, ask_px, ask_sz], ticks and lots; no level is 0, 0."""
    for level in range(TEN):
        for column in range(4):
            out[4 * level + column] = b.ten[k, level, column]
