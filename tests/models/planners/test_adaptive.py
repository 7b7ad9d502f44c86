"""The adaptive planner: whole lots within every limit whatever is asked, and a safe plan with a reason without foresight."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.errors import InvariantBroken, SolverFailed
from domain.latent_path import path_of
from domain.observation import Observation
from domain.schedule import PlanRequest, Schedule
from domain.values import E9, Algo, Side
from models.net_contract import BOOK
from models.planners.adaptive import Adaptive, outlook_of, program
from models.planners.almgren_chriss import AlmgrenChriss
from models.planners.foresight import ARRAYS, foresee, overlap, read_observation, text_of
from models.planners.program import Program
from models.planners.warm import made_request, warm
from models.sight import sight
from tests.models.planners.requests import MINUTE_NS, START_NS, request

ADAPTIVE = Adaptive()


def observation(seed: int = 1, **changes: Any) -> Observation:
    """A book of ten levels, trades and features of some market."""
    chance = np.random.default_rng(seed)
    arrays = chance.normal(size=ARRAYS).astype(np.float32)
    ticks = np.cumsum(chance.uniform(0.2, 1.0, 10))
    sides = [-np.log2(1 + ticks), chance.uniform(0.5, 2, 10), np.log2(1 + ticks), chance.uniform(0.5, 2, 10)]
    arrays[:BOOK] = np.stack(sides, 1).ravel()
    values = {
        "time_ns": START_NS, "arrays": text_of(arrays), "price_unit_e9": E9 // 50, "size_unit_e9": 200 * E9, "step_ns": 2 * E9
    } | changes  # fmt: skip
    return Observation.model_validate(values)


# 78 buckets of five minutes, alike, from the order's start on.
DAY: dict[str, Any] = {"volume_curve": (1 / 78,) * 78, "curve_open_ns": START_NS, "curve_bucket_ns": 5 * MINUTE_NS}


def asked(**changes: Any) -> PlanRequest:
    return request(**({"algo": Algo.ADAPTIVE, "observation": observation(), "remaining_e9": 10_000 * E9} | changes))


def check(schedule: Schedule, what: PlanRequest) -> None:
    """What holds for every plan of an order that has not ended."""
    slices = schedule.slices
    assert schedule.filled_e9 == what.filled_e9
    assert sum(each.quantity_e9 for each in slices) + schedule.at_close_e9 == what.remaining_e9
    assert 0 <= schedule.at_close_e9 <= what.at_close_max_e9 and schedule.at_close_e9 % what.lot_e9 == 0
    assert all(each.quantity_e9 > 0 and each.start_ns < each.end_ns for each in slices)
    assert all(each.quantity_e9 % what.lot_e9 == 0 for each in slices[:-1])
    assert all(earlier.end_ns <= later.start_ns for earlier, later in pairwise(slices))
    if slices:
        assert slices[0].start_ns >= max(what.now_ns, what.start_ns)
        assert slices[-1].end_ns <= what.end_ns


@st.composite
def any_request(draw: st.DrawFn) -> PlanRequest:
    """Any order at any moment before its end, after any fills and amendments, in a market of some kind or none."""
    span_ns = draw(st.integers(1, 7 * 60 * MINUTE_NS))
    now_ns = START_NS + draw(st.integers(-MINUTE_NS, span_ns - 1))
    filled_e9, lot_e9 = draw(st.integers(0, 10**15)), draw(st.sampled_from([1, E9, 100 * E9]))
    age_ns = draw(st.sampled_from([0, E9, 59 * E9, 61 * E9, -2 * E9]))
    seen = observation(draw(st.integers(0, 20)), time_ns=now_ns - age_ns, step_ns=draw(st.sampled_from([1, 10**7, E9, 10**12])))
    return asked(
        observation=draw(st.sampled_from([seen, seen, seen, None])),
        side=draw(st.sampled_from(list(Side))),
        remaining_e9=draw(st.integers(1, 10**15)),
        filled_e9=filled_e9,
        start_filled_e9=draw(st.integers(0, filled_e9)),
        lot_e9=lot_e9,
        now_ns=now_ns,
        end_ns=START_NS + span_ns,
        due_e9=draw(st.sampled_from([0, 1, 7 * E9, 10**16])),
        due_until_ns=draw(st.sampled_from([0, now_ns, now_ns + span_ns // 20, START_NS + span_ns, START_NS + 2 * span_ns])),
        urgency_e9=draw(st.sampled_from([None, 1, E9, 30 * E9])),
        max_participation_e9=draw(st.sampled_from([None, 100, E9 // 5, E9])),
        plan_number=draw(st.integers(1, 5)),
        at_close_max_e9=draw(st.sampled_from([0, 1, 7 * E9, 10**13, 10**16])),
        tail_aversion_e9=draw(st.sampled_from([None, None, 0, E9])),
        trust_e9=draw(st.sampled_from([None, None, 0, E9 // 3, E9])),
        **DAY,
    )


@settings(max_examples=60, deadline=None)
@given(what=any_request())
def test_slices_are_whole_lots_in_order_within_the_window_and_sum_to_what_remains(what: PlanRequest) -> None:
    check(ADAPTIVE.plan(what), what)


def test_it_foresees_and_says_by_what() -> None:
    schedule = ADAPTIVE.plan(asked(max_participation_e9=E9 // 2))
    check(schedule, asked())
    evidence = schedule.evidence
    assert (schedule.planner, schedule.fallback) == ("adaptive/1", "")
    assert evidence is not None and evidence.solver == "Solved" and evidence.samples == 500
    assert evidence.weights_sha256 == sight().digest and evidence.observation_sha256 == observation().sha256
    assert len(evidence.duals) == 21 and evidence.expected_cost_e9 > 0
    path = path_of(evidence)
    assert path is not None and len(path.moments_ns) == 21 and path.moments_ns[-1] == asked().end_ns


def test_the_decision_can_be_made_again_from_what_is_stored() -> None:
    what = asked(max_participation_e9=E9 // 2)
    stored = PlanRequest.model_validate_json(what.model_dump_json())
    assert Adaptive(sights=lambda _: sight()).plan(stored).model_dump_json() == ADAPTIVE.plan(what).model_dump_json()


def test_participation_caps_bind_interval_by_interval() -> None:
    what = asked(max_participation_e9=E9 // 3)
    edges = np.arange(21) * (what.end_ns - what.start_ns) // 20
    ahead = foresee(sight(), observation(), edges, seed=1)
    _, caps = outlook_of(what, ahead)
    assert caps == pytest.approx(ahead.volume * 200 / 3)
    tight = asked(remaining_e9=int(0.9 * caps.sum() * E9) // E9 * E9, max_participation_e9=E9 // 3)
    schedule = ADAPTIVE.plan(tight)
    assert schedule.fallback == ""
    by_start = {each.start_ns: each.quantity_e9 / E9 for each in schedule.slices}
    assert all(by_start.get(tight.start_ns + int(edges[k]), 0) <= caps[k] + 1 for k in range(20))
    assert sum(by_start.get(tight.start_ns + int(edges[k]), 0) >= caps[k] - 1 for k in range(20)) > 3


def test_an_interval_is_decided_once_however_often_fills_make_it_plan_again() -> None:
    """Every release fills at once and makes it plan again at the same moment: it must come to rest."""
    what = asked()
    first = ADAPTIVE.plan(what).slices[0]
    again = asked(filled_e9=first.quantity_e9, remaining_e9=what.remaining_e9 - first.quantity_e9, due_until_ns=first.end_ns)
    assert ADAPTIVE.plan(again).slices[0].start_ns == first.end_ns
    half = asked(
        filled_e9=first.quantity_e9 // 2, remaining_e9=what.remaining_e9 - first.quantity_e9 // 2,
        due_e9=first.quantity_e9 - first.quantity_e9 // 2, due_until_ns=first.end_ns,
    )  # fmt: skip
    resting = ADAPTIVE.plan(half).slices[0]
    assert (resting.start_ns, resting.end_ns) == (what.now_ns, first.end_ns)
    assert resting.quantity_e9 == (first.quantity_e9 - first.quantity_e9 // 2) // E9 * E9


def test_a_price_that_is_foreseen_to_rise_is_bought_early_and_sold_late(monkeypatch: pytest.MonkeyPatch) -> None:
    real = foresee

    def rising(*arguments: Any, **named: Any) -> Any:
        found = real(*arguments, **named)
        return found._replace(moves=np.full(20, 3.0))

    monkeypatch.setattr("models.planners.adaptive.foresee", rising)
    first = {side: ADAPTIVE.plan(asked(side=side)).slices[0].quantity_e9 for side in Side}
    assert first[Side.BUY] > 2 * first[Side.SELL]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"observation": None}, "there is no market data to foresee by"),
        ({"observation": observation(time_ns=START_NS - 61 * E9)}, "the market data is 61.0 s old"),
        ({"observation": observation(arrays=text_of(np.full(ARRAYS, np.nan, np.float32)))}, "holds what is no number"),
        ({"observation": observation(arrays=text_of(np.zeros(7, np.float32)))}, "an observation of 7 and 0 numbers"),
        ({"observation": observation(arrays="?")}, "an observation that is no array"),
        ({"observation": observation(price_unit_e9=0)}, "units are not above 0"),
        ({"models": ("f" * 64,)}, "ModelRefused: version 518651e3216d is not registered, was retired, or nobody has promoted it"),
        ({"models": ()}, "ModelRefused"),
        ({"max_participation_e9": 100}, "raise the participation or the size limit"),
    ],
)
def test_where_it_cannot_foresee_almgren_chriss_plans_and_the_schedule_says_why(changes: dict[str, Any], why: str) -> None:
    what = asked(**changes)
    schedule = ADAPTIVE.plan(what)
    assert schedule.planner == "adaptive/1 ac/1"
    assert why in schedule.fallback
    assert schedule.slices == AlmgrenChriss().plan(what).slices
    check(schedule, what)


def test_a_solver_that_fails_and_an_almgren_chriss_that_fails_leave_twap(monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: Any, **__: Any) -> Any:
        raise SolverFailed("the solver stopped without a schedule: MaxTime")

    monkeypatch.setattr(Program, "solve", stops)
    monkeypatch.setattr(AlmgrenChriss, "plan", stops)
    schedule = ADAPTIVE.plan(asked())
    assert schedule.planner == "adaptive/1 twap/1"
    assert schedule.fallback.count("the solver stopped without a schedule: MaxTime") == 2
    check(schedule, asked())
    with pytest.raises(InvariantBroken, match="no planner can plan it"):
        replace(ADAPTIVE, fallbacks=()).plan(asked())


def test_less_than_a_lot_and_an_end_that_has_passed_are_released_whole() -> None:
    (only,) = ADAPTIVE.plan(asked(remaining_e9=30 * E9, lot_e9=100 * E9)).slices
    assert only.quantity_e9 == 30 * E9
    (late,) = ADAPTIVE.plan(asked(now_ns=asked().end_ns + 5)).slices
    assert (late.quantity_e9, late.start_ns) == (10_000 * E9, asked().end_ns + 5)
    assert ADAPTIVE.plan(asked(remaining_e9=0)).slices == ()


def test_an_aversion_to_the_worst_futures_trades_earlier() -> None:
    calm = ADAPTIVE.plan(asked(urgency_e9=1))
    afraid = replace(ADAPTIVE, tail_aversion=3.0).plan(asked(urgency_e9=1))
    assert afraid.fallback == ""
    middle_ns = START_NS + 15 * MINUTE_NS
    assert afraid.target_e9(middle_ns) > 1.05 * calm.target_e9(middle_ns)


def test_steps_fall_into_intervals_by_their_overlap() -> None:
    share = overlap(np.arange(5) * 10.0, np.array([5, 20, 45]))
    assert share.tolist() == [[0.5, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]]


def test_the_hidden_state_is_read_where_there_is_one() -> None:
    inputs, state = read_observation(observation(hidden=text_of(np.full(128, 0.5, np.float32))))
    assert inputs.shape == (212,) and state[:128].tolist() == [0.5] * 128 and state[128:].tolist() == [0.0] * 4


def test_a_first_plan_loads_all() -> None:
    assert warm() == Adaptive().plan(made_request())
    assert program() is program()


def test_the_close_gets_what_is_cheaper_there_and_no_more_than_the_order_allows() -> None:
    whole, most = 10_000 * E9, 4_000 * E9
    allowed = ADAPTIVE.plan(asked(at_close_max_e9=most, **DAY))
    check(allowed, asked(at_close_max_e9=most))
    assert allowed.fallback == "" and 0 < allowed.at_close_e9 <= most
    assert allowed.evidence is not None and len(allowed.evidence.duals) == 22, "the auction's cap has a price too"
    urgent = ADAPTIVE.plan(asked(at_close_max_e9=most, urgency_e9=30 * E9, **DAY))
    assert urgent.at_close_e9 < allowed.at_close_e9, "who fears waiting leaves less to the end"
    bound = ADAPTIVE.plan(asked(at_close_max_e9=50 * E9, **DAY))
    assert bound.at_close_e9 == 50 * E9 and bound.evidence is not None and bound.evidence.duals[-1] > 0
    assert ADAPTIVE.plan(asked(at_close_max_e9=most)).at_close_e9 == 0, "without the usual day's volume it is not sized"
    alone = AlmgrenChriss().plan(asked(remaining_e9=whole - most))
    unseen = ADAPTIVE.plan(asked(at_close_max_e9=most, observation=None, **DAY))
    assert unseen.fallback and (unseen.at_close_e9, unseen.slices) == (most, alone.slices)


def test_in_the_last_interval_the_close_keeps_what_was_left_to_it() -> None:
    what = asked(at_close_max_e9=4_000 * E9, **DAY)
    late_ns = what.end_ns - E9
    late = what.model_copy(update={"now_ns": late_ns, "due_until_ns": what.end_ns, "due_e9": 9_000 * E9})
    assert ADAPTIVE.plan(late).at_close_e9 == 1_000 * E9
    over = what.model_copy(update={"now_ns": what.end_ns + 1, "at_close_max_e9": 300 * E9})
    assert (ADAPTIVE.plan(over).at_close_e9, ADAPTIVE.plan(over).slices[0].quantity_e9) == (300 * E9, 9_700 * E9)


def test_an_order_s_own_tail_aversion_is_weighed() -> None:
    by_order = ADAPTIVE.plan(asked(tail_aversion_e9=5 * E9))
    assert by_order.slices == Adaptive(tail_aversion=5.0).plan(asked()).slices != ADAPTIVE.plan(asked()).slices
    assert Adaptive(tail_aversion=5.0).plan(asked(tail_aversion_e9=0)).slices == ADAPTIVE.plan(asked()).slices


def test_a_schedule_is_as_far_from_the_neutral_one_as_its_forecasts_are_trusted() -> None:
    def shares(trust_e9: int | None) -> NDArray[np.float64]:
        schedule = ADAPTIVE.plan(asked(trust_e9=trust_e9))
        check(schedule, asked())
        assert schedule.fallback == "" and len(schedule.slices) == 20
        return np.array([each.quantity_e9 / E9 for each in schedule.slices])

    whole, none = shares(None), shares(0)
    assert (shares(E9) == whole).all(), "full trust changes nothing"
    distance = np.abs(whole - none).sum()
    assert distance > 100, "this market is foreseen to be no even one"
    lot = asked().lot_e9 / E9
    for trust in (0.25, 0.5, 0.75):
        narrowed = shares(round(trust * E9))
        assert np.abs(narrowed - (none + trust * (whole - none))).max() <= 2 * lot
    caps = ADAPTIVE.plan(asked(trust_e9=E9 // 2, max_participation_e9=E9 // 2))
    assert caps.fallback == "" and ADAPTIVE.plan(asked(trust_e9=E9 // 2)).evidence is not None
