"""Orders of a list planned together: whole lots within every limit whatever is asked, and why where they are planned alone."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import decision
from domain.basket import BasketRequest, BasketSchedule
from domain.market_state import MarketState
from domain.schedule import PlanRequest
from domain.values import E9, Algo, Side
from models.planners.adaptive import Adaptive
from models.planners.basket_planner import BasketPlanner
from tests.models.planners.requests import MINUTE_NS, START_NS, request
from tests.models.planners.test_adaptive import DAY, observation

PLANNER = BasketPlanner()


def market(price: float = 100.0) -> MarketState:
    touch = {"bid_e9": round((price - 0.01) * E9), "ask_e9": round((price + 0.01) * E9)}
    return MarketState(instrument="AMZN", time_ns=START_NS, volume_e9=0, **touch)


def order(number: int = 1, **changes: Any) -> PlanRequest:
    """An adaptive order of 10,000 over half an hour."""
    values = {
        "parent": f"p{number}", "algo": Algo.ADAPTIVE, "remaining_e9": 10_000 * E9, "observation": observation(number),
        "market": market(100.0 * number), **DAY,
    }  # fmt: skip
    return request(**(values | changes))


def basket(*orders: PlanRequest, **changes: Any) -> BasketRequest:
    values: dict[str, Any] = {
        "basket": "l", "plan_number": 1, "reason": "accepted", "correlation_e9": 6 * E9 // 10, "cash_e9": None, "paid_e9": 0,
        "currencies": ("USD",) * len(orders), "orders": orders,
    }  # fmt: skip
    return BasketRequest.model_validate(values | changes)


PAIR = (order(1), order(2, side=Side.SELL, remaining_e9=5_000 * E9))


def check(plan: BasketSchedule, what: BasketRequest) -> None:
    """What holds for every plan."""
    assert len(plan.schedules) == len(what.orders)
    for schedule, asked in zip(plan.schedules, what.orders, strict=True):
        slices = schedule.slices
        assert schedule.basket == decision.basket_key(what) and schedule.filled_e9 == asked.filled_e9
        assert sum(each.quantity_e9 for each in slices) + schedule.at_close_e9 == asked.remaining_e9
        assert all(each.quantity_e9 > 0 and each.start_ns < each.end_ns for each in slices)
        assert sum(each.quantity_e9 % asked.lot_e9 != 0 for each in slices) <= 1
        assert all(earlier.end_ns <= later.start_ns for earlier, later in pairwise(slices))
        assert 0 <= schedule.at_close_e9 <= asked.at_close_max_e9 and schedule.at_close_e9 % asked.lot_e9 == 0
        if slices and max(asked.now_ns, asked.start_ns) < asked.end_ns:
            assert slices[0].start_ns >= max(asked.now_ns, asked.start_ns)
            assert slices[-1].end_ns <= asked.end_ns


@st.composite
def any_basket(draw: st.DrawFn) -> BasketRequest:
    """Orders of all sorts in one list, with and without markets, before, in and after their windows."""
    now_ns = START_NS + draw(st.integers(0, 40)) * MINUTE_NS
    orders = []
    for number in range(1, draw(st.integers(2, 4))):
        start_ns = START_NS + draw(st.integers(0, 30)) * MINUTE_NS
        end_ns = start_ns + draw(st.sampled_from([1, 20 * E9, 10 * MINUTE_NS, 60 * MINUTE_NS]))
        due_ns = draw(st.sampled_from([0, now_ns, now_ns + MINUTE_NS, end_ns]))
        orders.append(
            order(
                number, side=draw(st.sampled_from(list(Side))), remaining_e9=draw(st.integers(0, 10**14)),
                lot_e9=draw(st.sampled_from([1, E9, 100 * E9])), now_ns=now_ns, start_ns=start_ns, end_ns=end_ns,
                observation=draw(st.sampled_from([observation(number, time_ns=now_ns)] * 5 + [None])),
                due_e9=draw(st.sampled_from([0, 1, 7 * E9, 10**16])), due_until_ns=due_ns,
                urgency_e9=draw(st.sampled_from([None, 30 * E9])), filled_e9=draw(st.sampled_from([0, 5 * E9])),
                max_participation_e9=draw(st.sampled_from([None, E9 // 5, E9])),
                at_close_max_e9=draw(st.sampled_from([0, 10**12, 10**16])),
            )
        )  # fmt: skip
    cash = draw(st.sampled_from([None, 10**15, 10**19]))
    return basket(*orders, cash_e9=cash, correlation_e9=draw(st.sampled_from([0, E9 // 2, 95 * E9 // 100])))


@settings(max_examples=30, deadline=None)
@given(what=any_basket())
def test_slices_are_whole_lots_in_each_window_and_sum_to_what_remains(what: BasketRequest) -> None:
    check(PLANNER.plan(what), what)


def test_it_says_by_what_it_planned_and_can_be_made_again_from_what_is_stored() -> None:
    what = basket(*PAIR, cash_e9=600_000 * E9)
    plan = PLANNER.plan(what)
    check(plan, what)
    assert (plan.planner, plan.fallback) == ("basket/1", "") and all(not each.fallback for each in plan.schedules)
    assert plan.evidence is not None and plan.evidence.solver == "Solved" and plan.evidence.risk_e9 > 0
    assert len(plan.evidence.duals) == 2 and len(plan.evidence.cash_duals) == 42
    for schedule, asked in zip(plan.schedules, what.orders, strict=True):
        assert schedule.evidence is not None and asked.observation is not None
        assert schedule.evidence.observation_sha256 == asked.observation.sha256 and len(schedule.evidence.latents_ns) == 21
    stored = BasketRequest.model_validate_json(what.model_dump_json())
    assert BasketPlanner().plan(stored).model_dump_json() == plan.model_dump_json()


def half_time_ns(schedule: Any) -> float:
    return float(np.average([s.start_ns for s in schedule.slices], weights=[s.quantity_e9 for s in schedule.slices]))


def test_orders_that_hedge_each_other_take_their_time_and_orders_that_add_up_hurry() -> None:
    urgent = [each.model_copy(update={"urgency_e9": 4 * E9}) for each in PAIR]
    same_side = [each.model_copy(update={"side": Side.BUY}) for each in urgent]
    hedged, strangers, alike = (
        half_time_ns(PLANNER.plan(basket(*orders, correlation_e9=rho)).schedules[0])
        for orders, rho in ((urgent, 9 * E9 // 10), (urgent, 0), (same_side, 9 * E9 // 10))
    )
    assert alike < strangers < hedged


def test_the_bound_on_cash_holds_with_what_is_paid_and_due() -> None:
    what = basket(*PAIR, cash_e9=60_000 * E9, paid_e9=40_000 * E9)
    plan = PLANNER.plan(what)
    check(plan, what)
    assert plan.fallback == ""
    moments = sorted({each.start_ns for schedule in plan.schedules for each in schedule.slices})
    signs, prices = (1.0, -1.0), (100.0, 200.0)

    def paid(until_ns: int) -> float:
        return 40_000 + sum(
            sign * price * sum(each.quantity_e9 / E9 for each in schedule.slices if each.start_ns <= until_ns)
            for sign, price, schedule in zip(signs, prices, plan.schedules, strict=True)
        )

    held = [paid(moment) for moment in moments]
    assert max(map(abs, held)) <= 60_000
    free = PLANNER.plan(basket(*PAIR))
    assert [each.slices for each in free.schedules] != [each.slices for each in plan.schedules], "the bound did not bind"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (basket(*PAIR, cash_e9=E9), "Infeasible: the limits of running cash leave no room for whole lots"),
        (basket(PAIR[0], order(2), cash_e9=10**14), "Infeasible: the whole basket pays .* net, outside the running cash limits"),
        (basket(*PAIR, cash_e9=10**15, currencies=("USD", "EUR")), "ProgramInput: one bound on the cash of orders in EUR, USD"),
        (basket(PAIR[0], order(2, observation=None)), "ForecastError: there is no market data"),
        (basket(PAIR[0], order(2, market=None)), "ForecastError: AMZN: its market has not both sides"),
        (basket(PAIR[0], order(2, models=())), "ModelRefused"),
        (basket(PAIR[0], order(2, max_participation_e9=100)), "Infeasible: AMZN: the limits let at most"),
        (
            basket(*(order(number, observation=None) for number in range(1, 34))),
            "ProgramInput: a basket of 33 orders, 32 at most",
        ),
    ],
)
def test_where_they_cannot_be_planned_together_each_is_planned_alone_and_says_why(what: BasketRequest, said: str) -> None:
    plan = PLANNER.plan(what)
    check(plan, what)
    assert plan.planner == "basket/1 adaptive/1" and plan.evidence is None
    assert re.match(said, plan.fallback)
    for schedule, asked in zip(plan.schedules, what.orders, strict=True):
        alone = Adaptive().plan(asked)
        assert schedule.slices == alone.slices
        assert schedule.fallback.startswith(f"not planned together: {plan.fallback}") and schedule.fallback.endswith(
            alone.fallback
        )


def test_the_close_is_left_whole_lots_alone() -> None:
    what = basket(
        *(
            each.model_copy(update={"at_close_max_e9": 3_333 * E9, "lot_e9": 100 * E9, "remaining_e9": 7_777 * E9})
            for each in PAIR
        )
    )
    plan = PLANNER.plan(what)
    check(plan, what)
    assert plan.fallback == "" and all(each.at_close_e9 > 0 for each in plan.schedules)
