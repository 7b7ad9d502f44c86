"""What the nets see at a decision moment, made from book and features: one compiled function for training and the hot loop.

Of each instrument there is kept, beside the book and the features: the last 50 trades, and two units that make instruments
alike. **Price unit**: a sixteenth of a tick plus the average of abs(middle - middle ten events before). **Size unit**: the
average of the lots at the two best prices. Both are averages over the events so far, each with weight 1 / n at first and
1 / 1024 from then on: they never know what comes. An **event** is everything that arrived together (`mark` comes behind it).

The order of calls: `apply_one`, `features.update` and `note` for each record, `mark` after the last of an event, and `observe`
when a decision is wanted. Arrays are described in `models.net_contract`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import feature_arrays as fa
from models.compiled import inlined
from models.feature_arrays import Features
from models.logarithm import compress
from models.market.layout import LAST_PRICE, PRINTS, Book
from models.net_contract import FEATURES, LEVELS, STEP_EVENTS, TRADES

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

AVERAGED: Final = 1024  # events
WARM_EVENTS: Final = 100  # before the first observation
LEAST_TICKS: Final = 1 / 16  # of the price unit
# Integers of each instrument.
AT, COUNT, SEEN, EVENTS, MIDDLE_AT = 0, 1, 2, 3, 4
INTS: Final = 8
# A trade: its time, its last print's price, its lots, +1 bought -1 sold 0 not known.
NS, HALF_TICKS, LOTS, DIRECTION = 0, 1, 2, 3
PRICE, SIZE = 0, 1  # units


class Watch(NamedTuple):
    """State of K instruments."""

    trades: I64  # (K, 50, 4) a ring
    ints: I64  # (K, INTS)
    middles: I64  # (K, 10) best bid + best ask after the last ten events, a ring, half ticks
    moved: F64  # (K,) average of what the middle moves in ten events, ticks
    units: F64  # (K, 2) price unit in ticks, size unit in lots
    levels: I64  # (K,) how many levels a side the feed tells: what the book has beyond them is out of date, and not shown


def make_watch(instruments: int = 1, levels: int = LEVELS) -> Watch:
    """Nothing seen yet. levels: how many a side the feed tells, 1 .. 10; may be set by instrument in `levels`."""
    assert 1 <= levels <= LEVELS
    k = instruments
    return Watch(
        trades=np.zeros((k, TRADES, 4), np.int64),
        ints=np.zeros((k, INTS), np.int64),
        middles=np.zeros((k, STEP_EVENTS), np.int64),
        moved=np.zeros(k),
        units=np.tile([LEAST_TICKS, 1.0], (k, 1)),
        levels=np.full(k, levels, np.int64),
    )


@inlined
def note(w: Watch, f: Features, b: Book, k: int) -> None:
    """The record that the features have just taken: where it was a print, its trade is remembered."""
    n, s = w.ints[k], f.ints[k]
    if b.meta[k, PRINTS] == n[SEEN]:
        return
    n[SEEN] = b.meta[k, PRINTS]
    last = w.trades[k, n[AT] - 1 if n[AT] > 0 else TRADES - 1]
    if n[COUNT] == 0 or last[NS] != s[fa.TRADE_NS] or last[DIRECTION] != s[fa.TRADE_SIDE]:
        last = w.trades[k, n[AT]]
        n[AT] = n[AT] + 1 if n[AT] + 1 < TRADES else 0
        n[COUNT] += 1
    last[NS], last[DIRECTION] = s[fa.TRADE_NS], s[fa.TRADE_SIDE]
    last[HALF_TICKS], last[LOTS] = b.meta[k, LAST_PRICE], s[fa.TRADE_LOTS]


@inlined
def mark(w: Watch, b: Book, k: int) -> None:
    """An event is complete. Without two sides, or with a crossed book, it counts for nothing."""
    top = b.ten[k, 0]
    if top[1] <= 0 or top[3] <= 0 or top[2] < top[0]:
        return
    n, middle, size = w.ints[k], top[0] + top[2], 0.5 * (top[1] + top[3])
    before, seen = w.middles[k, n[MIDDLE_AT]], n[EVENTS]
    w.middles[k, n[MIDDLE_AT]] = middle
    n[MIDDLE_AT] = n[MIDDLE_AT] + 1 if n[MIDDLE_AT] + 1 < STEP_EVENTS else 0
    n[EVENTS] = seen + 1
    w.units[k, SIZE] += (size - w.units[k, SIZE]) / min(seen + 1, AVERAGED)
    if seen >= STEP_EVENTS:
        w.moved[k] += (0.5 * abs(middle - before) - w.moved[k]) / min(seen + 1 - STEP_EVENTS, AVERAGED)
        w.units[k, PRICE] = LEAST_TICKS + w.moved[k]


@inlined
def observe(w: Watch, f: Features, b: Book, k: int, book: F32, tape: F32, context: F32) -> bool:
    """Write what the nets see of instrument k now.

    Args:
        book (40,), tape (3, 50), context (18,): written.

    Returns:
        False, and nothing is written: one side is missing, the book is crossed, or fewer than 100 events were seen.
    """
    top = b.ten[k, 0]
    if w.ints[k, EVENTS] < WARM_EVENTS or top[1] <= 0 or top[3] <= 0 or top[2] < top[0]:
        return False
    middle, price, size = top[0] + top[2], 1.0 / w.units[k, PRICE], 1.0 / w.units[k, SIZE]
    ten, told = b.ten[k].reshape(4 * LEVELS), 2 * w.levels[k]
    for each in range(2 * LEVELS):
        ticks, lots = ten[2 * each], ten[2 * each + 1]
        there = 1.0 if lots > 0 and each < told else 0.0
        book[2 * each] = there * compress(0.5 * (2 * ticks - middle) * price)
        book[2 * each + 1] = there * compress(lots * size)
    at = w.ints[k, AT]  # the oldest; those never written are zeros
    _trades(w.trades[k, at:], middle, price, size, tape[0], tape[1], tape[2])
    _trades(w.trades[k, :at], middle, price, size, tape[0, TRADES - at :], tape[1, TRADES - at :], tape[2, TRADES - at :])
    _context(w, f, k, context)
    return True


@inlined
def _trades(trades: I64, middle: int, price: float, size: float, prices: F32, sizes: F32, directions: F32) -> None:
    """Consecutive trades into as many columns of the tape: a loop without a branch, which becomes vector instructions."""
    for i in range(trades.shape[0]):
        lots = trades[i, LOTS]
        there = 1.0 if lots > 0 else 0.0
        prices[i] = there * compress(0.5 * (trades[i, HALF_TICKS] - middle) * price)
        sizes[i] = compress(lots * size)
        directions[i] = trades[i, DIRECTION]


@inlined
def _context(w: Watch, f: Features, k: int, context: F32) -> None:
    price, size = w.units[k, PRICE], w.units[k, SIZE]
    values, known = f.values[k], f.ints[k, fa.KNOWN]
    slope = values[fa.SLOPE] * size / price  # price units that the size unit moves
    context[fa.OFI], context[fa.QUEUE], context[fa.VPIN] = values[fa.OFI], values[fa.QUEUE], values[fa.VPIN]
    context[fa.SPREAD] = compress(values[fa.SPREAD] / price)
    context[fa.ARRIVAL] = compress(values[fa.ARRIVAL])
    context[fa.SLOPE] = slope / (1.0 + abs(slope))
    for j in range(FEATURES):
        context[FEATURES + j] = 1.0 if known >> j & 1 else 0.0
        context[2 * FEATURES + j] = 1.0 if values[fa.REGIME] == j else 0.0
