"""The linear-quadratic world: its exact optimum, what it shows, and that every strategy meets the same market."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from domain.errors import ConfigError, InvariantBroken
from models.worlds.bounds import best_bps, chain, exact_regimes, schedule_bps
from models.worlds.emission import read
from models.worlds.lq import LqConfig, LqState, LqWorld
from models.worlds.riccati import solve
from models.worlds.world import (
    CHECK_REGIMES,
    F64,
    HELD_OUT_REGIMES,
    JUDGING_SEEDS,
    REGIMES,
    TRAINING_REGIMES,
    TRAINING_SEEDS,
    run,
)
from tests.models.worlds.rules import Even, Optimum

EVEN = np.ones(20)
FIXED = LqConfig(factors=(1.0, 1.0))  # liquidity that does not switch
# Least cost over the even schedule's, by half-life of the signal and R2: published with the formulas this world implements.
TABLE = [
    (1, (0.989, 0.986, 0.981, 0.971, 0.951, 0.931, 0.889, 0.845)),
    (3, (0.985, 0.977, 0.964, 0.937, 0.882, 0.826, 0.710, 0.589)),
    (5, (0.983, 0.971, 0.951, 0.911, 0.831, 0.748, 0.578, 0.401)),
    (10, (0.979, 0.962, 0.933, 0.876, 0.758, 0.638, 0.391, 0.134)),
    (20, (0.976, 0.955, 0.919, 0.847, 0.700, 0.550, 0.241)),
]


@pytest.mark.parametrize(("half_life", "row"), TABLE)
def test_the_optimum_over_twap_is_the_published_one(half_life: float, row: tuple[float, ...]) -> None:
    for r2, told in zip((0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.07), row, strict=False):
        world = LqWorld(replace(FIXED, signal_r2=r2, signal_half_life=half_life))
        assert best_bps(world) / schedule_bps(world, EVEN) == pytest.approx(told, abs=6e-4)


@pytest.mark.parametrize(("r2", "told"), [(1e-12, 0.919), (0.02, 0.736)])
def test_the_optimum_where_liquidity_is_seen_to_switch_is_the_published_one(r2: float, told: float) -> None:
    world = LqWorld(LqConfig(signal_r2=r2))
    assert best_bps(world) / schedule_bps(world, EVEN) == pytest.approx(told, abs=6e-4)


def test_the_even_schedule_costs_what_the_square_root_law_says() -> None:
    assert schedule_bps(LqWorld(), EVEN) == pytest.approx(2 / 3 * 10 * np.sqrt(20 * 0.1), rel=1e-9)


@pytest.mark.parametrize("regime", exact_regimes(LqWorld()))
def test_exact_costs_are_those_of_many_orders(regime: str) -> None:
    world, seed = LqWorld(), JUDGING_SEEDS[0]
    for policy, exact in ((Even(), schedule_bps(world, EVEN, regime)), (Optimum(regime), best_bps(world, regime))):
        cost = run(world, policy, seed, 4_000, regime).cost
        for sample in (cost.expected_bps, cost.bps):
            assert abs(sample.mean() - exact) < 4 * sample.std() / np.sqrt(len(sample)) + 1e-6
        assert cost.expected_bps.std() < cost.bps.std(), "integrating the noise out leaves less of it"


def test_replanning_with_true_means_is_the_optimum() -> None:
    """min 1/2 u'Gu + b'u, sum u = left, solved anew in each interval by its Lagrange equations."""
    world = LqWorld(FIXED)

    class Replanned(Optimum):
        def shares(self, k, left, seen, public):  # type: ignore[no-untyped-def]
            t, m = self.truth, public.intervals - k
            lag = np.arange(m)[:, None] - np.arange(m)
            shape = np.where(lag > 0, world.decay ** np.abs(lag), 0.0)
            g = t.kappas[0, 0] * (shape + shape.T + np.eye(m)) + 2 * t.etas[0, 0] * np.eye(m)
            b = t.displacement[:, None] * world.decay ** np.arange(m) - t.alpha[:, ::-1].cumsum(axis=1)[:, ::-1]  # (P, m)
            system = np.block([[g, np.ones((m, 1))], [np.ones((1, m)), np.zeros((1, 1))]])
            return np.linalg.solve(system, np.column_stack([-b, left]).T)[0]

    best, planned = (run(world, policy, 7_000_001, 200) for policy in (Optimum(), Replanned()))
    assert planned.bought == pytest.approx(best.bought, rel=1e-8, abs=1e-6)


def test_what_is_shown_bounds_lie_between_blind_and_full() -> None:
    world = LqWorld()
    full, shown, blind, twap = (
        *(best_bps(world, known=known) for known in ("full", "shown", "blind")),
        schedule_bps(world, EVEN),
    )
    assert full < shown < blind < twap
    clear = LqWorld(LqConfig(signal_noise=1e-9))
    assert best_bps(clear, known="shown") == pytest.approx(full, rel=1e-6)
    assert (shown - full) / (twap - full) == pytest.approx(0.166, abs=0.002), "the least rho of any reader of the books"


def test_the_shown_bound_is_what_a_filter_reaches_where_liquidity_is_known() -> None:
    world = LqWorld(FIXED)

    class Filtered(Optimum):
        def shares(self, k, left, seen, public):  # type: ignore[no-untyped-def]
            c, phi, sd = world.config, world.phi, world.signal_sd
            mean, doubt = (0.0, 1.0) if k == 0 else (phi * self.mean, phi**2 * self.doubt + 1 - phi**2)
            gain = doubt / (doubt + c.signal_noise)
            self.mean, self.doubt = mean + gain * (read(seen.book)[0] - mean), (1 - gain) * doubt
            self.truth = self.truth._replace(alpha=sd * self.mean[:, None])
            return super().shares(k, left, seen, public)

    Filtered.looks = True
    cost = run(world, Filtered(), 7_000_002, 4_000).cost.expected_bps
    # The filter leaves out what past moves tell, which is little at this R2.
    assert abs(cost.mean() - best_bps(world, known="shown")) < 4 * cost.std() / np.sqrt(len(cost)) + 0.02


def test_books_show_the_two_numbers_and_trades_their_signs() -> None:
    world = LqWorld()
    state = _walked(world, 300, 3)
    seen, h = world.seen(state), state.hidden
    imbalance, depth = read(seen.book)
    assert imbalance == pytest.approx(h.imbalance[:, 3], abs=1e-5)
    assert depth == pytest.approx(h.depth[:, 3], abs=1e-5)
    assert np.corrcoef(seen.tape[:, 2].mean(axis=1), imbalance)[0, 1] > 0.8
    shapes = [part.shape for part in seen]
    assert shapes == [(300, 40), (300, 3, 50), (300, 18), (300, 4), (300, 2)]
    assert all(np.isfinite(part).all() for part in seen)
    assert seen.own[:, [0, 3]] == pytest.approx(np.full((300, 2), 0.85))


def test_the_signal_is_shown_through_noise() -> None:
    h = LqWorld().start(7_000_003, 20_000).hidden
    seen = np.corrcoef(h.imbalance.ravel(), h.signal.ravel())[0, 1] ** 2
    assert seen == pytest.approx(1 / 1.5, abs=0.01)
    known = np.corrcoef(h.signal.ravel(), h.moves.ravel())[0, 1] ** 2
    assert known == pytest.approx(0.02, abs=0.002)


def test_every_strategy_meets_the_same_market_and_fewer_orders_are_the_first_of_more() -> None:
    world = LqWorld()
    many, few = world.start(5, 50), world.start(5, 20)
    for name, of_many, of_few in zip(many.hidden._fields, many.hidden, few.hidden, strict=True):
        if name not in ("usual", "reversion", "kernel"):
            assert np.array_equal(of_many[:20], of_few), name
    assert np.array_equal(world.seen(many).book[:20], world.seen(few).book)
    assert not np.array_equal(many.hidden.moves, world.start(6, 50).hidden.moves)
    slow = _walked(world, 50, 4, lambda left: 0 * left)
    fast = _walked(world, 50, 4, lambda left: left / 5)
    assert np.array_equal(world.seen(slow).book, world.seen(fast).book)


def test_without_a_signal_no_move_is_foretold() -> None:
    truth = LqWorld().truth(LqWorld().start(8, 20, "no_alpha"))
    assert not truth.alpha.any()
    assert np.ptp(truth.eta) == 0


def test_prices_that_run_backward_do_not_follow_what_the_books_show() -> None:
    back = LqWorld().start(9, 4_000, "backward").hidden
    there = LqWorld().start(9, 4_000).hidden
    assert np.array_equal(there.imbalance, back.imbalance)
    assert np.corrcoef(there.signal[:, 2], there.drift[:, 2])[0, 1] == pytest.approx(1)
    assert abs(np.corrcoef(back.signal[:, 2], back.drift[:, 2])[0, 1]) < 0.06
    assert np.corrcoef(back.signal[:, 19], back.drift[:, 19])[0, 1] > 0.8, "the last interval's is the next horizon's first"


def test_by_a_power_law_a_displacement_comes_back_slower_late() -> None:
    kernel = LqWorld().start(1, 1, "power_law").hidden.kernel
    assert kernel[0] == 1
    assert (np.diff(kernel) < 0).all()
    assert kernel[20] > 4 * LqWorld().decay ** 20


def test_seeds_and_regimes_are_split() -> None:
    assert not set(TRAINING_SEEDS) & set(JUDGING_SEEDS)
    split = [*TRAINING_REGIMES, *HELD_OUT_REGIMES, *CHECK_REGIMES]
    assert sorted(split) == sorted(REGIMES)


def test_a_regime_nobody_knows_is_refused_and_so_is_an_exact_cost_where_there_is_none() -> None:
    with pytest.raises(ConfigError, match="no regime 'sunny'; there are mixed"):
        LqWorld().start(1, 1, "sunny")
    with pytest.raises(ConfigError, match="power_law"):
        best_bps(LqWorld(), "power_law")


def test_impact_that_pays_has_no_optimum() -> None:
    problem = chain(LqWorld())
    with pytest.raises(InvariantBroken, match="not convex"):
        solve(problem._replace(eta=-5 * problem.eta))


def test_the_digest_is_of_all_settings() -> None:
    assert LqWorld().config_sha256 == LqWorld().config_sha256
    assert LqWorld(FIXED).config_sha256 != LqWorld().config_sha256
    assert LqWorld(name="other").config_sha256 != LqWorld().config_sha256


def _walked(world: LqWorld, paths: int, intervals: int, rule=lambda left: left / 20) -> LqState:  # type: ignore[no-untyped-def]
    state = world.start(11, paths)
    for _ in range(intervals):
        u: F64 = rule(state.total)
        state = world.trade(state, u)
    return state
