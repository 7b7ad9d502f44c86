"""Requests about many orders, and what answers them, as they cross the OrderGateway port."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from domain.mass import Affected, Scope, Selection
from domain.messages import Inbound, NewOrder
from domain.order_list import Listed, Phase
from domain.refusal import Refusal
from domain.sending import Outbound

# ---------------------------------------------------------------------------------------------- inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class MassCancel(Inbound):
    """35=q from an OMS. What could not be read is in `refusal`."""

    cl_ord_id: str
    scope: Scope
    selection: Selection
    refusal: Refusal | None = None
    text: str = ""  # what of it chose nothing here, for the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class MassStatusQuery(Inbound):
    """35=AF from an OMS."""

    request_id: str
    scope: Scope
    selection: Selection
    refusal: Refusal | None = None


class Entry(NamedTuple):
    """One order of a list."""

    seq_no: int
    order: NewOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrderList(Inbound):
    """35=E from an OMS. refusal: what is wrong with the list as a whole; each order has its own."""

    list_id: str
    staged: bool  # it waits for ListExecute
    all_or_none: bool
    instructions: str
    entries: tuple[Entry, ...]
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListExecute(Inbound):
    """35=L from an OMS."""

    list_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCancel(Inbound):
    """35=K from an OMS."""

    list_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatusQuery(Inbound):
    """35=M from an OMS."""

    list_id: str


# --------------------------------------------------------------------------------------------- outbound


@dataclass(frozen=True, slots=True, kw_only=True)
class MassCancelReport(Outbound):
    """35=r to an OMS. reject_reason: MassCancelRejectReason (532), None where the request was taken."""

    report_id: str  # OrderID (37)
    cl_ord_id: str
    scope: Scope
    selection: Selection
    orders: tuple[Affected, ...]
    reject_reason: int | None
    transact_time_ns: int
    text: str


ListStatusType = Literal["ack", "response", "exec_started", "all_done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListStatus(Outbound):
    """35=N to an OMS: a list and all its orders."""

    list_id: str
    status_type: ListStatusType
    phase: Phase
    orders: tuple[Listed, ...]
    transact_time_ns: int
    reject_reason: int | None = None  # ListRejectReason (1386)
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMassStatus(Outbound):
    """35=AF to a venue: what do you know of all our orders?"""

    request_id: str
