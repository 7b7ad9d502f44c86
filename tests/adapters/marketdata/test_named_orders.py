"""Levels become orders: what is displayed stays the same. Ids become sides and prices: what is named is known."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from adapters.marketdata.itch_orders import BEYOND, FIRST_FAULT, OVERFLOW, TAKEN_ID, UNKNOWN, make_orders, resolve
from adapters.marketdata.named_orders import named_orders
from domain.tape import FLAG_ALL, FLAG_BY_LEVEL, FLAG_QUEUE, FLAG_REPLACED, Kind, Tape, tape_of


def tape(*rows: tuple[int, int, int, int, Kind, int]) -> Tape:
    """Rows of (id, ticks, lots, flags, kind, side), a nanosecond apart."""
    return tape_of([(i, i, *row[:3], 0, row[3], int(row[4]), row[5]) for i, row in enumerate(rows)])


def displayed(orders: Tape) -> Counter[tuple[int, int]]:
    """Lots by side and price of an order-level tape, each order looked up by nothing but its id."""
    live: dict[int, list[int]] = {}
    for row in orders:
        order_id = int(row["order_id"])
        if row["kind"] == Kind.ADD:
            assert order_id not in live
            live[order_id] = [int(row["side"]), int(row["price_ticks"]), int(row["size_lots"])]
        elif row["kind"] in (Kind.CANCEL, Kind.EXECUTE):
            live[order_id][2] -= int(row["size_lots"])
            assert live[order_id][2] >= 0 and (not row["flags"] & FLAG_ALL or live[order_id][2] == 0)
            if live[order_id][2] == 0:
                del live[order_id]
    found: Counter[tuple[int, int]] = Counter()
    for side, price, lots in live.values():
        found[side, price] += lots
    return found


LEVELS = st.lists(st.tuples(st.sampled_from([-1, 1]), st.integers(1, 4), st.integers(0, 50)), max_size=40)


@given(LEVELS)
def test_levels_become_orders_that_display_the_same(levels: list[tuple[int, int, int]]) -> None:
    rows = [(0, price, total, 0, Kind.LEVEL, side) for side, price, total in levels]
    said = {(side, price): total for side, price, total in levels}
    assert displayed(named_orders(tape(*rows))) == Counter({at: n for at, n in said.items() if n})


def test_an_order_nobody_knows_is_taken_from_its_level() -> None:
    rows = [
        (0, 10, 30, 0, Kind.LEVEL, 1),
        (7, 10, 5, 0, Kind.ADD, 1),
        (99, 10, 20, FLAG_BY_LEVEL, Kind.EXECUTE, 1),
        (98, 10, 2, FLAG_BY_LEVEL, Kind.CANCEL, 1),
    ]
    found = named_orders(tape(*rows))
    assert found["kind"].tolist() == [Kind.ADD, Kind.ADD, Kind.EXECUTE, Kind.CANCEL]
    assert found["order_id"].tolist()[1:] == [7, found["order_id"][0], 7], "the oldest executes, the youngest is taken back"
    assert displayed(found) == {(1, 10): 13}


def test_prints_against_a_queue_execute_it_and_the_rest_is_a_trade() -> None:
    found = named_orders(tape((0, 10, 30, 0, Kind.LEVEL, -1), (0, 10, 45, FLAG_QUEUE, Kind.TRADE, -1)))
    assert found[["kind", "size_lots"]].tolist() == [(Kind.ADD, 30), (Kind.EXECUTE, 30), (Kind.TRADE, 15)]


def test_a_modified_order_keeps_its_place_only_when_it_shrinks() -> None:
    found = named_orders(tape((5, 10, 30, 0, Kind.ADD, 1), (5, 10, 20, 0, Kind.MODIFY, 0), (5, 11, 20, 0, Kind.MODIFY, 0)))
    assert found["kind"].tolist() == [Kind.ADD, Kind.CANCEL, Kind.CANCEL, Kind.ADD]
    assert found["flags"].tolist() == [0, 0, FLAG_ALL | FLAG_REPLACED, 0]
    assert displayed(found) == {(1, 11): 20}


def test_a_clear_takes_every_order_of_its_instrument() -> None:
    found = named_orders(tape((5, 10, 30, 0, Kind.ADD, 1), (0, 9, 8, 0, Kind.LEVEL, 1), (0, 0, 0, 0, Kind.CLEAR, 0)))
    assert displayed(found) == {} and found["kind"].tolist() == [1, 1, 3, 3]


def test_what_is_named_by_id_gets_its_side_price_and_size() -> None:
    records = tape(
        (5, 10, 30, 0, Kind.ADD, -1),
        (5, 0, 12, 0, Kind.EXECUTE, 0),
        (5, 0, 0, FLAG_ALL | FLAG_REPLACED, Kind.CANCEL, 0),
        (6, 11, 40, 0, Kind.ADD, 0),
        (6, 0, 40, 0, Kind.CANCEL, 0),
        (6, 0, 1, 0, Kind.CANCEL, 0),
    )
    orders = make_orders(8)
    resolve(orders, records, 100)
    assert records[["price_ticks", "size_lots", "side"]].tolist() == [
        (10, 30, -1), (10, 12, -1), (10, 18, -1), (11, 40, -1), (11, 40, -1), (0, 1, 0),
    ]  # fmt: skip
    assert orders.meta[UNKNOWN] == 1 and orders.meta[FIRST_FAULT] == 105


def test_a_full_table_a_taken_id_and_too_much_are_counted() -> None:
    orders = make_orders(2)
    resolve(orders, tape(*[(i, 10, 30, 0, Kind.ADD, 1) for i in (1, 1, 2, 3)], (2, 0, 31, 0, Kind.EXECUTE, 0)), 0)
    assert [int(orders.meta[at]) for at in (TAKEN_ID, OVERFLOW, BEYOND, FIRST_FAULT)] == [1, 1, 1, 1]


@given(st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=200))
def test_the_table_finds_what_a_dictionary_finds(steps: list[tuple[int, bool]]) -> None:
    orders, live = make_orders(16), dict[int, int]()
    for price, (order_id, arrives) in enumerate(steps, start=1):
        key = order_id << 44  # ids that share their low bits
        record = tape((key, price, 10, 0, Kind.ADD, 1) if arrives else (key, 0, 0, FLAG_ALL, Kind.CANCEL, 0))
        resolve(orders, record, 0)
        if arrives:
            live.setdefault(key, price)
        else:
            assert int(record["price_ticks"][0]) == live.pop(key, 0)
    assert sorted(orders.entries["order_id"][orders.entries["order_id"] > 0].tolist()) == sorted(live)
