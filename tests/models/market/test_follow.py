"""A book that follows a feed, against lists and loops; many instruments in one tape; and what no feed should say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.tape import (
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_BY_LEVEL,
    FLAG_IOC,
    FLAG_MAY_BE_GONE,
    FLAG_NO_PRINT,
    FLAG_QUEUE,
    FLAG_REPLACED,
    FLAG_UNCOVERED,
    TAPE,
    Kind,
    Status,
    Tape,
    tape_of,
)
from models.market import layout as at
from models.market.book import find, vector
from models.market.follow import apply
from models.market.layout import Book, make_book
from tests.models.market.naive_follow import NaiveFollow

INSTRUMENTS, CENTER = 3, 10_000
Row = tuple[Kind, int, int, int, int, int, int]  # kind, id, side, price, lots, flags, instrument

sides = st.sampled_from([1, -1])
ids = st.integers(1, 12)
lots = st.integers(1, 9)
names = st.integers(0, INSTRUMENTS - 1)


def rows(spread: int, *, levels: bool) -> st.SearchStrategy[list[Row]]:
    """Made feeds with prices within `spread` ticks of the middle, half of them at a few, so that queues grow."""
    far = st.integers(CENTER - spread, CENTER + spread)
    price = st.one_of(st.sampled_from([CENTER - spread, CENTER - 2, CENTER - 1, CENTER, CENTER + 1, CENTER + spread]), far)
    executing = st.sampled_from([0, FLAG_BY_LEVEL, FLAG_AT_PRICE])
    taking = st.sampled_from([0, FLAG_ALL, FLAG_MAY_BE_GONE, FLAG_BY_LEVEL, FLAG_ALL | FLAG_MAY_BE_GONE])
    rare = st.sampled_from([*7 * [Kind.CROSS], Kind.CLEAR])
    resting = st.sampled_from([0, 0, 0, 0, FLAG_IOC])
    orders = [st.tuples(st.just(Kind.ADD), ids, sides, price, lots, resting, names) for _ in range(6)]  # as often as six kinds
    kinds = [
        *orders,
        st.tuples(st.just(Kind.CANCEL), ids, sides, price, lots, taking, names),
        st.tuples(st.just(Kind.EXECUTE), ids, sides, price, lots, executing, names),
        st.tuples(st.just(Kind.CANCEL), ids, st.just(0), st.just(0), lots, taking, names),
        st.tuples(st.just(Kind.EXECUTE), ids, st.just(0), st.just(0), lots, st.sampled_from([0, FLAG_NO_PRINT]), names),
        st.tuples(
            st.just(Kind.EXECUTE), ids, st.just(0), price, lots, st.sampled_from([FLAG_AT_PRICE, FLAG_AT_PRICE | 1]), names
        ),
        st.tuples(
            st.just(Kind.CANCEL),
            ids,
            st.sampled_from([0, 0, 1]),
            st.just(0),
            st.just(0),
            st.just(FLAG_ALL | FLAG_REPLACED),
            names,
        ),
        st.tuples(st.just(Kind.ADD), ids, st.just(0), price, lots, st.just(0), names),
        st.tuples(st.just(Kind.MODIFY), ids, st.just(0), price, st.integers(0, 9), st.just(0), names),
        st.tuples(
            st.just(Kind.TRADE), st.just(0), st.sampled_from([1, 0, -1]), price, lots, st.sampled_from([0, FLAG_QUEUE]), names
        ),
        st.tuples(rare, st.just(0), st.just(0), price, lots, st.just(0), names),
        st.tuples(
            st.just(Kind.STATUS),
            st.just(0),
            st.just(0),
            st.just(0),
            st.sampled_from([0, 1, 3, 16, 17, 18, 19]),
            st.just(0),
            names,
        ),
    ]
    if levels:
        total, uncovered = st.integers(0, 30), st.sampled_from([0, FLAG_UNCOVERED])
        kinds += [st.tuples(st.just(Kind.LEVEL), st.just(0), sides, price, total, uncovered, names) for _ in range(3)]
    return st.one_of(st.lists(st.one_of(kinds), min_size=n, max_size=80) for n in (0, 30, 40, 50))


def tape(script: list[Row]) -> Tape:
    return tape_of(
        [(i, i, oid, price, size, k, flags, kind, side) for i, (kind, oid, side, price, size, flags, k) in enumerate(script)]
    )


def ten(levels: list[tuple[int, int]]) -> list[list[int]]:
    return [list(level) for level in levels[:10]] + [[0, 0]] * (10 - len(levels[:10]))


def queue(b: Book, k: int, side: int, price: int) -> list[tuple[int | None, int]]:
    """A price's queue by its links."""
    found, slot = [], int(b.levels[k, side, price]["first"])
    while slot:
        order = b.orders[slot]
        assert (order["k"], order["side"], order["price"], order["rec"]) == (k, side, price, order["qty"])
        found.append((None if order["kind"] == at.ANONYMOUS else int(order["oid"]), int(order["qty"])))
        slot = int(order["next"])
    return found


def same(b: Book, k: int, naive: NaiveFollow) -> None:
    """The book is what the lists say, as far as its ladder reaches, and knows every order beyond it."""
    meta, window = b.meta[k], b.levels.shape[2]
    low = int(meta[at.BASE])
    for side, sign in ((0, 1), (1, -1)):
        shown = naive.levels(sign, low, low + window)
        assert b.ten[k, :, 2 * side : 2 * side + 2].tolist() == ten(shown)
        best = shown[0][0] - low if shown else (-1 if side == 0 else window)
        assert meta[at.BEST_BID + side] == best
        held = {price + low: queue(b, k, side, price) for price in np.flatnonzero(b.levels[k, side]["first"]).tolist()}
        assert held == {price: naive.queue(sign, price) for price, _ in shown}
        assert {price: int(b.levels[k, side, price - low]["orders"]) for price in held} == {p: len(q) for p, q in held.items()}
    for order in naive.orders:
        if order.order_id is not None:
            slot = find(b, k, order.order_id)
            assert slot and b.orders[slot]["qty"] == order.lots and b.orders[slot]["price"] == order.price - low
    assert (meta[at.HALTED], meta[at.SUSPECT], meta[at.VOLUME]) == (naive.halted, naive.suspect, naive.volume)
    assert meta[at.PRINTS] == len(naive.prints)
    if naive.prints and meta[at.LAST_SIZE] == naive.prints[-1][1]:  # an auction's print is none of an aggressor
        assert meta[at.LAST_SIDE] == naive.prints[-1][2]


@pytest.mark.parametrize("window", [256, 4096, 1 << 16])
@settings(max_examples=120, deadline=None)
@given(script=rows(60, levels=True))
def test_the_book_is_what_the_lists_say_after_every_event(window: int, script: list[Row]) -> None:
    b, naive = make_book(CENTER - window // 2, window, 128, INSTRUMENTS), [NaiveFollow() for _ in range(INSTRUMENTS)]
    events = tape(script)
    for i, (*row, k) in enumerate(script):
        apply(b, events, i, i + 1)
        naive[k].apply(*row)
        same(b, k, naive[k])
    for k, judge in enumerate(naive):
        for name, place in (("unknown", at.N_UNKNOWN), ("short", at.N_SHORT), ("crossed", at.N_CROSSED), ("locked", at.N_LOCKED)):
            assert b.meta[k, place] == judge.counts[name], name
    assert b.pool[at.LIVE] == sum(len(judge.orders) for judge in naive)


@settings(max_examples=200, deadline=None)
@given(script=rows(70, levels=False))
def test_a_short_ladder_moves_with_the_market_and_forgets_nobody(script: list[Row]) -> None:
    script = [row for row in script if row[0] is not Kind.TRADE and not row[5] & FLAG_BY_LEVEL]  # they need the level itself
    b, naive = make_book(None, 24, 256, INSTRUMENTS), [NaiveFollow() for _ in range(INSTRUMENTS)]
    events = tape(script)
    for i, (*row, k) in enumerate(script):
        apply(b, events, i, i + 1)
        naive[k].apply(*row)
        same(b, k, naive[k])
    assert b.pool[at.LIVE] == sum(len(judge.orders) for judge in naive)


def test_a_ladder_follows_a_market_that_drifts_and_stays_where_a_stub_quote_is() -> None:
    b = make_book(None, 64, 512)
    rows_: list[Row] = [(Kind.ADD, 1, 1, 1, 5, 0, 0), (Kind.ADD, 2, -1, 19_999_999, 5, 0, 0)]
    for step in range(100):
        price = 1_000 + 3 * step
        rows_ += [(Kind.ADD, 10 + 2 * step, 1, price, 7, 0, 0), (Kind.ADD, 11 + 2 * step, -1, price + 2, 8, 0, 0)]
        if step > 2:
            rows_ += [(Kind.CANCEL, 4 + 2 * step, 1, 0, 0, FLAG_ALL, 0), (Kind.CANCEL, 5 + 2 * step, -1, 0, 0, FLAG_ALL, 0)]
    events = tape(rows_)
    apply(b, events, 0, events.size)
    assert b.ten[0, :4].tolist() == [[1297, 7, 1293, 8], [1294, 7, 1296, 8], [1291, 7, 1299, 8], [0, 0, 0, 0]]
    assert 4 < b.meta[0, at.N_MOVED] < 30
    assert find(b, 0, 1) and find(b, 0, 2), "the stub quotes are known"
    apply(b, tape([(Kind.CANCEL, 1, 1, 1, 5, 0, 0), (Kind.EXECUTE, 2, -1, 19_999_999, 5, 0, 0)]), 0, 2)
    assert not find(b, 0, 1) and not find(b, 0, 2) and b.meta[0, at.N_UNKNOWN] == 0


def test_orders_parked_at_one_price_are_in_their_queue_when_the_ladder_comes() -> None:
    b = make_book(None, 64, 16)
    events = tape([(Kind.ADD, 1, 1, 1_000, 5, 0, 0), *((Kind.ADD, n, 1, 900, n, 0, 0) for n in (2, 3, 4))])
    apply(b, events, 0, 4)
    assert b.meta[0, at.N_OUTSIDE] == 3 and not b.meta[0, at.N_MOVED]
    apply(b, tape([(Kind.CANCEL, 1, 1, 0, 0, FLAG_ALL, 0), (Kind.ADD, 5, 1, 890, 9, 0, 0)]), 0, 2)
    low = int(b.meta[0, at.BASE])
    assert b.meta[0, at.N_MOVED] == 1 and queue(b, 0, 0, 900 - low) == [(2, 2), (3, 3), (4, 4)]
    assert b.ten[0, :2, :2].tolist() == [[900, 9], [890, 9]]


def test_what_no_feed_should_say_is_counted_and_does_nothing() -> None:
    b = make_book(0, 64, 4, 2)
    hostile = tape_of(
        [
            (0, 0, 1, 10, -5, 0, 0, Kind.ADD, 1),
            (0, 0, 1, 10, 2**31, 0, 0, Kind.ADD, 1),
            (0, 0, 1, 10, 5, 0, 0, Kind.LEVEL, 0),
            (0, 0, 1, 2**62, 5, 0, 0, Kind.ADD, 1),
            (0, 0, 1, -(2**63), 5, 0, 0, Kind.LEVEL, 1),
            (0, 0, 1, 10, 5, 0, 0, 77, 1),
            (0, 0, 1, 10, 5, 2, 0, Kind.ADD, 1),
            (0, 0, 1, 10, 5, -1, 0, Kind.ADD, 1),
        ]
    )
    apply(b, hostile, 0, hostile.size)
    assert b.meta[0, at.N_INVALID] == 6 and b.pool[at.N_STRANGER] == 2
    assert b.pool[at.LIVE] == 0 and not b.ten.any()
    many = tape([(Kind.ADD, n, 1, 10, 1, 0, n % 2) for n in range(1, 8)])
    apply(b, many, 0, many.size)
    assert b.meta[:, at.N_OVERFLOW].sum() == 3 and b.pool[at.LIVE] == 4
    apply(b, tape([(Kind.CANCEL, 7, 1, 12, 1, 0, 1), (Kind.CANCEL, 2, 1, 10, 1, 0, 1)]), 0, 2)
    assert b.meta[1, at.N_UNKNOWN] == 2, "an id is one instrument's: the other's order 2 stays"
    assert b.meta[0, at.N_UNKNOWN] == 0 and b.pool[at.LIVE] == 4


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=0, max_size=TAPE.itemsize * 40))
def test_any_bytes_are_a_tape_that_harms_nothing(noise: bytes) -> None:
    events = np.frombuffer(noise[: len(noise) // TAPE.itemsize * TAPE.itemsize], TAPE).copy()
    events["instrument"] %= 3
    events["kind"] %= 11
    events["price_ticks"] %= 200
    b = make_book(50, 64, 16, 2)
    apply(b, events, 0, events.size)
    out = np.zeros(40, np.int64)
    for k in range(2):
        vector(b, k, out)
        assert out.reshape(10, 4).tolist() == b.ten[k].tolist() and (out.reshape(10, 4)[:, 1::2] >= 0).all()


def test_ids_that_share_a_place_in_the_table_are_told_apart() -> None:
    b = make_book(0, 64, 8)
    script: list[Any] = []
    chance = np.random.default_rng(3)
    live: dict[int, int] = {}
    for _ in range(4_000):
        if live and (len(live) == 8 or chance.random() < 0.5):
            oid = int(chance.choice(list(live)))
            script.append((Kind.CANCEL, oid, 1, live.pop(oid), 0, FLAG_ALL, 0))
        else:
            oid = int(chance.integers(1, 1 << 60))
            live[oid] = int(chance.integers(0, 64))
            script.append((Kind.ADD, oid, 1, live[oid], 1, 0, 0))
    events = tape(script)
    apply(b, events, 0, events.size)
    assert b.pool[at.LIVE] == len(live) and all(find(b, 0, oid) for oid in live)
    assert b.meta[0, at.N_UNKNOWN] == 0 and (b.ids["slot"] > 0).sum() == len(live)


def test_a_status_and_a_clear_of_every_instrument() -> None:
    b = make_book(0, 64, 8, 3)
    script: list[Row] = [
        (Kind.ADD, 1, 1, 10, 5, 0, 0),
        (Kind.ADD, 2, 1, 10, 5, 0, 2),
        (Kind.STATUS, 0, 0, 0, Status.HALTED, 0, -1),
    ]
    apply(b, tape([*script, (Kind.STATUS, 0, 0, 0, Status.LOST, 0, -1)]), 0, 4)
    assert b.meta[:, at.HALTED].tolist() == [1, 1, 1] and b.meta[:, at.SUSPECT].tolist() == [1, 1, 1]
    apply(b, tape([(Kind.CLEAR, 0, 0, 0, 0, 0, -1), (Kind.STATUS, 0, 0, 0, Status.RESYNCED, 0, -1)]), 0, 2)
    assert b.pool[at.LIVE] == 0 and not b.ten.any() and not b.meta[:, at.SUSPECT].any() and b.meta[1, at.HALTED] == 1
    apply(b, tape([(Kind.ADD, 3, 1, 10, 5, 0, -1)]), 0, 1)
    assert b.pool[at.N_STRANGER] == 1
