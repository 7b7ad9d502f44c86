"""The ladder: the touch of each market as the desk sees it, and our own orders by price level.

The desk knows the touch and no depth behind it: a level without our orders is not shown, and where we stand in a queue is not
known. An order's level is its limit; one without a limit is at none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from domain.child_order import ChildOrder
from domain.values import Side
from ems.read_models.asked import Asked
from ems.read_models.table import decimal
from ems.read_models.topic import LADDER_MS, Column, Topic

Touch = Sequence[int | None]  # bid, its size, ask, its size, last
_BID, _ASK, _LAST = 0, 2, 4
_SIDES: Final = ((Side.BUY, _BID), (Side.SELL, _ASK))


class Ladder(Asked):
    """A level each, by symbol and side."""

    topic: ClassVar[Topic] = Topic(
        "ladder",
        "Ladder",
        (
            Column("id", "Id", "id", hidden=True),
            Column("symbol", "Symbol", "symbol", 80),
            Column("side", "Side", "side", 60),
            Column("price", "Price", "price", 100),
            Column("size", "Market", "quantity", 100, flash=True),
            Column("own", "Ours", "quantity", 100, flash=True),
            Column("orders", "Orders", "int", 70),
            Column("touch", "Touch", "flag", hidden=True),
            Column("last", "Last", "price", 100),
        ),
        flush_ms=LADDER_MS,
        scoped=(("symbol", "symbol"),),
        filters=("symbol", "side"),
    )


def levels(touches: Mapping[str, Touch], children: Iterable[ChildOrder]) -> list[Mapping[str, Any]]:
    """Every level that is a touch or has orders of ours."""
    own: dict[tuple[str, Side, int], list[int]] = {}
    for child in children:
        if child.limit_price_e9 is not None:
            held = own.setdefault((child.instrument, child.side, child.limit_price_e9), [0, 0])
            held[0], held[1] = held[0] + child.leaves_e9, held[1] + 1
    for symbol, touch in touches.items():
        for side, place in _SIDES:
            if (price_e9 := touch[place]) is not None:
                own.setdefault((symbol, side, price_e9), [0, 0])
    found: list[Mapping[str, Any]] = []
    for (symbol, side, price_e9), (left_e9, orders) in sorted(own.items()):
        touch = touches.get(symbol, (None,) * 5)
        place = _BID if side is Side.BUY else _ASK
        at = touch[place] == price_e9
        found.append({
            "id": f"{symbol} {side.value} {price_e9}", "symbol": symbol, "side": side.value, "price": decimal(price_e9),
            "size": decimal(touch[place + 1]) if at else None, "own": decimal(left_e9) if orders else None, "orders": orders,
            "touch": at, "last": decimal(touch[_LAST]),
        })  # fmt: skip
    return found
