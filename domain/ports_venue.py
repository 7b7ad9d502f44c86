"""What the simulated venue is made of, as Protocols: markets behind protocol fronts, a ledger between them.

The venue (ems.venue) sees only these; the matching engine (models.market) and the FIX front (adapters.fix)
arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from domain.tape import Tape

ORDER_ID_MIN: Final = 1 << 62  # our orders' ids in a book lie above every recorded or generated one


class VenueTif(StrEnum):
    """Time in force at the venue."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"


CARRIED: Final = (VenueTif.GTC, VenueTif.GTD)  # orders that outlive their day


class VenueOrder(NamedTuple):
    """An order as the matching engine takes it. price_ticks is ignored for a market order."""

    order_id: int
    side: int  # +1 buy, -1 sell
    quantity_lots: int
    price_ticks: int = 0
    is_market: bool = False
    tif: VenueTif = VenueTif.DAY
    stop_ticks: int | None = None  # held until a trade reaches this price; None: at work at once


class Execution(NamedTuple):
    """One fill of one of our orders."""

    order_id: int
    price_ticks: int
    quantity_lots: int
    time_ns: int
    is_maker: bool


class Triggered(NamedTuple):
    """A trade has reached the stop price of one of our orders: from now on it is at work."""

    order_id: int
    time_ns: int


class Unfilled(NamedTuple):
    """What a triggered order could not trade may not rest, and is gone."""

    order_id: int
    time_ns: int


MarketEvent = Execution | Triggered | Unfilled


class Submitted(NamedTuple):
    """What became of a submitted order at once."""

    executions: list[Execution]
    resting_lots: int  # or held ones; 0 when it filled, or when its time in force or its kind forbids resting
    accepted: bool  # False: the book is full or a price is outside its window; nothing was done
    then: list[MarketEvent]  # what followed: stop orders that its trades, or for a stop the last trade, have triggered


class Top(NamedTuple):
    """Best prices and the session's trading. A missing side has size 0."""

    time_ns: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    last_half_ticks: int  # last trade's price in half ticks, since hidden midpoint prints lie between ticks
    last_lots: int
    volume_lots: int
    notional_half_ticks: int  # sum of price in half ticks x lots


class TapeSource(Protocol):
    """Where market events come from."""

    def until(self, now_ns: int) -> Tape:
        """The events due by now that were not given before, in order."""
        ...

    @property
    def ends_ns(self) -> int | None:
        """When the session ends; None for a source without end."""
        ...


class Market(Protocol):
    """One instrument's continuous market: a book, matched in price-time priority, driven by a tape."""

    def advance(self, now_ns: int) -> list[MarketEvent]:
        """Apply the tape events due by now; what became of our resting and held orders, in order."""
        ...

    def submit(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Match an order against the book; what is left rests where it may. A stop order is held."""
        ...

    def cancel(self, order_id: int) -> int:
        """Take an order out, resting or held; lots taken out, 0 for an unknown id."""
        ...

    def replace(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Change a resting or held order to these prices and this open quantity. Less quantity at the same price keeps
        its place in the queue; anything else loses it and may trade at once."""
        ...

    def top(self) -> Top:
        """Best prices and cumulative trading."""
        ...

    def restore_trading(self, volume_lots: int, notional_half_ticks: int) -> None:
        """Set the session's cumulative trading, after a restart."""
        ...

    def counters(self) -> dict[str, int]:
        """What was odd: unknown ids, overflow, events out of the price window, lots taken by us."""
        ...

    @property
    def halted(self) -> bool:
        """Whether the tape has halted trading."""
        ...

    @property
    def ends_ns(self) -> int | None:
        """When the session ends; None for a market without end."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument of the venue: how decimals on the wire become ticks and lots."""

    symbol: str
    tick_size_e9: int
    lot_size_e9: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as it arrived. Prices and quantities at 1e-9, None where the message had none."""

    session: str
    cl_ord_id: str
    symbol: str
    side: int
    ord_type: str  # "market" | "limit" | "stop" | "stop_limit" | "?"
    tif: str  # a VenueTif, or "?"
    quantity_e9: int
    price_e9: int | None
    account: str
    possible_repeat: bool  # PossDup or PossResend was set
    stop_price_e9: int | None = None
    expire_ns: int | None = None  # when a GTD order ends
    msg_seq_num: int = 0  # what a reject of the message itself refers to


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """A request to cancel, or (quantity_e9 set) to replace, the order that orig_cl_ord_id names. None and "": as it was."""

    session: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: int
    possible_repeat: bool
    quantity_e9: int | None = None
    price_e9: int | None = None
    stop_price_e9: int | None = None
    ord_type: str = ""
    tif: str = ""
    expire_ns: int | None = None
    msg_seq_num: int = 0


@dataclass(frozen=True, slots=True)
class MassStatusRequest:
    """A question for the state of all orders that are alive: of one symbol, or (symbol "") of the whole session."""

    session: str
    request_id: str
    symbol: str = ""
    understood: bool = True  # False: it asks for a scope that is not answered here


@dataclass(frozen=True, slots=True)
class StatusRequest:
    """A question for an order's state."""

    session: str
    cl_ord_id: str
    symbol: str
    side: int
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """One answer of the venue: an ExecutionReport, or (cancel_reject_to set) an OrderCancelReject."""

    session: str
    exec_id: str
    exec_type: str  # FIX ExecType
    ord_status: str  # FIX OrdStatus
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: int
    ord_type: str
    tif: str
    account: str
    quantity_e9: int
    price_e9: int | None
    cum_e9: int
    leaves_e9: int
    average_e9: int
    time_ns: int
    last_quantity_e9: int = 0
    last_price_e9: int = 0
    reason: int | None = None  # OrdRejReason or CxlRejReason
    text: str = ""
    cancel_reject_to: str = ""  # CxlRejResponseTo: "1" cancel, "2" replace
    request_id: str = ""
    stop_price_e9: int | None = None
    expire_ns: int | None = None
    working: bool | None = None  # WorkingIndicator, of stop orders
    exec_ref_id: str = ""  # the execution that a bust or correction is about
    restatement_reason: int | None = None
    mass_request_id: str = ""  # of an answer to a MassStatusRequest; which of how many it is stands beside it
    mass_total: int = 0
    mass_last: bool = False


class Snapshot(NamedTuple):
    """One instrument's published state. A missing side has size 0."""

    symbol: str
    time_ns: int
    bid_e9: int
    bid_size_e9: int
    ask_e9: int
    ask_size_e9: int
    last_e9: int
    last_size_e9: int
    volume_e9: int
    notional_e9: int


class OrderFront(Protocol):
    """A protocol front, as the venue uses it."""

    def start(self, handler: VenueHandler) -> None:
        """Open for peers; the handler must be ready."""
        ...

    def send(self, report: Report, *, possible_resend: bool) -> bool:
        """Hand a report to the engine, which stores it before it sends it. False: nothing was stored."""
        ...

    def publish(self, snapshots: Sequence[Snapshot]) -> None:
        """Send changed states to those who subscribed to them; loses rather than waits."""
        ...

    def disconnect(self, session: str, hold_ms: int) -> bool:
        """Log a session out and refuse it for that long. False: no such session."""
        ...


class VenueHandler(Protocol):
    """What a protocol front calls, each once per message, before it confirms the message to the peer."""

    def on_new(self, order: NewOrder) -> None: ...

    def on_cancel(self, request: CancelRequest) -> None: ...

    def on_replace(self, request: CancelRequest) -> None: ...

    def on_status(self, request: StatusRequest) -> None: ...

    def on_mass_status(self, request: MassStatusRequest) -> None: ...

    def snapshot(self, symbol: str) -> Snapshot | None: ...


class OrderState(StrEnum):
    """States of an order in the venue's ledger."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DONE_FOR_DAY = "done_for_day"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
