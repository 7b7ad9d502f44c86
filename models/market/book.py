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

from models.compiled import hot, i64

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
HIGH: Final = 17  # highest and lowest trade since they were last looked at, half ticks
LOW: Final = 18
RISE: Final = 19  # a trade at or above this (half ticks) triggers a stop order, and so does one at or below FALL
FALL: Final = 20
META: Final = 21

NEVER: Final = 2**62  # above every price; negative: below

RECORDED: Final = i64(0)
OWNED: Final = i64(1)
ANONYMOUS: Final = i64(2)  # displayed quantity without an order id

_EMPTY: Final = np.int64(-(2**63))  # no key
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)


ORDER: Final = np.dtype([(name, "i8") for name in ("oid", "price", "qty", "rec", "side", "kind", "next", "prev")])
LEVEL: Final = np.dtype([(name, "i8") for name in ("first", "last", "qty", "rec")])
ENTRY: Final = np.dtype([("key", "i8"), ("slot", "i8")])


class Book(NamedTuple):
    """Arrays of one book: W = window, N = capacity, H = hash entries (a power of two)."""

    meta: I64  # (META,)
    levels: NDArray[np.void]  # (2, W) of LEVEL: a price's queue, -1 for no slot, and its sums
    orders: NDArray[np.void]  # (N,) of ORDER: one cache line each
    ids: NDArray[np.void]  # (H,) of ENTRY: order id -> slot


def make_book(base_ticks: int, window: int = 1 << 16, capacity: int = 1 << 16) -> Book:
    """An empty book for prices base_ticks .. base_ticks + window - 1 and at most capacity orders."""
    meta = np.zeros(META, np.int64)
    meta[BEST_BID], meta[BEST_ASK], meta[BASE] = -1, window, base_ticks
    meta[HIGH], meta[LOW], meta[RISE], meta[FALL] = -NEVER, NEVER, NEVER, -NEVER
    levels, orders = np.zeros((2, window), LEVEL), np.zeros(capacity, ORDER)
    levels["first"] = levels["last"] = -1
    orders["next"] = np.arange(1, capacity + 1)  # the free list
    orders["next"][-1] = orders["prev"][:] = -1
    ids = np.zeros(1 << (2 * capacity - 1).bit_length(), ENTRY)
    ids["key"] = _EMPTY
    return Book(meta, levels, orders, ids)


@hot
def find(b: Book, oid: int) -> int:
    """Slot of an order id, -1 if there is none."""
    mask = b.ids.size - 1
    i = np.int64((np.uint64(oid) * _GOLDEN) >> np.uint64(20)) & mask
    while b.ids[i].key != _EMPTY:
        if b.ids[i].key == oid:
            return b.ids[i].slot
        i = (i + 1) & mask
    return -1


@hot
def _remember(b: Book, oid: int, slot: int) -> None:
    mask = b.ids.size - 1
    i = np.int64((np.uint64(oid) * _GOLDEN) >> np.uint64(20)) & mask
    while b.ids[i].key != _EMPTY:
        i = (i + 1) & mask
    b.ids[i].key = oid
    b.ids[i].slot = slot


@hot
def _forget(b: Book, oid: int) -> None:
    mask = b.ids.size - 1
    i = np.int64((np.uint64(oid) * _GOLDEN) >> np.uint64(20)) & mask
    while b.ids[i].key != oid:
        if b.ids[i].key == _EMPTY:
            return
        i = (i + 1) & mask
    j = i
    while True:  # close the gap, so that no probe sequence is cut
        j = (j + 1) & mask
        if b.ids[j].key == _EMPTY:
            break
        home = np.int64((np.uint64(b.ids[j].key) * _GOLDEN) >> np.uint64(20)) & mask
        if ((j - home) & mask) >= ((j - i) & mask):
            b.ids[i].key = b.ids[j].key
            b.ids[i].slot = b.ids[j].slot
            i = j
    b.ids[i].key = _EMPTY


@hot
def _seek_best(b: Book, side: int) -> None:
    window = b.levels.shape[1]
    if side == 0:
        i = b.meta[BEST_BID]
        while i >= 0 and b.levels[0, i].qty == 0:
            i -= 1
        b.meta[BEST_BID] = i
    else:
        i = b.meta[BEST_ASK]
        while i < window and b.levels[1, i].qty == 0:
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
    b.meta[FREE] = b.orders[slot].next
    b.meta[LIVE] += 1
    b.orders[slot].oid, b.orders[slot].kind, b.orders[slot].side, b.orders[slot].price = oid, kind, side, price
    b.orders[slot].qty, b.orders[slot].rec = qty, rec
    first, last = b.levels[side, price].first, b.levels[side, price].last
    if first < 0:
        b.orders[slot].next, b.orders[slot].prev = -1, -1
        b.levels[side, price].first = b.levels[side, price].last = slot
    elif front:
        b.orders[slot].next, b.orders[slot].prev = first, -1
        b.orders[first].prev = slot
        b.levels[side, price].first = slot
    else:
        b.orders[slot].next, b.orders[slot].prev = -1, last
        b.orders[last].next = slot
        b.levels[side, price].last = slot
    b.levels[side, price].qty += qty
    b.levels[side, price].rec += rec
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
    side, price = b.orders[slot].side, b.orders[slot].price
    b.orders[slot].qty -= qty
    b.orders[slot].rec -= rec
    b.levels[side, price].qty -= qty
    b.levels[side, price].rec -= rec
    if b.orders[slot].qty == 0 and b.orders[slot].rec == 0:
        before, after = b.orders[slot].prev, b.orders[slot].next
        if before >= 0:
            b.orders[before].next = after
        else:
            b.levels[side, price].first = after
        if after >= 0:
            b.orders[after].prev = before
        else:
            b.levels[side, price].last = before
        if b.orders[slot].kind != ANONYMOUS:
            _forget(b, b.orders[slot].oid)
        if b.orders[slot].kind == OWNED:
            b.meta[OWN] -= 1
        b.orders[slot].next = b.meta[FREE]
        b.meta[FREE] = slot
        b.meta[LIVE] -= 1
    if qty > 0 and b.levels[side, price].qty == 0:
        _seek_best(b, side)


@hot
def grow(b: Book, slot: int, qty: int, rec: int) -> None:
    """Add lots to anonymous displayed quantity, which has no place of its own in the queue to lose."""
    side, price = b.orders[slot].side, b.orders[slot].price
    b.orders[slot].qty += qty
    b.orders[slot].rec += rec
    b.levels[side, price].qty += qty
    b.levels[side, price].rec += rec
    if qty > 0:
        _raise_best(b, side, price)


@hot
def clear(b: Book) -> None:
    """Take all displayed quantity out; our own orders stay."""
    for side in range(2):
        for price in range(b.levels.shape[1]):
            slot = b.levels[side, price].first
            while slot >= 0:
                after = b.orders[slot].next
                if b.orders[slot].kind != OWNED:
                    reduce(b, slot, b.orders[slot].qty, b.orders[slot].rec)
                slot = after
