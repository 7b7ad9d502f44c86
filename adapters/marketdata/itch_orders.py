"""Side, price and size of orders that a feed names by their id alone: a table of live orders in fixed memory. Compiled.

`resolve` completes records in place, so that each one says by itself what happened: stored tapes are complete. Who keeps a book
of orders need not call it, because the book has the same table.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.compiled import hot, i64
from domain.tape import FLAG_ALL, FLAG_AT_PRICE, FLAG_REPLACED, Kind, Tape

_ADD, _CANCEL, _EXECUTE, _MODIFY = i64(Kind.ADD), i64(Kind.CANCEL), i64(Kind.EXECUTE), i64(Kind.MODIFY)
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_NOWHERE: Final = i64(-1)
ENTRY: Final = np.dtype([("order_id", "i8"), ("price", "i8"), ("left", "i8"), ("side", "i8")])
# Places in meta: what was counted, and what is remembered.
LIVE, UNKNOWN, TAKEN_ID, OVERFLOW, BEYOND, REPLACED_SIDE, FIRST_FAULT, METAS = 0, 1, 2, 3, 4, 5, 6, 7


class Orders(NamedTuple):
    """entries: (H,) of ENTRY, H a power of two, order_id 0 where free. meta: (METAS,) counts by the places above.

    UNKNOWN: records that name an order nobody has, left with side 0. TAKEN_ID: ADD of an id that is live, not remembered.
    OVERFLOW: ADD beyond the capacity, not remembered. BEYOND: more executed or taken back than was left.
    FIRST_FAULT: the index of the first of these in the records since the table was made, -1 without.
    """

    entries: NDArray[np.void]
    meta: NDArray[np.int64]


def make_orders(capacity: int = 1 << 20) -> Orders:
    """An empty table for at most `capacity` live orders."""
    meta = np.zeros(METAS, np.int64)
    meta[FIRST_FAULT] = -1
    return Orders(np.zeros(1 << (2 * capacity - 1).bit_length(), ENTRY), meta)


@hot
def _home(entries: NDArray[np.void], order_id: int) -> int:
    mixed = (np.uint64(order_id) * _GOLDEN) >> np.uint64(20)
    return np.int64(mixed) & (entries.size - 1)  # type: ignore[return-value]


@hot
def _find(entries: NDArray[np.void], order_id: int) -> int:
    """Index of the order's entry, -1 without."""
    if order_id == 0:
        return _NOWHERE
    i = _home(entries, order_id)
    while entries[i].order_id != 0:
        if entries[i].order_id == order_id:
            return i
        i = (i + 1) & (entries.size - 1)
    return _NOWHERE


@hot
def _forget(entries: NDArray[np.void], i: int) -> None:
    """Free an entry and close the gap, so that no search is cut short."""
    mask = entries.size - 1
    j = i
    while True:
        j = (j + 1) & mask
        if entries[j].order_id == 0:
            break
        if ((j - _home(entries, entries[j].order_id)) & mask) >= ((j - i) & mask):
            entries[i] = entries[j]
            i = j
    entries[i].order_id = 0


@hot
def _fault(meta: NDArray[np.int64], kind: int, index: int) -> None:
    meta[kind] += 1
    if meta[FIRST_FAULT] < 0:
        meta[FIRST_FAULT] = index


@hot
def _remember(o: Orders, order_id: int, price: int, size: int, side: int, index: int) -> None:
    entries, meta = o.entries, o.meta
    if order_id == 0 or _find(entries, order_id) >= 0:
        _fault(meta, TAKEN_ID, index)
        return
    if 2 * (meta[LIVE] + 1) > entries.size:
        _fault(meta, OVERFLOW, index)
        return
    i = _home(entries, order_id)
    while entries[i].order_id != 0:
        i = (i + 1) & (entries.size - 1)
    entries[i].order_id, entries[i].price, entries[i].left, entries[i].side = order_id, price, size, side
    meta[LIVE] += 1


@hot
def _take(o: Orders, i: int, size: int, index: int) -> int:
    """Lots leave the order in entry i. Returns how many."""
    left = o.entries[i].left
    if size > left:
        _fault(o.meta, BEYOND, index)
    taken = min(size, left)
    o.entries[i].left = left - taken
    if taken == left:
        _forget(o.entries, i)
        o.meta[LIVE] -= 1
    return taken


@hot
def resolve(o: Orders, tape: Tape, first_index: int) -> None:
    """Complete the records of a tape in place, in order: side and price of EXECUTE and CANCEL, the size of a CANCEL with
    FLAG_ALL, the side of a replacement. first_index: the number of tape[0] among all records, for FIRST_FAULT."""
    meta = o.meta
    for n in range(tape.size):
        kind, order_id, flags = tape[n].kind, tape[n].order_id, np.int64(tape[n].flags)
        if kind == _ADD:
            if tape[n].side == 0:
                tape[n].side = meta[REPLACED_SIDE]
            _remember(o, order_id, tape[n].price_ticks, tape[n].size_lots, tape[n].side, first_index + n)
        elif kind in (_CANCEL, _EXECUTE):
            i = _find(o.entries, order_id)
            if flags & FLAG_REPLACED:
                meta[REPLACED_SIDE] = o.entries[i].side if i >= 0 else 0
            if i < 0:
                _fault(meta, UNKNOWN, first_index + n)
                continue
            tape[n].side = o.entries[i].side
            if flags & FLAG_AT_PRICE == 0:
                tape[n].price_ticks = o.entries[i].price
            if flags & FLAG_ALL:
                tape[n].size_lots = o.entries[i].left
            _take(o, i, tape[n].size_lots, first_index + n)
        elif kind == _MODIFY:
            i = _find(o.entries, order_id)
            if i < 0:
                _fault(meta, UNKNOWN, first_index + n)
                continue
            o.entries[i].price, o.entries[i].left = tape[n].price_ticks, tape[n].size_lots
