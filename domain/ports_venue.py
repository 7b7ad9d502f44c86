"""What the simulated venue is made of, as Protocols: markets behind protocol fronts, a ledger between them.

The venue (ems.venue) sees only these and `domain.ports_market`; the matching engine (models.market) and the FIX front
(adapters.fix) arrive as arguments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, NamedTuple, Protocol

from domain.tape import Tape


@dataclass(frozen=True, slots=True)
class Listing:
    """One instrument of the venue: how decimals on the wire become ticks and lots."""

    symbol: str
    tick_size_e9: int
    lot_size_e9: int


# Why an order has ended that nobody asked to cancel: the text of its report, which a front may have a code for.
NOTHING_LEFT: Final = "nothing left to trade with"
NO_ROOM: Final = "the book has no room for it"
WOULD_TAKE: Final = "it may only rest, and would have traded at once"
SELF_MATCH: Final = "it would have traded with another order of the same session"


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
    post_only: bool = False  # it may rest, but not trade at once
    no_self_match: bool = False  # orders of the session that it would trade with are canceled first


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
    post_only: bool | None = None  # None: as it was


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
    """One answer of the venue: an ExecutionReport, or (cancel_reject_to set) an OrderCancelReject.

    last_quantity_e9, last_price_e9: of a fill; of a cancel for SELF_MATCH what would have traded.
    """

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
    maker: bool | None = None  # of a fill: whether the order rested


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


class DepthLevel(NamedTuple):
    """The total displayed at a price. side: +1 bid, -1 ask."""

    side: int
    price_e9: int
    size_e9: int


class Depth(NamedTuple):
    """All displayed levels of one instrument, as they were published up to entry `number`, at `time_ns`."""

    symbol: str
    time_ns: int
    number: int
    levels: tuple[DepthLevel, ...]


class DepthEntry(NamedTuple):
    """One published change: a level's total from now on (size 0: it is gone), or a trade. Numbers of an instrument are gapless.

    side: of the level, or of a trade's resting order, 0 where there is none.
    """

    number: int
    kind: Literal["new", "change", "gone", "trade", "cross"]
    side: int
    price_e9: int
    size_e9: int
    time_ns: int


class DepthUpdate(NamedTuple):
    """What has changed of one instrument since it was last published: trades in order, then levels, what is gone first."""

    symbol: str
    time_ns: int
    entries: tuple[DepthEntry, ...]


class TapeLine(Protocol):
    """Who publishes order by order, as `ems.venue_displays` hands it over. Called under the venue's lock; never waits."""

    def begin(self, now_ns: int, displayed: Sequence[Tape]) -> None:
        """A session begins with what each market displays now. Instruments are numbered from 1 in the order of the listings."""
        ...

    def publish(self, tapes: Sequence[Tape]) -> bool:
        """What has happened since, one tape of each market in which something has. False: nothing was published, because the
        session's day is over; another must begin."""
        ...


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

    def publish_depth(self, updates: Sequence[DepthUpdate]) -> None:
        """Likewise to those who subscribed to every level and trade."""
        ...

    def disconnect(self, session: str, hold_ms: int) -> bool:
        """Log a session out and refuse it for that long. False: no such session."""
        ...

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        """Refuse a message of a peer's as a message: kind "j" (BusinessMessageReject) or "3" (Reject)."""
        ...

    def skip_numbers(self, session: str, count: int) -> None:
        """Leave out so many sequence numbers: the peer finds a gap and asks."""
        ...


class VenueHandler(Protocol):
    """What a protocol front calls, each once per message, before it confirms the message to the peer."""

    def on_new(self, order: NewOrder) -> None: ...

    def on_cancel(self, request: CancelRequest) -> None: ...

    def on_replace(self, request: CancelRequest) -> None: ...

    def on_status(self, request: StatusRequest) -> None: ...

    def on_mass_status(self, request: MassStatusRequest) -> None: ...

    def snapshot(self, symbol: str) -> Snapshot | None: ...

    def depth(self, symbol: str) -> Depth | None: ...


class OrderState(StrEnum):
    """States of an order in the venue's ledger."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    DONE_FOR_DAY = "done_for_day"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REJECTED = "rejected"
