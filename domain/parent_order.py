"""A parent order: what a client asked for, how much of it is released, filled and left. See `domain.parent_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Literal, NamedTuple

from domain import care
from domain.care import UNTENDED, Care, Share
from domain.event import Event
from domain.instructions import CARRIED
from domain.market_state import MarketState
from domain.order_life import TERMINAL, OrdStatus
from domain.parent_parts import Pending as Pending  # noqa: PLC0414 (a name of this module's too)
from domain.parent_parts import RejectedOrder as RejectedOrder  # noqa: PLC0414
from domain.refusal import Reason
from domain.schedule import Schedule
from domain.stall import Stalled
from domain.steering import FREE, Steered, Steering
from domain.terms import Terms
from domain.values import Algo, Side, StreamId, divide_round, short_id, stream_id


class Accepted(Event):
    TOPIC: ClassVar[str] = "parent_order.accepted.v1"
    client_session: str
    trade_date: str
    cl_ord_id: str
    order_id: str
    account: str
    instrument: str
    side: Side
    terms: Terms
    arrival: MarketState | None  # the market when the order came: the benchmark of its shortfall
    list_id: str = ""  # ListID (66) of the list that it came in
    staged: bool = False  # it waits until its list is executed
    flattens: tuple[str, str] | None = None  # of the kill switch, whose order it is: scope and trip
    of: tuple[tuple[StreamId, int], ...] = ()  # of the desk's own order: the orders that it is made of, and how much of each
    behalf: str = ""  # the client session that it is for, and that is told nothing of it
    route: str = ""  # the venue session that it goes to, where a person has named one


class Started(Event):
    """An order that waited in its list may be worked: its terms and benchmark are of now."""

    TOPIC: ClassVar[str] = "parent_order.started.v1"
    terms: Terms
    arrival: MarketState | None


class Rejected(Event):
    TOPIC: ClassVar[str] = "parent_order.rejected.v1"
    client_session: str
    trade_date: str
    cl_ord_id: str
    order_id: str
    symbol: str
    side: Side | None
    quantity_e9: int
    reason: Reason
    text: str
    list_id: str = ""


class Scheduled(Event):
    TOPIC: ClassVar[str] = "parent_order.scheduled.v1"
    decision: StreamId
    plan_number: int
    schedule: Schedule
    started_volume_e9: int  # the market's volume when the order's first plan was asked for


class PlanFailed(Event):
    """A planner gave no schedule; the last one stays in force and planning is tried again."""

    TOPIC: ClassVar[str] = "parent_order.plan_failed.v1"
    decision: StreamId
    plan_number: int
    error: str


class ChildReleased(Event):
    TOPIC: ClassVar[str] = "parent_order.child_released.v1"
    child: StreamId
    number: int
    quantity_e9: int
    late_e9: int  # how much of it had already waited at a venue in vain


class Filled(Event):
    TOPIC: ClassVar[str] = "parent_order.filled.v1"
    child: StreamId
    fill: StreamId
    quantity_e9: int
    price_e9: int


class ChildClosed(Event):
    """A child ended; what it did not fill may be released again."""

    TOPIC: ClassVar[str] = "parent_order.child_closed.v1"
    child: StreamId
    status: OrdStatus


class Acknowledged(Event):
    """A direct order's venue has taken it."""

    TOPIC: ClassVar[str] = "parent_order.acknowledged.v1"
    working: bool | None  # False: it waits for a stop price


class TurnedDown(Event):
    """A direct order's venue has refused it after we had taken it."""

    TOPIC: ClassVar[str] = "parent_order.turned_down.v1"
    ord_rej_reason: int | None  # OrdRejReason (103)
    text: str


class RequestQueued(Event):
    """A cancel or replace that is taken, and decided when its turn comes or the venue has answered."""

    TOPIC: ClassVar[str] = "parent_order.request_queued.v1"
    request: Literal["cancel", "replace"]
    cl_ord_id: str  # "": the desk itself asks, as for every order of a mass cancel
    terms: Terms | None = None
    text: str = ""  # why the desk asks
    restatement_reason: int | None = None  # ExecRestatementReason (378) of its end then


class CancelRequested(Event):
    TOPIC: ClassVar[str] = "parent_order.cancel_requested.v1"
    cl_ord_id: str  # this and what follows as in RequestQueued
    text: str = ""
    restatement_reason: int | None = None


class Canceled(Event):
    TOPIC: ClassVar[str] = "parent_order.canceled.v1"
    cl_ord_id: str  # of the request, the order's own where nobody asked
    text: str
    restatement_reason: int | None = None  # why, where nobody asked: ExecRestatementReason (378)


class ReplaceRequested(Event):
    TOPIC: ClassVar[str] = "parent_order.replace_requested.v1"
    cl_ord_id: str
    terms: Terms


class Replaced(Event):
    TOPIC: ClassVar[str] = "parent_order.replaced.v1"
    cl_ord_id: str
    terms: Terms


class RequestRefused(Event):
    """A cancel or replace refused. ends_pending: it was already being worked on, and is given up."""

    TOPIC: ClassVar[str] = "parent_order.request_refused.v1"
    request: Literal["cancel", "replace"]
    cl_ord_id: str
    reason: Reason
    text: str
    ends_pending: bool = False
    cxl_rej_reason: int | None = None  # CxlRejReason (102) as the venue gave it; None: by reason


class Triggered(Event):
    """A direct order's stop price was reached: it works."""

    TOPIC: ClassVar[str] = "parent_order.triggered.v1"


class DoneForDay(Event):
    """A direct order trades no more today; one that is carried trades again another day."""

    TOPIC: ClassVar[str] = "parent_order.done_for_day.v1"
    text: str


class Held(Event):
    """A direct order's venue guarantees a price (stopped) or does not let it trade (suspended)."""

    TOPIC: ClassVar[str] = "parent_order.held.v1"
    kind: Literal["stopped", "suspended"]
    text: str


class Restated(Event):
    """A direct order's venue changed it or began its next day."""

    TOPIC: ClassVar[str] = "parent_order.restated.v1"
    reason: int | None  # ExecRestatementReason (378)
    quantity_e9: int
    limit_price_e9: int | None
    text: str
    day_began_ns: int | None = None  # of a carried order's next day
    cum_quantity_e9: int | None = None  # CumQty after a corporate action, which leaves what was paid as it was


class FillRestated(Event):
    """An execution was taken back or corrected; quantity and price are of the whole execution, before and now."""

    TOPIC: ClassVar[str] = "parent_order.fill_restated.v1"
    child: StreamId
    fill: StreamId
    kind: Literal["cancel", "correct"]
    number: int  # of this change among those of the execution, from 1
    quantity_e9: int
    price_e9: int
    previous_quantity_e9: int
    previous_price_e9: int
    open_e9: int  # what the child may trade from now on
    earlier_day: bool = False  # of a carried order: it was executed before the order's present day


class ChildAmended(Event):
    """What a child may still trade is another quantity now: replaced, restated or reopened."""

    TOPIC: ClassVar[str] = "parent_order.child_amended.v1"
    child: StreamId
    open_e9: int


class ExecutionDisputed(Event):
    """The client does not accept an execution that it was told of (35=Q): a person resolves it with both sides."""

    TOPIC: ClassVar[str] = "parent_order.execution_disputed.v1"
    exec_id: str
    reason: str  # DKReason (127)
    text: str


class Expired(Event):
    """The end time came before the quantity was done."""

    TOPIC: ClassVar[str] = "parent_order.expired.v1"
    text: str


class Finished(Event):
    """The order is over: the market at that moment closes its benchmarks. Follows the event that ended it."""

    TOPIC: ClassVar[str] = "parent_order.finished.v1"
    status: OrdStatus
    cum_quantity_e9: int
    average_price_e9: int
    market: MarketState | None


EVENTS = (Accepted, Started, Rejected, Scheduled, PlanFailed, ChildReleased, Filled, ChildClosed, CancelRequested, Canceled,
    ReplaceRequested, Replaced, RequestRefused, Expired, Finished, Acknowledged, TurnedDown, RequestQueued, Triggered,
    DoneForDay, Restated, FillRestated, ChildAmended, ExecutionDisputed, Held, Steered, Stalled, *care.EVENTS)  # fmt: skip

# ----------------------------------------------------------------------------------------------- state


class ParentOrder(NamedTuple):
    """What is known of one parent. open_e9: what each live child may still trade; it is reserved."""

    id: StreamId
    version: int
    client_session: str
    trade_date: str
    cl_ord_id: str  # the last accepted of its chain
    order_id: str
    account: str
    instrument: str
    side: Side
    terms: Terms
    arrival: MarketState | None
    status: OrdStatus
    created_ns: int
    orig_cl_ord_id: str = ""  # the one before it in the chain
    open_e9: Mapping[StreamId, int] = MappingProxyType({})
    cum_quantity_e9: int = 0
    notional_e18: int = 0
    schedule: Schedule | None = None
    plans: int = 0  # plans answered, the number of the last
    started_volume_e9: int | None = None  # the market's volume when work on these terms began
    start_filled_e9: int = 0  # what was filled when work on these terms began
    late_e9: int = 0  # what came back from children unfilled and is not out again
    children: int = 0  # children released, the number of the last
    rejections: int = 0  # children that venues rejected since the last fill
    pending: Pending | None = None
    finished: bool = False
    queue: tuple[Pending, ...] = ()  # requests behind the pending one
    held_e9: int = 0  # taken back by busts: not worked again before a person or the client says so
    working: bool | None = None
    day_start_e9: int | None = None  # of a carried order: what was filled before its present day
    day_began_ns: int = 0
    accepted: bool = True  # has a direct order's venue ever taken it?
    list_id: str = ""
    staged: bool = False  # it waits until its list is executed
    flattens: tuple[str, str] | None = None
    steering: Steering = FREE
    care: Care = UNTENDED
    of: tuple[Share, ...] = ()
    behalf: str = ""
    route: str = ""

    @property
    def direct(self) -> bool:
        """Does one child carry it as it is?"""
        return self.terms.algo is Algo.DIRECT

    @property
    def carried(self) -> bool:
        """Does it live beyond its first day?"""
        return self.terms.time_in_force in CARRIED

    @property
    def live(self) -> bool:
        """Not ended: it may still trade. A carried order that is done for the day will."""
        return self.status not in TERMINAL or (self.status is OrdStatus.DONE_FOR_DAY and self.carried)

    @property
    def released_e9(self) -> int:
        """Filled, open at a venue, or held after a bust."""
        return self.cum_quantity_e9 + sum(self.open_e9.values()) + self.held_e9

    @property
    def leaves_e9(self) -> int:
        """FIX LeavesQty: zero once ended."""
        return max(0, self.terms.quantity_e9 - self.cum_quantity_e9) if self.live else 0

    @property
    def average_price_e9(self) -> int:
        """Volume-weighted price of the fills, 0 before the first."""
        return divide_round(self.notional_e18, self.cum_quantity_e9) if self.cum_quantity_e9 else 0


def key(client_session: str, trade_date: str, cl_ord_id: str) -> StreamId:
    """The stream of a client's order, by the first ClOrdID of its chain."""
    return stream_id("parent_order", client_session, trade_date, cl_ord_id)


def order_id(parent: StreamId) -> str:
    """OrderID (37) that the client sees."""
    return short_id(parent, 16)
