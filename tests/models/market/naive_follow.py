"""The rules of following a feed as lists and loops: the judge of the compiled book. One instrument, no ladder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from domain.tape import (
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_BY_LEVEL,
    FLAG_HALF_TICK,
    FLAG_IOC,
    FLAG_MAY_BE_GONE,
    FLAG_NO_PRINT,
    FLAG_QUEUE,
    FLAG_REPLACED,
    FLAG_UNCOVERED,
    Kind,
    Status,
)  # fmt: skip

Level = tuple[int, int]


@dataclass
class Order:
    order_id: int | None  # None: display without ids
    side: int
    price: int
    lots: int


class NaiveFollow:
    """orders stand in queue order; a price's queue is the orders of that price in this order."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.counts: Counter[str] = Counter()
        self.halted = 0
        self.suspect = 0
        self.volume = 0
        self.prints: list[tuple[int, int, int]] = []  # half ticks, lots, resting side
        self._replaced = 0

    def apply(self, kind: Kind, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        getattr(self, "_" + kind.name.lower())(order_id, side, price, lots, flags)
        self.orders = [o for o in self.orders if o.lots > 0]
        bids, asks = self.levels(1), self.levels(-1)
        if bids and asks:
            self.counts["crossed"] += bids[0][0] > asks[0][0]
            self.counts["locked"] += bids[0][0] == asks[0][0]

    def levels(self, side: int, low: int = -(2**62), high: int = 2**62) -> list[Level]:
        """(price, lots) of one side, best first, of prices low <= price < high."""
        sums: Counter[int] = Counter()
        for o in self.orders:
            if o.side == side and low <= o.price < high and o.lots:
                sums[o.price] += o.lots
        return sorted(sums.items(), key=lambda level: -side * level[0])

    def queue(self, side: int, price: int) -> list[tuple[int | None, int]]:
        return [(o.order_id, o.lots) for o in self.orders if (o.side, o.price) == (side, price)]

    def find(self, order_id: int) -> Order | None:
        return next((o for o in self.orders if o.order_id == order_id), None)

    def _add(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        side, self._replaced = (side, self._replaced) if side else (self._replaced, 0)
        if self.find(order_id) or not side:
            self.counts["unknown"] += 1
        elif not flags & FLAG_IOC:
            self.orders.append(Order(order_id, side, price, lots))

    def _modify(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        order = self.find(order_id)
        if order is None:
            self.counts["unknown"] += 1
        elif price == order.price and lots <= order.lots:
            order.lots = lots
        else:
            self.orders.remove(order)
            self.orders.append(Order(order_id, order.side, price, lots))

    def _cancel(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        order = self.find(order_id)
        if flags & FLAG_REPLACED:
            self._replaced = (side or order.side) if order else 0
        if order and flags & FLAG_ALL:
            order.lots = 0
        elif order or not flags & FLAG_MAY_BE_GONE:
            self._take(order, side, price, lots if order else max(1, lots), flags)

    def _execute(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        order = self.find(order_id)
        resting, at = (order.side, order.price) if order and not side else (side, price)
        if flags & FLAG_AT_PRICE:
            self._print(2 * price + (flags & FLAG_HALF_TICK), lots, resting, flags)
        elif resting:
            self._print(2 * at, lots, resting, flags)
        self._take(order, side, price, lots, flags)

    def _print(self, half_ticks: int, lots: int, resting: int, flags: int) -> None:
        if not flags & FLAG_NO_PRINT:
            self.prints.append((half_ticks, lots, resting))
            self.volume += lots

    def _take(self, order: Order | None, side: int, price: int, lots: int, flags: int) -> None:
        at = (order.side, order.price) if order and not side else (side, price if not flags & FLAG_AT_PRICE else None)
        here = [o for o in self.orders if (o.side, o.price) == at]
        first = order or next((o for o in here if o.order_id is None), None)
        queue = ([first] if first else []) + (here[::-1] if flags & FLAG_BY_LEVEL else [])
        missing = self._eat(queue, lots)
        if missing:
            self.counts["short" if order else "unknown"] += 1

    @staticmethod
    def _eat(queue: list[Order], lots: int) -> int:
        for o in queue:
            eaten = min(lots, o.lots)
            o.lots -= eaten
            lots -= eaten
        return lots

    def _trade(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        self._print(2 * price + (flags & FLAG_HALF_TICK), lots, side, 0)
        if flags & FLAG_QUEUE and side:
            missing = self._eat([o for o in self.orders if (o.side, o.price) == (side, price)], lots)
            self.counts["short"] += missing > 0

    def _cross(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        self.volume += lots

    def _level(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        here = [o for o in self.orders if (o.side, o.price) == (side, price)]
        missing = lots - sum(o.lots for o in here)
        if missing <= 0:
            self._eat(here[::-1], -missing)
            return
        end = here[0 if flags & FLAG_UNCOVERED else -1] if here else None
        if end is not None and end.order_id is None:
            end.lots += missing
        elif flags & FLAG_UNCOVERED:
            self.orders.insert(0, Order(None, side, price, missing))
        else:
            self.orders.append(Order(None, side, price, missing))

    def _clear(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        self.orders = []

    def _status(self, order_id: int, side: int, price: int, lots: int, flags: int) -> None:
        if lots < Status.LOST:
            self.halted = lots
        elif lots in (Status.LOST, Status.DISCONNECTED):
            self.suspect = 1
        elif lots == Status.RESYNCED:
            self.suspect = 0
