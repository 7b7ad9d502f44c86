"""Price-time priority as one would write it on a blackboard: a list of orders, sorted. The judge of the fast one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Resting:
    order_id: int
    side: int
    price: int
    lots: int
    arrival: int
    ours: bool


class NaiveBook:
    """Fills are (maker, taker, price, lots), recorded where either order is ours."""

    def __init__(self) -> None:
        self.orders: list[Resting] = []
        self.fills: list[tuple[int, int, int, int]] = []
        self._arrivals = 0

    def enter(
        self, order_id: int, side: int, price: int, lots: int, *, ours: bool, rests: bool, all_or_none: bool = False
    ) -> int:
        """Match and rest; what rests."""
        queue = [o for o in self.orders if o.side == -side and (o.price - price) * side <= 0]
        queue.sort(key=lambda o: (o.price * side, o.arrival))
        if all_or_none and sum(o.lots for o in queue) < lots:
            return 0
        for other in queue:
            traded = min(lots, other.lots)
            if traded == 0:
                break
            other.lots -= traded
            lots -= traded
            if ours or other.ours:
                self.fills.append((other.order_id, order_id, other.price, traded))
        self.orders = [o for o in self.orders if o.lots > 0]
        if lots and rests:
            self._arrivals += 1
            self.orders.append(Resting(order_id, side, price, lots, self._arrivals, ours))
            return lots
        return 0

    def find(self, order_id: int) -> Resting | None:
        return next((o for o in self.orders if o.order_id == order_id), None)

    def remove(self, order_id: int) -> int:
        order = self.find(order_id)
        if order is None:
            return 0
        self.orders.remove(order)
        return order.lots

    def depth(self) -> dict[tuple[int, int], int]:
        depth: dict[tuple[int, int], int] = {}
        for o in self.orders:
            depth[o.side, o.price] = depth.get((o.side, o.price), 0) + o.lots
        return depth
