"""What crosses the OrderGateway port: the desk's inputs and outputs as plain values, free of FIX syntax.

Inbound values carry the text they came from (``raw``) and where they stand in their session (``ref``).
``frame`` is the link's own number, acknowledged when what the message caused is durable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from domain.basket import BasketRequest, BasketSchedule
from domain.commands import Commanded
from domain.event import InboundRef
from domain.instructions import Instructions
from domain.kill_flatten import FlattenHouse
from domain.kill_scope import Scope
from domain.market_state import MarketState
from domain.observation import Observed
from domain.refusal import Refusal
from domain.schedule import PlanRequest, Schedule
from domain.values import OrdType, Side, TimeInForce

# ---------------------------------------------------------------------------------------------- inbound


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """Common to every message that a FIX session delivered."""

    ref: InboundRef
    frame: int = 0
    raw: str = ""
    poss_dup: bool = False  # 43=Y: the peer repeats a sequence number
    poss_resend: bool = False  # 97=Y: the peer repeats content under a new sequence number


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOrder(Inbound):
    """35=D from an OMS. Fields the translator could not read are in `refusal`; the desk answers it."""

    cl_ord_id: str
    symbol: str
    side: Side | None
    quantity_e9: int
    ord_type: OrdType | None
    limit_price_e9: int | None
    time_in_force: TimeInForce | None
    account: str
    algo: str  # as sent: TargetStrategy 847 mapped to a name, "" where absent: a direct order
    parameters: tuple[tuple[str, str], ...] = ()  # StrategyParametersGrp 957: name 958, value 960
    refusal: Refusal | None = None
    transact_time_ns: int = 0  # TransactTime (60), 0 where it could not be read
    instructions: Instructions | None = None  # None: nothing beside the fields above
    fields: tuple[tuple[int, str], ...] = ()  # (tag, value) as they came, where the order may be for a broker's algorithm
    strategy_refusal: Refusal | None = None  # what is wrong with it by the rules of the broker's algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaceOrder(NewOrder):
    """35=G: the whole order again under a new ClOrdID; quantity includes what is executed."""

    orig_cl_ord_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder(Inbound):
    """35=F from an OMS."""

    cl_ord_id: str
    orig_cl_ord_id: str
    symbol: str = ""
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStatusQuery(Inbound):
    """35=H from an OMS."""

    cl_ord_id: str
    symbol: str = ""
    side: Side | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DontKnowTrade(Inbound):
    """35=Q from an OMS: it does not accept an execution that we reported."""

    order_id: str
    exec_id: str
    reason: str  # DKReason (127): A unknown symbol, B wrong side, C quantity exceeds order, D no matching order, ...
    text: str = ""


ExecKind = Literal[
    "pending_new", "new", "trade", "canceled", "replaced", "pending_cancel", "pending_replace", "rejected",
    "expired", "done_for_day", "status", "restated", "suspended", "stopped", "trade_correct", "trade_cancel",
    "calculated", "triggered",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueReport(Inbound):
    """35=8 from a venue. exec_kind is ExecType (150); quantities are as the venue says."""

    cl_ord_id: str
    orig_cl_ord_id: str
    order_id: str
    exec_id: str
    exec_kind: ExecKind
    ord_status: str  # the venue's word as an OrdStatus value: evidence rather than truth
    symbol: str
    side: Side | None
    last_quantity_e9: int
    last_price_e9: int
    cum_quantity_e9: int
    leaves_quantity_e9: int
    transact_time_ns: int
    text: str = ""
    unknown_order: bool = False  # 103=5: the venue has never seen this order
    quantity_e9: int = 0  # OrderQty (38), 0 where it is not said
    limit_price_e9: int | None = None  # Price (44)
    exec_ref_id: str = ""  # ExecRefID (19): the execution that a bust or correction is about
    restatement_reason: int | None = None  # ExecRestatementReason (378)
    working: bool | None = None  # WorkingIndicator (636)
    ord_rej_reason: int | None = None  # OrdRejReason (103)
    last_of: str = ""  # MassStatusReqID (584) of the request that this is the last answer to (912=Y)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueCancelReject(Inbound):
    """35=9 from a venue, or a 3 or j that refers to a cancel or replace."""

    cl_ord_id: str
    orig_cl_ord_id: str
    response_to: Literal["cancel", "replace"]
    reason: int  # CxlRejReason (102): 0 too late, 1 unknown order
    ord_status: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueRefusal(Inbound):
    """35=j or 35=3 from a venue for something we sent: ref_cl_ord_id (379) where it says, else ref_seq_num (45)."""

    ref_cl_ord_id: str
    ref_seq_num: int
    ref_msg_type: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable(Inbound):
    """A message that could not become any of the above: answered with 35=j and recorded."""

    msg_type: str
    ref_id: str  # its ClOrdID or other business id, "" where none
    refusal: Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRefusal(Inbound):
    """The FIX engine itself answered a message with a session Reject (35=3) before the desk could see it."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionNews(Inbound):
    """Something at a session that is no message but belongs into the log: an emergency cancel, a gap that the peer
    filled over messages that were asked for again. ref.msg_seq_num is 0; raw holds the details as JSON.
    """

    text: str


@dataclass(frozen=True, slots=True)
class SessionChange:
    """A FIX session logged on or off; outbound_seq_num is the next number it will send.

    Told again while it is up whenever a stretch of outbound numbers has been used, so that more can be reserved.
    sent_seq: log sequence of the last report handed to FIX; lower than before where the peer reset the numbering
    and so gave up what it had not had.
    """

    session: str
    role: Literal["client", "venue", "dropcopy"]
    up: bool
    reset_epoch: int
    outbound_seq_num: int
    frame: int = 0
    sent_seq: int = 0
    logged_out: bool = False  # it is down because the peer logged out: not lost


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The gateway is connected. sent_seq: per session, the log sequence of the last report it handed to FIX."""

    sent_seq: tuple[tuple[str, int], ...]
    frame: int = 0


@dataclass(frozen=True, slots=True)
class LinkDown:
    """A gateway is gone: nothing is known of its sessions. sessions: their names; None where it had all there are."""

    sessions: frozenset[str] | None = None
    frame: int = 0


@dataclass(frozen=True, slots=True)
class MarketUpdate:
    """A new state of a market. Not acknowledged, not durable: the next one replaces it."""

    market: MarketState


@dataclass(frozen=True, slots=True)
class PlanReady:
    """A planner's answer, or why there is none."""

    request: PlanRequest | BasketRequest
    schedule: Schedule | BasketSchedule | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class KillNews:
    """The kill switch has changed for a scope: clients are told, and orders are looked at again."""

    scope: Scope
    headline: str
    text: str


@dataclass(frozen=True, slots=True)
class Timer:
    """The desk's own clock tick."""


_Told = MarketUpdate | Observed | PlanReady | KillNews | FlattenHouse | Timer
Input = Inbound | SessionChange | LinkUp | LinkDown | _Told | Commanded
