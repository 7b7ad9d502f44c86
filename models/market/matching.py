"""Price-time-priority matching: best price first, at one price the oldest order first. Compiled.

Fill rows are written only where one of our orders takes part:
(n, 7) = [time_ns, maker id, maker kind, taker id, taker kind, price index, lots].
"""

from __future__ import annotations

from typing import Final

from models.compiled import hot, i64, inlined
from models.market.book import reduce
from models.market.layout import (
    BASE,
    BEST_ASK,
    BEST_BID,
    CALLING,
    HIGH,
    I64,
    LAST_PRICE,
    LAST_SIZE,
    LOW,
    NOTIONAL,
    OWNED,
    TAKEN,
    VOLUME,
    Book,
)
from models.market.shown import show_less

FILL_COLUMNS: Final = 7
NONE: Final = i64(0)


@inlined
def print_trade(b: Book, k: int, half_ticks: int, lots: int) -> None:
    """Count a trade in the session's totals."""
    b.meta[k, VOLUME] += lots
    b.meta[k, NOTIONAL] += half_ticks * lots
    b.meta[k, LAST_PRICE] = half_ticks
    b.meta[k, LAST_SIZE] = lots
    b.meta[k, HIGH] = max(b.meta[k, HIGH], half_ticks)
    b.meta[k, LOW] = min(b.meta[k, LOW], half_ticks)


@inlined
def record_fill(fills: I64, n: int, ts: int, b: Book, slot: int, taker: int, taker_kind: int, lots: int) -> int:
    """Write one fill row. The number of rows."""
    fills[n, 0], fills[n, 1], fills[n, 2], fills[n, 3] = ts, b.orders[slot].oid, b.orders[slot].kind, taker
    fills[n, 4], fills[n, 5], fills[n, 6] = taker_kind, b.orders[slot].price, lots
    return n + 1


@hot
def available(b: Book, k: int, side: int, limit: int, wanted: int) -> int:
    """Lots, at most `wanted`, that an order of this side and limit could trade at once."""
    found = 0
    if side == 0:
        i = b.meta[k, BEST_ASK]
        while found < wanted and i <= limit and i < b.levels.shape[2]:
            found += b.levels[k, 1, i].qty
            i += 1
    else:
        i = b.meta[k, BEST_BID]
        while found < wanted and i >= limit and i >= 0:
            found += b.levels[k, 0, i].qty
            i -= 1
    return min(found, wanted)


@hot
def meets(b: Book, k: int, side: int, limit: int, lots: int, ts: int, fills: I64) -> tuple[int, int]:
    """Lots that an order of this side and limit would trade at once, and fill rows of those of our orders that it would trade
    with, as `match` would write them. Returns (lots, number of rows). Nothing changes.
    """
    other, left, n = 1 - side, lots, 0
    i = b.meta[k, BEST_ASK] if side == 0 else b.meta[k, BEST_BID]
    while left > 0 and 0 <= i < b.levels.shape[2] and (i <= limit if side == 0 else i >= limit) and b.meta[k, CALLING] == 0:
        slot = i64(b.levels[k, other, i].first)
        while slot > 0 and left > 0 and n < fills.shape[0]:
            traded = min(left, i64(b.orders[slot].qty))
            if traded > 0 and b.orders[slot].kind == OWNED:
                n = record_fill(fills, n, ts, b, slot, NONE, NONE, traded)
            left -= traded
            slot = i64(b.orders[slot].next)
        i += 1 if side == 0 else -1
    return lots - left, n


@hot
def match(
    b: Book, k: int, side: int, limit: int, lots: int, taker: int, taker_kind: int, ts: int, fills: I64, n: int
) -> tuple[int, int]:
    """Trade an incoming order against the other side, best price first, then oldest first.

    Returns (lots left, number of fill rows). Stops early when the rows are full; the caller then calls again. While an
    auction gathers orders nothing trades.
    """
    other, left = 1 - side, lots
    while b.meta[k, CALLING] == 0 and left > 0 and n < fills.shape[0]:
        best = b.meta[k, BEST_ASK] if side == 0 else b.meta[k, BEST_BID]
        if best < 0 or best >= b.levels.shape[2] or (side == 0 and best > limit) or (side == 1 and best < limit):
            break
        slot = i64(b.levels[k, other, best].first)
        while b.orders[slot].qty == 0:  # ghosts
            slot = i64(b.orders[slot].next)
        lots_traded = min(left, i64(b.orders[slot].qty))
        gone_from_tape = NONE
        if b.orders[slot].kind != OWNED:
            if taker_kind == OWNED:
                b.meta[k, TAKEN] += lots_traded
            else:
                gone_from_tape = lots_traded
        if b.orders[slot].kind == OWNED or taker_kind == OWNED:
            n = record_fill(fills, n, ts, b, slot, taker, taker_kind, lots_traded)
        print_trade(b, k, 2 * (best + b.meta[k, BASE]), lots_traded)
        show_less(b, slot, lots_traded, NONE, ts)
        reduce(b, slot, lots_traded, gone_from_tape)
        left -= lots_traded
    return left, n
