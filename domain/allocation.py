"""An allocation: executions of a client's orders divided among its accounts, as asked for before or after the trade.

The stream is (client session, trade date, AllocID of the first instruction); replaces and cancels of it belong to it.
What was reported stays written: a bust or correction later makes another report that replaces or cancels the last.
Read top-down: its events, its frozen state, evolve. What may be asked of it is in `domain.allocation_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.allocation_terms import AccountFault, Misfit, Terms
from domain.event import Event
from domain.revise import revise
from domain.values import StreamId, short_id, stream_id

# ---------------------------------------------------------------------------------------------- events


class Received(Event):
    """An instruction that fits so far, about orders of which one still works: it is decided when that is over."""

    TOPIC: ClassVar[str] = "allocation.received.v1"
    client_session: str
    trade_date: str
    terms: Terms


class Accepted(Event):
    """The terms hold: an instruction's, or those that an order brought along."""

    TOPIC: ClassVar[str] = "allocation.accepted.v1"
    client_session: str
    trade_date: str
    terms: Terms


class Refused(Event):
    """An instruction refused; what held before still holds.

    accounts: where it fails for these and not as a whole. ends_waiting: it had been received, and is given up.
    """

    TOPIC: ClassVar[str] = "allocation.refused.v1"
    client_session: str
    trade_date: str
    alloc_id: str
    alloc_type: int | None
    misfit: Misfit
    text: str
    accounts: tuple[AccountFault, ...] = ()
    ends_waiting: bool = False


class Canceled(Event):
    """The client took the allocation back."""

    TOPIC: ClassVar[str] = "allocation.canceled.v1"
    alloc_id: str  # of the cancel
    alloc_type: int | None
    ref_alloc_id: str  # of what it cancels


class OrderPart(BaseModel):
    """What is allocated of one order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    parent: StreamId
    cl_ord_id: str
    order_id: str
    quantity_e9: int
    average_price_e9: int  # of the order, not rounded to anybody's decimals


class Part(BaseModel):
    """What one account gets, at the report's average price."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    individual_id: str
    quantity_e9: int
    net_money_e9: int | None  # in the report's currency, None where it is unknown


class Reported(Event):
    """The division of what is executed now, or that the last one holds no more.

    executed_e9 and executed_notional_e18 (price x quantity) are what was found executed. quantity_e9 and the price are
    what the report says: of a cancel, those of the report it cancels. misfit: why nothing can be divided.
    """

    TOPIC: ClassVar[str] = "allocation.reported.v1"
    number: int  # of the report in its allocation, from 1
    action: Literal["new", "replace", "cancel"]
    ref_number: int  # of the report that it replaces or cancels, 0: none
    cause: Literal["terms", "executions"]  # which of the two is new
    misfit: Misfit | None = None
    text: str
    executed_e9: int
    executed_notional_e18: int
    quantity_e9: int
    average_price_e9: int
    price_decimals: int
    rounding_e18: int  # quantity x average price of all accounts, less what was executed
    rounding_max_e18: int  # what the decimals allow
    rule: str  # how the parts were worked out: "as asked", or the agreed method and remainder
    currency: str  # "" where it is unknown
    gross_e9: int | None  # what was executed, in money, unrounded; None without a currency
    net_money_e9: int | None  # the sum of the accounts'; we know neither commissions nor fees
    orders: tuple[OrderPart, ...]
    parts: tuple[Part, ...]


AllocStatus = Literal["accepted", "block_reject", "account_reject", "received"]
REJECTED: Final = frozenset({"block_reject", "account_reject"})


class Acknowledged(Event):
    """What the client says to a report: it has it, takes it, or refuses it, and then a person settles it with the client."""

    TOPIC: ClassVar[str] = "allocation.acknowledged.v1"
    number: int  # of the report
    status: AllocStatus
    reject_code: int | None  # AllocRejCode (88)
    text: str


EVENTS = (Received, Accepted, Refused, Canceled, Reported, Acknowledged)

# ----------------------------------------------------------------------------------------------- state


class Allocation(NamedTuple):
    """What is known of one allocation. terms: those that hold; waiting: received, and not decided yet."""

    id: StreamId
    version: int
    client_session: str
    trade_date: str
    terms: Terms | None = None
    waiting: Terms | None = None
    canceled: bool = False
    report: Reported | None = None  # the last
    said: Mapping[int, Acknowledged] = MappingProxyType({})  # the client's last word on each report, by its number
    answers: Mapping[str, Received | Accepted | Refused | Canceled] = MappingProxyType({})  # by the AllocID that was answered

    @property
    def holds(self) -> bool:
        """Does it stand, whether or not there is anything to divide now?"""
        return self.terms is not None and not self.canceled

    @property
    def reported(self) -> Reported | None:
        """The report that holds at the client."""
        report = self.report
        return None if report is None or report.misfit is not None or report.action == "cancel" else report

    @property
    def parents(self) -> tuple[StreamId, ...]:
        """The orders that it is about, those of an instruction that waits included."""
        both = [booked.parent for terms in (self.terms, self.waiting) if terms is not None for booked in terms.orders]
        return tuple(dict.fromkeys(both))


def key(client_session: str, trade_date: str, alloc_id: str) -> StreamId:
    """The stream of an allocation, by the AllocID (70) that it began with."""
    return stream_id("allocation", client_session, trade_date, alloc_id)


def report_id(allocation: StreamId, number: int) -> str:
    """AllocReportID (755) of an allocation's n-th report: the same however often it is made."""
    return short_id(stream_id("allocation_report", allocation.replace("-", ""), str(number)), 20)


# ---------------------------------------------------------------------------------------------- evolve


def evolve(state: Allocation | None, event: Event, *, stream: StreamId, at_ns: int) -> Allocation:
    """Fold one event."""
    if state is None:
        assert isinstance(event, Received | Accepted | Refused), event.TOPIC
        state = Allocation(id=stream, version=0, client_session=event.client_session, trade_date=event.trade_date)
    return revise(state, version=state.version + 1, **_EVOLVE[type(event)](state, event))


_Changes = dict[str, Any]


def _received(state: Allocation, event: Received) -> _Changes:
    return {"waiting": event.terms, "answers": {**state.answers, event.terms.alloc_id: event}}


def _accepted(state: Allocation, event: Accepted) -> _Changes:
    return {"terms": event.terms, "waiting": None, "answers": {**state.answers, event.terms.alloc_id: event}}


def _refused(state: Allocation, event: Refused) -> _Changes:
    if event.ends_waiting:
        return {"waiting": None, "answers": {**state.answers, event.alloc_id: event}}
    return {"answers": {event.alloc_id: event, **state.answers}}  # an AllocID used again does not undo its first answer


def _canceled(state: Allocation, event: Canceled) -> _Changes:
    return {"canceled": True, "waiting": None, "answers": {**state.answers, event.alloc_id: event}}


def _reported(state: Allocation, event: Reported) -> _Changes:
    return {"report": event}


def _acknowledged(state: Allocation, event: Acknowledged) -> _Changes:
    return {"said": {**state.said, event.number: event}}


_EVOLVE: dict[type[Event], Callable[..., _Changes]] = {
    Received: _received,
    Accepted: _accepted,
    Refused: _refused,
    Canceled: _canceled,
    Reported: _reported,
    Acknowledged: _acknowledged,
}
