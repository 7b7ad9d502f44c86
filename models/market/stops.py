"""Stop orders that wait for their price: a buy for a trade at or above it, a sell for one at or below."""

from __future__ import annotations

from domain.ports_market import VenueOrder
from models.market import layout as at


class Stops:
    """The held orders of one book, in order of arrival. The book's RISE and FALL are the nearest of their prices.

    A trade triggers by the extremes since the last look (HIGH, LOW), so that none is missed among many; they begin anew
    with every look.
    """

    def __init__(self, meta: at.I64) -> None:
        self._meta = meta  # (META,) of the instrument
        self._held: dict[int, VenueOrder] = {}

    def hold(self, order: VenueOrder) -> None:
        """Let an order wait. Where the last trade is at its price or beyond already, the next look takes it."""
        assert order.stop_ticks is not None
        self._held[order.order_id] = order
        if self._meta[at.VOLUME] > 0:
            last = int(self._meta[at.LAST_PRICE])
            self._meta[at.HIGH], self._meta[at.LOW] = max(last, self._meta[at.HIGH]), min(last, self._meta[at.LOW])
        self._aim()

    def find(self, order_id: int) -> VenueOrder | None:
        """A held order."""
        return self._held.get(order_id)

    def change(self, order: VenueOrder) -> None:
        """Change a held order; one that only shrinks keeps its place among those of its price."""
        old = self._held[order.order_id]
        if old._replace(quantity_lots=order.quantity_lots) != order or order.quantity_lots > old.quantity_lots:
            del self._held[order.order_id]
        self.hold(order)

    def take(self, order_id: int) -> int:
        """Take an order out; its lots, 0 for one that is not held."""
        order = self._held.pop(order_id, None)
        self._aim()
        return order.quantity_lots if order is not None else 0

    def reached(self) -> list[VenueOrder]:
        """Take out the orders that trades since the last look have reached, the nearest price first."""
        high, low = int(self._meta[at.HIGH]), int(self._meta[at.LOW])
        self._meta[at.HIGH], self._meta[at.LOW] = -at.NEVER, at.NEVER
        due = [o for o in self._held.values() if (high >= _half(o) if o.side > 0 else low <= _half(o))]
        for order in due:
            del self._held[order.order_id]
        if due:
            self._aim()
        return sorted(due, key=lambda order: _half(order) * order.side)

    def _aim(self) -> None:
        self._meta[at.RISE] = min((_half(o) for o in self._held.values() if o.side > 0), default=at.NEVER)
        self._meta[at.FALL] = max((_half(o) for o in self._held.values() if o.side < 0), default=-at.NEVER)


def _half(order: VenueOrder) -> int:
    """The stop price in half ticks."""
    return 2 * (order.stop_ticks or 0)
