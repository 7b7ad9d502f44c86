"""A second of the event book with a maker's quotes in its queues. Compiled.

The market is that of `models.worlds.event_market`: others' orders, matched in price-time priority. The maker has one bid and
one ask at most, which wait at the back of their queues like everybody's. Several times a second it looks: the desk's book,
which follows the venue's feed, gives the observation, a net or a rule gives an action, `models.quoting.wanted` makes prices of
it, and after a latency they reach the venue. Until then, and whenever the market moves first, the old quotes stand and can be
picked off: others pull what the reference leaves behind at once, the maker only at its next look.

A quote that need not change keeps its place. What would trade at once is refused (post-only). At the inventory limit the side is
cut down or left out, counting what already rests, so that no run of fills can pass it. Trading with us moves nobody's opinion:
the aggressor would have traded with the next in the queue.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from models import inference_layout as lay
from models.compiled import hot, i64, inlined
from models.inference import Core
from models.market.book import add, displayed, find, reduce
from models.market.layout import BASE, BEST_ASK, BEST_BID, LAST_PRICE, OWNED, VOLUME
from models.market.shown import show_less, show_order
from models.net_contract import STEP_EVENTS
from models.observation import EVENTS, PRICE, observe
from models.quoting import outside, own_state, wanted
from models.worlds.event_flow import DEPTH, IMPACT, LIMITS, MARKETS, SLACK, M, draw, move, pace, poisson
from models.worlds.event_market import F64, I64, LIVES, Market, cancel_due, limit_order, market_order, read
from models.worlds.making_run import GLFT, NET, keep, look, rule
from models.worlds.world import F32

LOOKS_A_SECOND: Final = 4
_SECOND: Final = i64(1_000_000_000)
_BETWEEN: Final = i64(_SECOND // LOOKS_A_SECOND)
_OWN: Final = i64(1 << 62)
_NONE, _NEVER = i64(0), i64(1 << 62)
# Numbers of a maker, `Seat.who`.
INVENTORY, CASH, DUE_NS, STEPPED, PLACED, KEPT, REFUSED, FILLS, PLACED_LOTS = 0, 1, 2, 3, 4, 5, 6, 7, 8
SIDES: Final = 9  # where those of the bid begin, and then those of the ask
ID, AT, LOTS, SINCE_NS, WANT, WANT_LOTS, LIFE_NS, ENDED, SIDE = 0, 1, 2, 3, 4, 5, 6, 7, 8
WHO: Final = SIDES + 2 * SIDE
# Settings of a maker, `Seat.terms`.
SIZE, LIMIT, LATENCY_NS, EDGE, TERMS = 0, 1, 2, 3, 4
# A fill.
F_NS, F_LOOK, F_WAY, F_PRICE, F_LOTS, F_MID2, F_AGE_NS, FILL = 0, 1, 2, 3, 4, 5, 6, 7
# Sums of rolling estimates: orders, seconds, reach, squared moves, and the middle a second ago.
ORDERS, SECONDS, REACH, SQUARES, MIDDLE, ROLLING = 0, 1, 2, 3, 4, 5
_KEEP_ORDERS: Final = 0.99


class Seat(NamedTuple):
    """Makers, one in each of P markets, for T looks."""

    who: I64  # (P, WHO)
    terms: I64  # (P, TERMS): lots of a quote, most lots of inventory, latency, least distance in half ticks
    rolling: F64  # (P, ROLLING)
    state: F32  # (P, STATE) of the net
    inputs: F32  # (INPUTS,)
    results: F32  # (RESULTS,)
    action: F32  # (4,)
    quotes: F64  # (2,)
    estimates: F64  # (3,)
    fills: I64  # (P, F, FILL)
    mid2: I64  # (P, T) twice the others' middle at each look, 0 without one
    held: I64  # (P, T) inventory at each look, lots
    cash: I64  # (P, T) ticks x lots at each look
    shown: I64  # (P, T, 2) lots of bid and ask that rest at each look
    seen: F32  # (P, T, 132) and raw (P, T, 4): of a net that learns
    raw: F32
    taught: F32  # (P, T, 2) distances that a rule would quote then, price units


@hot
def _pull_others(m: Market, p: int, ts: int) -> None:
    """Others' quotes on the wrong side of the reference leave, wherever ours stand."""
    reference = m.drive.x[p, M] + m.drive.x[p, IMPACT]
    for side in range(2):
        price = m.venue.meta[p, BEST_BID] if side == 0 else m.venue.meta[p, BEST_ASK]
        while 0 <= price < m.venue.levels.shape[2]:
            wrong = price - reference if side == 0 else reference - price
            if wrong < m.drive.par[p, SLACK]:
                break
            slot = i64(m.venue.levels[p, side, price].first)
            while slot > 0:
                after = i64(m.venue.orders[slot].next)
                if m.venue.orders[slot].kind != OWNED:
                    qty = i64(m.venue.orders[slot].qty)
                    show_less(m.venue, slot, _NONE, qty, ts)
                    reduce(m.venue, slot, qty, i64(m.venue.orders[slot].rec))
                slot = after
            price = displayed(m.venue, p, side, price - 1 if side == 0 else price + 1)


@inlined
def others(m: Market, s: Seat, p: int) -> tuple[int, int]:
    """The venue's best prices that are not ours alone, 0 where there is none."""
    w = s.who[p]
    return outside(m.venue.ten[p], w[SIDES + AT], w[SIDES + LOTS], w[SIDES + SIDE + AT], w[SIDES + SIDE + LOTS])


@hot
def settle(m: Market, s: Seat, p: int, rows: int, ts: int, at_look: int, mid2: int) -> None:
    """Fills of our quotes. mid2: before the order that traded with them."""
    w = s.who[p]
    for i in range(rows):
        row = m.fills[i]
        for side in range(2):
            one = w[SIDES + side * SIDE : SIDES + (side + 1) * SIDE]
            if row[2] == OWNED and one[ID] > 0 and row[1] == _OWN + one[ID]:
                way, lots = 1 - 2 * side, row[6]
                w[INVENTORY] += way * lots
                price = row[5] + m.venue.meta[p, BASE]
                w[CASH] -= way * lots * price
                one[LOTS] -= lots
                if w[FILLS] < s.fills.shape[1]:
                    told = s.fills[p, w[FILLS]]
                    told[F_NS], told[F_LOOK], told[F_WAY], told[F_PRICE] = ts, at_look, way, price
                    told[F_LOTS], told[F_MID2], told[F_AGE_NS] = lots, mid2, ts - one[SINCE_NS]
                w[FILLS] += 1
                if one[LOTS] == 0:
                    one[ID] = 0
                    one[LIFE_NS] += ts - one[SINCE_NS]
                    one[ENDED] += 1


@hot
def _withdraw(m: Market, s: Seat, p: int, side: int, ts: int) -> None:
    one = s.who[p, SIDES + side * SIDE : SIDES + (side + 1) * SIDE]
    slot = find(m.venue, p, _OWN + one[ID])
    if one[ID] > 0 and slot > 0:
        qty = i64(m.venue.orders[slot].qty)
        show_less(m.venue, slot, _NONE, qty, ts)
        reduce(m.venue, slot, qty, _NONE)
        one[LIFE_NS] += ts - one[SINCE_NS]
        one[ENDED] += 1
    one[ID], one[LOTS] = 0, 0


@hot
def place(m: Market, s: Seat, p: int, ts: int) -> None:
    """What was wanted reaches the venue."""
    w = s.who[p]
    w[DUE_NS] = _NEVER
    for side in range(2):
        one = w[SIDES + side * SIDE : SIDES + (side + 1) * SIDE]
        if one[ID] > 0 and one[AT] == one[WANT] and one[WANT_LOTS] <= 2 * one[LOTS] and one[WANT_LOTS] > 0:
            w[KEPT] += 1
        else:
            _withdraw(m, s, p, side, ts)
    for side in range(2):
        one = w[SIDES + side * SIDE : SIDES + (side + 1) * SIDE]
        room = s.terms[p, LIMIT] - (1 - 2 * side) * w[INVENTORY]
        lots = min(one[WANT_LOTS], room)
        if one[ID] == 0 and lots > 0:
            price = one[WANT] - m.venue.meta[p, BASE]
            crosses = price >= m.venue.meta[p, BEST_ASK] if side == 0 else price <= m.venue.meta[p, BEST_BID]
            if crosses or price < 1 or price >= m.venue.levels.shape[2] - 1:
                w[REFUSED] += 1
            else:
                m.serial[p] += 1
                slot = add(m.venue, p, _OWN + m.serial[p], OWNED, i64(side), price, lots, _NONE, False)
                if slot > 0:
                    show_order(m.venue, slot, ts)
                    one[ID], one[AT], one[LOTS], one[SINCE_NS] = m.serial[p], one[WANT], lots, ts
                    w[PLACED] += 1
                    w[PLACED_LOTS] += lots


@hot
def look_and_want(
    m: Market, s: Seat, p: int, ts: int, at_look: int, left: float, seconds: int, maker: F64, core: Core, noise: F32
) -> None:
    """The maker looks, and what it wants will reach the venue after its latency. left: of the session, a share; seconds: all of
    it. maker: kind, number, explores, teacher's number."""
    w, kind = s.who[p], int(maker[0])
    bid, ask = outside(m.desk.ten[p], w[SIDES + AT], w[SIDES + LOTS], w[SIDES + SIDE + AT], w[SIDES + SIDE + LOTS])
    there = bid > 0 and ask > 0
    if there:
        _measure(s, p, bid + ask)
    s.mid2[p, at_look], s.held[p, at_look], s.cash[p, at_look] = bid + ask if there else _NONE, w[INVENTORY], w[CASH]
    s.shown[p, at_look, 0], s.shown[p, at_look, 1] = w[SIDES + LOTS], w[SIDES + SIDE + LOTS]
    unit = 1.0
    if there and kind == NET:
        unit = m.watch.units[p, PRICE]
        there = _act(m, s, p, at_look, bid + ask, left, unit, maker[2] > 0, core, noise)
        if there and s.taught.shape[0] > 0:
            rule(GLFT, maker[3], left * seconds, w[INVENTORY] / s.terms[p, SIZE], s.estimates, s.quotes)
            s.taught[p, at_look, 0], s.taught[p, at_look, 1] = s.quotes[0] / unit, s.quotes[1] / unit
    elif there:
        rule(kind, maker[1], left * seconds, w[INVENTORY] / s.terms[p, SIZE], s.estimates, s.quotes)
        s.action[0], s.action[1], s.action[2], s.action[3] = s.quotes[0], s.quotes[1], 1.0, 1.0
    prices = (_NONE, _NONE, _NONE, _NONE)
    if there:
        prices = wanted(bid + ask, bid, ask, unit, s.action, s.terms[p, SIZE], s.terms[p, EDGE])
    w[SIDES + WANT], w[SIDES + SIDE + WANT] = prices[0], prices[1]
    w[SIDES + WANT_LOTS], w[SIDES + SIDE + WANT_LOTS] = prices[2], prices[3]
    w[DUE_NS] = ts + s.terms[p, LATENCY_NS]


@inlined
def _act(
    m: Market, s: Seat, p: int, at_look: int, mid2: int, left: float, unit: float, explores: bool, core: Core, noise: F32
) -> bool:
    """A net's action into s.action. False: it does not see enough, or the core said no."""
    w, x = s.who[p], s.inputs
    book, tape = x[lay.IN_BOOK : lay.IN_TAPE], x[lay.IN_TAPE : lay.IN_CONTEXT].reshape((3, 50))
    if not observe(m.watch, m.features, m.desk, p, book, tape, x[lay.IN_CONTEXT : lay.IN_OWN]):
        return False
    own_bid = w[SIDES + AT] if w[SIDES + LOTS] > 0 else _NONE
    own_ask = w[SIDES + SIDE + AT] if w[SIDES + SIDE + LOTS] > 0 else _NONE
    own_state(w[INVENTORY], s.terms[p, LIMIT], mid2, own_bid, own_ask, unit, left, x, lay.IN_OWN)
    steps = m.watch.ints[p, EVENTS] // STEP_EVENTS
    advances = steps > w[STEPPED]
    w[STEPPED] = steps
    row = noise[p, at_look] if explores else noise[0, 0]
    if not look(core, x, s.state[p], s.results, row, explores, advances):
        return False
    for i in range(4):
        s.action[i] = s.results[lay.OUT_ACTION + i]
    if s.seen.shape[0] > 0:
        keep(core, x, s.results, s.seen[p, at_look], s.raw[p, at_look])
    return True


@inlined
def _measure(s: Seat, p: int, mid2: int) -> None:
    """Rolling estimates as any desk could make them: orders of a side a second, 1 / mean reach, ticks per root second."""
    r = s.rolling[p]
    if r[MIDDLE] > 0:
        r[SQUARES] += ((0.5 * mid2 - r[MIDDLE]) ** 2 * LOOKS_A_SECOND - r[SQUARES]) / 400.0
    r[MIDDLE] = 0.5 * mid2
    s.estimates[0] = 0.5 * r[ORDERS] / r[SECONDS]
    s.estimates[1] = r[ORDERS] / r[REACH]
    s.estimates[2] = r[SQUARES] ** 0.5


@inlined
def reached(m: Market, s: Seat, p: int, mid2: int, prints: int, seconds: float) -> None:
    """An order that traded went so far; seconds since the last event of any kind."""
    r = s.rolling[p]
    r[SECONDS] += seconds
    if prints:
        r[ORDERS], r[SECONDS], r[REACH] = _KEEP_ORDERS * r[ORDERS], _KEEP_ORDERS * r[SECONDS], _KEEP_ORDERS * r[REACH]
        r[ORDERS] += 1.0
        r[REACH] += max(0.5 * abs(m.venue.meta[p, LAST_PRICE] - mid2), 0.25)


@hot
def second(m: Market, s: Seat, p: int, slot: int, seconds: int, maker: F64, core: Core, noise: F32) -> None:
    """Slot `slot` of a maker's `seconds`, from 0 on."""
    d, w, ts = m.drive, s.who[p], (slot + LIVES) * _SECOND
    first, done = slot * LOOKS_A_SECOND, 0
    vol = move(d, p, slot)
    _pull_others(m, p, ts)
    cancel_due(m, p, slot + LIVES, ts)
    read(m, p)
    busy = pace(d, p, slot)
    limits = poisson(d, p, 1, d.par[p, LIMITS] * d.x[p, DEPTH] * busy)
    markets = poisson(d, p, 1, d.par[p, MARKETS] * busy)
    many = limits + markets + 1
    for i in range(many):
        at = ts + (i + 1) * _SECOND // many
        while done < LOOKS_A_SECOND and ts + done * _BETWEEN <= at:
            now = ts + done * _BETWEEN
            if w[DUE_NS] <= now:
                place(m, s, p, now)
                read(m, p)
            left = 1.0 - (first + done) / (seconds * LOOKS_A_SECOND)
            look_and_want(m, s, p, now, first + done, left, seconds, maker, core, noise)
            done += 1
        if w[DUE_NS] <= at:
            place(m, s, p, min(at, max(w[DUE_NS], ts)))
        if i + 1 < many:
            bid, ask = others(m, s, p)
            prints = m.venue.meta[p, VOLUME]
            if draw(d, p, 1) * (limits + markets) < markets:
                markets -= 1
                rows = market_order(m, p, slot, at)
            else:
                limits -= 1
                rows = limit_order(m, p, slot + LIVES, at, vol)
            settle(m, s, p, rows, at, first + done - 1, bid + ask if bid > 0 and ask > 0 else s.mid2[p, first + done - 1])
            reached(m, s, p, bid + ask, m.venue.meta[p, VOLUME] - prints, 1.0 / many)
            read(m, p)


@hot
def session(m: Market, s: Seat, seconds: int, maker: F64, core: Core, noise: F32) -> None:
    """All makers' sessions, from a market that has warmed up. maker (4,): kind, number, explores, number of the
    rule that teaches."""
    for p in range(s.who.shape[0]):
        for slot in range(seconds):
            second(m, s, p, slot, seconds, maker, core, noise)


@hot
def exits(m: Market, s: Seat, out: I64) -> None:
    """out (P, 2): others' best bid and ask when all is over, 0 where there is none."""
    for p in range(s.who.shape[0]):
        out[p, 0], out[p, 1] = others(m, s, p)
