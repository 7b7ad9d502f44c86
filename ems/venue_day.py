"""The venue's time: markets brought up to now, ends of days and of orders' times, and what a restart brings back."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Literal

from domain.instructions import NEW_DAY
from domain.ports_market import Market
from domain.ports_venue import OrderState
from ems.venue_orders import LiveOrder
from ems.venue_record import Record
from ems.venue_trading import Trading

DayEnd = Literal["expired", "done_for_day"]


class Day:
    """Called under the venue's lock; nothing is durable or sent until the record commits.

    Attributes:
        end: how DAY orders end with their session: 150=C (Expired) or 150=3 (Done for Day).
    """

    def __init__(self, markets: Mapping[str, Market], record: Record, trading: Trading, end: DayEnd) -> None:
        self._markets = markets
        self._record = record
        self._trading = trading
        self.end: DayEnd = end
        self._ends: list[tuple[int, int]] = []  # a heap: when a GTD order ends, its n

    def advance(self, now_ns: int) -> None:
        """Bring all markets up to now; end orders whose time is over, and with a market's session its day."""
        for symbol, market in self._markets.items():
            self._trading.happened(market.advance(now_ns))
            if market.ends_ns is not None and now_ns >= market.ends_ns and symbol not in self._trading.closed:
                self._close(symbol, now_ns)
        while self._ends and self._ends[0][0] <= now_ns:
            expire_ns, n = heapq.heappop(self._ends)
            order = self._record.orders[n]
            if order.live and order.expire_ns == expire_ns:
                self._trading.take_out(order, OrderState.EXPIRED, "its time is over", now_ns)

    def note(self, order: LiveOrder | None) -> None:
        """Remember when an order ends, if it says so."""
        if order is not None and order.live and order.expire_ns is not None:
            heapq.heappush(self._ends, (order.expire_ns, order.n))

    def expire(self, symbol: str, now_ns: int) -> int:
        """End the working DAY orders of one market. Their number."""
        day_orders = [order for order in self._record.working(symbol) if not order.carried]
        for order in day_orders:
            self._trading.take_out(order, OrderState(self.end), "end of day", now_ns)
        return len(day_orders)

    def _close(self, symbol: str, now_ns: int) -> None:
        """The session ends: DAY orders with it, the others rest until another day."""
        self._trading.closed.add(symbol)
        self.expire(symbol, now_ns)
        for order in self._record.working(symbol):
            self._trading.take_out(order, OrderState.DONE_FOR_DAY, "done for the day", now_ns)

    def begin(self, now_ns: int) -> None:
        """A new day with orders of an earlier one: DAY orders are over, the others begin their day (378=1) and queue."""
        left = self._record.live()
        for order in left:
            if not order.carried or order.symbol not in self._markets:
                why = "not listed any more" if order.carried else "end of day"
                self._trading.end(order, OrderState.EXPIRED if order.carried else OrderState(self.end), why, now_ns)
                continue
            order.settle()
            self._record.changed(order, "a new day", now_ns)
            exec_id = self._record.exec_id(now_ns)
            self._record.answer(order.report("D", exec_id, now_ns, restatement_reason=NEW_DAY, text="a new day"))
            self.note(order)
        for order in (order for order in left if order.working):
            self._trading.put_in_book(order, now_ns)

    def recover(self, published: Mapping[str, list[int]], reached_ns: int, now_ns: int) -> None:
        """Markets run forward to where they were, continue what was published, and go on to now; only then do
        working orders queue again, since nobody could trade with them while the venue was away."""
        for symbol, market in self._markets.items():
            market.advance(reached_ns)
            if symbol in published:
                market.restore_trading(*published[symbol])
            market.advance(now_ns)
            for order in self._record.working(symbol):
                self._trading.put_in_book(order, now_ns)
        for order in self._record.live():
            self.note(order)
