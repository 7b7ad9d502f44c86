"""What the log tells of each parent order for its costs: folded once, read as of any moment. Pure.

Two times are kept apart: when something happened, and when the log came to know it. An execution that was busted or corrected
has every version that it ever had, so the costs of an order can be told as they were known then, and as they are true now.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from domain import child_order as co
from domain import decision, market_note, parent_life
from domain import fill as fl
from domain import parent_order as po
from domain.care import Allotted
from domain.event import Event, Meta
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.terms import Terms
from domain.values import Algo, Side, StreamId
from ems.tca.charges import Liquidity, liquidity_of
from ems.tca.marks import Mark, Marks
from ems.tca.passed import Origin, Passed

NOW = 2**63 - 1  # all that is known


class Version(NamedTuple):
    """What an execution was from a moment of the log's on. quantity_e9 0: taken back."""

    known_ns: int
    quantity_e9: int
    price_e9: int


@dataclass(slots=True)
class Fill:
    """One execution with all its versions."""

    id: StreamId
    child: StreamId
    venue: str
    time_ns: int  # of the venue where it tells one
    versions: list[Version]

    def at(self, known_ns: int) -> Version | None:
        """As it was known then, None where it was not, or was taken back."""
        known = [version for version in self.versions if version.known_ns <= known_ns]
        return known[-1] if known and known[-1].quantity_e9 else None


class Price(NamedTuple):
    """A price, when it was, and where it is from. known_ns: when the log learned of it."""

    known_ns: int
    time_ns: int
    price_e9: int | None
    source: str


class End(NamedTuple):
    """An order was over. market: at that moment."""

    known_ns: int
    time_ns: int
    status: str
    market: MarketState | None


class Child(NamedTuple):
    """What of a child order bears on its costs."""

    venue: str
    tactic: str
    liquidity: Liquidity | None


@dataclass(slots=True)
class Order:
    """One parent order. arrival and decision in the order in which they were told; the last one counts."""

    id: StreamId
    session: str
    trade_date: str
    cl_ord_id: str
    order_id: str
    account: str
    instrument: str
    side: Side
    strategy: str
    start_ns: int
    end_ns: int
    arrivals: list[Price]
    decisions: list[Price]
    quantities: list[tuple[int, int]]  # (known_ns, quantity_e9)
    fills: dict[StreamId, Fill] = field(default_factory=dict)
    children: dict[StreamId, Child] = field(default_factory=dict)
    ends: list[End] = field(default_factory=list)
    finished: bool = False
    switches: list[tuple[int, str]] = field(default_factory=list)  # (time_ns, strategy) of changes while it worked

    def quantity_e9(self, known_ns: int) -> int:
        """What it was for; never less than what was executed: a smaller one cancels the balance."""
        told = [quantity_e9 for at_ns, quantity_e9 in self.quantities if at_ns <= known_ns]
        done_e9 = sum(v.quantity_e9 for fill in self.fills.values() if (v := fill.at(known_ns)) is not None)
        return max(told[-1] if told else 0, done_e9)

    def end(self, known_ns: int) -> End | None:
        """How it ended, None while it works."""
        ends = [end for end in self.ends if end.known_ns <= known_ns]
        return ends[-1] if ends and (self.finished or known_ns != NOW) else None


class Ledger:
    """Every order of a log, and every mark. Apply the events in the log's order."""

    def __init__(self) -> None:
        self.orders: dict[StreamId, Order] = {}
        self.marks = Marks()
        self.names: dict[str, list[StreamId]] = {}  # stream id, OrderID or ClOrdID -> orders
        self._passed = Passed()
        self._children: dict[StreamId, Child] = {}  # of the desk's own orders
        self._states: dict[StreamId, po.ParentOrder | po.RejectedOrder] = {}
        self.last_ns = 0  # of the last event, in the desk's clock

    def find(self, name: str) -> list[Order]:
        """The orders of a stream id, an OrderID or a ClOrdID, which another session or day may have used too."""
        return [self.orders[stream] for stream in self.names.get(name, ())]

    def apply(self, stream: StreamId, known_ns: int, event: Event, meta: Meta) -> None:
        """Fold one event; what bears on no costs is passed over."""
        at_ns = meta.event_time_ns
        match event:
            case po.Accepted() if event.of:
                self._passed.made(stream)
            case po.Accepted():
                self._accepted(stream, known_ns, event, at_ns)
            case Allotted():
                self._passed.allotted(event)
            case fl.Recorded():
                self._filled(stream, known_ns, event, at_ns)
            case fl.Restated():
                self._restated(stream, known_ns, event)
            case co.Created():
                self._child(stream, event, at_ns)
            case decision.Planned():
                self.marks.see(event.request.market, at_ns)
            case market_note.Noted():
                for market in event.markets:
                    self.marks.see(market, at_ns)
            case market_note.DecisionNoted():
                if (order := self.orders.get(event.parent)) is not None:
                    order.decisions.append(Price(known_ns, event.decided_ns, event.price_e9, event.reason))
            case _ if (order := self.orders.get(stream)) is not None:
                self._parent(order, known_ns, event, at_ns)
        self.last_ns = max(self.last_ns, at_ns)

    def _accepted(self, stream: StreamId, known_ns: int, event: po.Accepted, at_ns: int) -> None:
        self.marks.see(event.arrival, at_ns)
        arrival = Price(known_ns, at_ns, _price(event.arrival), "the market when the order came")
        self.orders[stream] = Order(
            stream, event.client_session, event.trade_date, event.cl_ord_id, event.order_id, event.account, event.instrument,
            event.side, strategy_of(event.terms), event.terms.start_ns, event.terms.end_ns, [arrival], [arrival],
            [(known_ns, event.terms.quantity_e9)],
        )  # fmt: skip
        self._states[stream] = parent_life.evolve(None, event, stream=stream, at_ns=at_ns)
        for name in (str(stream), event.order_id, event.cl_ord_id):
            self.names.setdefault(name, []).append(stream)

    def _parent(self, order: Order, known_ns: int, event: Event, at_ns: int) -> None:
        state = parent_life.evolve(self._states[order.id], event, stream=order.id, at_ns=at_ns)
        self._states[order.id] = state
        order.finished = isinstance(state, ParentOrder) and state.finished  # a bust may have opened it again
        match event:
            case po.Started():  # it was decided when its list came, and is ours to work from now on
                self.marks.see(event.arrival, at_ns)
                order.arrivals.append(Price(known_ns, at_ns, _price(event.arrival), "the market when its list was executed"))
                self._terms(order, known_ns, event.terms, at_ns)
            case po.Replaced():
                self._terms(order, known_ns, event.terms, at_ns)
            case po.Filled() if (origin := self._passed.origin(event.fill)) is not None:
                version = Version(known_ns, event.quantity_e9, event.price_e9)
                order.fills[event.fill] = Fill(event.fill, origin.child, origin.venue, origin.time_ns, [version])
                order.children[origin.child] = self._children[origin.child]
            case po.FillRestated() if event.child in self._passed:
                order.fills[event.fill].versions.append(Version(known_ns, event.quantity_e9, event.price_e9))
            case po.Restated():
                order.quantities.append((known_ns, event.quantity_e9))
            case po.Finished():
                self.marks.see(event.market, at_ns)
                order.ends.append(End(known_ns, at_ns, event.status.value, event.market))

    def _terms(self, order: Order, known_ns: int, terms: Terms, at_ns: int) -> None:
        order.quantities.append((known_ns, terms.quantity_e9))
        order.start_ns, order.end_ns = terms.start_ns, terms.end_ns
        last = order.switches[-1][1] if order.switches else order.strategy
        if (strategy := strategy_of(terms)) != last:
            order.switches.append((at_ns, strategy))

    def _child(self, stream: StreamId, event: co.Created, at_ns: int) -> None:
        if event.bid_e9 is not None and event.ask_e9 is not None:
            self.marks.add(event.instrument, Mark(at_ns, (event.bid_e9 + event.ask_e9) // 2, event.ask_e9 - event.bid_e9))
        child = Child(event.venue_session, event.tactic, liquidity_of(event.tactic, event.time_in_force))
        if (order := self.orders.get(event.parent)) is not None:
            order.children[stream] = child
        elif event.parent in self._passed:
            self._children[stream] = child

    def _filled(self, stream: StreamId, known_ns: int, event: fl.Recorded, at_ns: int) -> None:
        order = self.orders.get(event.parent)
        if event.parent in self._passed:
            self._passed.executed(stream, Origin(event.child, event.venue_session, event.venue_time_ns or at_ns))
        if order is not None:
            version = Version(known_ns, event.quantity_e9, event.price_e9)
            order.fills[stream] = Fill(stream, event.child, event.venue_session, event.venue_time_ns or at_ns, [version])
            self.names.setdefault(str(stream), []).append(order.id)

    def _restated(self, stream: StreamId, known_ns: int, event: fl.Restated) -> None:
        for parent in self.names.get(str(stream), ()):
            version = Version(known_ns, event.quantity_e9, event.price_e9)
            self.orders[parent].fills[stream].versions.append(version)


def strategy_of(terms: Terms) -> str:
    """An algorithm of ours, "session:name" of a broker's, "direct" without one."""
    broker = terms.instructions.strategy if terms.instructions is not None else None
    return terms.algo.value if broker is None or terms.algo is not Algo.DIRECT else f"{broker.session}:{broker.name}"


def _price(market: MarketState | None) -> int | None:
    """The mid; a market without one has no price that a cost could be measured against."""
    return None if market is None else market.mid_e9
