"""Any tape as an order-level one: what is displayed without an id becomes orders with ids of our own.

For venues and feeds that speak of orders alone (ITCH), and for books that keep orders alone. A LEVEL that rises adds an order at
the back of its queue; one that falls takes from the youngest first; an execution or a cancel of an order that nobody knows goes
to its level's oldest or youngest. What was displayed before and after each record is the same, side by side and price by price,
wherever the tape itself is consistent. A cancel and an order of the same instrument, side and time that follow one another are
a replacement, if `replacements` is on: that is how it was told to those who record.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from domain.tape import (
    FLAG_ALL,
    FLAG_HALF_TICK,
    FLAG_IOC,
    FLAG_QUEUE,
    FLAG_REPLACED,
    Kind,
    Status,
    Tape,
    tape_of,
)

_Row = tuple[Any, ...]
_TS, _RECV, _ID, _PRICE, _SIZE, _INSTRUMENT, _FLAGS, _KIND, _SIDE = range(9)


class _Place(NamedTuple):
    instrument: int
    side: int
    price: int


def named_orders(tape: Tape, *, replacements: bool = True) -> Tape:
    """The order-level tape, complete in every field: (M,), M of the order of the tape's own length."""
    writer = _Writer(1 + max(0, int(tape["order_id"].max(initial=0))))
    for row in tape.tolist():
        writer.write(row)
    return tape_of(_replaced(writer.rows) if replacements else writer.rows)


class _Writer:
    """queues: per place, order id -> lots left, oldest first. alias: a recorded id -> the id that it has here."""

    def __init__(self, next_id: int) -> None:
        self._next_id = next_id
        self._queues: dict[_Place, dict[int, int]] = {}
        self._places: dict[int, _Place] = {}
        self._alias: dict[int, int] = {}
        self.rows: list[_Row] = []

    def write(self, row: _Row) -> None:
        """One record."""
        kind = Kind(row[_KIND])
        if kind is Kind.ADD:
            if not row[_FLAGS] & FLAG_IOC:
                self._alias[row[_ID]] = self._add(row, row[_ID] if row[_ID] not in self._places else self._new_id())
        elif kind in (Kind.CANCEL, Kind.EXECUTE):
            self._take_named(row, kind)
        elif kind is Kind.LEVEL:
            self._level(row)
        elif kind is Kind.MODIFY:
            self._modify(row)
        elif kind is Kind.TRADE:
            self._trade(row)
        elif kind is Kind.CLEAR:
            for order_id in [i for i, place in self._places.items() if place.instrument == row[_INSTRUMENT]]:
                self._take(row, Kind.CANCEL, order_id, self._queues[self._places[order_id]][order_id])
        elif kind is Kind.CROSS or row[_SIZE] < Status.LOST:
            self.rows.append((*row[:_FLAGS], row[_FLAGS] & FLAG_HALF_TICK, *row[_KIND:]))

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _add(self, row: _Row, order_id: int, size: int | None = None) -> int:
        place = _Place(row[_INSTRUMENT], row[_SIDE], row[_PRICE])
        lots = row[_SIZE] if size is None else size
        self._places[order_id] = place
        self._queues.setdefault(place, {})[order_id] = lots
        self.rows.append((row[_TS], row[_RECV], order_id, place.price, lots, place.instrument, 0, int(Kind.ADD), place.side))
        return order_id

    def _take(self, row: _Row, kind: Kind, order_id: int, lots: int) -> None:
        """Lots of a live order are executed or taken back; at most what is left."""
        place = self._places[order_id]
        queue = self._queues[place]
        whole = queue[order_id] == lots
        flags = FLAG_ALL if whole and kind is Kind.CANCEL else 0
        self.rows.append((row[_TS], row[_RECV], order_id, place.price, lots, place.instrument, flags, int(kind), place.side))
        queue[order_id] -= lots
        if whole:
            del queue[order_id], self._places[order_id]

    def _take_level(self, row: _Row, kind: Kind, lots: int, *, oldest: bool) -> int:
        """Lots leave a level, whosever they are. Returns what was not there."""
        queue = self._queues.get(_Place(row[_INSTRUMENT], row[_SIDE], row[_PRICE]), {})
        for order_id in list(queue) if oldest else list(reversed(queue)):
            if lots == 0:
                break
            taken = min(lots, queue[order_id])
            self._take(row, kind, order_id, taken)
            lots -= taken
        return lots

    def _take_named(self, row: _Row, kind: Kind) -> None:
        order_id, lots = self._alias.get(row[_ID], row[_ID]), row[_SIZE]
        if order_id in self._places:
            left = self._queues[self._places[order_id]][order_id]
            taken = left if row[_FLAGS] & FLAG_ALL else min(lots, left)
            self._take(row, kind, order_id, taken)
            lots = 0 if row[_FLAGS] & FLAG_ALL else lots - taken
        missing = self._take_level(row, kind, lots, oldest=kind is Kind.EXECUTE)
        if missing and kind is Kind.EXECUTE:
            self.rows.append((*row[:_ID], 0, row[_PRICE], missing, row[_INSTRUMENT], 0, int(Kind.TRADE), row[_SIDE]))

    def _level(self, row: _Row) -> None:
        queue = self._queues.get(_Place(row[_INSTRUMENT], row[_SIDE], row[_PRICE]), {})
        more = row[_SIZE] - sum(queue.values())
        if more > 0:
            self._add(row, self._new_id(), more)
        elif more < 0:
            self._take_level(row, Kind.CANCEL, -more, oldest=False)

    def _modify(self, row: _Row) -> None:
        order_id = self._alias.get(row[_ID], row[_ID])
        if order_id not in self._places:
            return
        place = self._places[order_id]
        left = self._queues[place][order_id]
        if place.price == row[_PRICE] and row[_SIZE] < left:
            self._take(row, Kind.CANCEL, order_id, left - row[_SIZE])
        elif (place.price, left) != (row[_PRICE], row[_SIZE]):
            self._take(row, Kind.CANCEL, order_id, left)
            self._alias[row[_ID]] = self._add((*row[:_SIDE], place.side), self._new_id())

    def _trade(self, row: _Row) -> None:
        missing = self._take_level(row, Kind.EXECUTE, row[_SIZE], oldest=True) if row[_FLAGS] & FLAG_QUEUE else row[_SIZE]
        if missing:
            self.rows.append((*row[:_SIZE], missing, row[_INSTRUMENT], row[_FLAGS] & FLAG_HALF_TICK, *row[_KIND:]))


def _replaced(rows: list[_Row]) -> list[_Row]:
    """Marks each cancel of a whole order whose next record is a new order of the same instrument, side and time."""
    found = list(rows)
    for i, (old, new) in enumerate(pairwise(rows)):
        both = old[_KIND] == Kind.CANCEL and old[_FLAGS] == FLAG_ALL and new[_KIND] == Kind.ADD
        if both and all(old[at] == new[at] for at in (_TS, _RECV, _INSTRUMENT, _SIDE)):
            found[i] = (*old[:_FLAGS], FLAG_ALL | FLAG_REPLACED, *old[_KIND:])
    return found
