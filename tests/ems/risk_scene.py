"""A scene for one check: limits, orders, fills and marks folded as from a log, and an order judged among them."""

from __future__ import annotations

from typing import Any

from domain import child_order as co
from domain import limits as li
from domain import parent_order as po
from domain import risk_checks
from domain.event import Event, Meta
from domain.instrument import Instrument
from domain.limits import LimitSet
from domain.market_state import MarketState
from domain.ports import RiskData
from domain.risk import Check, Mark, Marked, RiskOrder, Scopes, Subject, check_key, day_key
from domain.risk_data import RiskFacts
from domain.risk_situation import Situation
from domain.risk_verdicts import Checked, Verdict
from domain.trading_day import TradingDay
from domain.values import E9, ScopeKind, Side, StreamId, TimeInForce, stream_id
from ems.desk_state import DeskState
from tests.domain.orders import ABC, DAY, NOW_NS, accepted, created

SCOPES = Scopes("desk", "", "ACC", "OMS", "twap", "ABC", "VENUE")
KNOWN = RiskFacts(
    adv={"ABC": 10_000 * E9},
    reference_prices={"ABC": 100 * E9},
    locates={("ACC", "ABC"): 200 * E9},
    positions={},
    capital={"firm": 1_000_000 * E9, "account:ACC": 1_000_000 * E9},
    restrictions=(),
    halts=(),
    models=frozenset({"good"}),
    permissions=frozenset({("OMS", "*", "ABC", "VENUE")}),
)
NOTHING = RiskFacts()


def market(bid: int | None = 99, ask: int | None = 101, **changes: Any) -> MarketState:
    bid_e9, ask_e9 = (None if price is None else price * E9 for price in (bid, ask))
    return MarketState(**{"instrument": "ABC", "time_ns": NOW_NS, "bid_e9": bid_e9, "ask_e9": ask_e9, **changes})


def order(**changes: Any) -> RiskOrder:
    """A child order to buy 100 at 100, changed."""
    made = RiskOrder(
        subject=Subject.CHILD, order=stream_id("test", "7"), parent=stream_id("test", "1"),
        scopes=SCOPES, side=Side.BUY, quantity_e9=100 * E9,
        limit_price_e9=100 * E9, time_in_force=TimeInForce.DAY, open_e9=100 * E9, parent_quantity_e9=1000 * E9, automated=True,
    )  # fmt: skip
    return made._replace(**changes)


def limit(check: Check, value_e9: int, unit: str, **changes: Any) -> LimitSet:
    values: dict[str, Any] = {
        "check": check, "scope": ScopeKind.FIRM, "scope_id": "", "applies": "any", "level": "hard", "value_e9": value_e9,
        "unit": unit, "window_ns": 0, "from_ns": 0, "until_ns": None, "approver": "person:mary", "reason": "test",
    }  # fmt: skip
    return LimitSet(**{**values, **changes})


class Scene:
    """Everything as events; what is judged is the desk's own state after them."""

    def __init__(self) -> None:
        self.state = DeskState()
        self.now_ns = NOW_NS
        self._children = 0

    def apply(self, stream: StreamId, event: Event, at_ns: int | None = None) -> Scene:
        at_ns = self.now_ns if at_ns is None else at_ns
        meta = Meta(event_time_ns=at_ns, actor="client:OMS", correlation=stream, causation="test", build="test")
        self.state.apply(stream, event, meta, seq=self.state.seq + 1)
        return self

    def limited(self, check: Check, value_e9: int, unit: str, **changes: Any) -> Scene:
        event = limit(check, value_e9, unit, **changes)
        return self.apply(li.key_of(event), event)

    def marked(self, price: int | None = 100, rate_e9: int = E9) -> Scene:
        mark = Mark("ABC", None if price is None else price * E9, rate_e9)
        return self.apply(day_key(DAY.trade_date), Marked(trade_date=DAY.trade_date, marks=(mark,)))

    def working(self, quantity: int, price: int = 100, side: Side = Side.BUY, filled: int = 0) -> Scene:
        """A parent with one child, some of it filled at its limit."""
        self._children += 1
        parent = po.key("OMS", DAY.trade_date, f"P{self._children}")
        child = co.key(parent, 1)
        self.apply(parent, accepted(cl_ord_id=f"P{self._children}", side=side))
        terms = {"side": side, "quantity_e9": quantity * E9, "limit_price_e9": price * E9, "parent": parent}
        self.apply(child, created(cl_ord_id=co.cl_ord_id(child), **terms))
        if filled:
            self.apply(child, co.Filled(fill=stream_id("test", "9"), exec_id="E", quantity_e9=filled * E9, price_e9=price * E9))
        return self

    def passed(self, judged: RiskOrder, seconds_ago: float = 0, **facts: Any) -> Scene:
        """An order like this was judged by the limits there are, and passed."""
        at_ns = self.now_ns - int(seconds_ago * E9)
        now_ns, self.now_ns = self.now_ns, at_ns
        at = self.situation(judged, **facts)
        found = risk_checks.judge(judged, at)
        self.now_ns = now_ns
        event = Checked(
            subject=judged.subject, order=judged.order, parent=judged.parent, scopes=judged.scopes, side=judged.side,
            quantity_e9=judged.quantity_e9, limit_price_e9=judged.limit_price_e9, price_e9=at.price_e9,
            reference_price_e9=at.reference_e9, reference=at.reference, market_ns=None, notional_e9=at.notional_e9, passed=True,
            terms=found.terms, observed=found.observed, limits=found.limits, notes=found.notes,
        )  # fmt: skip
        return self.apply(check_key(judged.order), event, at_ns)

    def situation(
        self, judged: RiskOrder, *, data: RiskData = KNOWN, seen: MarketState | None = None, blind: bool = False,
        instrument: Instrument | None = ABC, day: TradingDay | None = DAY,
    ) -> Situation:  # fmt: skip
        return Situation(
            judged, state=self.state.risk, data=data, instrument=instrument, market=None if blind else seen or market(),
            day=day, trade_date=DAY.trade_date, now_ns=self.now_ns,
        )  # fmt: skip

    def verdict(self, check: Check, judged: RiskOrder, **facts: Any) -> Verdict:
        """The verdict of one check among all of them."""
        (found,) = [verdict for verdict in self.judged(judged, **facts).verdicts if verdict.check is check]
        return found

    def judged(self, judged: RiskOrder, **facts: Any) -> risk_checks.Judged:
        """Every verdict."""
        return risk_checks.judge(judged, self.situation(judged, **facts))
