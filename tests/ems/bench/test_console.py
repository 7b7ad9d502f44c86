"""The busy day that `ems bench console` shows: as many row changes as asked for, on all orders alike, always the same."""

from __future__ import annotations

from collections import Counter

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.parent_order import ParentOrder
from ems.bench.console_day import BusyDay
from ems.bench.made_day import OPEN_NS

ORDERS = 50


def day(rows: int) -> tuple[BusyDay, list[str]]:
    """A day of so many row changes, and its events' topics."""
    made, topics = BusyDay(ORDERS), list[str]()
    for turn in made.opening():
        assert turn.entries
    for until in range(20, rows + 1, 20):
        turn = made.turn(until, OPEN_NS + until)
        topics += [event.TOPIC for entry in turn.entries for event in entry.events]
    return made, topics


def test_an_event_changes_a_row() -> None:
    made, topics = day(3_000)
    assert 3_000 <= made.rows < 3_003
    assert len(topics) == made.rows
    counts = Counter(topics)
    fills = counts[fl.Recorded.TOPIC]
    assert fills > 300 and counts[po.Filled.TOPIC] == counts[co.Filled.TOPIC] == fills
    assert counts[co.ReplaceRequested.TOPIC] + counts[co.Replaced.TOPIC] == made.rows - 3 * fills


def test_all_orders_have_their_turn_and_none_is_ever_done() -> None:
    made, _ = day(3_000)
    orders = [order for order in made.state.parents.values() if isinstance(order, ParentOrder)]
    assert len(orders) == ORDERS
    assert all(0 < order.cum_quantity_e9 < order.terms.quantity_e9 and order.live for order in orders)
    assert all(child.version > 10 and child.live for child in made.state.children.values())


def test_it_is_always_the_same_day() -> None:
    assert day(600)[0].state.digest() == day(600)[0].state.digest()
