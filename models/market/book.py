"""A limit order book of orders in fixed memory, as arrays and compiled functions.

Units: prices are indices into a ladder of `window` ticks (index = price_ticks - base), sizes are lots, sides are
0 (bid) and 1 (ask). Every order is a slot of a pool, linked into the queue of its price; ids are found through an
open-addressing table. Nothing is allocated after `make_book`: a full pool or a price outside the ladder is counted.

Two quantities per order, because our own orders trade against recorded ones: `qty` is what can still be traded
with, `rec` is what the tape believes is there. They differ by what we took. An order with rec > 0 and qty = 0 is a
ghost: the tape will still name it. Our own orders have rec = 0.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import hot

I64 = NDArray[np.int64]

# meta: scalars of the book
BEST_BID: Final = 0  # index of the best bid, -1 without
BEST_ASK: Final = 1  # index of the best ask, window without
FREE: Final = 2  # head of the free list
LIVE: Final = 3  # slots in use
OWN: Final = 4  # of these ours
VOLUME: Final = 5
NOTIONAL: Final = 6  # half ticks x lots, prices counted from tick 0
LAST_PRICE: Final = 7  # half ticks
LAST_SIZE: Final = 8
BASE: Final = 9
HALTED: Final = 10
N_UNKNOWN: Final = 11  # tape events that name an order nobody has
N_OVERFLOW: Final = 12  # orders that found no room in the pool
N_OUTSIDE: Final = 13  # tape events with a price outside the ladder
TAKEN: Final = 14  # displayed lots our orders took
TAKEN_SHORT: Final = 15  # recorded cancels and executions of lots that we had taken
DISPLACED: Final = 16  # recorded executed lots that reached our orders first
META: Final = 17

RECORDED: Final = 0
OWNED: Final = 1
ANONYMOUS: Final = 2  # displayed quantity without an order id

_EMPTY: Final = np.int64(-(2**63))  # no key
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


class Book(NamedTuple):
    """Arrays of one book. W = window, N = capacity, H = hash slots (a power of two)."""

    meta: I64  # (META,)
    head: I64  # (2, W) first slot of the queue, -1 when empty
    tail: I64  # (2, W)
    level_qty: I64  # (2, W)
    level_rec: I64  # (2, W)
    oid: I64  # (N,)
    price: I64
    qty: I64
    rec: I64
    side: I64
    kind: I64
    next: I64
    prev: I64
    keys: I64  # (H,)
    slots: I64


def make_book(base_ticks: int, window: int = 1 << 16, capacity: int = 1 << 16) -> Book:
    """An empty book for prices base_ticks .. base_ticks + window - 1 and at most capacity orders."""
    table = 1 << (2 * capacity - 1).bit_length()
    meta = np.zeros(META, np.int64)
    meta[BEST_BID], meta[BEST_ASK], meta[BASE] = -1, window, base_ticks
    chain = np.arange(1, capacity + 1, dtype=np.int64)
    chain[-1] = -1
    oid, price, qty, rec, side, kind = (np.zeros(capacity, np.int64) for _ in range(6))
    queues = [np.full((2, window), -1, np.int64) for _ in range(2)]
    totals = [np.zeros((2, window), np.int64) for _ in range(2)]
    back = np.full(capacity, -1, np.int64)
    keys, slots = np.full(table, _EMPTY), np.zeros(table, np.int64)
    return Book(meta, queues[0], queues[1], totals[0], totals[1], oid, price, qty, rec, side, kind, chain, back, keys, slots)


@hot
def find(b: Book, oid: int) -> int:
    """Slot of an order id, -1 if there is none."""
    mask = b.keys.size - 1
    i = np.int64((np.uint64(oid) * _GOLDEN) >> np.uint64(20)) & mask
    while b.keys[i] != _EMPTY:
        if b.keys[i] == oid:
            return b.slots[i]
        i = (i + 1) & mask
    return -1


@hot
def _remember(b: Book, oid: int, slot: int) -> None:
    mask = b.keys.size - 1
    i = np.int64((np.uint64(oid) * _GOLDEN) >> np.uint64(20)) & mask
    while b.keys[i] != _EMPTY:
        i = (i + 1) & mask
    b.keys[i] = oid
    b.slots[i] = slot


@hot
def _forget(b: Book, oid: int) -> None:
    mask = b.keys.size - 1
    i = np.int64((np.uint64(oid) * _GOLDEN) >> np.uint64(20)) & mask
    while b.keys[i] != oid:
        if b.keys[i] == _EMPTY:
            return
        i = (i + 1) & mask
    j = i
    while True:  # close the gap, so that no probe sequence is cut
        j = (j + 1) & mask
        if b.keys[j] == _EMPTY:
            break
        home = np.int64((np.uint64(b.keys[j]) * _GOLDEN) >> np.uint64(20)) & mask
        if ((j - home) & mask) >= ((j - i) & mask):
            b.keys[i] = b.keys[j]
            b.slots[i] = b.slots[j]
            i = j
    b.keys[i] = _EMPTY


@hot
def _seek_best(b: Book, side: int) -> None:
    window = b.head.shape[1]
    if side == 0:
        i = b.meta[BEST_BID]
        while i >= 0 and b.level_qty[0, i] == 0:
            i -= 1
        b.meta[BEST_BID] = i
    else:
        i = b.meta[BEST_ASK]
        while i < window and b.level_qty[1, i] == 0:
            i += 1
        b.meta[BEST_ASK] = i


@hot
def _raise_best(b: Book, side: int, price: int) -> None:
    if side == 0 and price > b.meta[BEST_BID]:
        b.meta[BEST_BID] = price
    elif side == 1 and price < b.meta[BEST_ASK]:
        b.meta[BEST_ASK] = price


@hot
def add(b: Book, oid: int, kind: int, side: int, price: int, qty: int, rec: int, front: bool) -> int:
    """Queue an order, at the front or the back of its price. Its slot, or -1 (counted) when the pool is full."""
    slot = b.meta[FREE]
    if slot < 0:
        b.meta[N_OVERFLOW] += 1
        return -1
    b.meta[FREE] = b.next[slot]
    b.meta[LIVE] += 1
    b.oid[slot], b.kind[slot], b.side[slot], b.price[slot] = oid, kind, side, price
    b.qty[slot], b.rec[slot] = qty, rec
    first, last = b.head[side, price], b.tail[side, price]
    if first < 0:
        b.next[slot], b.prev[slot] = -1, -1
        b.head[side, price] = b.tail[side, price] = slot
    elif front:
        b.next[slot], b.prev[slot] = first, -1
        b.prev[first] = slot
        b.head[side, price] = slot
    else:
        b.next[slot], b.prev[slot] = -1, last
        b.next[last] = slot
        b.tail[side, price] = slot
    b.level_qty[side, price] += qty
    b.level_rec[side, price] += rec
    if kind != ANONYMOUS:
        _remember(b, oid, slot)
    if kind == OWNED:
        b.meta[OWN] += 1
    if qty > 0:
        _raise_best(b, side, price)
    return slot


@hot
def reduce(b: Book, slot: int, qty: int, rec: int) -> None:
    """Take lots off an order; it leaves the book when neither quantity is left."""
    side, price = b.side[slot], b.price[slot]
    b.qty[slot] -= qty
    b.rec[slot] -= rec
    b.level_qty[side, price] -= qty
    b.level_rec[side, price] -= rec
    if b.qty[slot] == 0 and b.rec[slot] == 0:
        before, after = b.prev[slot], b.next[slot]
        if before >= 0:
            b.next[before] = after
        else:
            b.head[side, price] = after
        if after >= 0:
            b.prev[after] = before
        else:
            b.tail[side, price] = before
        if b.kind[slot] != ANONYMOUS:
            _forget(b, b.oid[slot])
        if b.kind[slot] == OWNED:
            b.meta[OWN] -= 1
        b.next[slot] = b.meta[FREE]
        b.meta[FREE] = slot
        b.meta[LIVE] -= 1
    if qty > 0 and b.level_qty[side, price] == 0:
        _seek_best(b, side)


@hot
def grow(b: Book, slot: int, qty: int, rec: int) -> None:
    """Add lots to anonymous displayed quantity, which has no place of its own in the queue to lose."""
    side, price = b.side[slot], b.price[slot]
    b.qty[slot] += qty
    b.rec[slot] += rec
    b.level_qty[side, price] += qty
    b.level_rec[side, price] += rec
    if qty > 0:
        _raise_best(b, side, price)


@hot
def clear(b: Book) -> None:
    """Take all displayed quantity out; our own orders stay."""
    for side in range(2):
        for price in range(b.head.shape[1]):
            slot = b.head[side, price]
            while slot >= 0:
                after = b.next[slot]
                if b.kind[slot] != OWNED:
                    reduce(b, slot, b.qty[slot], b.rec[slot])
                slot = after
