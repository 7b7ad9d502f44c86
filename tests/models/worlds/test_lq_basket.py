"""The exact world of baskets: its optimum, what planning jointly and apart cost beside it, and the shipped program in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import InvariantBroken
from models.execution.baskets import basket_of, exact_bps, judge, replanned, run
from models.planners import basket as planner
from models.planners.basket_terms import Weights
from models.worlds import riccati
from models.worlds.lq import LqConfig
from models.worlds.lq_basket import BasketConfig, BasketState, BasketWorld
from models.worlds.riccati_basket import BasketRule, apart, expected_cost, schedule_gains, solve
from models.worlds.world import F64, JUDGING_SEEDS

WORLD = BasketWorld()
SHORT = LqConfig(intervals=6, curve=(1.0,) * 6)
STILL = BasketWorld(BasketConfig(one=LqConfig(factors=(1.0, 1.0))))


def shares(world: BasketWorld) -> F64:
    return world.signs * world.totals


def walked(world: BasketWorld, rule: BasketRule, state: BasketState) -> BasketState:
    """By a linear rule to the end."""
    for k in range(world.intervals):
        regime = (state.factor[:, k] > world.factors.mean()).astype(int)
        seen = np.concatenate([state.left, state.displaced, state.signal[:, k]], axis=1)
        state = world.trade(state, np.einsum("pij,pj->pi", rule.gains[k][regime], seen))
    return state


def test_a_basket_of_one_is_the_order_of_the_world_of_orders() -> None:
    world = BasketWorld(BasketConfig(signs=(1.0,), participation=(0.1,), volatility=(1.0,), sectors=(0,), cross=0.0))
    chain, n = world.chain(), world.intervals
    one = riccati.Chain(
        eta=chain.eta[:, :, 0, 0], kappa=chain.kappa[:, :, 0], decay=np.full((n, 2), chain.decay[0]),
        risk=np.full((n, 2), chain.risk[0, 0]), gamma=float(chain.gamma[0, 0]), transition=chain.transition, start=chain.start,
        phi=chain.phi, innovation=chain.innovation[:, 0, 0], first=0.0,
    )  # fmt: skip
    for ours, theirs in ((None, None), (schedule_gains(np.ones(n), 1), riccati.schedule_gains(np.ones(n)))):
        a, b = solve(chain, ours), riccati.solve(one, theirs)
        assert a.gains[:, :, 0] == pytest.approx(b.gains, rel=1e-9, abs=1e-12)
        assert expected_cost(chain, a, shares(world)) == pytest.approx(riccati.expected_cost(one, b, world.totals[0]), rel=1e-9)


def test_exact_costs_are_those_of_many_baskets() -> None:
    chain = WORLD.chain()
    for gains in (None, apart(chain), schedule_gains(np.ones(20), 4)):
        rule = solve(chain, gains)
        sample = WORLD.judged_bps(walked(WORLD, rule, WORLD.start(JUDGING_SEEDS[0], 4_000)))
        exact = expected_cost(chain, rule, shares(WORLD)) / WORLD.gross
        assert abs(sample.mean() - exact) < 4 * sample.std() / np.sqrt(len(sample))


def test_no_other_rule_costs_less_than_the_optimum() -> None:
    chain, chance = WORLD.chain(), np.random.default_rng(1)
    best = solve(chain)
    least = expected_cost(chain, best, shares(WORLD))
    for _ in range(20):
        other = best.gains * (1 + 0.1 * chance.normal(size=best.gains.shape))
        assert expected_cost(chain, solve(chain, other), shares(WORLD)) > least


def test_planning_jointly_on_true_means_is_at_the_optimum() -> None:
    """Exactly so where liquidity is known; where it switches, a plan cannot wait for what it will learn."""
    chain = STILL.chain()
    assert replanned(STILL)[:-1] == pytest.approx(solve(chain).gains[:-1], rel=1e-6, abs=1e-9)
    exact = exact_bps(WORLD)
    assert 0.0 < (exact["true_means"] - exact["optimum"]) / (exact["twap"] - exact["optimum"]) < 0.01
    margin = exact["apart"] - exact["optimum"]
    assert margin > 0.25 and (exact["apart"] - exact["true_means"]) / margin > 0.9


def test_orders_that_have_nothing_to_do_with_each_other_gain_nothing_by_being_planned_together() -> None:
    strangers = BasketWorld(replace(BasketConfig(), market=0.0, sector=0.0))
    chain = strangers.chain()
    assert apart(chain) == pytest.approx(solve(chain).gains, rel=1e-9, abs=1e-12)
    exact = exact_bps(strangers)
    assert exact["apart"] == pytest.approx(exact["optimum"], rel=1e-12)
    margins = [
        (told := exact_bps(BasketWorld(BasketConfig(urgency=each))))["apart"] - told["optimum"] for each in (0.0, 2.0, 5.0)
    ]
    assert margins[0] < margins[1] < margins[2], "the more risk weighs, the more covariance is worth"


def test_the_shipped_program_trades_what_the_rule_does_where_no_limit_binds() -> None:
    state = STILL.start(JUDGING_SEEDS[0], 3)
    quiet = state._replace(signal=np.zeros_like(state.signal), displaced=np.array([[0.5, -0.3, -0.2, 0.1]] * 3))
    rule = solve(STILL.chain())
    for p in range(3):
        made = basket_of(STILL, quiet, p)
        found = made.signs * planner.solve(made, weights=Weights(aversion=STILL.aversion)).shares[:, 0]
        seen = np.concatenate([quiet.left[p], quiet.displaced[p], quiet.signal[p, 0]])
        assert found == pytest.approx(rule.gains[0, 0] @ seen, rel=1e-4)


def test_every_rule_meets_the_same_market_and_fewer_baskets_are_the_first_of_more() -> None:
    many, few = WORLD.start(5, 30), WORLD.start(5, 10)
    assert np.array_equal(many.signal[:10], few.signal) and np.array_equal(many.factor[:10], few.factor)
    assert not np.array_equal(many.signal, WORLD.start(6, 30).signal)
    done = walked(WORLD, solve(WORLD.chain()), many)
    assert done.left == pytest.approx(np.zeros((30, 4))) and np.array_equal(done.signal, many.signal)
    spread = WORLD.start(7, 20_000).signal[:, 5]
    sd = WORLD.alone.signal_sd * np.array(WORLD.config.volatility)
    assert spread.std(axis=0) == pytest.approx(sd, rel=0.03)
    assert np.corrcoef(spread.T) == pytest.approx(WORLD.correlation, abs=0.03)


def test_the_program_within_limits_stays_near_the_optimum_and_below_planning_apart() -> None:
    found = run(BasketWorld(BasketConfig(one=SHORT, urgency=3.0)), lambda *_: None, JUDGING_SEEDS[0], 30)
    mean = found.mean(axis=0)
    assert mean[0] < mean[1] < mean[2]


def test_the_figures_that_are_told() -> None:
    told = judge(BasketWorld(BasketConfig(one=SHORT, urgency=3.0)), lambda *_: None, 3)
    assert told["rho_true_means"] <= 0.05 and told["margin_bps"] > 0.3
    assert told["rho_joint_program_low"] <= told["rho_joint_program"] <= told["rho_joint_program_high"]
    assert [each["urgency"] for each in told["by_urgency"]] == [0.0, 1.0, 2.0, 3.0, 5.0]
    assert len(told["config_sha256"]) == 64 and told["config_sha256"] != WORLD.config_sha256


def test_impact_that_pays_for_trading_has_no_optimum() -> None:
    chain = WORLD.chain()
    with pytest.raises(InvariantBroken, match="not convex"):
        solve(chain._replace(eta=-chain.eta, kappa=0 * chain.kappa))
