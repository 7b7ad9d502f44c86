"""European order records from the log's events: RTS 24, RTS 6 (Annex II) and the order side of RTS 22.

Obliged: RTS 24 binds trading venues, which ask their members for what only those know; RTS 6 art. 28 binds firms that engage in
high-frequency algorithmic trading; RTS 22 binds investment firms that execute transactions, whose report needs more than an
execution system knows. The numbers and names of RTS 24's fields 3 to 51 and of RTS 6's tables are to be verified before anybody
relies on them. Times are UTC and cut off at the microsecond, decimals are rounded; nothing is filled in that no event says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, NamedTuple, TypeVar

from domain import child_order as co
from domain.child_order import ChildOrder
from domain.event import Event
from domain.instructions import PLAIN, Instructions
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.values import OrdType, Side, TimeInForce
from ems.exports.book import Fact
from ems.exports.formats import rounded, utc
from ems.exports.parties import Who
from ems.exports.settings import AccountTerms, Destination, ReportingSettings

PRICE_DIGITS: Final = 13  # DECIMAL-18/13
QUANTITY_DIGITS: Final = 17  # DECIMAL-18/17: more than fixed point at 1e-9 has
_VALIDITY: Final = {
    TimeInForce.DAY: "DAVY", TimeInForce.GTC: "GTCV", TimeInForce.GTD: "GTDV", TimeInForce.IOC: "IOCV",
    TimeInForce.FOK: "FOKV", TimeInForce.AT_THE_OPENING: "GATV", TimeInForce.AT_THE_CLOSE: "GATV",
}  # fmt: skip
EVENTS: Final[Mapping[type[Event], str]] = {
    co.Created: "NEWO", co.Triggered: "TRIG", co.Replaced: "REME", co.ReplaceRefused: "REMO", co.Restated: "CHME",
    co.Canceled: "CAME", co.Rejected: "REMO", co.Expired: "EXPI", co.DoneForDay: "EXPI", co.ProvedUnknown: "REMO",
    co.Filled: "PARF",
}  # fmt: skip
CAPACITY: Final = {"A": "AOTC", "P": "DEAL", "R": "MTCH"}


class Told(NamedTuple):
    """What a row is made of: an event, the order as it stands after it, who acted, and what the firm says of it."""

    fact: Fact
    parent: ParentOrder
    child: ChildOrder
    who: Who
    firm: ReportingSettings
    account: AccountTerms
    to: Destination

    @property
    def filled(self) -> co.Filled | None:
        """The execution, where the event is one."""
        return self.fact.event if isinstance(self.fact.event, co.Filled) else None


class Asked(NamedTuple):
    """A client's order as it was received or changed."""

    fact: Fact
    parent: ParentOrder
    who: Who
    firm: ReportingSettings
    account: AccountTerms


_T = TypeVar("_T")


class Column(NamedTuple, Generic[_T]):
    """A field: its number and name in the annex, where it is from, and how it is made ("" where the event has nothing)."""

    number: int
    name: str
    source: str
    value: Callable[[_T], str]

    @property
    def heading(self) -> str:
        """As the CSV file names it."""
        return f"{self.number} {self.name}"


def _none(told: object) -> str:
    return ""


def _flag(said: bool | None) -> str:
    return "" if said is None else "true" if said else "false"


def _event(told: Told) -> str:
    code = EVENTS[type(told.fact.event)]
    return "FILL" if code == "PARF" and told.child.status is OrdStatus.FILLED else code


def _limit(told: Told) -> str:
    return rounded(told.child.limit_price_e9, PRICE_DIGITS)


def _said(told: Told) -> Instructions:
    return told.child.instructions or PLAIN


def _provides(told: Told) -> str:
    return "true" if dict(_said(told).attributes).get(2) == "Y" else "false"


def _price(told: Told) -> str:
    return rounded(told.filled.price_e9, PRICE_DIGITS) if told.filled is not None else ""


def _traded(told: Told) -> str:
    return rounded(told.filled.quantity_e9, QUANTITY_DIGITS) if told.filled is not None else ""


def _exec_id(told: Told) -> str:
    return told.filled.exec_id if told.filled is not None else ""


RTS24: Final[tuple[Column[Told], ...]] = (
    Column(1, "submitting entity", "configuration", lambda t: t.firm.lei),
    Column(2, "direct electronic access", "configuration", lambda t: _flag(t.account.dea)),
    Column(3, "client identification code", "configuration, parties, account", lambda t: t.account.lei or t.who.client),
    Column(4, "investment decision within firm", "parties (452=122)", lambda t: t.who.decider),
    Column(5, "execution within firm", "algorithm and build, parties (452=12)", lambda t: t.who.executor),
    Column(6, "non-executing broker", "", _none),
    Column(7, "trading capacity", "configuration", lambda t: CAPACITY.get(t.account.capacity, "")),
    Column(8, "liquidity provision", "order attributes (2594=2)", _provides),
    Column(9, "date and time", "event time", lambda t: utc(t.fact.meta.event_time_ns)),
    Column(10, "validity period", "child_order", lambda t: _VALIDITY[t.child.time_in_force]),
    Column(11, "order restriction", "", _none),
    Column(12, "validity period and time", "instructions (126, 432)", lambda t: utc(_said(t).expire_ns or 0)),
    Column(13, "priority time stamp", "", _none),
    Column(14, "priority size", "", _none),
    Column(15, "sequence number", "log sequence", lambda t: str(t.fact.seq)),
    Column(16, "segment MIC", "configuration", lambda t: t.to.mic),
    Column(17, "order book code", "", _none),
    Column(18, "financial instrument", "symbol: the ISIN is in the reference data of the day", lambda t: t.child.instrument),
    Column(19, "date of receipt", "trade date", lambda t: t.child.trade_date),
    Column(20, "order identification code", "child_order ClOrdID", lambda t: t.child.cl_ord_id[: co.ROOT_LENGTH]),
    Column(21, "event", "event type", _event),
    Column(22, "order type", "child_order", lambda t: "STOP" if t.child.ord_type.held else "LMTO"),
    Column(23, "order type classification", "child_order", lambda t: t.child.ord_type.value),
    Column(24, "limit price", "child_order", _limit),
    Column(25, "additional limit price", "", _none),
    Column(26, "stop price", "instructions", lambda t: rounded(_said(t).stop_price_e9, PRICE_DIGITS)),
    Column(27, "pegged limit price", "child_order", lambda t: _limit(t) if t.child.ord_type is OrdType.PEGGED else ""),
    Column(28, "transaction price", "child_order.filled", _price),
    Column(29, "price currency", "instructions (15)", lambda t: _said(t).currency),
    Column(30, "currency of leg 2", "", _none),
    Column(31, "price notation", "", _none),
    Column(32, "buy-sell indicator", "child_order", lambda t: "BUYI" if t.child.side is Side.BUY else "SELL"),
    Column(33, "order status", "child_order", lambda t: "ACTI" if t.child.live and t.child.working is not False else "INAC"),
    Column(34, "quantity notation", "", _none),
    Column(35, "quantity currency", "", _none),
    Column(36, "initial quantity", "child_order", lambda t: rounded(t.child.quantity_e9, QUANTITY_DIGITS)),
    Column(37, "remaining quantity including hidden", "child_order", lambda t: rounded(t.child.leaves_e9, QUANTITY_DIGITS)),
    Column(38, "displayed quantity", "instructions (111)", lambda t: rounded(_said(t).max_floor_e9, QUANTITY_DIGITS)),
    Column(39, "traded quantity", "child_order.filled", _traded),
    Column(40, "minimum acceptable quantity", "instructions (110)", lambda t: rounded(_said(t).min_quantity_e9, QUANTITY_DIGITS)),
    Column(41, "minimum executable size", "", _none),
    Column(42, "MES first execution only", "", _none),
    Column(43, "passive only", "instructions (18=6)", lambda t: _flag("6" in _said(t).exec_inst.split())),
    Column(44, "passive or aggressive", "", _none),
    Column(45, "self-execution prevention", "", _none),
    Column(46, "strategy linked order identification", "parent order", lambda t: t.parent.order_id),
    Column(47, "routing strategy", "", _none),
    Column(48, "trading venue transaction identification code", "child_order.filled", _exec_id),
    Column(49, "trading phases", "", _none),
    Column(50, "indicative auction price", "", _none),
    Column(51, "indicative auction volume", "", _none),
)  # fmt: skip


RTS6_IN: Final[tuple[Column[Asked], ...]] = (
    Column(1, "client identification code", "configuration, parties, account", lambda t: t.account.lei or t.who.client),
    Column(2, "investment decision maker", "parties (452=122)", lambda t: t.who.decider),
    Column(3, "initial order designation", "parent order", lambda t: t.parent.order_id),
    Column(4, "client's order identification", "ClOrdID (11)", lambda t: t.parent.cl_ord_id),
    Column(5, "buy-sell indicator", "parent order", lambda t: "BUYI" if t.parent.side is Side.BUY else "SELL"),
    Column(6, "financial instrument", "symbol", lambda t: t.parent.instrument),
    Column(7, "price", "terms", lambda t: rounded(t.parent.terms.limit_price_e9, PRICE_DIGITS)),
    Column(8, "currency", "instructions (15)", lambda t: (t.parent.terms.instructions or PLAIN).currency),
    Column(9, "initial quantity", "terms", lambda t: rounded(t.parent.terms.quantity_e9, QUANTITY_DIGITS)),
    Column(10, "validity period", "terms", lambda t: _VALIDITY[t.parent.terms.time_in_force]),
    Column(11, "type of order", "terms", lambda t: t.parent.terms.algo.value),
    Column(12, "conditions", "StrategyParametersGrp (957)", lambda t: " ".join(f"{n}={v}" for n, v in t.parent.terms.parameters)),
    Column(13, "date and time of receipt", "event time", lambda t: utc(t.fact.meta.event_time_ns)),
    Column(14, "sequence number", "log sequence", lambda t: str(t.fact.seq)),
)  # fmt: skip
RTS6_OUT: Final[tuple[Column[Told], ...]] = (
    Column(1, "buy-sell indicator", "child_order", lambda t: "BUYI" if t.child.side is Side.BUY else "SELL"),
    Column(2, "trading capacity", "configuration", lambda t: CAPACITY.get(t.account.capacity, "")),
    Column(3, "liquidity provision", "order attributes (2594=2)", _provides),
    Column(4, "execution within firm", "algorithm and build, parties (452=12)", lambda t: t.who.executor),
    Column(5, "investment decision within firm", "parties (452=122)", lambda t: t.who.decider),
    Column(6, "initial order designation", "parent order", lambda t: t.parent.order_id),
    Column(7, "order designation", "child_order ClOrdID", lambda t: t.child.cl_ord_id),
    Column(8, "venue's order identification", "child_order.acknowledged", lambda t: t.child.order_id),
    Column(9, "financial instrument", "symbol", lambda t: t.child.instrument),
    Column(10, "venue", "configuration, else the session", lambda t: t.to.mic or t.child.venue_session),
    Column(11, "event", "event type", _event),
    Column(12, "type of order", "child_order", lambda t: t.child.ord_type.value),
    Column(13, "limit price", "child_order", _limit),
    Column(14, "quantity", "child_order", lambda t: rounded(t.child.quantity_e9, QUANTITY_DIGITS)),
    Column(15, "validity period", "child_order", lambda t: _VALIDITY[t.child.time_in_force]),
    Column(16, "transaction price", "child_order.filled", _price),
    Column(17, "traded quantity", "child_order.filled", _traded),
    Column(18, "remaining quantity", "child_order", lambda t: rounded(t.child.leaves_e9, QUANTITY_DIGITS)),
    Column(19, "transaction identification", "child_order.filled", _exec_id),
    Column(20, "date and time", "event time", lambda t: utc(t.fact.meta.event_time_ns)),
    Column(21, "sequence number", "log sequence", lambda t: str(t.fact.seq)),
)  # fmt: skip
