"""A second of the event book: orders of others and ours meet in a matching book, and a follower reads its feed. Compiled.

There are two books of P instruments, one path each. In the **venue's** book orders are matched in price-time priority
(`models.market.matching`). What it displays is told as records (`models.market.shown`), and the **desk's** book follows them
with features and observation exactly as the hot loop does: what a strategy sees is made of nothing else.

Others quote around the reference (`models.worlds.event_flow`): no bid above it, no ask below it. Before a slot's orders arrive,
those that it has left behind by more than a little are pulled by their owners, as market makers do; the others trade with whoever
crosses them. Our orders are pulled by nobody.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import hot, i64
from models.feature_arrays import Features
from models.features import update
from models.market.book import add, find, reduce
from models.market.follow import apply_one
from models.market.layout import BEST_ASK, BEST_BID, N_OUTSIDE, OWNED, RECORDED, SHOWN, VOLUME, Book
from models.market.matching import match
from models.market.shown import show_less, show_order
from models.observation import Watch, mark, note
from models.worlds.event_flow import (
    CARRIED,
    DEPTH,
    HALF,
    IMPACT,
    LIMITS,
    MARKETS,
    MOVED,
    SIGMA,
    SLACK,
    SLOTS,
    Drive,
    M,
    displace,
    distance,
    draw,
    move,
    pace,
    patience,
    poisson,
    side_of_market,
    size_of,
)

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

LIVES: Final = 128  # slots: no order is longer in the book
ORDERS: Final = 1 << 14  # of a path that await their end; were more to come in 128 slots, a ring entry would be its own successor
PIECES: Final = 6  # of an interval's quantity
_EVERY: Final = SLOTS // PIECES
_SECOND: Final = i64(1_000_000_000)
_OWN: Final = i64(1 << 62)
_NONE: Final = i64(0)
# What an order of ours has done in an interval, see `Market.own`.
DONE, PAID, WORKED, RESTING, PASSIVE, LEFT = 0, 1, 2, 3, 4, 5
COUNTS: Final = 6


class Market(NamedTuple):
    """Of P paths."""

    venue: Book
    desk: Book
    features: Features
    watch: Watch
    drive: Drive
    due: I32  # (P, LIVES) the first order that is canceled in a slot, by its number in the ring; 0 for none
    chain: I32  # (P, ORDERS) the next one
    ids: I64  # (P, ORDERS) their ids
    serial: I64  # (P,) orders so far
    own: I64  # (P, COUNTS): shares done, ticks x shares paid, wanted, what rests, done by it; left of the order before
    fills: I64  # (F, 7)


@hot
def read(m: Market, p: int) -> None:
    """The desk reads what the venue has displayed since it last did: what has one time is one event."""
    shown, n = m.venue.shown, m.venue.pool[SHOWN]
    for i in range(n):
        apply_one(m.desk, shown, i)
        update(m.features, m.desk, shown, i)
        note(m.watch, m.features, m.desk, p)
        if i + 1 == n or shown[i + 1].ts_event_ns != shown[i].ts_event_ns:
            mark(m.watch, m.desk, p)
    m.venue.pool[SHOWN] = 0


@hot
def _settle(m: Market, p: int, rows: int, side: int) -> None:
    """Fill rows: what traded with us is gone for good, and our resting order's fills are ours."""
    for i in range(rows):
        row = m.fills[i]
        if row[2] == OWNED and row[4] != OWNED:
            m.own[p, DONE] += row[6]
            m.own[p, PAID] += row[6] * row[5]
            m.own[p, PASSIVE] += row[6]
            displace(m.drive, p, float(side * row[6]))
        elif row[4] == OWNED:
            slot = find(m.venue, p, row[1])
            if slot > 0 and m.venue.orders[slot].rec > m.venue.orders[slot].qty:
                reduce(m.venue, slot, _NONE, i64(m.venue.orders[slot].rec) - i64(m.venue.orders[slot].qty))


@hot
def _pull(m: Market, p: int, ts: int) -> None:
    """Quotes on the wrong side of the reference leave, but for those within a tick of it."""
    reference = m.drive.x[p, M] + m.drive.x[p, IMPACT]
    for side in range(2):
        while True:
            best = m.venue.meta[p, BEST_BID] if side == 0 else m.venue.meta[p, BEST_ASK]
            if best < 0 or best >= m.venue.levels.shape[2]:
                break
            wrong = best - reference if side == 0 else reference - best
            slot = i64(m.venue.levels[p, side, best].first)
            if wrong < m.drive.par[p, SLACK] or m.venue.orders[slot].kind == OWNED:
                break
            show_less(m.venue, slot, _NONE, i64(m.venue.orders[slot].qty), ts)
            reduce(m.venue, slot, i64(m.venue.orders[slot].qty), i64(m.venue.orders[slot].rec))


@hot
def _cancel_due(m: Market, p: int, slot: int, ts: int) -> None:
    """Orders whose patience is over leave, if they are still there."""
    at = i64(m.due[p, slot % LIVES])
    m.due[p, slot % LIVES] = 0
    while at > 0:
        place = find(m.venue, p, m.ids[p, at])
        if place > 0:
            qty = i64(m.venue.orders[place].qty)
            show_less(m.venue, place, _NONE, qty, ts)
            reduce(m.venue, place, qty, i64(m.venue.orders[place].rec))
        at = i64(m.chain[p, at])


@hot
def _limit(m: Market, p: int, slot: int, ts: int, vol: float, side: int) -> None:
    """Another trader's limit order. side: of our order, +1 or -1."""
    d = m.drive
    bid = draw(d, p, 1) < 0.5
    behind, shares, life = distance(d, p), size_of(d, p), patience(d, p, LIVES - 1)
    reference = d.x[p, M] + d.x[p, IMPACT]
    behind = d.par[p, HALF] * vol + behind * math.sqrt(max(1.0, d.par[p, SIGMA] / 1.4))
    price = i64(math.floor(reference - behind)) if bid else i64(math.ceil(reference + behind))
    if price < 1 or price >= m.venue.levels.shape[2] - 1:
        m.venue.meta[p, N_OUTSIDE] += 1
        return
    way = _NONE if bid else i64(1)
    m.serial[p] += 1
    oid = m.serial[p]
    left, rows = match(m.venue, p, way, price, shares, oid, RECORDED, ts, m.fills, _NONE)
    _settle(m, p, rows, side)
    if left > 0:
        place = add(m.venue, p, oid, RECORDED, way, price, left, left, False)
        if place > 0:
            show_order(m.venue, place, ts)
        ring = 1 + oid % (ORDERS - 1)
        m.ids[p, ring], m.chain[p, ring] = oid, m.due[p, (slot + life) % LIVES]
        m.due[p, (slot + life) % LIVES] = ring


@hot
def _market(m: Market, p: int, slot: int, ts: int, side: int) -> None:
    """Another trader's market order: what the book does not hold it does not get."""
    sign, shares = side_of_market(m.drive, p, slot), size_of(m.drive, p)
    way, edge = (_NONE, i64(m.venue.levels.shape[2] - 1)) if sign > 0 else (i64(1), _NONE)
    _, rows = match(m.venue, p, way, edge, shares, _NONE, RECORDED, ts, m.fills, _NONE)
    _settle(m, p, rows, side)


@hot
def take(m: Market, p: int, ts: int, side: int, shares: int, reach: int) -> int:
    """Our marketable order, at most `reach` ticks beyond the best price. What it did not get."""
    best = m.venue.meta[p, BEST_ASK] if side > 0 else m.venue.meta[p, BEST_BID]
    if shares <= 0 or best < 0 or best >= m.venue.levels.shape[2]:
        return shares
    way = _NONE if side > 0 else i64(1)
    left, limit = shares, min(max(best + side * reach, _NONE), m.venue.levels.shape[2] - 1)
    while left > 0:
        asked = left
        left, rows = match(m.venue, p, way, limit, left, _OWN, OWNED, ts, m.fills, _NONE)
        for i in range(rows):
            m.own[p, DONE] += m.fills[i, 6]
            m.own[p, PAID] += m.fills[i, 6] * m.fills[i, 5]
            displace(m.drive, p, float(side * m.fills[i, 6]))
        _settle(m, p, rows, side)
        if left == asked or rows < m.fills.shape[0]:
            break
    return left


@hot
def _withdraw(m: Market, p: int, ts: int) -> None:
    """Our resting order, if there is one, is taken back."""
    slot = find(m.venue, p, _OWN + m.own[p, RESTING])
    if m.own[p, RESTING] > 0 and slot > 0:
        qty = i64(m.venue.orders[slot].qty)
        show_less(m.venue, slot, _NONE, qty, ts)
        reduce(m.venue, slot, qty, _NONE)
    m.own[p, RESTING] = 0


@hot
def _piece(m: Market, p: int, slot: int, ts: int, side: int, passive: float) -> None:
    """What is due crosses the spread, but for the share of the next piece that may wait at the near touch until then."""
    n = (slot % SLOTS) // _EVERY
    wanted = m.own[p, WORKED]
    _withdraw(m, p, ts)
    due = i64(round(wanted * (n + 1) / PIECES)) - m.own[p, DONE]
    waits = i64(0)
    if passive > 0.0 and n + 1 < PIECES:
        waits = i64(passive * wanted / PIECES)
    take(m, p, ts, side, due - waits, 50)
    near = m.venue.meta[p, BEST_BID] if side > 0 else m.venue.meta[p, BEST_ASK]
    if waits > 0 and due > 0 and 0 < near < m.venue.levels.shape[2] - 1:
        m.serial[p] += 1
        m.own[p, RESTING] = m.serial[p]
        way = _NONE if side > 0 else i64(1)
        place = add(m.venue, p, _OWN + m.serial[p], OWNED, way, near, min(due, waits), _NONE, False)
        if place > 0:
            show_order(m.venue, place, ts)


@hot
def _slot(m: Market, p: int, slot: int, side: int, passive: float) -> None:
    """slot: since the order arrived; negative before."""
    d, ts = m.drive, (slot + LIVES) * _SECOND
    vol = move(d, p, slot)
    d.x[p, CARRIED] += d.x[p, MOVED] * float(m.own[p, LEFT] - m.own[p, DONE])
    _pull(m, p, ts)
    _cancel_due(m, p, slot + LIVES, ts)
    busy = pace(d, p, slot)
    limits = poisson(d, p, 1, d.par[p, LIMITS] * d.x[p, DEPTH] * busy)
    markets = poisson(d, p, 1, d.par[p, MARKETS] * busy)
    many = limits + markets + 1
    if slot >= 0 and slot % _EVERY == _EVERY // 2 and m.own[p, WORKED] > 0:
        _piece(m, p, slot, ts + 1, side, passive)
    for i in range(limits + markets):
        at = ts + (i + 1) * _SECOND // many
        if draw(d, p, 1) * (limits + markets) < markets:
            markets -= 1
            _market(m, p, slot, at, side)
        else:
            limits -= 1
            _limit(m, p, slot + LIVES, at, vol, side)


@hot
def interval(
    m: Market, first: int, slots: int, sides: I64, left: I64, shares: I64, passive: float, mids: F64, volume: F64
) -> None:
    """Slots first .. first + slots - 1 of every path.

    Args:
        sides (P,): +1 our order buys, -1 it sells. left (P,): shares of it. shares (P,): to trade in these slots.
        passive: share of each piece that waits at the near touch until the next.
        mids (P,), volume (P,): written: the middle after them, ticks from the ladder's bottom, and what traded, shares.
    """
    for p in range(sides.size):
        before = m.venue.meta[p, VOLUME]
        m.own[p, DONE], m.own[p, PAID], m.own[p, PASSIVE], m.own[p, WORKED] = 0, 0, 0, shares[p]
        m.own[p, LEFT] = left[p]
        for slot in range(first, first + slots):
            _slot(m, p, slot, sides[p], passive)
            read(m, p)
        _withdraw(m, p, (first + slots + LIVES) * _SECOND - 1)
        read(m, p)
        if m.venue.meta[p, BEST_BID] >= 0 and m.venue.meta[p, BEST_ASK] < m.venue.levels.shape[2]:
            mids[p] = 0.5 * (m.venue.meta[p, BEST_BID] + m.venue.meta[p, BEST_ASK])
        volume[p] = m.venue.meta[p, VOLUME] - before


@hot
def finish(m: Market, slot: int, sides: I64, missed: I64) -> None:
    """What the last pieces did not get is asked for as far as the book reaches. missed (P,): written, what it never had."""
    for p in range(sides.size):
        left = m.own[p, WORKED] - m.own[p, DONE]
        missed[p] = take(m, p, (slot + LIVES) * _SECOND, sides[p], left, i64(m.venue.levels.shape[2])) if left > 0 else _NONE
        read(m, p)
