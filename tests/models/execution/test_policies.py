"""Strategies: what each is by definition, that they finish within caps, and that they cannot see what no desk sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.execution.knowing import Filter, LqOptimum, PriceOracle, SignalOracle, TrueMeans, VolumeOracle
from models.execution.policies import (
    EstimatedAlmgrenChriss,
    Pov,
    QpEwma,
    Tilt,
    almgren_chriss,
    static_transient,
    twap,
    vwap,
)
from models.worlds.bounds import best_bps, schedule_bps
from models.worlds.chapter import CURVE, chapter_world
from models.worlds.lq import LqConfig, LqWorld
from models.worlds.world import CAP_SLICES, Knowing, Policy, run

STRATEGIES = [
    twap(20), vwap(), Pov("pov"), almgren_chriss(20, 2.0), EstimatedAlmgrenChriss("ac_estimated"), static_transient(20),
    Tilt("tilt", strength=0.3), QpEwma("qp_ewma"),
]  # fmt: skip
TOLD = [Filter(), TrueMeans(), SignalOracle(), PriceOracle(), VolumeOracle()]


@pytest.mark.parametrize("policy", STRATEGIES + TOLD, ids=lambda policy: policy.name)
@pytest.mark.parametrize("regime", ["mixed", "power_law"])
def test_each_finishes_within_caps(policy: Policy, regime: str) -> None:
    world = chapter_world()
    done = run(world, policy, 1, 36, regime)
    even = world.start(1, 36).total / 20
    assert done.cost.filled == pytest.approx(1.0)
    assert (done.bought >= -1e-9).all()
    assert (done.bought <= CAP_SLICES * even[:, None] * (1 + 1e-9)).all()


@pytest.mark.parametrize("policy", STRATEGIES, ids=lambda policy: policy.name)
def test_a_strategy_does_not_know_what_comes(policy: Policy) -> None:
    """Two markets that are alike up to interval 10 and nowhere after: bought up to there is the same."""
    assert not isinstance(policy, Knowing)

    class Changed(LqWorld):
        def start(self, seed, paths, regime="mixed"):  # type: ignore[no-untyped-def]
            state, other = super().start(seed, paths, regime), super().start(seed + 1, paths, regime)
            parts = {
                name: np.concatenate([getattr(state.hidden, name)[:, :cut], getattr(other.hidden, name)[:, cut:]], axis=1)
                for name, cut in (("factor", 11), ("signal", 11), ("moves", 10), ("volume", 11), ("imbalance", 11), ("depth", 11))
            }
            return replace(state, hidden=state.hidden._replace(**parts))

    same, other = (run(world, policy, 5, 30).bought for world in (LqWorld(), Changed()))
    assert same[:, :11] == pytest.approx(other[:, :11], rel=1e-9)


def test_schedules_are_what_their_names_say() -> None:
    world = chapter_world()
    bought = {one.name: run(world, one, 2, 18).bought for one in (twap(20), vwap(), almgren_chriss(20, 3.0))}
    total = world.start(2, 18).total
    assert bought["twap"] == pytest.approx(np.repeat(total[:, None] / 20, 20, axis=1))
    assert bought["vwap"][0] / bought["vwap"][0].sum() == pytest.approx(np.array(CURVE) / sum(CURVE))
    assert (np.diff(bought["ac"], axis=1) < 0).all()


def test_pov_keeps_its_share_of_the_volume() -> None:
    world = LqWorld(LqConfig(volume_noise=0.0, factors=(1.0, 1.0)))
    assert run(world, Pov("pov"), 3, 5).bought == pytest.approx(np.full((5, 20), 1_000.0))


def test_the_tilt_buys_more_where_more_is_bid() -> None:
    world = LqWorld()
    state = world.start(4, 500)
    first = Tilt("tilt", strength=0.3).shares(0, state.left, world.seen(state), world.public(state))
    assert np.corrcoef(first, state.hidden.imbalance[:, 0])[0, 1] > 0.99


def test_true_means_are_the_optimum_where_nothing_binds_and_near_it_within_caps() -> None:
    world, orders = LqWorld(), 1_500
    best = run(world, LqOptimum(), 7_000_009, orders).cost.expected_bps
    gain = schedule_bps(world, np.ones(20)) - best_bps(world)
    free = run(world, TrueMeans(uncapped=True), 7_000_009, orders).cost.expected_bps
    held = run(world, TrueMeans(), 7_000_009, orders).cost.expected_bps
    assert -0.01 < (free - best).mean() / gain < 0.05
    assert (held - best).mean() / gain < 0.12


@pytest.mark.parametrize("regime", ["no_alpha", "backward"])
def test_where_nothing_is_foretold_nothing_is_gained(regime: str) -> None:
    """A win here would be a leak: of the true means without a signal, and of every reader where prices follow nothing shown."""
    world = LqWorld()
    even = run(world, twap(20), 7_000_010, 1_000, regime).cost.expected_bps.mean()
    for policy in (TrueMeans(), Filter(), Tilt("tilt", strength=0.3)):
        ratio = run(world, policy, 7_000_010, 1_000, regime).cost.expected_bps.mean() / even
        assert ratio > 0.98, policy.name
        if regime == "no_alpha" and policy.name == "true_means":
            assert ratio < 1.03


def test_the_price_oracle_cheats() -> None:
    world = LqWorld()
    told, known = (run(world, one, 7_000_011, 300).cost.bps.mean() for one in (PriceOracle(), SignalOracle()))
    assert told < 0 < known
