"""How a due quantity becomes child orders: one line a case, what is proposed last."""

from __future__ import annotations

from typing import Any

import pytest

from domain.event import Event
from domain.market_state import MarketState
from domain.parent_order import ParentOrder, Scheduled
from domain.schedule import Schedule, Slice
from domain.values import E9, Side
from ems import tactic
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
    market = MarketState(
        instrument="ABC",
        time_ns=NOW_NS,
        bid_e9=None if bid is None else bid * E9,
        ask_e9=None if ask is None else ask * E9,
        volume_e9=volume * E9,
    )
    now_ns = NOW_NS + int(minutes * MINUTE_NS)
    found = tactic.propose(state, market, ABC, now_ns=now_ns, closing_ns=state.terms.end_ns - MINUTE_NS // 2)
    return [(p.quantity_e9 // E9, p.limit_price_e9 // E9, p.tactic) for p in found]


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


def test_a_sell_is_the_mirror() -> None:
    state = parent(planned(300, 700), released(300), closed())._replace(side=Side.SELL, terms=terms(limit_price_e9=98 * E9))
    assert proposed(state, minutes=1) == [(300, 99, "aggressive"), (700, 101, "passive")]
    assert proposed(state._replace(terms=terms(limit_price_e9=None, would_price_e9=99 * E9))) == [(1000, 99, "would")]
    assert accepted().side is Side.BUY


def test_nothing_is_proposed_beyond_the_order() -> None:
    overfilled = parent(planned(1000), released(1000), filled(1000), filled(50))
    assert proposed(overfilled) == []
