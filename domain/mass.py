"""Requests about many orders of a client at once: which orders they choose, and the stream of a mass cancel.

A mass cancel ends whatever it chooses: no limit and no throttle refuses it. It is written with the orders that it takes
before any of them is canceled, and answered from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.parent_order import ParentOrder, RejectedOrder
from domain.refusal import Reason, Refusal
from domain.values import Side, StreamId, stream_id


class Scope(StrEnum):
    """What a request is about: MassCancelRequestType (530), MassStatusReqType (585)."""

    SECURITY = "security"
    UNDERLYING = "underlying"
    PRODUCT = "product"
    CFI_CODE = "cfi_code"
    SECURITY_TYPE = "security_type"
    TRADING_SESSION = "trading_session"
    ALL = "all"
    PARTY = "party"
    MARKET = "market"
    MARKET_SEGMENT = "market_segment"
    SECURITY_GROUP = "security_group"
    ISSUER = "issuer"
    ISSUER_OF_UNDERLYING = "issuer_of_underlying"


TAKEN_SCOPES: Final = (Scope.SECURITY, Scope.ALL)


class Selection(BaseModel):
    """Which orders: all that are like this in what is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = ""
    account: str = ""
    side: Side | None = None

    def chooses(self, order: ParentOrder) -> bool:
        """Is the order one of them?"""
        same_symbol = not self.symbol or order.instrument == self.symbol
        same_account = not self.account or order.account == self.account
        return same_symbol and same_account and (self.side is None or order.side is self.side)


class Affected(BaseModel):
    """An order that a mass cancel takes, by the ids that its client knows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cl_ord_id: str
    order_id: str


# ---------------------------------------------------------------------------------------------- events


class Taken(Event):
    TOPIC: ClassVar[str] = "mass_cancel.taken.v1"
    client_session: str
    trade_date: str
    cl_ord_id: str  # of the request
    scope: Scope
    selection: Selection
    orders: tuple[Affected, ...]
    text: str = ""


class Refused(Event):
    TOPIC: ClassVar[str] = "mass_cancel.refused.v1"
    client_session: str
    trade_date: str
    cl_ord_id: str
    scope: Scope
    selection: Selection
    reason: Reason
    text: str


EVENTS = (Taken, Refused)


class MassCancel(NamedTuple):
    """A request under its ClOrdID, and what was answered to it last."""

    id: StreamId
    version: int
    client_session: str
    answer: Taken | Refused


def key(client_session: str, trade_date: str, cl_ord_id: str) -> StreamId:
    """The stream of a mass cancel."""
    return stream_id("mass_cancel", client_session, trade_date, cl_ord_id)


def evolve(state: MassCancel | None, event: Event, *, stream: StreamId) -> MassCancel:
    """Fold one event."""
    assert isinstance(event, Taken | Refused), event.TOPIC
    return MassCancel(stream, 1 if state is None else state.version + 1, event.client_session, event)


# ----------------------------------------------------------------------------------------------- rules


def chosen(
    orders: Iterable[ParentOrder | RejectedOrder], client_session: str, selection: Selection
) -> Iterator[ParentOrder]:  # fmt: skip
    """The live orders of a client that a request is about, in their order."""
    for order in orders:
        if isinstance(order, ParentOrder) and order.live and order.client_session == client_session and selection.chooses(order):
            yield order


def refusal(scope: Scope, selection: Selection, *, symbol_known: bool) -> Refusal | None:
    """Why a request about many orders cannot be read as one, None where it can.

    Args:
        symbol_known: the symbol is in the instrument table, or an order of the client's has it.
    """
    if scope not in TAKEN_SCOPES:
        said = scope.value.replace("_", " ")
        return Refusal(Reason.UNSUPPORTED_MESSAGE, f"orders are chosen by security or all together here, not by {said}")
    if scope is Scope.SECURITY and not symbol_known:
        return Refusal(Reason.UNKNOWN_SYMBOL, f"symbol {selection.symbol!r} is not in the instrument table")
    return None
