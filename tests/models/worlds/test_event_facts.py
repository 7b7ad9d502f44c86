"""The event book is calibrated to what is published of markets and of impact: figures and their sources in docs/event-book.md."""

from __future__ import annotations

import numpy as np
import pytest

from models.worlds import event_facts as facts
from models.worlds.event_book import EventBook
from models.worlds.event_settings import EventBookConfig
from models.worlds.world import TRAINING_SEEDS

SEED = TRAINING_SEEDS[99]
SMALL_TO_LARGE = (0.01, 0.02, 0.05, 0.10, 0.20)  # of a quarter of a day's volume: 0.25 % .. 5 % of a day's


@pytest.fixture(scope="module")
def day() -> facts.Day:
    return facts.watch(EventBook(), SEED, 150, "no_alpha")


def test_the_middle_is_close_to_a_martingale(day: facts.Day) -> None:
    assert 0.9 < facts.variance_ratio(day.mids) < 1.1


def test_moves_have_heavy_tails_and_come_in_clusters(day: facts.Day) -> None:
    assert facts.kurtosis(day.mids) > 5
    assert facts.clustering(day.mids) > 0.05 and facts.clustering(day.mids, 10) > 0.02


def test_signs_of_trades_remember_by_a_power_law(day: facts.Day) -> None:
    exponent, by_lag = facts.sign_exponent(day.signs)
    assert 0.3 < exponent < 0.8 and by_lag.min() > 0


def test_spread_depth_and_volume_are_those_of_the_settings(day: facts.Day) -> None:
    assert 1.0 < np.nanmean(day.spread) < 4.0 and np.nanmin(day.spread) > 0
    assert np.isnan(day.spread).mean() < 1e-3, "a side of the book is empty for moments only"
    assert day.volume.mean() == pytest.approx(EventBook().config.usual_volume, rel=0.05)
    assert 200 < day.best.mean() < 1_500


def test_volatility_is_that_of_the_settings(day: facts.Day) -> None:
    moved = np.sqrt(np.mean(np.diff(day.mids, axis=1) ** 2) * (day.mids.shape[1] - 1))
    assert moved == pytest.approx(EventBook().config.sigma_bps, rel=0.15)


@pytest.fixture(scope="module")
def impact() -> tuple[np.ndarray, np.ndarray]:
    """Moved (sizes, n) and sizes: orders over the first half of the horizon, middles against the same seed's without them."""
    world = EventBook(EventBookConfig(participations=SMALL_TO_LARGE))
    moved, share = facts.impact_path(world, SEED, 200, "no_alpha", 10)
    sizes = np.unique(share)
    return np.array([moved[share == size].mean(axis=0) for size in sizes]), sizes


def test_impact_grows_as_the_square_root_of_size(impact: tuple[np.ndarray, np.ndarray]) -> None:
    moved, sizes = impact
    peak = moved[:, 10]
    exponent = np.polyfit(np.log(sizes), np.log(peak), 1)[0]
    prefactor = np.exp(np.mean(np.log(peak / (EventBook().config.sigma_bps * np.sqrt(sizes)))))
    assert 0.43 < exponent < 0.57 and 0.5 < prefactor < 1.0


def test_impact_grows_as_a_concave_path_and_two_thirds_of_it_stay(impact: tuple[np.ndarray, np.ndarray]) -> None:
    moved, _ = impact
    share = moved[-2:].mean(axis=0) / moved[-2:, 10].mean()
    assert share[5] > 0.6, "half of the order makes more than half of the move"
    assert 0.52 < share[19] < 0.82 and share[19] < share[15] < share[11]


def test_an_even_order_costs_two_thirds_of_the_square_root_law() -> None:
    """Mean over deviation of an order's cost is 1.155 Y sqrt(participation), with the half-spread taken off."""
    world = EventBook(EventBookConfig(participations=(0.1,)))
    state = world.start(SEED, 300, "no_alpha")
    for _ in range(world.intervals):
        state = world.trade(state, state.total / world.intervals)
    cost, spread = world.cost(state), 1.0
    ratio = (cost.expected_bps.mean() - spread) / cost.bps.std()
    assert ratio == pytest.approx(1.155 * world.config.prefactor * np.sqrt(0.1), rel=0.25)
