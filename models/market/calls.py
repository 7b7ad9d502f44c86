"""One instrument's market with auctions: at the open, at the close, and where continuous trading would run away.

While an auction gathers orders nothing trades: limit orders rest, crossed or not, market orders with a time in force that may
rest stand ahead of them, and orders that never rest are gone at once. At its end `models.market.auction` finds one price, all
trade there, and market orders that are left over are gone (Unfilled). The reference price is the last trade's.

A volatility auction begins when an order of ours would trade further than `collar_ticks` from the last trade: it trades up to
there, what is left of it waits in the auction with everybody, and after `interruption_ns` trading goes on. A tape's own trades
begin none: they are what happened.

Orders for one auction alone (`domain.ports_market.AUCTIONS`) stand in no book until it begins, and end with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from domain.ports_market import (
    AUCTIONS,
    ORDER_ID_MIN,
    Execution,
    MarketEvent,
    Submitted,
    TapeSource,
    Unfilled,
    VenueOrder,
    VenueTif,
)
from domain.tape import Status, empty_tape
from models.market import layout as at
from models.market.auction import NO_REFERENCE, auction_price, uncross
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow
from models.market.matching import available
from models.market.shown import show_status


class Call(NamedTuple):
    """An auction that gathers orders from begin_ns on and trades at end_ns. tif: of the orders that are for it alone."""

    begin_ns: int
    end_ns: int
    tif: VenueTif | None = None


class Indication(NamedTuple):
    """What an auction would do now. lots 0: nothing would trade. surplus_lots: left over, above 0 to buy, below 0 to sell."""

    price_ticks: int
    lots: int
    surplus_lots: int


class AuctionMarket(ContinuousMarket):
    """A continuous market that holds auctions.

    Args:
        calls: auctions of the day in time order, apart from each other.
        collar_ticks: how far from the last trade an order may trade before a volatility auction; None: however far.
        interruption_ns: how long a volatility auction gathers orders.
    """

    def __init__(
        self, source: TapeSource, *, calls: Sequence[Call] = (), collar_ticks: int | None = None,
        interruption_ns: int = 120 * 10**9, base_ticks: int = 0, window: int = 1 << 16, capacity: int = 1 << 16,
        shows: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(source, base_ticks=base_ticks, window=window, capacity=capacity, shows=shows)
        assert all(a.begin_ns < a.end_ns for a in calls) and list(calls) == sorted(calls)
        assert all(a.end_ns <= b.begin_ns for a, b in pairwise(calls))
        self._calls = list(calls)
        self._collar = collar_ticks
        self._interruption_ns = interruption_ns
        self._ends_call_ns: int | None = None
        self._calls_for: VenueTif | None = None  # of the auction that gathers orders
        self._waiting: dict[int, VenueOrder] = {}  # for their auction to begin, in order of arrival
        self._taking_part: set[int] = set()

    @classmethod
    def warm(cls) -> None:
        """Compile everything, or load it from disk, so that the first order does not wait for it."""
        super().warm()
        market = cls(RecordedFlow(empty_tape()), calls=[Call(0, 1)], collar_ticks=1, window=8, capacity=4)
        market.advance(0)
        market.submit(VenueOrder(ORDER_ID_MIN, 1, 1, 3), 0)
        market.submit(VenueOrder(ORDER_ID_MIN + 1, -1, 1, 3), 0)
        assert len(market.advance(1)) == 2

    @property
    def ends_ns(self) -> int | None:
        """When the source's session ends, and no auction is to come."""
        ends_ns = super().ends_ns
        last = self._calls[-1].end_ns if self._calls else self._ends_call_ns
        return ends_ns if ends_ns is None or last is None else max(ends_ns, last + 1)

    def advance(self, now_ns: int) -> list[MarketEvent]:
        """Apply the source's events due by now, and begin and end the auctions due among them."""
        events: list[MarketEvent] = []
        while (due := self._next_ns()) is not None and due <= now_ns:
            events += super().advance(due - 1)  # at one moment the phase changes first
            events += self._turn(due)
        return events + super().advance(now_ns)

    def awaits(self, tif: VenueTif) -> bool:
        """Whether the auction of this time in force gathers orders, or is to come."""
        return (self.calling and self._calls_for is tif) or any(call.tif is tif for call in self._calls)

    def submit(self, order: VenueOrder, now_ns: int) -> Submitted:
        """As in continuous trading; an order for one auction waits for it, and is not accepted where there is none to come."""
        if order.tif not in AUCTIONS:
            return super().submit(order, now_ns)
        if self.calling and self._calls_for is order.tif:
            self._taking_part.add(order.order_id)
            return super().submit(order._replace(tif=VenueTif.DAY), now_ns)
        if not self.awaits(order.tif) or not self._inside(order):
            return Submitted([], 0, False, [])
        self._waiting[order.order_id] = order
        return Submitted([], order.quantity_lots, True, [])

    def cancel(self, order_id: int) -> int:
        """Take an order out, wherever it stands."""
        waiting = self._waiting.pop(order_id, None)
        return super().cancel(order_id) if waiting is None else waiting.quantity_lots

    def replace(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Change an order, wherever it stands."""
        if order.order_id not in self._waiting:
            return super().replace(order._replace(tif=VenueTif.DAY) if order.tif in AUCTIONS else order, now_ns)
        if not self._inside(order) or order.quantity_lots <= 0:
            return Submitted([], 0, False, [])
        self._waiting[order.order_id] = order
        return Submitted([], order.quantity_lots, True, [])

    def begin_call(self, until_ns: int, tif: VenueTif | None = None) -> None:
        """Gather orders for an auction that trades at until_ns."""
        self._calls_for = tif
        self.book.meta[0, at.CALLING] = 1
        show_status(self.book, 0, int(Status.QUOTING), self._time_ns)
        self._ends_call_ns = until_ns

    def end_call(self, now_ns: int) -> list[MarketEvent]:
        """Trade at one price and go on continuously. What became of our orders."""
        self._make_room()
        found, events = self.indication(), list[MarketEvent]()
        left = found.lots
        while left > 0:
            left, rows = uncross(self.book, 0, found.price_ticks - self._base, left, now_ns, self._fills, 0)
            events += [execution._replace(is_maker=False) for execution in self._executions(rows)]
        for side, edge in ((0, self._window - 1), (1, 0)):
            for order_id in self._owned_at(side, edge):
                self.cancel(order_id)
                events.append(Unfilled(order_id, now_ns))
        events += [Unfilled(order_id, now_ns) for order_id in sorted(self._taking_part) if self.cancel(order_id)]
        self._taking_part.clear()
        self.book.meta[0, at.CALLING] = 0
        show_status(self.book, 0, int(Status.TRADING), now_ns)
        self._ends_call_ns = None
        return events + self._trigger(now_ns)

    def indication(self) -> Indication:
        """The price that the orders gathered so far would give."""
        meta = self.book.meta[0]
        last = int(meta[at.LAST_PRICE]) // 2 - self._base if meta[at.VOLUME] else NO_REFERENCE
        reference = last if 0 < last < self._window - 1 else NO_REFERENCE
        price, lots, surplus = auction_price(self.book, 0, reference)
        return Indication(int(price) + self._base if lots else 0, int(lots), int(surplus))

    def _next_ns(self) -> int | None:
        if self._ends_call_ns is not None:
            return self._ends_call_ns
        return self._calls[0].begin_ns if self._calls else None

    def _turn(self, due_ns: int) -> list[MarketEvent]:
        if self.calling:
            return self.end_call(due_ns)
        call = self._calls.pop(0)
        self.begin_call(call.end_ns, call.tif)
        mine = [order for order in self._waiting.values() if order.tif is call.tif]
        for order in mine:
            del self._waiting[order.order_id]
        entered = {order.order_id: self.submit(order, due_ns) for order in mine}
        return [Unfilled(order_id, due_ns) for order_id, result in entered.items() if not result.resting_lots]

    def _owned_at(self, side: int, price: int) -> list[int]:
        """Ids of our orders in a queue."""
        found, slot = [], int(self.book.levels[0, side, price]["first"])
        while slot:
            if self.book.orders[slot]["kind"] == at.OWNED:
                found.append(int(self.book.orders[slot]["oid"]))
            slot = int(self.book.orders[slot]["next"])
        return found

    def _enter(self, order: VenueOrder, now_ns: int) -> Submitted:
        """As in continuous trading, but not further than the collar: beyond it stands an auction."""
        if self.calling or self._collar is None or not self.book.meta[0, at.VOLUME] or not self._inside(order):
            return super()._enter(order, now_ns)
        side = 0 if order.side > 0 else 1
        last = int(self.book.meta[0, at.LAST_PRICE]) // 2 - self._base
        bound = min(max(last + order.side * self._collar, 0), self._window - 1)
        limit = bound if order.is_market else order.price_ticks - self._base
        reach = self._window - 1 if order.is_market and side == 0 else 0 if order.is_market else limit
        within = available(self.book, 0, side, bound if (reach - bound) * order.side > 0 else reach, order.quantity_lots)
        if within == available(self.book, 0, side, reach, order.quantity_lots):
            return super()._enter(order, now_ns)
        at_once = order._replace(quantity_lots=within, price_ticks=bound + self._base, is_market=False)
        executions = super()._enter(at_once, now_ns).executions if within else list[Execution]()
        self.begin_call(now_ns + self._interruption_ns)
        rest = super()._enter(order._replace(quantity_lots=order.quantity_lots - within), now_ns)
        return Submitted(executions, rest.resting_lots, rest.accepted, rest.then)
