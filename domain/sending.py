"""What the desk sends through the OrderGateway port, as plain values, free of FIX syntax.

Each derives from one event (`event_seq`): `ems.reports` makes it, live and again after a crash.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from domain.instructions import Instructions
from domain.messages import ExecKind
from domain.order_life import OrdStatus
from domain.values import OrdType, Side, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class Outbound:
    """Common to everything the desk sends: the session, and the log sequence of the event it derives from."""

    session: str
    event_seq: int
    poss_resend: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SendChild(Outbound):
    """35=D to a venue. The gateway keeps a live-order entry (with a ready cancel) from here to `Forget`."""

    cl_ord_id: str
    instrument: str
    side: Side
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    account: str
    transact_time_ns: int
    instructions: Instructions | None = None
    trip: int = 0  # of the kill switch, whose order it is: it reduces a house position


@dataclass(frozen=True, slots=True, kw_only=True)
class SendChildReplace(Outbound):
    """35=G to a venue: the whole order again; quantity includes what is executed."""

    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    instrument: str
    side: Side
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    account: str
    transact_time_ns: int
    instructions: Instructions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendChildCancel(Outbound):
    """35=F to a venue."""

    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    instrument: str
    side: Side
    quantity_e9: int
    transact_time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendStatusQuery(Outbound):
    """35=H to a venue: what do you know of this order?"""

    cl_ord_id: str
    order_id: str
    instrument: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Outbound):
    """No message: the child is terminal, its live-order entry may go."""

    cl_ord_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep(Outbound):
    """No message: a child that had ended may trade again, so its live-order entries must be there.

    Attributes:
        orders: what it left as, one for each id that it may be canceled by.
    """

    orders: tuple[SendChild, ...]


class MassStatusPart(NamedTuple):
    """Which of the answers to an OrderMassStatusRequest a report is."""

    request_id: str  # MassStatusReqID (584)
    reports: int  # TotNumReports (911)
    last: bool  # LastRptRequested (912)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentReport(Outbound):
    """35=8 to an OMS."""

    exec_kind: ExecKind
    ord_status: OrdStatus
    exec_id: str
    order_id: str
    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str
    side: Side | None
    quantity_e9: int
    limit_price_e9: int | None
    last_quantity_e9: int
    last_price_e9: int
    cum_quantity_e9: int
    leaves_quantity_e9: int
    average_price_e9: int
    transact_time_ns: int
    account: str = ""
    algo: str = ""
    parameters: tuple[tuple[str, str], ...] = field(default=())
    text: str = ""
    ord_rej_reason: int | None = None
    ord_type: OrdType | None = None
    time_in_force: TimeInForce | None = None
    instructions: Instructions | None = None
    exec_ref_id: str = ""  # ExecRefID (19) of a bust or correction
    restatement_reason: int | None = None  # ExecRestatementReason (378)
    working: bool | None = None  # WorkingIndicator (636)
    day_quantity_e9: int | None = None  # DayOrderQty (424): from a carried order's second day on
    day_cum_quantity_e9: int | None = None  # DayCumQty (425)
    copied: bool = False  # CopyMsgIndicator (797): for a drop copy session
    list_id: str = ""  # ListID (66) of the list that the order came in
    mass_status: MassStatusPart | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelReject(Outbound):
    """35=9 to an OMS."""

    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str  # "NONE" where the order is unknown
    ord_status: OrdStatus
    response_to: Literal["cancel", "replace"]
    cxl_rej_reason: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDontKnow(Outbound):
    """35=Q to a venue: an execution that it reported fits no order of ours."""

    order_id: str
    exec_id: str
    reason: str  # DKReason (127)
    instrument: str
    side: Side | None
    quantity_e9: int
    price_e9: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReject(Outbound):
    """35=j to an OMS."""

    ref_seq_num: int
    ref_msg_type: str
    ref_id: str
    business_reject_reason: int  # 380
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNews(Outbound):
    """35=B to an OMS: that it has been sent all it had missed, for one."""

    headline: str
    text: str
