"""The grid of release times, and what holds for every schedule along it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ports import Planner
from domain.schedule import PlanRequest
from domain.values import E9, Algo
from models.planners import planner_for
from models.planners.ladder import grid
from models.planners.twap import Twap
from models.planners.vwap import Vwap
from tests.models.planners.requests import MINUTE_NS, START_NS, check, request, requests

LADDERS = [Twap(), Vwap(), Twap(interval_ns=7_000_000_000)]


PLANNED = [algo for algo in Algo if algo not in (Algo.DIRECT, Algo.MANUAL)]  # those that a planner plans


@pytest.mark.parametrize(
    ("minutes", "slices"),
    [(390, 390), (30, 30), (20, 20), (5, 20), (1, 20)],
)
def test_one_slice_a_minute_and_at_least_twenty(minutes: int, slices: int) -> None:
    bounds = grid(START_NS, START_NS + minutes * MINUTE_NS)
    assert len(bounds) == slices + 1
    assert (bounds[0], bounds[-1]) == (START_NS, START_NS + minutes * MINUTE_NS)


def test_no_slice_is_shorter_than_a_second_unless_the_order_is() -> None:
    assert len(grid(0, 7_500_000_000)) == 8
    assert grid(0, 500) == (0, 500)


def test_an_interval_can_be_asked_for() -> None:
    assert len(grid(0, 30 * MINUTE_NS, 5 * MINUTE_NS)) == 7
    assert grid(0, MINUTE_NS, 5 * MINUTE_NS) == (0, MINUTE_NS)


@pytest.mark.parametrize("planner", LADDERS)
@given(asked=requests())
def test_schedules_sum_to_what_remains_in_lots_in_order_within_the_window(planner: Planner, asked: PlanRequest) -> None:
    check(planner.plan(asked), asked)


@pytest.mark.parametrize("planner", LADDERS)
@given(asked=requests())
def test_the_same_request_gives_the_same_schedule(planner: Planner, asked: PlanRequest) -> None:
    assert planner.plan(asked) == planner.plan(asked.model_copy())


@pytest.mark.parametrize("planner", LADDERS)
@given(asked=requests(), data=st.data())
def test_a_plan_made_again_after_a_fill_releases_nothing_early(planner: Planner, asked: PlanRequest, data: st.DataObject) -> None:
    """However often fills make it plan again, the target at any time stays where the first plan had it, to a lot."""
    first = planner.plan(asked)
    now_ns = data.draw(st.integers(max(asked.now_ns, asked.start_ns), asked.end_ns - 1))
    released_e9 = first.target_e9(now_ns) - asked.filled_e9
    fill_e9 = data.draw(st.integers(0, min(released_e9, asked.remaining_e9 - 1)))
    again = planner.plan(
        asked.model_copy(
            update={"now_ns": now_ns, "filled_e9": asked.filled_e9 + fill_e9, "remaining_e9": asked.remaining_e9 - fill_e9}
        )
    )
    probe_ns = data.draw(st.integers(now_ns, asked.end_ns - 1))
    assert abs(again.target_e9(probe_ns) - first.target_e9(probe_ns)) <= asked.lot_e9


@pytest.mark.parametrize("algo", [Algo.TWAP, Algo.VWAP])
def test_immediate_fills_cannot_rush_an_order_through(algo: Algo) -> None:
    """Every release fills at once and makes it plan again at the same moment: it must come to rest."""
    asked, filled_e9 = request(), 0
    for _ in range(50):
        again = asked.model_copy(update={"filled_e9": filled_e9, "remaining_e9": 1_000 * E9 - filled_e9})
        filled_e9 = planner_for(algo).plan(again).target_e9(asked.now_ns)
    assert filled_e9 == 33 * E9  # a thirtieth of 1,000


@pytest.mark.parametrize("algo", PLANNED)
@pytest.mark.parametrize("late_ns", [0, 1, MINUTE_NS])
def test_at_its_end_an_order_is_released_whole(algo: Algo, late_ns: int) -> None:
    end_ns = request().end_ns
    asked = request(now_ns=end_ns + late_ns, remaining_e9=123_456_789, participation_e9=E9 // 10)
    (only,) = planner_for(algo).plan(asked).slices
    assert only.quantity_e9 == 123_456_789
    assert only.start_ns == asked.now_ns


@pytest.mark.parametrize("algo", PLANNED)
def test_nothing_remains_nothing_is_planned(algo: Algo) -> None:
    for now_ns in (START_NS, START_NS + 31 * MINUTE_NS):
        asked = request(remaining_e9=0, filled_e9=5 * E9, now_ns=now_ns, participation_e9=E9 // 10)
        assert planner_for(algo).plan(asked).slices == ()


def test_what_was_missed_is_due_now() -> None:
    asked = request(algo=Algo.TWAP, now_ns=START_NS + 10 * MINUTE_NS, remaining_e9=900 * E9, filled_e9=100 * E9)
    schedule = planner_for(Algo.TWAP).plan(asked)
    assert schedule.slices[0].start_ns == asked.now_ns
    assert schedule.target_e9(asked.now_ns) == 367 * E9  # eleven thirtieths
    assert schedule.target_e9(asked.now_ns + MINUTE_NS) == 400 * E9


def test_an_order_ahead_of_its_line_waits_for_it() -> None:
    asked = request(algo=Algo.TWAP, now_ns=START_NS + 90_000_000_000, remaining_e9=800 * E9, filled_e9=200 * E9)
    schedule = planner_for(Algo.TWAP).plan(asked)
    assert schedule.slices[0].start_ns == START_NS + 6 * MINUTE_NS
    assert schedule.slices[0].quantity_e9 == 33 * E9


def test_an_amendment_begins_a_new_line_at_what_is_filled() -> None:
    """Doubled half-way: the rest is spread from there. Without the new line a third would be due at once."""
    asked = request(
        algo=Algo.TWAP, remaining_e9=1_500 * E9, filled_e9=500 * E9, start_filled_e9=500 * E9, end_ns=START_NS + 15 * MINUTE_NS
    )
    schedule = planner_for(Algo.TWAP).plan(asked)
    assert schedule.slices[0].quantity_e9 == 75 * E9
    assert {s.quantity_e9 for s in schedule.slices} == {75 * E9}
