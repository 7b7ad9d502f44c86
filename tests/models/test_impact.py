"""Impact: monotone whatever the weights, no round trip pays, alpha's half-life is recovered, and orders' impact is forecast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ForecastError, WeightsError
from models import impact
from models.impact import alpha_half_life, consistent, read_impact, round_trip_cost, write_impact
from models.impact_orders import JUDGING_SEEDS, TRAINING_SEEDS, run_orders
from models.impact_training import ImpactTraining, judge, train
from models.net_contract import LATENT
from models.weights_store import CHAMPION, read_weights
from models.world_model import WorldModel, load


@given(st.integers(0, 2**31), st.floats(0.1, 100.0), st.floats(0.2, 8.0))
def test_impact_grows_with_size_whatever_the_weights(seed: int, volume: float, wild: float) -> None:
    model = impact.initialised(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(wild)
        z = torch.randn(1, LATENT, generator=torch.Generator().manual_seed(seed)).expand(40, -1)
        share = torch.linspace(0, 1.5, 40)
        told = model(z, share * volume, share)
    assert told.temporary[0] == 0.0 and told.permanent[0] == 0.0
    assert (told.temporary.diff() > 0).all() and (told.permanent.diff() > 0).all()
    assert torch.allclose(told.permanent, told.permanent[-1] * share / 1.5, rtol=1e-4)


@given(
    st.lists(st.floats(-5, 5), min_size=2, max_size=20),
    st.lists(st.floats(0, 2), min_size=21, max_size=21),
    st.floats(0.1, 1), st.floats(0, 3), st.floats(0, 1), st.floats(0, 3),
)  # fmt: skip
def test_no_round_trip_earns_money_by_impact(
    trades: list[float], eta: list[float], exponent: float, kappa: float, decay: float, gamma: float
) -> None:
    shares = np.array([*trades, -sum(trades)])
    assert round_trip_cost(shares, np.array(eta[: len(shares)]), exponent, kappa, decay, gamma) >= -1e-9


def test_what_is_no_round_trip_or_no_impact_is_refused() -> None:
    zero, one = np.zeros(2), np.ones(2)
    with pytest.raises(ForecastError, match="sum to 0"):
        round_trip_cost(one, zero, 1.0, 0.0, 0.5, 0.0)
    with pytest.raises(ForecastError, match="negative"):
        round_trip_cost(np.array([1.0, -1.0]), zero, 1.0, 0.0, 0.5, -0.1)
    assert consistent(0.5, 0.5) and not consistent(0.4, 0.5)


def test_the_half_life_of_a_signal_is_recovered() -> None:
    chance = np.random.default_rng(1)
    signal = chance.standard_normal(4_000)
    shape = 0.5 ** (np.arange(20) / 5.0)
    returns = signal[:, None] * shape + 2.0 * chance.standard_normal((4_000, 20))
    told = alpha_half_life(signal, returns)
    assert told.low <= 5.0 <= told.high and told.high - told.low < 3.0
    with pytest.raises(ForecastError):
        alpha_half_life(np.ones(100), returns[:100])


@pytest.fixture(scope="module")
def nets() -> WorldModel:
    model = WorldModel()
    load(model, read_weights(CHAMPION).tensors)
    return model.eval()


def test_orders_are_of_their_seed_alone_and_what_they_moved_comes_back(nets: WorldModel) -> None:
    orders = run_orders(TRAINING_SEEDS[:12])
    again = run_orders(TRAINING_SEEDS[11:12])
    assert np.array_equal(orders.paid[-len(again.paid) :], again.paid)
    assert orders.moved[:, 0].mean() > abs(orders.moved[:, -1].mean())
    assert orders.latents(nets).shape == (len(orders.size), LATENT)
    assert not set(TRAINING_SEEDS) & set(JUDGING_SEEDS)
    model = train(orders, nets, ImpactTraining(steps=60))
    figures = judge(model, nets, orders, run_orders(JUDGING_SEEDS[:10]))
    assert figures["no_arbitrage"] and 0 <= figures["decay_of_a_minute"] <= 1
    assert figures["gain_over_constant"]["low"] <= figures["gain_over_constant"]["mean"] <= figures["gain_over_constant"]["high"]


def test_the_shipped_model_forecasts_orders_that_it_has_not_seen_better_than_a_constant(nets: WorldModel) -> None:
    figures = judge(read_impact(), nets, run_orders(TRAINING_SEEDS[:20]), run_orders(JUDGING_SEEDS[1_000:1_060]))
    assert figures["gain_over_constant"]["low"] > 0, figures


def test_a_file_that_is_damaged_or_of_something_else_is_refused(tmp_path: Path) -> None:
    path, model = tmp_path / "impact.safetensors", impact.initialised(3)
    digest = write_impact(path, model, {"seed": "3"})
    assert write_impact(tmp_path / "twice", read_impact(path), {}) == digest
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(WeightsError, match="cannot be read"):
        read_impact(path)
    with pytest.raises(WeightsError, match="no impact model"):
        read_impact(CHAMPION)
    with torch.no_grad():
        model.decay.fill_(float("nan"))
    with pytest.raises(WeightsError, match="no number"):
        write_impact(path, model, {})
