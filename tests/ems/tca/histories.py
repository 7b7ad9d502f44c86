"""Event histories with planted costs: a market that moves as it is told, executions so far beyond its mid, a known schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.catalogue import TOPICS
from domain.day_rows import Commission, Fee
from domain.event import Event, Meta
from domain.instrument import Instrument
from domain.market_note import Noted, key
from domain.market_state import MarketState
from domain.order_life import OrdStatus
from domain.values import E9, OrdType, Side, StreamId, TimeInForce
from ems.tca.charges import Schedules
from ems.tca.costs import DayFacts
from ems.tca.record import NOW, Ledger
from tests.domain.orders import ABC, DAY, NOW_NS, PARENT, accepted, terms

FEES = Schedules(
    fees=tuple(
        Fee(mic="XNAS", liquidity=how, currency="USD", per_share_e9=rate, rate_bps_e9=0, minimum_e9=0)
        for how, rate in (("add", -2_000_000), ("remove", 3_000_000), ("auction", 1_000_000))
    ),
    commissions=(Commission(venue="*", account="*", currency="USD", per_share_e9=5_000_000, rate_bps_e9=E9 // 2, minimum_e9=E9),),
    source="planted",
)


@dataclass
class Facts:
    """References as a test has them."""

    of_day: DayFacts = field(default_factory=lambda: DayFacts(schedules=FEES, adv_e9={"ABC": 1_000_000 * E9}))
    instruments: Mapping[str, Instrument] = field(default_factory=lambda: {"ABC": ABC})

    def instrument(self, symbol: str) -> Instrument | None:
        return self.instruments.get(symbol)

    def facts(self, trade_date: str) -> DayFacts:
        return self.of_day

    def close_ns(self, symbol: str, trade_date: str) -> int | None:
        return DAY.close_ns


def market(mid_e9: int | None, *, time_ns: int = NOW_NS, volume: int = 0, notional_e9: int = 0) -> MarketState:
    """Two cents wide round its mid."""
    sides = {} if mid_e9 is None else {"bid_e9": mid_e9 - E9 // 100, "ask_e9": mid_e9 + E9 // 100}
    return MarketState(instrument="ABC", time_ns=time_ns, volume_e9=volume * E9, notional_e9=notional_e9, **sides)


class History:
    """A day's events as a log would hand them over. Times are seconds after the order came."""

    def __init__(self, side: Side = Side.BUY, quantity: int = 1000, *, arrival_e9: int | None = 100 * E9, **changes: Any) -> None:
        self.ledger = Ledger()
        self._side, self._children = side, 0
        self._fills: dict[str, tuple[StreamId, int, int]] = {}
        asked = accepted(side=side, terms=terms(quantity), arrival=None if arrival_e9 is None else market(arrival_e9), **changes)
        self._streams: dict[str, tuple[StreamId, str]] = {}
        self.tell(PARENT, asked, 0)

    def tell(self, stream: StreamId, event: Event, at_s: float, known_s: float | None = None) -> None:
        """One event; known to the log when it happened unless it says otherwise."""
        at_ns = NOW_NS + int(at_s * E9)
        known_ns = at_ns if known_s is None else NOW_NS + int(known_s * E9)
        assert TOPICS[event.TOPIC] is type(event)
        self.ledger.apply(stream, known_ns, event, Meta(at_ns, "test", PARENT, "test", "test"))

    def note(self, mid_e9: int, at_s: float, **volume: int) -> None:
        """The desk notes the market."""
        self.tell(key(DAY.trade_date), Noted(trade_date=DAY.trade_date, markets=(market(mid_e9, **volume),)), at_s)

    def fill(
        self, quantity: int, price_e9: int, at_s: float, *, tactic: str = "aggressive", venue: str = "VENUE",
        touch: bool = False,
    ) -> str:  # fmt: skip
        """A child order and its only execution."""
        self._children += 1
        number, child = self._children, co.key(PARENT, self._children)
        created = co.Created(
            parent=PARENT, number=number, venue_session=venue, trade_date=DAY.trade_date, cl_ord_id=co.cl_ord_id(child),
            instrument="ABC", side=self._side, quantity_e9=quantity * E9, ord_type=OrdType.LIMIT, limit_price_e9=price_e9,
            time_in_force=TimeInForce.DAY, account="ACC", tactic=tactic, bid_e9=None, ask_e9=None,
        )  # fmt: skip
        self.tell(child, created, at_s)
        self.tell(PARENT, po.ChildReleased(child=child, number=number, quantity_e9=quantity * E9, late_e9=0), at_s)
        exec_id = f"E{number}"
        stream = fl.key(venue, DAY.trade_date, exec_id)
        done = fl.Recorded(
            venue_session=venue, trade_date=DAY.trade_date, exec_id=exec_id, cl_ord_id=co.cl_ord_id(child), child=child,
            parent=PARENT, instrument="ABC", side=self._side, quantity_e9=quantity * E9, price_e9=price_e9,
            venue_time_ns=NOW_NS + int(at_s * E9),
        )  # fmt: skip
        self.tell(stream, done, at_s)
        self.tell(PARENT, po.Filled(child=child, fill=stream, quantity_e9=quantity * E9, price_e9=price_e9), at_s)
        self.tell(PARENT, po.ChildClosed(child=child, status=OrdStatus.FILLED), at_s)
        self._fills[exec_id] = (child, quantity, price_e9)
        self._streams[exec_id] = (stream, venue)
        return exec_id

    def restate(self, exec_id: str, quantity: int, price_e9: int, at_s: float) -> None:
        """The venue busts (quantity 0) or corrects an execution."""
        child, before, was_e9 = self._fills[exec_id]
        stream, venue = self._streams[exec_id]
        kind = "correct" if quantity else "cancel"
        self.tell(
            stream,
            fl.Restated(
                venue_session=venue, kind=kind, exec_id=f"{exec_id}X", exec_ref_id=exec_id, quantity_e9=quantity * E9,
                price_e9=price_e9, venue_time_ns=NOW_NS,
            ),
            at_s,
        )  # fmt: skip
        self.tell(
            PARENT,
            po.FillRestated(
                child=child, fill=stream, kind=kind, number=1, quantity_e9=quantity * E9, price_e9=price_e9,
                previous_quantity_e9=before * E9, previous_price_e9=was_e9, open_e9=0,
            ),
            at_s,
        )  # fmt: skip

    def end(self, mid_e9: int | None, at_s: float, **volume: int) -> None:
        """The order is over: it expires with what is left."""
        filled_e9 = sum(quantity * E9 for _, quantity, _ in self._fills.values())
        if filled_e9 < self.ledger.orders[PARENT].quantity_e9(NOW):
            self.tell(PARENT, po.Expired(text="end time reached"), at_s)
        shown = None if mid_e9 is None else market(mid_e9, **volume)
        done = po.Finished(status=OrdStatus.EXPIRED, cum_quantity_e9=0, average_price_e9=0, market=shown)
        self.tell(PARENT, done, at_s)
