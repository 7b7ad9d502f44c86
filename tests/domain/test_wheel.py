"""Wheels: draws that anybody can repeat, by strata; comparisons that are right under moving weights and constant looking."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from pydantic import ValidationError

from domain import wheel
from domain.refusal import Refusal
from domain.values import E9, StreamId, stream_id
from domain.wheel import Arm, Bounds, Opened, Reweighted, Setting, Wheel, assign, evolve, stratum, weighed
from domain.wheel_results import BURN_IN, Outcome, compare, half_width, moved

ARMS = (Arm(name="vwap", algo="vwap"), Arm(name="pov", algo="pov", parameters=(("ParticipationRate", "10"),)))
HALVES = (E9 // 2, E9 // 2)
NARROW = Setting(0.001, 1.0, 10.0)
WIDE = Setting(0.001, 30.0, 10.0)


def opened(seed: str = "S", weights_e9: tuple[int, ...] = HALVES, arms: tuple[Arm, ...] = ARMS) -> Wheel:
    event = Opened(wheel="main", seed=seed, arms=arms, weights_e9=weights_e9, bounds=Bounds(), reason="a trial")
    return evolve(None, event, stream=wheel.key("main"))


def order(number: int) -> StreamId:
    return stream_id("test", str(number))


def draw(state: Wheel, count: int, setting: Setting = NARROW) -> tuple[Wheel, list[wheel.Assigned]]:
    found = []
    for _ in range(count):
        found.append(assign(state, order(state.number), setting))
        state = evolve(state, found[-1], stream=state.id)
    return state, found


def test_the_same_seed_gives_the_same_arms_and_another_seed_others() -> None:
    first, again, other = (draw(opened(seed), 200)[1] for seed in ("S", "S", "T"))
    assert first == again
    assert [one.arm for one in first] != [one.arm for one in other]
    assert [one.number for one in first] == list(range(1, 201))


def test_arms_come_as_often_as_they_weigh() -> None:
    weights_e9 = (800_000_000, 200_000_000)
    _, drawn = draw(opened(weights_e9=weights_e9), 4000)
    count = Counter(one.arm for one in drawn)
    assert abs(count["vwap"] - 3200) < 4 * (4000 * 0.8 * 0.2) ** 0.5
    assert {one.weights_e9 for one in drawn} == {weights_e9}


def test_each_stratum_draws_by_a_sequence_of_its_own() -> None:
    state, alone = draw(opened(), 50)
    state, _ = draw(opened(), 25)
    state, _ = draw(state, 40, WIDE)
    _, rest = draw(state, 25)
    assert [one.arm for one in alone[25:]] == [one.arm for one in rest]
    assert [one.draw for one in rest] == list(range(26, 51))


@pytest.mark.parametrize(
    ("setting", "cell"),
    [
        (Setting(0.001, 1.0, 10.0), "000"),
        (Setting(0.005, 20.0, 149.9), "121"),
        (Setting(None, None, None), "???"),
        (Setting(9.0, 99.0, 999.0), "222"),
    ],
)
def test_strata_are_of_size_spread_and_move(setting: Setting, cell: str) -> None:
    assert stratum(Bounds(), setting) == cell


def test_a_wheel_that_begins_anew_draws_anew_and_weights_that_move_leave_the_draws() -> None:
    state, before = draw(opened(), 30)
    again = evolve(
        state, Opened(wheel="main", seed="S", arms=ARMS, weights_e9=HALVES, bounds=Bounds(), reason="again"), stream=state.id
    )
    assert (again.round, again.number, again.draws) == (2, 0, ())
    assert [one.arm for one in draw(again, 30)[1]] != [one.arm for one in before]
    lighter = Reweighted(wheel="main", weights_e9=(900_000_000, 100_000_000), by="person", reason="x")
    after = evolve(state, lighter, stream=state.id)
    assert (after.number, after.draws, after.weights_e9) == (30, state.draws, lighter.weights_e9)


@pytest.mark.parametrize(
    ("arms", "weights_e9", "said"),
    [
        (ARMS, (E9, 0), "less than 0.01"),
        (ARMS, (E9 // 2,), "sum to 1"),
        (ARMS, (E9 // 2, E9 // 2 + 1), "sum to 1"),
        (ARMS[:1], (E9,), "two arms"),
        ((ARMS[0], ARMS[0]), HALVES, "name of its own"),
    ],
)
def test_wheels_that_cannot_turn(arms: tuple[Arm, ...], weights_e9: tuple[int, ...], said: str) -> None:
    refused = weighed(arms, weights_e9)
    assert isinstance(refused, Refusal)
    assert said in refused.text
    assert weighed(ARMS, HALVES) is None


def test_an_arm_is_ours_or_a_brokers() -> None:
    for wrong in ({"algo": "vwap", "fields": ((847, "1"),)}, {}):
        with pytest.raises(ValidationError, match="ours or a broker"):
            Arm.model_validate({"name": "a", **wrong})


# -------------------------------------------------------------------------------------------- results


def trial(
    seed: int, orders: int, cost: Callable[[random.Random, str, str], float], *, rule: bool = False
) -> tuple[Wheel, list[Outcome]]:
    """Orders of two strata in turns of luck; weights are moved by the rule after every fifty where that is asked for."""
    chance, state, found = random.Random(seed), opened(str(seed)), list[Outcome]()
    for number in range(orders):
        setting = WIDE if chance.random() < number / orders else NARROW  # the day grows wider
        assigned = assign(state, order(number), setting)
        state = evolve(state, assigned, stream=state.id)
        found.append(Outcome(assigned, True, cost(chance, assigned.arm, assigned.stratum)))
        if rule and number % 50 == 49:
            weights_e9 = (900_000_000, 100_000_000) if number > orders // 2 else (100_000_000, 900_000_000)
            state = evolve(state, Reweighted(wheel="main", weights_e9=weights_e9, by="rule", reason="x"), stream=state.id)
    return state, found


def costs(gap: float) -> Callable[[random.Random, str, str], float]:
    """Wide spreads cost 20 bps more; pov costs `gap` more than vwap."""
    return lambda chance, arm, cell: chance.gauss(5 + (20 if cell[1] == "2" else 0) + (gap if arm == "pov" else 0), 8)


def test_the_estimate_is_unbiased_where_the_plain_means_are_not() -> None:
    """Weights follow the hour, and so do costs: plain means compare cheap hours with dear ones."""
    plain, weighed_out = [], []
    for seed in range(40):
        _, found = trial(seed, 400, costs(2.0), rule=True)
        told = compare(ARMS, found)
        plain.append((told.arms[0].raw_mean_bps or 0) - (told.arms[1].raw_mean_bps or 0))
        weighed_out.append(told.differences[0].mean_bps)
    mean = sum(weighed_out) / len(weighed_out)
    error = (sum((one - mean) ** 2 for one in weighed_out) / len(weighed_out) ** 2) ** 0.5
    assert abs(mean + 2.0) < 3 * error  # vwap less pov
    assert error < 0.5
    assert sum(plain) / len(plain) > 1.0  # they say the dearer one is cheaper


def test_looking_all_the_time_finds_no_difference_where_there_is_none() -> None:
    alarms = naive = 0
    for seed in range(60):
        _, found = trial(seed, 300, costs(0.0))
        alarms += any(compare(ARMS, found[:n]).differences[0].apart for n in range(30, 301, 15))
        naive += any(_naive(found[:n]) for n in range(30, 301, 15))
    assert alarms <= 3  # 5 % of sixty
    assert naive > 6  # what a fixed-time test does when it is looked at nineteen times


def _naive(found: list[Outcome]) -> bool:
    """Two plain means and their fixed-time 95 % interval."""
    a, b = ([o.cost_bps for o in found if o.assigned.arm == name and o.cost_bps is not None] for name in ("vwap", "pov"))
    means = [sum(x) / len(x) for x in (a, b)]
    variances = [sum((v - m) ** 2 for v in x) / (len(x) - 1) / len(x) for x, m in zip((a, b), means, strict=True)]
    return abs(means[0] - means[1]) > 1.96 * sum(variances) ** 0.5


def test_a_difference_is_found_and_the_rule_moves_the_weights() -> None:
    state, found = trial(3, 600, costs(6.0))
    told = compare(ARMS, found)
    (difference,) = told.differences
    assert difference.apart
    assert difference.low_bps is not None and difference.high_bps is not None
    assert difference.low_bps < -6.0 < difference.high_bps < 0
    weights_e9 = moved(ARMS, state.weights_e9, told)
    assert weights_e9 == (750_000_000, 250_000_000)
    for _ in range(10):
        weights_e9 = moved(ARMS, weights_e9, told)
    assert weights_e9 == (990_000_000, 10_000_000)
    assert sum(weights_e9) == E9


def test_without_a_difference_nothing_moves() -> None:
    state, found = trial(1, 100, costs(0.0))
    assert moved(ARMS, state.weights_e9, compare(ARMS, found)) == HALVES


def test_nothing_behind_an_order_that_works_is_looked_at_and_what_has_no_figure_is_counted() -> None:
    _, found = trial(1, 100, costs(0.0))
    found[40] = found[40]._replace(ended=False, cost_bps=None)
    found[10] = found[10]._replace(cost_bps=None)
    told = compare(ARMS, found)
    assert (told.compared, told.waiting, told.missing) == (39, 60, 1)
    assert sum(arm.missing for arm in told.arms) == 1


def test_before_enough_orders_no_interval_is_told() -> None:
    _, found = trial(1, BURN_IN - 1, costs(9.0))
    told = compare(ARMS, found)
    assert (told.differences[0].low_bps, told.differences[0].apart) == (None, False)
    assert half_width(BURN_IN, 1.0, 0.05) is not None
    widths = [half_width(n, 1.0, 0.05) or 0 for n in (30, 100, 1000, 10_000)]
    assert widths == sorted(widths, reverse=True)
    assert compare(ARMS, []).compared == 0
