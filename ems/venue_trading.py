"""What the venue decides: orders into its markets, fills and answers into its record. Called under the venue's lock."""

from __future__ import annotations

from collections.abc import Mapping

from domain.ports_venue import (
    ORDER_ID_MIN,
    CancelRequest,
    Execution,
    Listing,
    Market,
    NewOrder,
    OrderState,
    Submitted,
    VenueOrder,
    VenueTif,
)
from ems import venue_orders as vo
from ems.venue_faults import Outbox
from ems.venue_orders import LiveOrder
from ems.venue_record import Record, exec_line


class Trading:
    """Orders, cancels and replaces against markets. Nothing is durable or sent until the record commits.

    Args:
        name: prefix of OrderIDs.
        rejects: whether the next new order is to be refused on command.
    """

    def __init__(
        self, name: str, listings: Mapping[str, Listing], markets: Mapping[str, Market], record: Record, outbox: Outbox
    ) -> None:
        self._name = name
        self._listings = listings
        self._markets = markets
        self._record = record
        self._outbox = outbox
        self._closed: set[str] = set()

    def new(self, order: NewOrder, now_ns: int) -> None:
        """A new order, or one that the peer repeats."""
        known = self._record.find(order.session, order.cl_ord_id, now_ns)
        if known is not None:
            self._repeat(order, known, now_ns)
        else:
            self._accept(order, now_ns)

    def cancel(self, request: CancelRequest, now_ns: int) -> None:
        """A request to cancel."""
        order = self._request_target(request, "1", now_ns)
        if order is not None:
            self._markets[order.symbol].cancel(order.book_id)
            order.state = OrderState.CANCELED
            self._record.rename(order, request, now_ns)
            self._record.changed(order, "canceled", now_ns)
            exec_id = self._record.exec_id(now_ns)
            self._record.answer(order.report("4", exec_id, now_ns, orig_cl_ord_id=order.orig_cl_ord_id))

    def replace(self, request: CancelRequest, now_ns: int) -> None:
        """A request to change price or quantity."""
        order = self._request_target(request, "2", now_ns)
        if order is not None:
            self._replace(order, request, now_ns)

    def _accept(self, new: NewOrder, now_ns: int) -> None:
        n = self._record.next_order()
        order = LiveOrder(
            n=n,
            order_id=f"{self._name}-{n}",
            session=new.session,
            cl_ord_id=new.cl_ord_id,
            orig_cl_ord_id="",
            symbol=new.symbol,
            side=new.side,
            ord_type=new.ord_type,
            tif=new.tif,
            account=new.account,
            quantity_e9=new.quantity_e9,
            price_e9=new.price_e9 if new.ord_type == "limit" else None,
        )
        self._record.register(order, now_ns)
        why = self._refuse(new)
        if why is not None:
            order.state = OrderState.REJECTED
            self._record.changed(order, why[1], now_ns)
            self._record.answer(order.report("8", self._record.exec_id(now_ns), now_ns, reason=why[0], text=why[1]))
            return
        self._record.changed(order, "accepted", now_ns)
        self._record.answer(order.report("0", self._record.exec_id(now_ns), now_ns))
        self._put_in_book(order, now_ns)

    def _refuse(self, new: NewOrder) -> tuple[int, str] | None:
        why = vo.refusal(new, self._listings.get(new.symbol))
        if why is None and (new.symbol in self._closed or self._markets[new.symbol].halted):
            why = vo.EXCHANGE_CLOSED, "the market is closed or halted"
        if why is None and self._outbox.rejects():
            why = vo.OTHER, "rejected on command"
        return why

    def _put_in_book(self, order: LiveOrder, now_ns: int) -> None:
        listing = self._listings[order.symbol]
        lots = vo.lots_of(order.open_e9, listing)
        ticks = (order.price_e9 or 0) // listing.tick_size_e9
        market_order = order.price_e9 is None
        entry = VenueOrder(order.book_id, order.side, lots, ticks, market_order, VenueTif(order.tif))
        self._after_submit(order, self._markets[order.symbol].submit(entry, now_ns), now_ns)

    def _after_submit(self, order: LiveOrder, result: Submitted, now_ns: int) -> None:
        self._executed(result.executions)
        if order.working and result.resting_lots == 0:
            order.state = OrderState.CANCELED
            why = "nothing left to trade with" if result.accepted else "the book has no room for it"
            self._record.changed(order, why, now_ns)
            self._record.answer(order.report("4", self._record.exec_id(now_ns), now_ns, text=why))

    def _repeat(self, new: NewOrder, known: LiveOrder, now_ns: int) -> None:
        """The ClOrdID is known. A repeat was answered, or will be; anything else is refused, and the order lives on."""
        if not new.possible_repeat:
            state = {"reason": vo.DUPLICATE_ORDER, "text": "duplicate ClOrdID", "cl_ord_id": new.cl_ord_id}
            self._record.answer(known.report("8", self._record.exec_id(now_ns), now_ns, **state))

    def _request_target(self, request: CancelRequest, response_to: str, now_ns: int) -> LiveOrder | None:
        """The order that a cancel or replace may act on; None when it was answered or needs no answer."""
        if self._record.find(request.session, request.cl_ord_id, now_ns) is not None:
            if not request.possible_repeat:
                self._refuse_request(request, response_to, vo.CXL_DUPLICATE, "duplicate ClOrdID", now_ns)
            return None
        order = self._record.find(request.session, request.orig_cl_ord_id, now_ns)
        if order is not None and not order.working:
            self._refuse_request(request, response_to, vo.CXL_TOO_LATE, f"too late: {order.state}", now_ns)
        elif order is None or order.cl_ord_id != request.orig_cl_ord_id:
            self._refuse_request(request, response_to, vo.CXL_UNKNOWN_ORDER, "unknown order", now_ns)
        else:
            return order
        return None

    def _refuse_request(self, request: CancelRequest, response_to: str, reason: int, text: str, now_ns: int) -> None:
        order = self._record.find(request.session, request.orig_cl_ord_id, now_ns)
        if order is None:
            self._record.answer(vo.unknown_order_reject(request, response_to, now_ns))
            return
        ids = {"cl_ord_id": request.cl_ord_id, "orig_cl_ord_id": order.cl_ord_id}
        self._record.answer(order.report("", "0", now_ns, **ids, reason=reason, text=text, cancel_reject_to=response_to))

    def _replace(self, order: LiveOrder, request: CancelRequest, now_ns: int) -> None:
        listing = self._listings[order.symbol]
        quantity_e9 = request.quantity_e9 or 0
        price_e9 = order.price_e9 if request.price_e9 is None else request.price_e9
        fault = vo.price_fault(price_e9, listing)
        if quantity_e9 <= 0 or quantity_e9 % listing.lot_size_e9:
            fault = "the quantity must be a positive number of whole lots"
        if fault is not None or price_e9 is None:
            self._refuse_request(request, "2", vo.CXL_OTHER, fault or "", now_ns)
            return
        market = self._markets[order.symbol]
        result = Submitted([], 0, True)
        if quantity_e9 <= order.cum_e9:  # less than what has executed: the balance is canceled
            market.cancel(order.book_id)
            quantity_e9 = order.cum_e9
        else:
            lots = vo.lots_of(quantity_e9 - order.cum_e9, listing)
            result = market.replace(order.book_id, price_e9 // listing.tick_size_e9, lots, now_ns)
            if not result.accepted:
                self._refuse_request(request, "2", vo.CXL_OTHER, "the price is outside the book", now_ns)
                return
        order.quantity_e9, order.price_e9 = quantity_e9, price_e9
        order.settle()
        self._record.rename(order, request, now_ns)
        self._record.changed(order, "replaced", now_ns)
        self._record.answer(order.report("5", self._record.exec_id(now_ns), now_ns, orig_cl_ord_id=order.orig_cl_ord_id))
        if order.working:
            self._after_submit(order, result, now_ns)

    def recover(self, published: Mapping[str, list[int]], reached_ns: int, now_ns: int) -> None:
        """Markets run forward to where they were, continue what was published, and go on to now; only then do
        working orders queue again, since nobody could trade with them while the venue was away."""
        for symbol, market in self._markets.items():
            market.advance(reached_ns)
            if symbol in published:
                market.restore_trading(*published[symbol])
            market.advance(now_ns)
            for order in self._record.working(symbol):
                self._put_in_book(order, now_ns)

    def advance(self, now_ns: int) -> None:
        """Bring all markets up to now; at the end of a market's session its DAY orders expire."""
        for symbol, market in self._markets.items():
            self._executed(market.advance(now_ns))
            if market.ends_ns is not None and now_ns >= market.ends_ns and symbol not in self._closed:
                self._closed.add(symbol)
                self.expire(symbol, now_ns)

    def expire(self, symbol: str, now_ns: int) -> int:
        """Expire the working DAY orders of one market. Their number."""
        day_orders = [order for order in self._record.working(symbol) if order.tif == VenueTif.DAY]
        for order in day_orders:
            self._markets[symbol].cancel(order.book_id)
            order.state = OrderState.EXPIRED
            self._record.changed(order, "end of day", now_ns)
            self._record.answer(order.report("C", self._record.exec_id(now_ns), now_ns, text="end of day"))
        return len(day_orders)

    def _executed(self, executions: list[Execution]) -> None:
        for execution in executions:
            order = self._record.orders[execution.order_id - ORDER_ID_MIN]
            listing = self._listings[order.symbol]
            quantity_e9 = execution.quantity_lots * listing.lot_size_e9
            price_e9 = execution.price_ticks * listing.tick_size_e9
            order.cum_e9 += quantity_e9
            order.notional_e18 += price_e9 * quantity_e9
            order.settle()
            exec_id = self._record.exec_id(execution.time_ns)
            trade = {"price_e9": price_e9, "quantity_e9": quantity_e9, "time_ns": execution.time_ns, "maker": execution.is_maker}
            self._record.add(exec_line(exec_id, order, trade))
            self._record.changed(order, "executed", execution.time_ns)
            last = {"last_quantity_e9": quantity_e9, "last_price_e9": price_e9}
            self._record.answer(order.report("F", exec_id, execution.time_ns, **last))
