"""The scheduler's nets: data without secrets, the same digest twice, forecasts near the bound, a strategy that beats TWAP."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from domain.errors import ForecastError, WeightsError
from ems.bootstrap.schedulers import train_scheduler
from models.execution.learned import Learned, ablations, read_nets
from models.execution.policies import twap
from models.interval_examples import Propagator, fit_propagator, run_schedules
from models.planners.almgren_chriss import URGENCY, trajectory
from models.scheduler_skill import kalman_moves, report, skill
from models.train_scheduler import SchedulerTraining, drawn, mirrored, pooled, practice
from models.weights_store import CHAMPION
from models.worlds.lq import LqConfig, LqWorld
from models.worlds.world import F64, INTERVALS, TRAINING_SEEDS, Policy, run

TINY = SchedulerTraining(batches=3, size=16, chunk=8, measured=100)
PROPAGATOR = Propagator(0.3, 0.87, 0.4)
SEED = TRAINING_SEEDS[700_000]  # nothing was learnt from it, nothing is judged by it


def test_what_we_buy_by_chance_knows_nothing_of_the_market() -> None:
    runs = run_schedules(LqWorld(), SEED, 4_000, "mixed")
    market = PROPAGATOR.market_moves(runs)
    assert abs(np.corrcoef(runs.bought[:, 5], market[:, 5])[0, 1]) < 0.06
    assert np.allclose(runs.bought.sum(axis=1), INTERVALS)
    assert runs.action[..., 0] == pytest.approx(runs.bought * runs.share, rel=1e-5)


def test_our_own_impact_is_measured_from_orders_worked_by_chance() -> None:
    quiet = LqWorld(LqConfig(sigma_bps=1.0, prefactor=10.0))  # the usual impact beside a tenth of the noise
    found = fit_propagator([run_schedules(quiet, SEED, 200, "mixed", looks=False)])
    assert found.within == found.slope == 0, "all is bought at the beginning of an interval"
    usual = quiet.usual(np.array([0.1]), np.ones(1), np.ones(1))
    assert found.transient == pytest.approx(float(usual.kappa[0] / (usual.eta[0] + usual.kappa[0] / 2)), rel=0.15)
    assert found.decay == pytest.approx(quiet.decay, abs=0.03)
    silent = run_schedules(quiet, SEED, 5, "mixed", looks=False)
    with pytest.raises(ForecastError, match="nothing was bought"):
        fit_propagator([silent._replace(bought=np.zeros_like(silent.bought))])


def test_a_mirrored_order_twice_is_the_order() -> None:
    pool = pooled([(0, run_schedules(LqWorld(), SEED, 6, "mixed"))], [PROPAGATOR])
    which = np.array([True, False] * 3)
    once = mirrored(pool, which)
    assert np.array_equal(once.path[0, :, 0], -pool.path[0, :, 0]) and np.array_equal(once.path[1], pool.path[1])
    assert (once.book[0, 0, 0::4] <= 0).all() and (once.book[0, 0, 2::4] >= 0).all()
    for before, after in zip(pool, mirrored(once, which), strict=True):
        assert np.array_equal(before, after, equal_nan=True)
    orders = drawn(pool, np.random.default_rng(1), 4)
    assert orders.seen.book.shape == (4 * INTERVALS, 40) and orders.path.shape == (4, INTERVALS, 5)


def test_the_same_seed_gives_the_same_digest_and_the_files_work_together(tmp_path: Path) -> None:
    worlds = [LqWorld(), practice()]
    first = train_scheduler(tmp_path / "a", lambda *_: None, TINY, judged=40, learnt=worlds)
    torch.manual_seed(99)
    assert train_scheduler(tmp_path / "b", lambda *_: None, TINY, judged=40, learnt=worlds).digest == first.digest
    nets = read_nets(first.weights, tmp_path / "a" / "scheduler-impact.safetensors")
    assert nets.digest == first.digest and nets.market("nowhere").propagator == nets.market("lq").propagator
    assert run(LqWorld(), Learned(nets), SEED, 8).cost.filled == pytest.approx(1.0)
    card = (tmp_path / "a" / "scheduler.md").read_text("utf-8")
    assert first.digest in card and LqWorld().config_sha256 in card and "| chapter | bound |" in card


def test_weights_of_another_step_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="step"):
        read_nets(CHAMPION)


def test_an_order_without_a_forecast_follows_almgren_chriss_and_is_counted() -> None:
    class Blind(LqWorld):
        def seen(self, state):  # type: ignore[no-untyped-def]
            seen = super().seen(state)
            book = seen.book.copy()
            book[3, 0] = np.nan  # a price
            return seen._replace(book=book)

    sighted, blind = Learned(read_nets()), Learned(read_nets())
    whole, rest = (run(world, one, SEED, 8).bought for world, one in ((LqWorld(), sighted), (Blind(), blind)))
    assert (sighted.plans, sighted.fallbacks) == (8 * INTERVALS, 0)
    assert (blind.plans, blind.fallbacks) == (8 * INTERVALS, INTERVALS)
    assert rest[3, 0] / rest[3].sum() == pytest.approx(trajectory(INTERVALS, URGENCY)[0])
    others = np.arange(8) != 3
    assert rest[others] == pytest.approx(whole[others])


def test_the_shipped_nets_foretell_nearly_what_the_bound_does() -> None:
    nets, world = read_nets(), LqWorld(LqConfig(signal_r2=0.02))
    figures = report(nets, world, run_schedules(world, SEED, 1_500, "mixed"))
    assert figures["r2_low"] > 0
    assert figures["r2"][0] > 0.6 * figures["r2_bound"][0]


def test_the_bound_foretells_a_loud_signal_as_it_should() -> None:
    world = LqWorld(LqConfig(signal_r2=0.5, signal_noise=1e-9))
    runs = run_schedules(world, SEED, 2_000, "mixed", looks=True)
    u = world.usual(np.array([0.1]), np.ones(1), np.ones(1))
    true = Propagator(float(u.kappa[0] / (u.eta[0] + u.kappa[0] / 2 + u.gamma[0] / 2)), world.decay, 0.0)
    moves = true.market_moves(runs)[:, 8:] / runs.unit[:, 8:]
    assert skill(kalman_moves(world, runs, 8), moves).r2[0] == pytest.approx(0.5, abs=0.05)


def saved(policies: list[Policy], regime: str, paths: int) -> F64:
    """(policies,) basis points less than TWAP, and half its 95 % interval: (policies, 2)."""
    world = LqWorld()
    even = run(world, twap(INTERVALS), SEED, paths, regime).cost.expected_bps
    gained = np.stack([even - run(world, one, SEED, paths, regime).cost.expected_bps for one in policies])
    return np.stack([gained.mean(axis=1), 1.96 * gained.std(axis=1) / np.sqrt(paths)], axis=1)


def test_the_shipped_strategy_beats_twap_and_with_another_orders_market_it_does_not() -> None:
    whole, *_, shuffled = ablations(read_nets())
    gain, none = saved([whole, shuffled], "mixed", 300)
    assert gain[0] - gain[1] > 0.5
    assert none[0] - none[1] < 0.1 < gain[0]


def test_where_there_is_nothing_to_know_it_costs_what_twap_costs() -> None:
    ((gained, _),) = saved([Learned(read_nets())], "no_alpha", 300)
    even = run(LqWorld(), twap(INTERVALS), SEED, 300, "no_alpha").cost.expected_bps.mean()
    assert 0.98 <= 1 - gained / even <= 1.03


def test_an_orders_own_fills_say_how_thin_the_market_is() -> None:
    for prefactor, low, high in ((LqConfig().prefactor, 0.85, 1.15), (3 * LqConfig().prefactor, 2.2, 3.5)):
        strategy = Learned(read_nets())
        run(LqWorld(LqConfig(prefactor=prefactor)), strategy, SEED, 200)
        slipped, foretold = strategy.memory.paid
        assert low < float((slipped / foretold).mean()) < high
