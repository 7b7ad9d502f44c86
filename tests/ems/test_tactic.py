"""How a due quantity becomes child orders: one line a case, what is proposed last."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.event import Event
from domain.market_state import MarketState
from domain.parent_order import ParentOrder, Scheduled
from domain.schedule import Schedule, Slice
from domain.steering import Steering
from domain.values import E9, Algo, Side
from ems import tactic
from ems.fill_probability import Drains
from ems.tactic import MISS
from tests.domain.orders import ABC, FILL, MINUTE_NS, NOW_NS, accepted, closed, filled, parent, released, terms

NEAR, FAR, LIMIT = 99, 101, 100


def planned(*quantities: int) -> Scheduled:
    slices = tuple(
        Slice(NOW_NS + i * MINUTE_NS, NOW_NS + (i + 1) * MINUTE_NS, quantity * E9) for i, quantity in enumerate(quantities)
    )
    schedule = Schedule(planner="test/1", filled_e9=0, slices=slices)
    return Scheduled(decision=FILL, plan_number=1, schedule=schedule, started_volume_e9=0)


def order(*events: Event, **changes: Any) -> ParentOrder:
    """The order of 1000 with these terms after these events."""
    state = parent(*events)
    return state._replace(terms=terms(**changes)) if changes else state


def proposed(
    state: ParentOrder, *, minutes: float = 0, bid: int | None = NEAR, ask: int | None = FAR, volume: int = 0
) -> list[Any]:
    found = proposals(state, minutes=minutes, bid=bid, ask=ask, volume=volume)
    return [(p.quantity_e9 // E9, p.limit_price_e9 // E9, p.tactic) for p in found]


def proposals(
    state: ParentOrder, *, minutes: float = 0, bid: int | None = NEAR, ask: int | None = FAR, volume: int = 0
) -> tuple[tactic.Proposal, ...]:
    market = MarketState(
        instrument="ABC",
        time_ns=NOW_NS,
        bid_e9=None if bid is None else bid * E9,
        ask_e9=None if ask is None else ask * E9,
        volume_e9=volume * E9,
    )
    now_ns = NOW_NS + int(minutes * MINUTE_NS)
    return tactic.propose(state, market, ABC, now_ns=now_ns, closing_ns=state.terms.end_ns - MINUTE_NS // 2)


@pytest.mark.parametrize(
    ("state", "options", "proposals"),
    [
        (order(), {}, []),
        (order(planned(300, 700)), {}, [(300, NEAR, "passive")]),
        (order(planned(300, 700)), {"bid": None}, []),
        (order(planned(300, 700)), {"ask": None}, []),
        (order(planned(300, 700)), {"minutes": 1}, [(1000, NEAR, "passive")]),
        (order(planned(300, 700), released(300)), {}, []),
        (order(planned(300, 700), released(300)), {"minutes": 1}, [(700, NEAR, "passive")]),
        (order(planned(300, 700), released(300), closed()), {}, [(300, LIMIT, "aggressive")]),
        (order(planned(300, 700), released(300), filled(290), closed()), {}, [(10, LIMIT, "aggressive")]),
        (order(planned(300, 700), released(300), closed()), {"minutes": 1}, [(300, LIMIT, "aggressive"), (700, NEAR, "passive")]),
        (order(planned(305, 695)), {}, [(300, NEAR, "passive")]),
        (order(planned(2000)), {}, [(1000, NEAR, "passive")]),
        (order(planned(300, 700)), {"minutes": 29.6}, [(1000, LIMIT, "aggressive")]),
        (order(planned(300), limit_price_e9=None), {"minutes": 29.6}, [(300, FAR, "aggressive")]),
        (order(planned(300), limit_price_e9=None), {}, [(300, NEAR, "passive")]),
        (order(planned(300), limit_price_e9=98 * E9), {}, [(300, 98, "passive")]),
        (order(planned(300), would_price_e9=101 * E9, limit_price_e9=None), {}, [(1000, FAR, "would")]),
        (order(planned(300), would_price_e9=102 * E9, limit_price_e9=None), {}, [(1000, 102, "would")]),
        (order(planned(300), would_price_e9=100 * E9, limit_price_e9=None), {}, [(300, NEAR, "passive")]),
        (order(planned(300), would_price_e9=101 * E9), {}, [(1000, LIMIT, "would")]),
        (order(planned(300), max_participation_e9=E9 // 10), {"volume": 0}, []),
        (order(planned(300), max_participation_e9=E9 // 10), {"volume": 1000}, [(100, NEAR, "passive")]),
        (order(planned(300), released(90), max_participation_e9=E9 // 10), {"volume": 1000}, [(10, NEAR, "passive")]),
        (order(planned(300), max_participation_e9=E9 // 10), {"volume": 10**6}, [(300, NEAR, "passive")]),
    ],
)
def test_what_is_proposed(state: ParentOrder, options: dict[str, Any], proposals: list[Any]) -> None:
    assert proposed(state, **options) == proposals


SLOW, FAST = Drains(1.0, "volume"), Drains(1e3, "forecast")
TOO_LITTLE = "cross: 0.10 to be filled in 30.0 s by volume is too little"


def view(drains: Drains | None, kind: tactic.Placement = "mixed", **changes: Any) -> tactic.View:
    return tactic.View(kind=kind, tick_e9=E9 // 4, rest_ns=30 * E9, drains=drains)._replace(**changes)


@pytest.mark.parametrize(
    ("seen", "changes", "price", "name", "why"),
    [
        (view(None), {}, 99.0, "passive", "join: no chance is known"),
        (view(FAST), {}, 99.0, "passive", "join: 1.00 to be filled in 30.0 s by forecast"),
        (view(Drains(13.0, "volume")), {}, 99.25, "passive", "improve: 0.73 to be filled in 30.0 s by volume"),
        (view(Drains(13.0, "volume"), tick_e9=0), {}, 99.0, "passive", "join: 0.28 to be filled in 30.0 s by volume"),
        (view(Drains(13.0, "volume"), tick_e9=2 * E9), {}, 99.0, "passive", "join: 0.28 to be filled in 30.0 s by volume"),
        (view(SLOW), {}, 101.0, "aggressive", TOO_LITTLE),
        (view(FAST, rest_ns=0), {}, 101.0, "aggressive", "cross: 0.00 to be filled in 0.0 s by forecast is too little"),
        (view(SLOW), {"limit_price_e9": 101 * E9}, 101.0, "aggressive", TOO_LITTLE),
        (view(SLOW), {"limit_price_e9": 100 * E9}, 99.25, "passive", "improve: 0.10 to be filled in 30.0 s by volume"),
        (view(SLOW), {"limit_price_e9": 99 * E9}, 99.0, "passive", "join: 0.02 to be filled in 30.0 s by volume"),
        (view(FAST), {"limit_price_e9": 98 * E9}, 98.0, "passive", "join: at the order's limit"),
        (view(FAST, "aggressive"), {}, 101.0, "aggressive", "cross: aggressive"),
        (view(FAST, "aggressive"), {"limit_price_e9": 100 * E9}, 100.0, "aggressive", "cross: aggressive"),
        (view(SLOW, "passive"), {}, 99.0, "passive", "join: passive"),
    ],
)  # fmt: skip
def test_a_tactic_joins_improves_or_crosses_and_says_why(
    seen: tactic.View, changes: dict[str, Any], price: float, name: str, why: str
) -> None:
    """900 stand at the bid, 99, and 101 is asked; 300 are due, and a tick is a quarter."""
    state = order(planned(300), **{"limit_price_e9": None, **changes})
    market = MarketState(instrument="ABC", time_ns=NOW_NS, bid_e9=99 * E9, bid_size_e9=900 * E9, ask_e9=101 * E9, ask_size_e9=E9)
    (found,) = tactic.propose(state, market, ABC, now_ns=NOW_NS, closing_ns=state.terms.end_ns, view=seen)
    assert (found.quantity_e9 // E9, found.limit_price_e9 / E9, found.tactic, found.reason) == (300, price, name, why)


def test_haste_crosses_sooner_and_patience_later() -> None:
    market = MarketState(instrument="ABC", time_ns=NOW_NS, bid_e9=99 * E9, bid_size_e9=900 * E9, ask_e9=101 * E9, ask_size_e9=E9)
    names = {}
    for urgency in MISS:
        state = order(planned(300), limit_price_e9=None)._replace(steering=Steering(urgency=urgency))
        names[urgency] = [
            tactic.placed(state, market, 300 * E9, view(Drains(rate, "volume"))).tactic for rate in (1.0, 2.0, 5.0, 12.0)
        ]
    crossed = [found.count("aggressive") for found in names.values()]
    assert crossed == sorted(crossed) and crossed[0] < crossed[-1]


@given(
    side=st.sampled_from(list(Side)),
    limit=st.none() | st.integers(90, 110),
    rate=st.floats(0, 1e4),
    kind=st.sampled_from(("passive", "aggressive", "mixed")),
    rest_s=st.integers(0, 100),
    tick=st.sampled_from((0, E9 // 100, E9, 3 * E9)),
)
def test_no_kind_is_ever_worse_than_the_limit_or_the_far_touch(
    side: Side, limit: int | None, rate: float, kind: tactic.Placement, rest_s: int, tick: int
) -> None:
    state = order(planned(300), limit_price_e9=None if limit is None else limit * E9)._replace(side=side)
    market = MarketState(instrument="ABC", time_ns=NOW_NS, bid_e9=99 * E9, bid_size_e9=E9, ask_e9=101 * E9, ask_size_e9=E9)
    seen = tactic.View(kind, tick, rest_s * E9, Drains(rate, "volume"))
    (found,) = tactic.propose(state, market, ABC, now_ns=NOW_NS, closing_ns=state.terms.end_ns, view=seen)
    worst = [101 * E9 if side is Side.BUY else 99 * E9] + ([limit * E9] if limit is not None else [])
    assert all(side.sign * (found.limit_price_e9 - each) <= 0 for each in worst)
    assert found.reason


def test_the_reason_stands_with_the_child_whatever_the_strategy() -> None:
    """What is late, near its end, completed or placed by hand has one too."""
    late = proposals(order(planned(300, 700), released(300), closed()))
    assert [each.reason for each in late] == ["cross: waited in vain"]
    ending = proposals(order(planned(300, 700)), minutes=29.6)
    assert [each.reason for each in ending] == ["cross: the order's end is near"]
    twap, ac = (order(planned(300))._replace(terms=terms(algo=algo)) for algo in (Algo.TWAP, Algo.AC))
    assert proposals(twap) == proposals(ac)


def test_a_sell_is_the_mirror() -> None:
    state = parent(planned(300, 700), released(300), closed())._replace(side=Side.SELL, terms=terms(limit_price_e9=98 * E9))
    assert proposed(state, minutes=1) == [(300, 99, "aggressive"), (700, 101, "passive")]
    assert proposed(state._replace(terms=terms(limit_price_e9=None, would_price_e9=99 * E9))) == [(1000, 99, "would")]
    assert accepted().side is Side.BUY


def test_nothing_is_proposed_beyond_the_order() -> None:
    overfilled = parent(planned(1000), released(1000), filled(1000), filled(50))
    assert proposed(overfilled) == []
