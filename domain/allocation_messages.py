"""Allocation messages that cross the OrderGateway port, as plain values: instructions in, answers and reports out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from domain.allocation import AllocStatus, OrderPart, Part
from domain.allocation_terms import AccountFault, Misfit, Share
from domain.messages import Inbound
from domain.refusal import Refusal
from domain.sending import Outbound
from domain.values import Side


class AllocatedOrder(NamedTuple):
    """An order as an instruction names it (NoOrders 73); the OrderID may be empty."""

    cl_ord_id: str
    order_id: str
    booking_e9: int | None  # OrderBookingQty (800)


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationInstruction(Inbound):
    """35=J from an OMS. Fields that could not be read are in `refusal`; the desk answers it."""

    alloc_id: str
    action: Literal["new", "replace", "cancel"]
    ref_alloc_id: str  # RefAllocID (72): the allocation that a replace or cancel is about
    alloc_type: int | None  # AllocType (626)
    trade_date: str  # ISO
    symbol: str
    side: Side | None
    quantity_e9: int
    average_price_e9: int | None
    price_decimals: int | None  # AvgPxPrecision (74)
    currency: str
    orders: tuple[AllocatedOrder, ...]
    shares: tuple[Share, ...]
    refusal: Refusal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationReportAck(Inbound):
    """35=AT or P from an OMS: what it says to a report of ours."""

    report_id: str  # AllocReportID (755); of a P its AllocID, which to an OMS of FIX 4.2 is the report's
    alloc_id: str
    trade_date: str = ""  # ISO: of a P, which may mean the last report of that day's allocation; "" of an AT
    status: AllocStatus
    reject_code: int | None  # AllocRejCode (88)
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationAck(Outbound):
    """35=P to an OMS."""

    alloc_id: str
    alloc_type: int | None
    trade_date: str
    status: AllocStatus
    misfit: Misfit | None
    text: str
    transact_time_ns: int
    accounts: tuple[AccountFault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AllocationReport(Outbound):
    """35=AS to an OMS. Prices are multiples of one in the last of `price_decimals`; money is None without a currency."""

    report_id: str
    ref_report_id: str  # of the report that it replaces or cancels, "" where it is new
    action: Literal["new", "replace", "cancel"]
    cause: Literal["terms", "executions"]  # what is new
    alloc_id: str
    pre_trade: bool  # asked for by the order's own groups, by no instruction
    misfit: Misfit | None  # why there is nothing to divide
    text: str
    trade_date: str
    symbol: str
    side: Side
    quantity_e9: int
    average_price_e9: int
    price_decimals: int
    currency: str
    gross_e9: int | None
    net_money_e9: int | None
    transact_time_ns: int
    orders: tuple[OrderPart, ...]
    parts: tuple[Part, ...]
