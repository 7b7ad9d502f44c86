"""`ems bench risk`: all checks for one child order in the desk, with few and with many working orders, and the hot path's."""

from __future__ import annotations

import gc
import time
import tomllib
from collections import deque
from typing import Any, Final

import numpy as np

from domain import child_order as co
from domain import parent_order as po
from domain import parent_rules
from domain.catalogue import TOPICS
from domain.event import Meta
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.risk import Check, Outcome, check_key
from domain.risk_data import RiskFacts
from domain.risk_verdicts import Checked
from domain.stored import Decoder, encode_states
from domain.terms import Terms
from domain.values import E9, Algo, OrdType, Side, StreamId, TimeInForce
from ems.bench.output import emit
from ems.bench.risk_hot import hot_us
from ems.bench.risk_reference import DAY, MANY, ManyInstruments
from ems.collector import settle_memory
from ems.config_text import TEMPLATE
from ems.desk_state import DeskState
from ems.risk import RiskGate
from ems.risk_settings import RiskSettings
from ems.turn import Turn

WORKING: Final = (100, 10_000)
CHECKS: Final = 10_000
WARM: Final = 1_000
STEP_NS: Final = 20_000_000  # between orders: 50 a second, half of what the strict limits let pass
QUANTITY_E9: Final = 10 * E9


def strict() -> RiskSettings:
    """The strict limits: those of the configuration that `ems init` writes."""
    return RiskSettings.model_validate(tomllib.loads(TEMPLATE)["risk"])


class Day:
    """A desk's state with working orders, and the gate over it."""

    def __init__(self, working: int, settings: RiskSettings) -> None:
        self.reference = ManyInstruments()
        self.markets = {symbol: _market(symbol, DAY.open_ns) for symbol in self.reference.symbols}
        self.state = DeskState()
        self.gate = RiskGate(self.reference, self.markets, _facts(self.reference), settings.terms("bench"))
        self.now_ns = DAY.open_ns
        self.parents = [self._parent(number) for number in range(max(working, MANY))]
        self.out: deque[StreamId] = deque()
        self.gate.day.configure(self.turn())
        for number in range(working):
            self.quote(self.parents[number % len(self.parents)])

    def turn(self) -> Turn:
        """The next turn, a moment later, with a fresh market for everything."""
        self.now_ns += STEP_NS
        return Turn(state=self.state, now_ns=self.now_ns, build="bench")

    def _parent(self, number: int) -> StreamId:
        symbol = self.reference.symbols[number % MANY]
        stream = po.key("OMS", DAY.trade_date, f"P{number}")
        terms = Terms(
            quantity_e9=10_000 * E9, limit_price_e9=None, algo=Algo.TWAP, start_ns=DAY.open_ns, end_ns=DAY.close_ns
        )  # fmt: skip
        accepted = po.Accepted(
            client_session="OMS", trade_date=DAY.trade_date, cl_ord_id=f"P{number}", order_id=po.order_id(stream),
            account=f"A{number % 20}", instrument=symbol, side=Side.BUY, terms=terms, arrival=None,
        )  # fmt: skip
        meta = Meta(event_time_ns=DAY.open_ns, actor="client:OMS", correlation=stream, causation="bench", build="bench")
        self.state.apply(stream, accepted, meta, seq=self.state.seq + 1)
        return stream

    def quote(self, stream: StreamId) -> tuple[Turn, int]:
        """One child of a parent as the scheduler makes it; how long its judging took, in nanoseconds."""
        turn, parent = self.turn(), self.state.parent(stream)
        market = self.markets[parent.instrument] = _market(parent.instrument, self.now_ns)
        stream = co.key(parent.id, parent.children + 1)
        began_ns = time.perf_counter_ns()
        cleared = self.gate.child(turn, parent, stream, QUANTITY_E9, market.bid_e9, venue="SIM")
        took_ns = time.perf_counter_ns() - began_ns
        assert cleared.refusal is None, cleared.refusal
        self._create(turn, parent, market)
        return turn, took_ns

    def _create(self, turn: Turn, parent: ParentOrder, market: MarketState) -> None:
        child = co.key(parent.id, parent.children + 1)
        turn.apply(parent.id, parent_rules.release(parent, child, QUANTITY_E9), correlation=parent.id)
        created = co.Created(
            parent=parent.id, number=parent.children + 1, venue_session="SIM", trade_date=DAY.trade_date,
            cl_ord_id=co.cl_ord_id(child), instrument=parent.instrument, side=parent.side, quantity_e9=QUANTITY_E9,
            ord_type=OrdType.LIMIT, limit_price_e9=market.bid_e9, time_in_force=TimeInForce.DAY, account=parent.account,
            tactic="passive", bid_e9=market.bid_e9, ask_e9=market.ask_e9,
        )  # fmt: skip
        turn.apply(child, created, correlation=parent.id)
        self.out.append(child)

    def cancel_oldest(self, turn: Turn) -> None:
        """So many work as before."""
        child = self.state.children[self.out.popleft()]
        child = turn.apply(child.id, co.Canceled(text="bench"), correlation=child.parent)
        turn.apply(child.parent, po.ChildClosed(child=child.id, status=child.status), correlation=child.parent)


def run(*, checks: int = CHECKS, warm: int = WARM) -> dict[str, Any]:
    """Judge child orders one by one, with few and with many at work."""
    settings = strict()
    few, many = (_measure(working, settings, checks, warm) for working in WORKING)
    return {
        "p50_us_100": _us(few, 50),
        "p50_us_10000": _us(many, 50),
        "p99_us": _us(many, 99),
        "hot_us": hot_us(),
        "limits": len(settings.limits),
        "instruments": MANY,
        "checks": checks,
    }


def main(json_output: bool) -> int:
    """Run and print."""
    emit(run(), json_output)
    return 0


def _measure(working: int, settings: RiskSettings, checks: int, warm: int) -> list[int]:
    """Nanoseconds of each judging; what was written is verified beside the clock."""
    day = Day(working, settings)
    took_ns: list[int] = []
    before = gc.get_threshold()
    settle_memory()  # as the desk does when it has recovered
    for number in range(warm + checks):
        turn, took = day.quote(day.parents[number * 7 % len(day.parents)])
        day.cancel_oldest(turn)
        if number >= warm:
            took_ns.append(took)
        if number % 100 == 0:
            _verify(turn, settings)
    gc.unfreeze()
    gc.set_threshold(*before)
    reserved = day.state.risk.exposure.all_reserved()
    assert len(reserved) == working and sum(reserved.values()) == working * QUANTITY_E9
    return took_ns


def _verify(turn: Turn, settings: RiskSettings) -> None:
    """The turn's verdict can be stored, is read back the same, names every limit that a child is under, and let it pass."""
    (entry,) = [e for e in turn.entries if isinstance(e.events[0], Checked)]
    checked = entry.events[0]
    (state,) = encode_states(entry.meta, entry.events)
    event, _ = Decoder(TOPICS).decode(Checked.TOPIC, state)
    assert event == checked and isinstance(event, Checked) and event.passed and entry.stream == check_key(event.order)
    assert all(verdict.outcome is Outcome.PASS for verdict in event.verdicts)
    judged = {verdict.check for verdict in event.verdicts}
    parents_only = {Check.LIST_VALUE, Check.PARENT_VALUE, Check.DUPLICATE, Check.ADV_SHARE}
    assert judged >= {limit.check for limit in settings.limits} - parents_only, judged


def _market(symbol: str, now_ns: int) -> MarketState:
    price_e9 = (50 + int(symbol[1:]) % 50) * E9
    return MarketState(instrument=symbol, time_ns=now_ns, bid_e9=price_e9, ask_e9=price_e9 + E9 // 50, volume_e9=E9)


def _facts(reference: ManyInstruments) -> RiskFacts:
    return RiskFacts(
        adv=dict.fromkeys(reference.symbols, 1_000_000 * E9),
        reference_prices=dict.fromkeys(reference.symbols, 75 * E9),
        positions={},
        capital={"firm": 1_000_000_000 * E9},
        restrictions=(),
        halts=(),
        models=frozenset(),
        permissions=frozenset({("OMS", "*", "*", "*")}),
    )


def _us(took_ns: list[int], percentile: float) -> float:
    return round(float(np.percentile(took_ns, percentile)) / 1000, 2)
