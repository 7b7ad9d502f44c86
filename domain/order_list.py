"""A list of orders that a client sends as one: what it holds, whether it waits to be executed, how far it is.

Its orders are parent orders like any other, each with a life and reports of its own; the list says what they have in
common. A list that waits (staged) holds its orders un-worked until the client says execute.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain import parent_order as po
from domain.event import Event, InboundRef
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.messages import NewOrder
from domain.order_life import OrdStatus
from domain.parent_intake import read_terms
from domain.parent_order import ParentOrder, RejectedOrder
from domain.refusal import ORD_REJ_REASON, OTHER, Reason, Refusal
from domain.revise import revise
from domain.trading_day import TradingDay
from domain.values import Algo, OrdType, StreamId, stream_id


class Phase(StrEnum):
    """How far a list is: ListOrderStatus (431)."""

    RECEIVED = "received"  # it waits to be executed
    EXECUTING = "executing"
    CANCELING = "canceling"
    ALERT = "alert"  # orders of it were refused, and it waits
    ALL_DONE = "all_done"
    REJECTED = "rejected"


class Listed(BaseModel):
    """An order of a list as it stood when the list was told of. Quantities and prices at 1e-9."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq_no: int  # ListSeqNo (67)
    cl_ord_id: str
    order: StreamId | None  # its stream; None where it was refused without one
    status: OrdStatus
    cum_quantity_e9: int = 0
    leaves_quantity_e9: int = 0
    canceled_quantity_e9: int = 0
    average_price_e9: int = 0
    ord_rej_reason: int | None = None  # OrdRejReason (103)
    text: str = ""


# ---------------------------------------------------------------------------------------------- events


class Received(Event):
    TOPIC: ClassVar[str] = "order_list.received.v1"
    client_session: str
    trade_date: str
    list_id: str
    staged: bool  # it waits for the client's word
    all_or_none: bool
    instructions: str  # ListExecInst (69): words for people, beside "all or none"
    orders: tuple[Listed, ...]


class Refused(Event):
    """The whole list: none of its orders exists."""

    TOPIC: ClassVar[str] = "order_list.refused.v1"
    client_session: str
    trade_date: str
    list_id: str
    reason: Reason
    text: str
    orders: tuple[Listed, ...]


class Executed(Event):
    TOPIC: ClassVar[str] = "order_list.executed.v1"
    orders: tuple[Listed, ...]


class CancelRequested(Event):
    TOPIC: ClassVar[str] = "order_list.cancel_requested.v1"
    orders: tuple[Listed, ...]


class Done(Event):
    """Every order of it has ended."""

    TOPIC: ClassVar[str] = "order_list.done.v1"
    orders: tuple[Listed, ...]


EVENTS = (Received, Refused, Executed, CancelRequested, Done)

# ----------------------------------------------------------------------------------------------- state


class OrderList(NamedTuple):
    """What is known of one list. orders: as they were received."""

    id: StreamId
    version: int
    client_session: str
    trade_date: str
    list_id: str
    orders: tuple[Listed, ...]
    refused: bool = False
    staged: bool = False
    canceling: bool = False
    done: bool = False

    @property
    def phase(self) -> Phase:
        """How far it is."""
        if self.refused:
            return Phase.REJECTED
        if self.done:
            return Phase.ALL_DONE
        if self.canceling:
            return Phase.CANCELING
        if not self.staged:
            return Phase.EXECUTING
        return Phase.ALERT if refusals(self.orders) else Phase.RECEIVED


def key(client_session: str, trade_date: str, list_id: str) -> StreamId:
    """The stream of a client's list."""
    return stream_id("order_list", client_session, trade_date, list_id)


def refusals(orders: tuple[Listed, ...]) -> int:
    """How many of them were refused when the list came."""
    return sum(listed.status is OrdStatus.REJECTED for listed in orders)


def evolve(state: OrderList | None, event: Event, *, stream: StreamId) -> OrderList:
    """Fold one event."""
    match event:
        case Received():
            return OrderList(
                stream, 1, event.client_session, event.trade_date, event.list_id, event.orders, staged=event.staged
            )  # fmt: skip
        case Refused():
            return OrderList(stream, 1, event.client_session, event.trade_date, event.list_id, event.orders, refused=True)
    assert state is not None, event.TOPIC
    changes: dict[type[Event], dict[str, Any]] = {
        Executed: {"staged": False},
        CancelRequested: {"canceling": True},
        Done: {"done": True},
    }
    return revise(state, version=state.version + 1, **changes[type(event)])


# ----------------------------------------------------------------------------------------------- rules


def refused(seq_no: int, cl_ord_id: str, refusal: Refusal, order: StreamId | None = None) -> Listed:
    """An order of a list that was refused when the list came."""
    reason = ORD_REJ_REASON.get(refusal.reason, OTHER)
    return Listed(
        seq_no=seq_no, cl_ord_id=cl_ord_id, order=order, status=OrdStatus.REJECTED, ord_rej_reason=reason, text=refusal.text
    )


def member(accepted: po.Accepted, list_id: str, day: TradingDay | None) -> po.Accepted:
    """An accepted order as one of a list. One that waits, which needs a day, may be executed until the close: its own
    window is worked out when it is.
    """
    if day is None:
        return accepted.model_copy(update={"list_id": list_id})
    return accepted.model_copy(update={"list_id": list_id, "staged": True, "terms": accepted.terms.until(day.close_ns)})


def start(
    order: ParentOrder, *, instrument: Instrument | None, day: TradingDay | None, now_ns: int, arrival: MarketState | None
) -> tuple[Event, ...]:
    """An order that waited may be worked: its terms are judged once more, as of now. Empty where it does not wait."""
    if not order.staged or not order.live:
        return ()
    terms = read_terms(_as_sent(order), instrument=instrument, day=day, now_ns=now_ns)
    if isinstance(terms, Refusal):
        return (po.TurnedDown(ord_rej_reason=ORD_REJ_REASON.get(terms.reason, OTHER), text=terms.text),)
    started = po.Started(terms=terms, arrival=arrival)
    return (started,) if order.direct else (started, po.Acknowledged(working=None))


def _as_sent(order: ParentOrder) -> NewOrder:
    """The order as a new one with the same terms."""
    terms = order.terms
    return NewOrder(
        ref=InboundRef(order.client_session, 0, 0),
        cl_ord_id=order.cl_ord_id,
        symbol=order.instrument,
        side=order.side,
        quantity_e9=terms.quantity_e9,
        ord_type=terms.ord_type or (OrdType.MARKET if terms.limit_price_e9 is None else OrdType.LIMIT),
        limit_price_e9=terms.limit_price_e9,
        time_in_force=terms.time_in_force,
        account=order.account,
        algo="" if terms.algo is Algo.DIRECT else terms.algo.value,
        parameters=terms.parameters,
        instructions=terms.instructions,
    )


def snapshot(state: OrderList, parents: Mapping[StreamId, ParentOrder | RejectedOrder]) -> tuple[Listed, ...]:
    """The list's orders as they stand."""
    return tuple(_now(listed, parents.get(listed.order) if listed.order is not None else None) for listed in state.orders)


def _now(listed: Listed, order: ParentOrder | RejectedOrder | None) -> Listed:
    if not isinstance(order, ParentOrder):
        return listed
    return Listed(
        seq_no=listed.seq_no,
        cl_ord_id=order.cl_ord_id,
        order=order.id,
        status=order.status,
        cum_quantity_e9=order.cum_quantity_e9,
        leaves_quantity_e9=order.leaves_e9,
        canceled_quantity_e9=0 if order.live else max(0, order.terms.quantity_e9 - order.cum_quantity_e9),
        average_price_e9=order.average_price_e9,
        ord_rej_reason=OTHER if order.status is OrdStatus.REJECTED else None,
    )


def over(state: OrderList, parents: Mapping[StreamId, ParentOrder | RejectedOrder]) -> bool:
    """Has every order of it ended, and been told so?"""
    orders = (parents.get(listed.order) for listed in reversed(state.orders) if listed.order is not None)
    return all(order.finished for order in orders if isinstance(order, ParentOrder))
