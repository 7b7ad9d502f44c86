"""The venue's own orders: their state, the answers and the ledger lines that follow from it, and what is refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from domain.ports_market import AUCTIONS, CARRIED, ORDER_ID_MIN, VenueTif
from domain.ports_venue import CancelRequest, Listing, MassStatusRequest, NewOrder, OrderState, Report, StatusRequest
from domain.values import E9, divide_round

ORD_STATUS: Final = {
    OrderState.NEW: "0",
    OrderState.PARTIALLY_FILLED: "1",
    OrderState.FILLED: "2",
    OrderState.DONE_FOR_DAY: "3",
    OrderState.CANCELED: "4",
    OrderState.REJECTED: "8",
    OrderState.EXPIRED: "C",
}
WORKING: Final = (OrderState.NEW, OrderState.PARTIALLY_FILLED)

# The first two rows are values of OrdRejReason, the third of CxlRejReason.
UNKNOWN_SYMBOL, EXCHANGE_CLOSED, UNKNOWN_ORDER, DUPLICATE_ORDER = 1, 2, 5, 6
UNSUPPORTED, INCORRECT_QUANTITY, OTHER = 11, 13, 99
CXL_TOO_LATE, CXL_UNKNOWN_ORDER, CXL_DUPLICATE, CXL_OTHER = 0, 1, 6, 99
ORD_TYPES: Final = ("market", "limit", "stop", "stop_limit")
PRICED: Final = ("limit", "stop_limit")
HELD: Final = ("stop", "stop_limit")


@dataclass(slots=True)
class LiveOrder:
    """One order of a client, from its acceptance or refusal on."""

    n: int
    order_id: str
    session: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: int
    ord_type: str
    tif: str
    account: str
    quantity_e9: int
    price_e9: int | None
    cum_e9: int = 0
    notional_e18: int = 0
    state: OrderState = OrderState.NEW
    time_ns: int = 0
    stop_price_e9: int | None = None
    expire_ns: int | None = None
    held: bool = False  # it waits for its stop price
    post_only: bool = False
    no_self_match: bool = False

    @property
    def book_id(self) -> int:
        """The order's id in the matching engine."""
        return ORDER_ID_MIN + self.n

    @property
    def working(self) -> bool:
        """Whether it stands in its market, at work or held."""
        return self.state in WORKING

    @property
    def carried(self) -> bool:
        """Whether it outlives its day."""
        return self.tif in CARRIED

    @property
    def live(self) -> bool:
        """Whether it may trade, today or on another day."""
        return self.working or (self.state is OrderState.DONE_FOR_DAY and self.carried)

    @property
    def open_e9(self) -> int:
        """What may still execute."""
        return self.quantity_e9 - self.cum_e9 if self.live else 0

    def settle(self) -> None:
        """The working state that follows from the quantities."""
        if self.cum_e9 >= self.quantity_e9:
            self.state = OrderState.FILLED
        else:
            self.state = OrderState.PARTIALLY_FILLED if self.cum_e9 else OrderState.NEW

    def line(self, why: str) -> dict[str, Any]:
        """Its ledger line."""
        return {"k": "order", **{name: getattr(self, name) for name in LiveOrder.__slots__}, "why": why}

    def report(self, exec_type: str, exec_id: str, time_ns: int, **more: Any) -> Report:
        """An ExecutionReport, or with cancel_reject_to an OrderCancelReject, of its present state."""
        fields = {
            "session": self.session,
            "cl_ord_id": self.cl_ord_id,
            "orig_cl_ord_id": "",
            "ord_status": ORD_STATUS[self.state],
            "leaves_e9": self.open_e9,
            "working": not self.held if self.stop_price_e9 is not None and self.live else None,
            **more,
        }
        return Report(
            exec_id=exec_id,
            exec_type=exec_type,
            order_id=self.order_id,
            symbol=self.symbol,
            side=self.side,
            ord_type=self.ord_type,
            tif=self.tif,
            account=self.account,
            quantity_e9=self.quantity_e9,
            price_e9=self.price_e9,
            stop_price_e9=self.stop_price_e9,
            expire_ns=self.expire_ns,
            cum_e9=self.cum_e9,
            average_e9=divide_round(self.notional_e18, self.cum_e9) if self.cum_e9 else 0,
            time_ns=time_ns,
            **fields,
        )


def order_of(line: dict[str, Any]) -> LiveOrder:
    """The order behind a ledger line."""
    data = {name: line[name] for name in LiveOrder.__slots__ if name in line}
    return LiveOrder(**{**data, "state": OrderState(data["state"])})


def refusal(order: NewOrder, listing: Listing | None, now_ns: int) -> tuple[int, str] | None:
    """Why an order cannot be taken (OrdRejReason and text), or None."""
    if listing is None:
        return UNKNOWN_SYMBOL, f"unknown symbol {order.symbol}"
    if order.ord_type not in ORD_TYPES or order.tif == "?" or order.side == 0:
        return UNSUPPORTED, "only market, limit, stop and stop limit orders; DAY, GTC, IOC, FOK, GTD and auctions; buy and sell"
    if order.tif in AUCTIONS and order.ord_type in HELD:
        return UNSUPPORTED, "a stop order is not for an auction"
    if why := quantity_fault(order.quantity_e9, listing):
        return INCORRECT_QUANTITY, why
    prices = [("limit", order.price_e9)] * (order.ord_type in PRICED) + [("stop", order.stop_price_e9)] * (order.ord_type in HELD)
    why = next((why for name, price_e9 in prices if (why := price_fault(name, price_e9, listing))), None)
    why = why or expiry_fault(order.tif, order.expire_ns, now_ns)
    return (OTHER, why) if why else None


def replace_fault(order: LiveOrder, request: CancelRequest, listing: Listing, now_ns: int) -> str | None:
    """Why a live order cannot be changed so; None if it can."""
    if request.ord_type not in ("", order.ord_type):
        return "the order type cannot be changed"
    if request.tif not in ("", order.tif) and not {request.tif, order.tif} <= {VenueTif.DAY, *CARRIED}:
        return "the time in force cannot be changed so"
    if why := quantity_fault(request.quantity_e9 or 0, listing):
        return why
    if order.price_e9 is not None and request.price_e9 is not None and (why := price_fault("limit", request.price_e9, listing)):
        return why
    if order.held and request.stop_price_e9 is not None and (why := price_fault("stop", request.stop_price_e9, listing)):
        return why
    return expiry_fault(request.tif or order.tif, request.expire_ns or order.expire_ns, now_ns)


def quantity_fault(quantity_e9: int, listing: Listing) -> str | None:
    """What is wrong with a quantity."""
    wrong = quantity_e9 <= 0 or quantity_e9 % listing.lot_size_e9
    return "the quantity must be a positive number of whole lots" if wrong else None


def price_fault(name: str, price_e9: int | None, listing: Listing) -> str | None:
    """What is wrong with a limit or stop price."""
    wrong = price_e9 is None or price_e9 <= 0 or price_e9 % listing.tick_size_e9
    return f"the {name} price must be a positive number of whole ticks" if wrong else None


def expiry_fault(tif: str, expire_ns: int | None, now_ns: int) -> str | None:
    """What is wrong with the end of a GTD order."""
    wrong = tif == VenueTif.GTD and (expire_ns is None or expire_ns <= now_ns)
    return "a GTD order needs an ExpireTime or ExpireDate that is still to come" if wrong else None


def unknown_order_status(request: StatusRequest, time_ns: int) -> Report:
    """The answer to a question for an order that nobody has: 150=I, 39=8, 103=5."""
    return Report(
        session=request.session,
        exec_id="0",
        exec_type="I",
        ord_status="8",
        order_id="NONE",
        cl_ord_id=request.cl_ord_id,
        orig_cl_ord_id="",
        symbol=request.symbol,
        side=request.side,
        ord_type="",
        tif="",
        account="",
        quantity_e9=0,
        price_e9=None,
        cum_e9=0,
        leaves_e9=0,
        average_e9=0,
        time_ns=time_ns,
        reason=UNKNOWN_ORDER,
        text="unknown order",
        request_id=request.request_id,
    )


def nothing_to_tell(request: MassStatusRequest, time_ns: int) -> Report:
    """The one answer to a mass status request that finds no order, or is not understood: 911=0."""
    question = StatusRequest(request.session, "", request.symbol, 0)
    why = "no order is alive" if request.understood else "only all orders (585=7) or those of one security (585=1)"
    changes = {"reason": UNKNOWN_ORDER if request.understood else OTHER, "text": why}
    mass = {"mass_request_id": request.request_id, "mass_total": 0, "mass_last": True}
    return Report(**{**asdict(unknown_order_status(question, time_ns)), **changes, **mass})


def unknown_order_reject(request: CancelRequest, response_to: str, time_ns: int) -> Report:
    """The answer to a cancel or replace of an order that nobody has: 35=9 with 37=NONE, 39=8, 102=1."""
    question = StatusRequest(request.session, request.cl_ord_id, request.symbol, request.side)
    base = asdict(unknown_order_status(question, time_ns))
    changes = {"orig_cl_ord_id": request.orig_cl_ord_id, "reason": CXL_UNKNOWN_ORDER, "cancel_reject_to": response_to}
    return Report(**{**base, **changes})


def lots_of(quantity_e9: int, listing: Listing) -> int:
    """Whole lots of a quantity that was checked to be so."""
    return quantity_e9 // listing.lot_size_e9


def notional_e9(half_ticks_lots: int, listing: Listing) -> int:
    """Money of a sum of half ticks x lots, rounded half to even."""
    return divide_round(half_ticks_lots * listing.tick_size_e9 * listing.lot_size_e9, 2 * E9)
