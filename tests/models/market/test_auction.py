"""Call auctions: the price is what the printed rules say when each is read by itself; execution takes nothing from anybody."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market import layout as at
from models.market.auction import FILL_COLUMNS, NO_REFERENCE, auction_price, uncross
from models.market.book import add
from models.market.layout import Book, make_book

BASE, WINDOW = 500, 40
EDGE = {1: WINDOW - 1, -1: 0}


class Order(NamedTuple):
    side: int
    price: int  # index; None of the market
    lots: int
    ours: bool


limit = st.builds(Order, st.sampled_from([1, -1]), st.integers(10, 25), st.integers(1, 6), st.booleans())
market = st.builds(lambda side, lots: Order(side, EDGE[side], lots, True), st.sampled_from([1, -1]), st.integers(1, 6))
orders_ = st.one_of(st.lists(st.one_of(limit, limit, limit, market), min_size=n, max_size=25) for n in (0, 10))
references = st.one_of(st.just(-1), st.integers(0, WINDOW - 1))


def book_of(orders: list[Order]) -> Book:
    b = make_book(BASE, WINDOW, 64)
    for oid, order in enumerate(orders, 1):
        kind = at.OWNED if order.ours else at.RECORDED
        add(b, 0, oid, kind, 0 if order.side > 0 else 1, order.price, order.lots, 0 if order.ours else order.lots, False)
    return b


def by_the_rules(orders: list[Order], reference: int) -> tuple[int, int, int]:
    """Each rule read by itself, over every candidate."""
    limits = [o.price for o in orders if o.price not in EDGE.values()]
    if not limits and reference < 0:
        return -1, 0, 0
    low, high = (min(limits), max(limits)) if limits else (reference, reference)
    table = []
    for price in range(low, high + 1):
        bid = sum(o.lots for o in orders if o.side > 0 and o.price >= price)
        ask = sum(o.lots for o in orders if o.side < 0 and o.price <= price)
        table.append((price, min(bid, ask), bid - ask))
    most = max(lots for _, lots, _ in table)
    if most == 0:
        return -1, 0, 0
    table = [row for row in table if row[1] == most]
    least = min(abs(left) for *_, left in table)
    table = [row for row in table if abs(row[2]) == least]
    if all(left > 0 for *_, left in table):
        return table[-1]
    if all(left < 0 for *_, left in table):
        return table[0]
    near = reference if reference >= 0 else (low + high) // 2
    if least > 0:
        between = [max(row for row in table if row[2] > 0), min(row for row in table if row[2] < 0)]
        return min(between, key=lambda row: (abs(row[0] - near), row[0]))
    return min(table, key=lambda row: (abs(row[0] - near), row[0]))


@settings(max_examples=500, deadline=None)
@given(orders_, references)
def test_the_price_is_what_the_rules_say(orders: list[Order], reference: int) -> None:
    assert auction_price(book_of(orders), 0, reference) == by_the_rules(orders, reference)


@settings(max_examples=300, deadline=None)
@given(orders_, references, st.integers(1, 30))
def test_an_auction_makes_and_loses_no_lot_and_leaves_nobody_who_could_trade(
    orders: list[Order], reference: int, rows: int
) -> None:
    b = book_of(orders)
    price, lots, _ = auction_price(b, 0, reference)
    fills, left, seen = np.zeros((rows, FILL_COLUMNS), np.int64), lots, []
    while left:
        left, n = uncross(b, 0, price, left, 7, fills, 0)
        seen += fills[:n].tolist()
    filled = dict.fromkeys(range(1, len(orders) + 1), 0)
    for order in b.orders[1:]:
        if order["qty"]:
            filled[int(order["oid"])] -= int(order["qty"])
    for side in (1, -1):
        mine = {oid: o.lots + filled[oid] for oid, o in enumerate(orders, 1) if o.side == side}
        assert sum(mine.values()) == lots, "either side trades as much"
        for oid, traded in mine.items():
            o = orders[oid - 1]
            assert not traded or (o.price - price) * side >= 0, "nobody trades beyond his limit"
            ahead = [n for n in mine if ((orders[n - 1].price - o.price) * side, -n) > (0, -oid)]
            assert not traded or all(mine[n] == orders[n - 1].lots for n in ahead), "better prices, then earlier orders"
        told = {oid: 0 for oid in mine if orders[oid - 1].ours}
        for _, seller, seller_kind, buyer, buyer_kind, at_price, n in seen:
            oid, kind = (buyer, buyer_kind) if side > 0 else (seller, seller_kind)
            assert at_price == price and kind == (at.OWNED if orders[oid - 1].ours else at.RECORDED)
            if oid in told:
                told[oid] += n
        assert told == {oid: mine[oid] for oid in told}, "every fill of ours is told"
    bid, ask = b.meta[0, at.BEST_BID], b.meta[0, at.BEST_ASK]
    limits = [o for o in orders if o.price not in EDGE.values()]
    assert bid < ask or (not limits and reference < 0)
    assert b.meta[0, at.VOLUME] == lots and (not lots or b.meta[0, at.LAST_PRICE] == 2 * (price + BASE))


@pytest.mark.parametrize(
    ("orders", "reference", "expected"),
    [
        ([(1, 20, 5), (-1, 18, 5)], 19, (19, 5, 0)),
        ([(1, 20, 5), (-1, 18, 5)], 30, (20, 5, 0)),
        ([(1, 20, 9), (-1, 18, 5)], 10, (20, 5, 4)),
        ([(1, 20, 5), (-1, 18, 9)], 30, (18, 5, -4)),
        ([(1, 20, 5), (1, 19, 2), (-1, 18, 6)], 18, (19, 6, 1)),
        ([(1, WINDOW - 1, 5), (-1, 0, 3)], 17, (17, 3, 2)),
        ([(1, WINDOW - 1, 5), (-1, 0, 3)], NO_REFERENCE, (-1, 0, 0)),
        ([(1, 17, 5), (-1, 18, 3)], 17, (-1, 0, 0)),
        ([], 17, (-1, 0, 0)),
    ],
)
def test_by_hand(orders: list[tuple[int, int, int]], reference: int, expected: tuple[int, int, int]) -> None:
    assert auction_price(book_of([Order(*order, True) for order in orders]), 0, reference) == expected
