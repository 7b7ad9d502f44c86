"""What the venue decides: orders into its markets, fills and answers into its record. Called under the venue's lock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from domain.ports_market import (
    AUCTIONS,
    ORDER_ID_MIN,
    Execution,
    Market,
    MarketEvent,
    Submitted,
    Triggered,
    Unfilled,
    VenueOrder,
    VenueTif,
)
from domain.ports_venue import (
    NO_ROOM,
    NOTHING_LEFT,
    SELF_MATCH,
    WOULD_TAKE,
    CancelRequest,
    Listing,
    NewOrder,
    OrderState,
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
        self.closed: set[str] = set()  # symbols whose session has ended

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
            price_e9=new.price_e9 if new.ord_type in vo.PRICED else None,
            stop_price_e9=new.stop_price_e9 if new.ord_type in vo.HELD else None,
            expire_ns=new.expire_ns if new.tif == VenueTif.GTD else None,
            held=new.ord_type in vo.HELD,
            post_only=new.post_only,
            no_self_match=new.no_self_match,
        )
        self._record.register(order, now_ns)
        why = self._refuse(new, now_ns)
        if why is not None:
            order.state = OrderState.REJECTED
            self._record.changed(order, why[1], now_ns)
            self._record.answer(order.report("8", self._record.exec_id(now_ns), now_ns, reason=why[0], text=why[1]))
            return
        self._record.changed(order, "accepted", now_ns)
        self._record.answer(order.report("0", self._record.exec_id(now_ns), now_ns))
        self.put_in_book(order, now_ns)

    def _refuse(self, new: NewOrder, now_ns: int) -> tuple[int, str] | None:
        why = vo.refusal(new, self._listings.get(new.symbol), now_ns)
        if why is None and (new.symbol in self.closed or self._markets[new.symbol].halted):
            why = vo.EXCHANGE_CLOSED, "the market is closed or halted"
        if why is None and new.tif in AUCTIONS and not self._markets[new.symbol].awaits(VenueTif(new.tif)):
            why = vo.OTHER, "no such auction is to come"
        if why is None and self._outbox.rejects():
            why = vo.OTHER, "rejected on command"
        return why

    def put_in_book(self, order: LiveOrder, now_ns: int) -> None:
        """An order into its market: one that is new, or one that a restart brings back."""
        self._end_self_matches(order, now_ns)
        if self._would_take(order):
            self.end(order, OrderState.CANCELED, WOULD_TAKE, now_ns)
        else:
            self._after_submit(order, self._markets[order.symbol].submit(self._entry(order), now_ns), now_ns)

    def _end_self_matches(self, order: LiveOrder, now_ns: int) -> None:
        """Orders of the same session that this one would trade with are canceled."""
        market, listing = self._markets[order.symbol], self._listings[order.symbol]
        while order.no_self_match:
            met = [(self._record.orders[each.order_id - ORDER_ID_MIN], each) for each in market.meets(self._entry(order)).ours]
            own = [(resting, each) for resting, each in met if resting.session == order.session]
            if not own:
                break
            for resting, each in own:
                market.cancel(resting.book_id)
                prevented = {
                    "last_quantity_e9": each.quantity_lots * listing.lot_size_e9,
                    "last_price_e9": each.price_ticks * listing.tick_size_e9,
                }
                self.end(resting, OrderState.CANCELED, SELF_MATCH, now_ns, **prevented)

    def _would_take(self, order: LiveOrder) -> bool:
        """Whether an order that may only rest would trade at once."""
        return order.post_only and self._markets[order.symbol].meets(self._entry(order)).lots > 0

    def _entry(self, order: LiveOrder) -> VenueOrder:
        """What is open of an order, as its market takes it."""
        listing = self._listings[order.symbol]
        return VenueOrder(
            order.book_id,
            order.side,
            vo.lots_of(order.open_e9, listing),
            (order.price_e9 or 0) // listing.tick_size_e9,
            order.price_e9 is None,
            VenueTif(order.tif),
            order.stop_price_e9 // listing.tick_size_e9 if order.held and order.stop_price_e9 is not None else None,
        )

    def _after_submit(self, order: LiveOrder, result: Submitted, now_ns: int, why: str = NOTHING_LEFT) -> None:
        self.happened(result.executions)
        if order.working and result.resting_lots == 0:
            why = why if result.accepted else NO_ROOM
            self.end(order, OrderState.CANCELED, why, now_ns)
        self.happened(result.then)

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
        if order is not None and not order.live:
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
        fault = vo.replace_fault(order, request, self._listings[order.symbol], now_ns)
        if fault is not None:
            self._refuse_request(request, "2", vo.CXL_OTHER, fault, now_ns)
            return
        asked = self._as_asked(order, request)
        result, why = Submitted([], 0, True, []), NOTHING_LEFT
        if order.working and asked.open_e9 and asked.price_e9 != order.price_e9:
            self._end_self_matches(asked, now_ns)
            why = WOULD_TAKE if self._would_take(asked) else why
        if asked.open_e9 == 0 or why == WOULD_TAKE:  # no more than what has executed: the balance is canceled
            self._markets[order.symbol].cancel(order.book_id)
        elif order.working:
            result = self._markets[order.symbol].replace(self._entry(asked), now_ns)
        if not result.accepted:
            self._refuse_request(request, "2", vo.CXL_OTHER, "the price is outside the book", now_ns)
            return
        order.quantity_e9, order.price_e9, order.stop_price_e9 = asked.quantity_e9, asked.price_e9, asked.stop_price_e9
        order.tif, order.expire_ns, order.post_only = asked.tif, asked.expire_ns, asked.post_only
        if order.working or order.open_e9 == 0:
            order.settle()
        self._record.rename(order, request, now_ns)
        self._record.changed(order, "replaced", now_ns)
        self._record.answer(order.report("5", self._record.exec_id(now_ns), now_ns, orig_cl_ord_id=order.orig_cl_ord_id))
        if order.working:
            self._after_submit(order, result, now_ns, why)

    def _as_asked(self, order: LiveOrder, request: CancelRequest) -> LiveOrder:
        """The order as a request wants it. Less than what has executed means: nothing more."""
        asked = replace(order, quantity_e9=max(request.quantity_e9 or 0, order.cum_e9), tif=request.tif or order.tif)
        asked.post_only = order.post_only if request.post_only is None else request.post_only
        if order.price_e9 is not None and request.price_e9 is not None:
            asked.price_e9 = request.price_e9
        if order.held and request.stop_price_e9 is not None:
            asked.stop_price_e9 = request.stop_price_e9
        asked.expire_ns = (request.expire_ns or order.expire_ns) if asked.tif == VenueTif.GTD else None
        return asked

    def happened(self, events: Iterable[MarketEvent]) -> None:
        """What became of orders in their markets."""
        for event in events:
            order = self._record.orders[event.order_id - ORDER_ID_MIN]
            match event:
                case Execution():
                    self._executed(order, event)
                case Triggered():
                    order.held = False
                    self._record.changed(order, "triggered", event.time_ns)
                    self._record.answer(order.report("L", self._record.exec_id(event.time_ns), event.time_ns))
                case Unfilled():
                    if order.tif in AUCTIONS:
                        self.end(order, OrderState.EXPIRED, "its auction is over", event.time_ns)
                    else:
                        self.end(order, OrderState.CANCELED, NOTHING_LEFT, event.time_ns)

    def _executed(self, order: LiveOrder, execution: Execution) -> None:
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
        last = {"last_quantity_e9": quantity_e9, "last_price_e9": price_e9, "maker": execution.is_maker}
        self._record.answer(order.report("F", exec_id, execution.time_ns, **last))

    def take_out(self, order: LiveOrder, state: OrderState, why: str, now_ns: int) -> None:
        """The day, or its time, ends an order."""
        self._markets[order.symbol].cancel(order.book_id)
        self.end(order, state, why, now_ns)

    def end(self, order: LiveOrder, state: OrderState, why: str, now_ns: int, **more: int) -> None:
        """An order is over, for the day at least, and nobody asked for it."""
        order.state = state
        self._record.changed(order, why, now_ns)
        self._record.answer(order.report(vo.ORD_STATUS[state], self._record.exec_id(now_ns), now_ns, text=why, **more))
