"""How good a tape is: what is missing, which clocks go back, how often the book is crossed, which trades lie outside of it.

The book is followed as plainly as a tape says it, record by record, instrument by instrument: orders by id, levels by price.
Nothing is corrected, because what does not fit is what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Any, Final

from domain.tape import (
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_BY_LEVEL,
    FLAG_HALF_TICK,
    FLAG_MAY_BE_GONE,
    FLAG_NO_PRINT,
    FLAG_QUEUE,
    FLAG_REPLACED,
    Kind,
    Status,
    Tape,
)

_TS, _RECV, _ID, _PRICE, _SIZE, _INSTRUMENT, _FLAGS, _KIND, _SIDE = range(9)
_NAMED: Final = (Kind.CANCEL, Kind.EXECUTE)


class _Side:
    """Lots by price, and the best of them through a heap that forgets late."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[int, int] = {}
        self._heap: list[int] = []

    def change(self, price: int, lots: int) -> None:
        self.set(price, self._levels.get(price, 0) + lots)

    def set(self, price: int, lots: int) -> None:
        if lots <= 0:
            self._levels.pop(price, None)
            return
        if price not in self._levels:
            heappush(self._heap, -self._sign * price)
        self._levels[price] = lots

    def best(self) -> int | None:
        while self._heap:
            price = -self._sign * self._heap[0]
            if price in self._levels:
                return price
            heappop(self._heap)
        return None


class _Display:
    """One instrument. orders: id -> [side, price, lots left]."""

    def __init__(self) -> None:
        self.sides = {1: _Side(1), -1: _Side(-1)}
        self.orders: dict[int, list[int]] = {}
        self.replaced_side = 0

    def inside(self) -> tuple[int | None, int | None]:
        return self.sides[1].best(), self.sides[-1].best()

    def follow(self, row: tuple[Any, ...]) -> bool:
        """One record. Whether it fits: an order that is named is known, and has what is taken of it."""
        kind = row[_KIND]
        if kind == Kind.ADD:
            side = row[_SIDE] or self.replaced_side
            if row[_ID] in self.orders or not side:
                return False
            self.orders[row[_ID]] = [side, row[_PRICE], row[_SIZE]]
            self.sides[side].change(row[_PRICE], row[_SIZE])
        elif kind in _NAMED:
            return self._take(row)
        elif kind == Kind.MODIFY:
            order = self.orders.get(row[_ID])
            if order is None:
                return False
            self.sides[order[0]].change(order[1], -order[2])
            order[1:] = row[_PRICE], row[_SIZE]
            self.sides[order[0]].change(order[1], order[2])
        elif kind == Kind.TRADE and row[_SIDE] and row[_FLAGS] & FLAG_QUEUE:
            self.sides[row[_SIDE]].change(row[_PRICE], -row[_SIZE])
        elif kind == Kind.LEVEL and row[_SIDE]:
            self.sides[row[_SIDE]].set(row[_PRICE], row[_SIZE])
        elif kind == Kind.CLEAR:
            self.sides = {1: _Side(1), -1: _Side(-1)}
            self.orders = {}
        return True

    def _take(self, row: tuple[Any, ...]) -> bool:
        order = self.orders.get(row[_ID])
        if row[_FLAGS] & FLAG_REPLACED:
            self.replaced_side = order[0] if order else 0
        if order is None:
            if row[_SIDE]:
                self.sides[row[_SIDE]].change(row[_PRICE], -row[_SIZE])
            return bool(row[_FLAGS] & (FLAG_BY_LEVEL | FLAG_MAY_BE_GONE))
        lots = order[2] if row[_FLAGS] & FLAG_ALL else row[_SIZE]
        fits = lots <= order[2]
        lots = min(lots, order[2])
        self.sides[order[0]].change(order[1], -lots)
        order[2] -= lots
        if not order[2]:
            del self.orders[row[_ID]]
        return fits


class Quality:
    """Counts over the records that were told so far; `report` turns them into shares."""

    def __init__(self) -> None:
        self._displays: dict[int, _Display] = {}
        self._last = {"event": 0, "receive": 0}
        self._both = 0
        self._counts = dict.fromkeys(
            "records gaps lost disconnects backward_event backward_receive crossed locked prints prints_judged "
            "prints_outside negative_price unfitting".split(), 0,
        )  # fmt: skip

    def tell(self, tape: Tape) -> None:
        """More records of the tape."""
        for row in tape.tolist():
            self._row(row)

    def report(self) -> dict[str, int | float]:
        """The counts; shares are of records after which both sides are displayed, and of prints while they were."""
        counts = self._counts
        shares = {
            "crossed_share": counts["crossed"] / self._both if self._both else 0.0,
            "locked_share": counts["locked"] / self._both if self._both else 0.0,
            "outside_share": counts["prints_outside"] / counts["prints_judged"] if counts["prints_judged"] else 0.0,
        }
        return {**counts, **shares, "instruments": len(self._displays)}

    def _row(self, row: tuple[Any, ...]) -> None:
        counts, kind = self._counts, row[_KIND]
        counts["records"] += 1
        for name, at in (("event", _TS), ("receive", _RECV)):
            counts[f"backward_{name}"] += row[at] < self._last[name]
            self._last[name] = row[at]
        if kind == Kind.STATUS:
            counts["gaps"] += row[_SIZE] == Status.LOST
            counts["lost"] += row[_ID] if row[_SIZE] == Status.LOST else 0
            counts["disconnects"] += row[_SIZE] == Status.DISCONNECTED
            return
        counts["negative_price"] += row[_PRICE] < 0
        for display in self._meant(row[_INSTRUMENT]):
            self._follow(display, row)

    def _meant(self, instrument: int) -> Iterable[_Display]:
        if instrument < 0:
            return list(self._displays.values())
        if instrument not in self._displays:
            self._displays[instrument] = _Display()
        return [self._displays[instrument]]

    def _follow(self, display: _Display, row: tuple[Any, ...]) -> None:
        counts = self._counts
        if row[_KIND] in (Kind.TRADE, Kind.EXECUTE) and not row[_FLAGS] & FLAG_NO_PRINT:
            self._print(display, row)
        counts["unfitting"] += not display.follow(row)
        bid, ask = display.inside()
        if bid is not None and ask is not None:
            self._both += 1
            counts["crossed"] += bid > ask
            counts["locked"] += bid == ask

    def _print(self, display: _Display, row: tuple[Any, ...]) -> None:
        counts, order = self._counts, display.orders.get(row[_ID])
        counts["prints"] += 1
        own = row[_KIND] == Kind.EXECUTE and not row[_FLAGS] & FLAG_AT_PRICE and order is not None
        half_ticks = 2 * order[1] if own and order else 2 * row[_PRICE] + bool(row[_FLAGS] & FLAG_HALF_TICK)
        bid, ask = display.inside()
        if bid is not None and ask is not None and bid <= ask:
            counts["prints_judged"] += 1
            counts["prints_outside"] += not 2 * bid <= half_ticks <= 2 * ask
