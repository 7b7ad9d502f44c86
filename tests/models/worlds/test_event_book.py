"""The event book keeps the promises of a world: one market for every strategy, real fills, and an honest view of it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from domain.errors import ConfigError, InvariantBroken
from models import feature_arrays as fa
from models.worlds import event_flow as ef
from models.worlds.event_book import EventBook, EventState
from models.worlds.event_flow import F64
from models.worlds.event_settings import EventBookConfig
from models.worlds.world import ARRIVAL, HELD_OUT_REGIMES, REGIMES, TRAINING_REGIMES, TRAINING_SEEDS

WORLD = EventBook()
SEED = TRAINING_SEEDS[17]


def worked(world: EventBook, regime: str, paths: int, shares: Callable[[int, F64], F64], intervals: int = 20) -> EventState:
    state = world.start(SEED, paths, regime)
    for k in range(intervals):
        state = world.trade(state, shares(k, state.total))
    return state


def evenly(_: int, total: F64) -> F64:
    return total / 20


def test_an_even_order_is_bought_whole_in_the_book() -> None:
    state = worked(WORLD, "mixed", 40, evenly)
    public, cost = WORLD.public(state), WORLD.cost(state)
    assert WORLD.faults(state) == {"outside": 0, "overflow": 0, "unheard": 0}
    assert np.array_equal(cost.filled, np.ones(40)) and np.array_equal(public.bought.sum(axis=1), public.total)
    again = (public.bought * (public.prices - ARRIVAL)).sum(axis=1) / public.total
    assert np.allclose(cost.bps, again) and np.allclose(public.mids[:, 0], ARRIVAL)
    crossing = (public.prices - 0.5 * (public.mids[:, 1:] + public.mids[:, :-1])).mean()
    assert 0.4 < crossing < 6, "marketable orders pay about half a spread and what they walk"


def test_every_strategy_meets_the_same_market() -> None:
    quick = worked(WORLD, "mixed", 6, lambda k, total: total / 4 if k < 4 else 0 * total)
    slow = worked(WORLD, "mixed", 6, lambda k, total: 0 * total)
    for a, b in zip(quick.market.drive[2:], slow.market.drive[2:], strict=True):
        assert np.array_equal(a, b)
    ours = [ef.IMPACT, ef.CARRIED, *range(ef.E0, ef.E0 + ef.PARTS)]
    others = [i for i in range(ef.STATE) if i not in ours]
    assert np.array_equal(quick.market.drive.x[:, others], slow.market.drive.x[:, others])
    assert np.array_equal(quick.market.serial, slow.market.serial), "orders of others"
    assert not np.array_equal(quick.mids, slow.mids), "but not the same prices: ours moved them"


def test_more_orders_begin_with_the_same_ones() -> None:
    few, many = worked(WORLD, "calm", 4, evenly, 2), worked(WORLD, "calm", 8, evenly, 2)
    assert np.array_equal(few.mids, many.mids[:4]) and np.array_equal(few.seen.book, many.seen.book[:4])


def test_the_desk_sees_the_venues_own_book() -> None:
    state = worked(WORLD, "volatile", 10, evenly, 5)
    m = state.market
    assert np.array_equal(m.desk.ten, m.venue.ten) and m.venue.ten[:, 0, [1, 3]].min() > 0
    assert np.abs(state.seen.book).sum() > 0 and set(np.unique(state.seen.tape[:, 2])) == {-1.0, 1.0}
    assert np.array_equal(state.seen.context[:, 6:12], np.ones((10, 6), np.float32)), "every feature is known"


def test_a_state_that_the_market_has_left_cannot_be_traded_in() -> None:
    state = WORLD.start(SEED, 2, "calm")
    WORLD.trade(state, state.total / 20)
    with pytest.raises(InvariantBroken, match="gone on to interval 1"):
        WORLD.trade(state, state.total / 20)
    with pytest.raises(ConfigError, match="no regime 'backward'"):
        WORLD.start(SEED, 2, "backward")


def test_the_settings_have_a_digest() -> None:
    assert WORLD.config_sha256 == EventBook().config_sha256
    assert WORLD.config_sha256 != EventBook(EventBookConfig(prefactor=0.8)).config_sha256
    assert set(TRAINING_REGIMES + HELD_OUT_REGIMES + ("no_alpha",)) == set(WORLD.regimes)


def test_noise_that_is_integrated_out_leaves_the_mean_and_little_else() -> None:
    cost = WORLD.cost(worked(WORLD, "no_alpha", 160, evenly))
    noise = cost.bps - cost.expected_bps
    assert abs(noise.mean()) < 3 * noise.std() / np.sqrt(160)
    assert cost.expected_bps.std() < 0.4 * cost.bps.std() and cost.expected_bps.mean() > 0


def test_a_drift_is_against_the_order_on_both_sides() -> None:
    against, withit = (worked(WORLD, regime, 80, lambda k, total: 0 * total, 10) for regime in ("adverse", "favourable"))
    moved = np.diff((against.mids - withit.mids)[:, [0, -1]], axis=1)[:, 0]
    usual = 2 * REGIMES["adverse"].drift * WORLD.config.sigma_bps / 2  # half a horizon
    for side in (1, -1):
        assert moved[against.sides == side].mean() == pytest.approx(usual, rel=0.1)


def test_signal_and_liquidity_can_be_read_off_books_and_trades() -> None:
    """Both are visible through noise; and where there is no signal, trades foretell nothing."""
    signs, alphas, depths, shown = [], [], [], []
    state = WORLD.start(SEED, 60, "mixed")
    for _ in range(12):
        seen, truth = WORLD.seen(state), WORLD.truth(state)
        signs.append(seen.tape[:, 2].mean(axis=1))
        alphas.append(truth.alpha[:, 0])
        depths.append(np.log(state.market.drive.x[:, ef.DEPTH]))
        shown.append(np.log(state.market.desk.ten[:, :, [1, 3]].sum(axis=(1, 2))))
        state = WORLD.trade(state, 0 * state.total)
    signal = np.corrcoef(np.concatenate(signs), np.concatenate(alphas))[0, 1]
    depth = np.corrcoef(np.concatenate(depths), np.concatenate(shown))[0, 1]
    assert 0.25 < signal < 0.95 and 0.5 < depth < 0.99
    assert np.isfinite(state.seen.context[:, fa.OFI]).all()


def test_the_truth_is_what_then_happens() -> None:
    state = WORLD.start(SEED, 200, "mixed")
    truth = WORLD.truth(state)
    before = state.market.drive.x[:, ef.M].copy()
    after = WORLD.trade(state, 0 * state.total)
    moved = after.sides * (after.market.drive.x[:, ef.M] - before)
    assert np.allclose(moved, truth.moves[:, 0])
    assert np.allclose(WORLD.truth(after).alphas[:, 0], truth.alphas[:, 1])
    known = np.var(truth.alpha[:, 0]) / WORLD.config.sigma_bps**2 * 20
    assert known == pytest.approx(WORLD.config.signal_r2, rel=0.5)
    assert truth.alpha.shape == truth.eta.shape == truth.kappas.shape == (200, 20) and (truth.eta > 0).all()


def test_a_resting_share_of_each_piece_saves_some_of_the_spread() -> None:
    patient = EventBook(EventBookConfig(passive=0.5))
    crossing, resting = (worked(world, "calm", 80, evenly) for world in (WORLD, patient))
    a, b = WORLD.cost(crossing), patient.cost(resting)
    assert np.array_equal(b.filled, np.ones(80))
    saved = a.bps - b.bps
    assert saved.mean() > 2 * saved.std() / np.sqrt(80)


def test_the_busiest_regime_comes_to_its_end_and_one_without_room_is_refused() -> None:
    state = worked(WORLD, "close", 2, evenly)  # a ring too small for its orders was once its own successor, for ever
    assert WORLD.cost(state).filled.min() == 1.0
    with pytest.raises(ConfigError, match="room for 16384"):
        EventBook(EventBookConfig(limits_per_s=100.0)).start(SEED, 1, "close")
