"""A child order: one order at one venue, from the intent to the proof of its end.

Read top-down: its events, its frozen state. How events change it is in `domain.child_life`, what may happen to it and
what a venue's words mean for it in `domain.child_rules`.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.instructions import CARRIED, Instructions
from domain.order_life import TERMINAL, OrdStatus
from domain.values import OrdType, Side, StreamId, TimeInForce, short_id, stream_id

# ---------------------------------------------------------------------------------------------- events


class Created(Event):
    """The intent: appended before anything is sent."""

    TOPIC: ClassVar[str] = "child_order.created.v1"
    parent: StreamId
    number: int  # of this child among its parent's, from 1
    venue_session: str
    trade_date: str
    cl_ord_id: str
    instrument: str
    side: Side
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    account: str
    tactic: str  # passive, aggressive, would: why this price; direct: the client's own
    bid_e9: int | None  # the touch that the tactic saw
    ask_e9: int | None
    instructions: Instructions | None = None
    reckoned_price_e9: int | None = None  # what an order without a limit was reckoned at when its risk was checked
    trip: str = ""  # of the kill switch: the order flattens a house position
    reason: str = ""  # of the tactic: why this price
    channel: Literal["", "phone", "house"] = ""  # how it came about where nothing is sent: a person told of it, the house took it


class Acknowledged(Event):
    TOPIC: ClassVar[str] = "child_order.acknowledged.v1"
    order_id: str  # the venue's
    working: bool | None = None  # False: it waits for a stop price


class Filled(Event):
    TOPIC: ClassVar[str] = "child_order.filled.v1"
    fill: StreamId  # the fill's own stream
    exec_id: str
    quantity_e9: int
    price_e9: int


class CancelRequested(Event):
    TOPIC: ClassVar[str] = "child_order.cancel_requested.v1"
    cl_ord_id: str  # of the cancel
    reason: str


class CancelRefused(Event):
    TOPIC: ClassVar[str] = "child_order.cancel_refused.v1"
    reason: int  # CxlRejReason (102)
    text: str


class ReplaceRequested(Event):
    TOPIC: ClassVar[str] = "child_order.replace_requested.v1"
    cl_ord_id: str  # of the replace, the order's own once it is taken
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    instructions: Instructions | None


class RequestPending(Event):
    """The venue has our order or request and has yet to decide."""

    TOPIC: ClassVar[str] = "child_order.request_pending.v1"
    request: Literal["new", "cancel", "replace"]


class Replaced(Event):
    """quantity_e9 and limit_price_e9: what the venue made of it, which may be less than was asked for."""

    TOPIC: ClassVar[str] = "child_order.replaced.v1"
    cl_ord_id: str
    orig_cl_ord_id: str
    quantity_e9: int
    limit_price_e9: int | None


class ReplaceRefused(Event):
    TOPIC: ClassVar[str] = "child_order.replace_refused.v1"
    reason: int  # CxlRejReason (102)
    text: str


class Triggered(Event):
    """The stop price was reached: the order works."""

    TOPIC: ClassVar[str] = "child_order.triggered.v1"


class Held(Event):
    """The venue guarantees a price (stopped) or does not let the order trade (suspended)."""

    TOPIC: ClassVar[str] = "child_order.held.v1"
    kind: Literal["stopped", "suspended"]
    exec_id: str
    text: str


class Restated(Event):
    """The venue changed the order or began its next day."""

    TOPIC: ClassVar[str] = "child_order.restated.v1"
    exec_id: str
    reason: int | None  # ExecRestatementReason (378)
    quantity_e9: int
    limit_price_e9: int | None
    text: str
    cum_quantity_e9: int | None = None  # CumQty after a corporate action, which leaves what was paid as it was


class FillRestated(Event):
    """An execution was taken back or corrected; quantity and price are of the whole execution, before and now."""

    TOPIC: ClassVar[str] = "child_order.fill_restated.v1"
    fill: StreamId
    kind: Literal["cancel", "correct"]
    exec_id: str
    exec_ref_id: str
    quantity_e9: int
    price_e9: int
    previous_quantity_e9: int
    previous_price_e9: int


class Canceled(Event):
    TOPIC: ClassVar[str] = "child_order.canceled.v1"
    text: str
    restatement_reason: int | None = None  # why, where nobody asked: ExecRestatementReason (378)


class Rejected(Event):
    TOPIC: ClassVar[str] = "child_order.rejected.v1"
    text: str
    ord_rej_reason: int | None = None  # OrdRejReason (103)


class Expired(Event):
    TOPIC: ClassVar[str] = "child_order.expired.v1"
    text: str


class DoneForDay(Event):
    TOPIC: ClassVar[str] = "child_order.done_for_day.v1"
    text: str


class Doubted(Event):
    """The venue has not told what became of the order; its exposure stays reserved until it does."""

    TOPIC: ClassVar[str] = "child_order.doubted.v1"
    reason: str


class ProvedWorking(Event):
    TOPIC: ClassVar[str] = "child_order.proved_working.v1"
    order_id: str


class ProvedUnknown(Event):
    """The venue, asked after everything else we sent it, does not know the order: it never arrived."""

    TOPIC: ClassVar[str] = "child_order.proved_unknown.v1"
    text: str


EVENTS = (
    Created, Acknowledged, Filled, CancelRequested, CancelRefused, Canceled, Rejected, Expired, DoneForDay,
    Doubted, ProvedWorking, ProvedUnknown, ReplaceRequested, RequestPending, Replaced, ReplaceRefused, Triggered,
    Restated, FillRestated, Held,
)  # fmt: skip

# ----------------------------------------------------------------------------------------------- state


class Replacing(NamedTuple):
    """What the venue was asked to make of the order."""

    cl_ord_id: str
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    instructions: Instructions | None


class ChildOrder(NamedTuple):
    """What is known of one child. notional_e18 is the exact sum of price_e9 x quantity_e9 over its fills."""

    id: StreamId
    version: int
    parent: StreamId
    venue_session: str
    trade_date: str
    cl_ord_id: str
    instrument: str
    side: Side
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    account: str
    tactic: str
    status: OrdStatus
    changed_ns: int  # when the status last moved
    order_id: str = ""
    cum_quantity_e9: int = 0
    notional_e18: int = 0
    cancels: int = 0  # cancels asked for, which numbers their ClOrdIDs
    replaces: int = 0
    instructions: Instructions | None = None
    canceling: str = ""  # ClOrdID of the cancel that has no answer yet
    replacing: Replacing | None = None  # the replace that has no answer yet
    deciding: frozenset[str] = frozenset()  # what the venue says it has and has yet to decide: "new", "cancel", "replace"
    working: bool | None = None
    accepted: bool = False  # has the venue ever taken it?
    reckoned_price_e9: int = 0  # what it is reserved at while it has no limit: by its check, else the touch at its creation
    adjusted_ns: int = 0  # when a corporate action last changed what was executed
    told: tuple[str, ...] = ()  # ExecIDs of what must not be taken for news when a venue repeats it
    trip: str = ""  # that it carries through every last look
    channel: str = ""

    @property
    def live(self) -> bool:
        """Not ended: it may still trade. A carried order that is done for the day will."""
        return self.status not in TERMINAL or (self.status is OrdStatus.DONE_FOR_DAY and self.time_in_force in CARRIED)

    @property
    def considered(self) -> bool:
        """Has the venue said that it is deciding what we wait for? Then waiting is no reason to doubt."""
        return _WAITS_FOR.get(self.status, "") in self.deciding

    @property
    def leaves_e9(self) -> int:
        """What may still trade: zero once ended."""
        return max(0, self.quantity_e9 - self.cum_quantity_e9) if self.live else 0


_WAITS_FOR = {OrdStatus.PENDING_NEW: "new", OrdStatus.PENDING_CANCEL: "cancel", OrdStatus.PENDING_REPLACE: "replace"}


def key(parent: StreamId, number: int) -> StreamId:
    """The stream of a parent's n-th child."""
    return stream_id("child_order", str(parent), str(number))


ROOT_LENGTH: Final = 16  # of a child's ClOrdID; what follows numbers its cancels and replaces
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def cl_ord_id(child: StreamId, *, cancel: int = 0, replace: int = 0) -> str:
    """ClOrdID (11) derived from the child's stream: 16 characters, and a suffix for its n-th cancel or replace.

    The same intent has the same id, so a crash between append and send cannot make a second order of it.
    """
    number, digits = int(short_id(child, 20), 16), ""
    for _ in range(ROOT_LENGTH):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{digits}C{cancel}" if cancel else f"{digits}R{replace}" if replace else digits
