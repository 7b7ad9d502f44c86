"""Memory that the next records of a tape will need is asked for before their turn. Compiled.

Most of what an event costs is waiting: for its id's place in the table, then for the order and the level that are found through
it. Both are asked for some records ahead, in two steps, since the second needs what the first has brought. A wrong guess costs
nothing but the asking.
"""

from __future__ import annotations

from domain.tape import Tape
from models.compiled import i64, inlined
from models.market.book import tag_of
from models.market.layout import BASE, Book
from models.prefetch import fetch

_NONE, _TWO = i64(0), i64(2)


@inlined
def soon(b: Book, tape: Tape, i: int) -> None:
    """Record i comes soon: ask for what says where its order and its price are."""
    k = i64(tape[i].instrument)
    if 0 <= k < b.meta.shape[0]:
        fetch(b.ids, (tag_of(k, tape[i].order_id) & (b.ids.size - 1),))
        fetch(b.meta, (k, _NONE))
        fetch(b.ten, (k, _NONE, _NONE))
        fetch(b.ten, (k, _TWO, _NONE))


@inlined
def coming(b: Book, tape: Tape, i: int) -> None:
    """Record i comes next: ask for the order that most likely has its id, and for its price."""
    k = i64(tape[i].instrument)
    if 0 <= k < b.meta.shape[0]:
        place = tag_of(k, tape[i].order_id) & (b.ids.size - 1)
        fetch(b.orders, (i64(b.ids[place].slot),))
        price = tape[i].price_ticks - b.meta[k, BASE]
        if 0 <= price < b.levels.shape[2]:
            fetch(b.levels, (k, i64(tape[i].side < 0), price))
