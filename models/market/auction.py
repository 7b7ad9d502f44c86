"""A call auction on a book: orders gather without trading, then one price for all. Compiled.

The price is found as exchanges print it in their rules (Xetra's market model among them), each rule among what the one
before has left:
1. the most lots are executed;
2. the fewest lots are left over at the price (the imbalance);
3. market pressure: where all that is left over wants to buy, the highest price; to sell, the lowest;
4. the reference price: where lots are left over on either side by turns, of the two prices between which that changes the one
   nearer to the reference; where nothing is left over, the price nearest to the reference. Between two as near, the lower.

Candidates are all prices from the lowest to the highest limit order. Market orders stand at the ladder's edge on their side,
ahead of all limits, and move no price by themselves: where they are alone, the reference is the price, and without one they do
not trade. Execution is in order of price, then of time. An uncrossed book is not crossed: were an order left that could
trade, rules 1 to 3 would have moved the price to it.
"""

from __future__ import annotations

from typing import Final

from models.compiled import hot, i64
from models.market.bits import above, below
from models.market.book import reduce
from models.market.layout import BASE, BEST_ASK, BEST_BID, I64, OWNED, TAKEN, Book
from models.market.matching import print_trade
from models.market.shown import show_cross, show_uncrossed

NO_REFERENCE: Final = i64(-1)
FILL_COLUMNS: Final = 7


@hot
def _limits(b: Book, k: int) -> tuple[int, int]:
    """Lowest and highest price of a limit order; (0, -1) without any. Market orders stand at the edges."""
    edge = b.levels.shape[2] - 1
    low, high = edge, i64(-1)
    for side in range(2):
        first = above(b.bits, k, side, 1 if side == 1 else 0)
        last = below(b.bits, k, side, edge - 1 if side == 0 else edge)
        if 0 <= first <= last:
            low, high = min(low, first), max(high, last)
    return (low, high) if high >= 0 else (i64(0), high)


@hot
def _wanted(b: Book, k: int, side: int, price: int) -> int:
    """Lots that a side would trade at this price."""
    lots = i64(0)
    i = above(b.bits, k, side, price if side == 0 else 0)
    while i >= 0 and (side == 0 or i <= price):
        lots += b.levels[k, side, i].qty
        i = above(b.bits, k, side, i + 1)
    return lots


@hot
def auction_price(b: Book, k: int, reference: int) -> tuple[int, int, int]:
    """(price index, lots executed, lots left over there: above 0 to buy, below 0 to sell); (-1, 0, 0) if nothing trades.

    Args:
        reference: index of the reference price; -1 without one, which then decides as the middle of the candidates.
    """
    low, high = _limits(b, k)
    if high < 0:
        if reference < 0:
            return -1, 0, 0
        low = high = reference
    near = reference if reference >= 0 else (low + high) // 2
    bid, ask = _wanted(b, k, 0, low), _wanted(b, k, 1, low)
    most, least = i64(0), i64(0)
    buy, sell, even_low, even_high = i64(-1), i64(-1), i64(-1), i64(-1)
    for price in range(low, high + 1):
        if price > low:
            bid -= b.levels[k, 0, price - 1].qty
            ask += b.levels[k, 1, price].qty
        lots, left = min(bid, ask), bid - ask
        if lots == 0 or lots < most or (lots == most and abs(left) > least):
            continue
        if lots > most or abs(left) < least:
            most, least = lots, abs(left)
            buy, sell, even_low, even_high = -1, -1, -1, -1
        if left > 0:
            buy = price  # the highest of them stays
        elif left < 0:
            sell = price if sell < 0 else sell
        else:
            even_low = price if even_low < 0 else even_low
            even_high = price
    if most == 0:
        return -1, 0, 0
    if even_low >= 0:
        return min(max(near, even_low), even_high), most, 0
    if sell < 0 or (buy >= 0 and near - buy <= sell - near):
        return buy, most, least
    return sell, most, -least


@hot
def uncross(b: Book, k: int, price: int, lots: int, ts: int, fills: I64, n: int) -> tuple[int, int]:
    """Execute lots at a price, both sides in order of price and time. Returns (lots left to execute, fill rows).

    A row is written where one of our orders takes part, as continuous matching writes it: the seller as maker, the buyer as
    taker. Stops early when the rows are full; the caller then calls again.
    """
    done = i64(0)
    while lots > 0 and n < fills.shape[0]:
        buyer = i64(b.levels[k, 0, b.meta[k, BEST_BID]].first)
        while b.orders[buyer].qty == 0:  # ghosts
            buyer = i64(b.orders[buyer].next)
        seller = i64(b.levels[k, 1, b.meta[k, BEST_ASK]].first)
        while b.orders[seller].qty == 0:
            seller = i64(b.orders[seller].next)
        traded = min(lots, i64(b.orders[buyer].qty), i64(b.orders[seller].qty))
        buyer_ours, seller_ours = b.orders[buyer].kind == OWNED, b.orders[seller].kind == OWNED
        if buyer_ours or seller_ours:
            fills[n, 0], fills[n, 1], fills[n, 2] = ts, b.orders[seller].oid, b.orders[seller].kind
            fills[n, 3], fills[n, 4], fills[n, 5], fills[n, 6] = b.orders[buyer].oid, b.orders[buyer].kind, price, traded
            n += 1
            if not (buyer_ours and seller_ours):
                b.meta[k, TAKEN] += traded
        # The tape knows of trades between its own orders alone; what it sold to us, it still believes to be there.
        recorded = traded if not buyer_ours and not seller_ours else i64(0)
        show_uncrossed(b, buyer, price + b.meta[k, BASE], traded, ts)
        show_uncrossed(b, seller, price + b.meta[k, BASE], traded, ts)
        reduce(b, buyer, traded, recorded)
        reduce(b, seller, traded, recorded)
        lots -= traded
        done += traded
    if done > 0:
        print_trade(b, k, 2 * (price + b.meta[k, BASE]), done)
        show_cross(b, k, 2 * (price + b.meta[k, BASE]), done, ts)
    return lots, n
