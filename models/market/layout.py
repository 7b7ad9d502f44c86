"""The arrays of a limit order book of many instruments in fixed memory, and the names of their places.

Units: prices are indices into an instrument's ladder of `window` ticks (index = price_ticks - base), sizes are lots, sides are
0 (bid) and 1 (ask). An order is a slot of one pool that all instruments share; slot 0 is nobody. Nothing is allocated after
`make_book`; address space is taken at once, memory as prices and orders come into use, and never more than that.

Two quantities per order, because our own orders trade against recorded ones: `qty` is what can still be traded with, `rec`
is what the tape believes is there. They differ by what we took. An order with rec > 0 and qty = 0 is a ghost: the tape will
still name it. Our own orders have rec = 0. Where only a tape is followed, the two are equal.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.tape import Tape, empty_tape
from models.compiled import i64
from models.market import bits

I64 = NDArray[np.int64]

# meta: scalars of each instrument. What every event reads stands together in the first cache line.
BEST_BID: Final = 0  # index of the best bid, -1 without
BEST_ASK: Final = 1  # index of the best ask, window without
BASE: Final = 2
OWN: Final = 3  # our orders
HIGH: Final = 4  # highest and lowest trade since they were last looked at, half ticks
LOW: Final = 5
RISE: Final = 6  # a trade at or above this (half ticks) triggers a stop order, and so does one at or below FALL
FALL: Final = 7
VOLUME: Final = 8
NOTIONAL: Final = 9  # half ticks x lots, prices counted from tick 0
LAST_PRICE: Final = 10  # half ticks
LAST_SIZE: Final = 11
HALTED: Final = 12  # the market's last Status, 0 while it trades
ANCHORED: Final = 13  # 0 until the ladder has its place: the first price decides it
PARKED: Final = 14  # first order outside the ladder, 0 without
CALLING: Final = 15  # 1 while an auction gathers orders: nothing is matched
N_UNKNOWN: Final = 16  # events that name an order nobody has, or an id that is taken
N_OVERFLOW: Final = 17  # orders that found no room in the pool
N_OUTSIDE: Final = 18  # events with a price outside the ladder
N_INVALID: Final = 19  # events that no market says: sizes below 0 or beyond 2^31 - 1 lots, no side, an unknown kind
N_SHORT: Final = 20  # cancels and executions of more lots than were there
N_CROSSED: Final = 21  # events that left the best bid above the best ask
N_LOCKED: Final = 22  # events that left them equal
N_MOVED: Final = 23  # times the ladder was moved after the market
TAKEN: Final = 24  # displayed lots our orders took
TAKEN_SHORT: Final = 25  # recorded cancels and executions of lots that we had taken
DISPLACED: Final = 26  # recorded executed lots that reached our orders first
SUSPECT: Final = 27  # 1 after the feed has lost something, until it is whole again
REPLACED: Final = 28  # of the order whose replacement comes next: 1 bid, 2 ask, 0 nobody knows
LAST_SIDE: Final = 29  # resting side of the last print of a feed: +1, -1, 0 not known
PRINTS: Final = 30  # prints of a feed, each of an aggressor
META: Final = 32

# pool: scalars of all instruments together
FREE: Final = 0  # a slot that was given back, the rest of them linked behind it; 0 without
USED: Final = 1  # slots ever used: the rest of the pool is untouched
LIVE: Final = 2  # slots in use
N_STRANGER: Final = 3  # events of an instrument that this book does not have
SHOWN: Final = 4  # records in `shown`
LAST_ID: Final = 5  # of displayed totals without ids, see models.market.shown
POOL: Final = 8

NEVER: Final = 2**62  # above every price; negative: below
LOTS_MAX: Final = i64(2**31 - 1)  # of one order
TEN: Final = 10  # levels kept in order

RECORDED: Final = i64(0)
OWNED: Final = i64(1)
ANONYMOUS: Final = i64(2)  # displayed quantity without an order id

# Two orders fill a cache line.
ORDER: Final = np.dtype(
    [("oid", "i8"), ("price", "i4"), ("qty", "i4"), ("rec", "i4"), ("next", "i4"), ("prev", "i4"), ("k", "i2"), ("side", "i1"),
     ("kind", "i1")]
)  # fmt: skip
LEVEL: Final = np.dtype([("qty", "i8"), ("rec", "i8"), ("first", "i4"), ("last", "i4"), ("orders", "i4"), ("spare", "i4")])
ENTRY: Final = np.dtype([("tag", "u4"), ("slot", "i4")])


class Book(NamedTuple):
    """Arrays of K instruments: W = window, N = capacity of the pool, H = hash entries (a power of two)."""

    meta: I64  # (K, META)
    ten: I64  # (K, 10, 4): the ten best levels, best first, as [bid_px, bid_sz, ask_px, ask_sz] in ticks; no level is 0, 0
    levels: NDArray[np.void]  # (K, 2, W) of LEVEL: a price's queue, 0 for no slot, and its sums
    bits: I64  # (K, 2, words): prices with a queue
    orders: NDArray[np.void]  # (N + 1,) of ORDER
    ids: NDArray[np.void]  # (H,) of ENTRY: order id -> slot; slot 0 for an empty place
    pool: I64  # (POOL,)
    shown: Tape  # (S,): what the market has displayed since that was last taken, see models.market.shown; (0,) of a follower


def make_book(
    base_ticks: int | None = None, window: int = 1 << 16, capacity: int = 1 << 16, instruments: int = 1, *, shows: bool = False
) -> Book:
    """An empty book.

    Args:
        base_ticks: the ladders' lowest price; None: each ladder is placed around its instrument's first price.
        window: ladder length in ticks, at most 2^18.
        capacity: most orders that all instruments have together.
        instruments: 1 .. 32,767, known by their index.
        shows: whether it tells what it displays.
    """
    assert 0 < instruments < 1 << 15 and 0 < capacity < 1 << 30
    meta = np.zeros((instruments, META), np.int64)
    meta[:, BEST_BID], meta[:, BEST_ASK] = -1, window
    meta[:, BASE], meta[:, ANCHORED] = base_ticks or 0, base_ticks is not None
    meta[:, HIGH], meta[:, LOW], meta[:, RISE], meta[:, FALL] = -NEVER, NEVER, NEVER, -NEVER
    return Book(
        meta=meta,
        ten=np.zeros((instruments, TEN, 4), np.int64),
        levels=np.zeros((instruments, 2, window), LEVEL),
        bits=np.zeros((instruments, 2, bits.words(window)), np.int64),
        orders=np.zeros(capacity + 1, ORDER),
        ids=np.zeros(max(16, 1 << (2 * capacity - 1).bit_length()), ENTRY),
        pool=np.zeros(POOL, np.int64),
        shown=empty_tape(4 * capacity + 64 if shows else 0),
    )
