"""Scores against cases whose answer is known, and intervals that hold what they should."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models import scores
from models.losses import anchored, quantile_crps, quantities, sample_crps
from models.net_contract import HEAD, N_HEADS
from models.paths import _crps, _ranks


def test_mcc_of_right_wrong_and_one_sided_answers() -> None:
    true = np.array([0, 1, 2] * 10)
    assert scores.mcc(scores.confusion(true, true)) == pytest.approx(1)
    assert scores.mcc(scores.confusion(true, np.ones(30, int))) == 0
    assert scores.mcc(scores.confusion(true, (true + 1) % 3)) == pytest.approx(-0.5)


def test_mcc_of_two_classes_is_the_correlation() -> None:
    chance = np.random.default_rng(1)
    true = chance.integers(0, 2, 500)
    told = np.where(chance.random(500) < 0.7, true, 1 - true)
    assert scores.mcc(scores.confusion(true, told)) == pytest.approx(np.corrcoef(true, told)[0, 1])


def test_macro_f1_and_log_loss_and_calibration() -> None:
    true, told = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    assert scores.macro_f1(scores.confusion(true, told)) == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    p = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(scores.log_losses(np.array([0, 0]), p), [np.log(2), 0], atol=1e-9)
    sure = np.tile([0.0, 1.0, 0.0], (10, 1))
    assert scores.calibration_error(np.ones(10, int), sure) == pytest.approx(0)
    assert scores.calibration_error(np.array([0] * 4 + [1] * 6), sure) == pytest.approx(0.4)


def test_a_class_is_chosen_by_how_much_more_probable_it_is_than_it_was() -> None:
    p = np.array([[0.1, 0.8, 0.1], [0.1, 0.7, 0.2], [0.3, 0.6, 0.1], [0.1, 0.85, 0.05]])
    assert scores.chosen(p, 0.0).tolist() == [1, 1, 1, 1]
    assert scores.chosen(p, 1.0)[1:].tolist() == [2, 0, 1]
    assert scores.chosen(p[:2], 1.0).tolist() == scores.chosen(p, 1.0)[:2].tolist(), "what comes later changes nothing"


def blocks(better: float, seed: int) -> scores.Blocks:
    chance = np.random.default_rng(seed)
    true = chance.integers(0, 3, 5_000)
    model, rival = (np.where(chance.random(5_000) < share, true, chance.integers(0, 3, 5_000)) for share in (0.3 + better, 0.3))
    return scores.blocks(true, model, rival, chance.random(5_000) - better, chance.random(5_000))


def test_a_real_gain_is_seen_and_chance_is_not_taken_for_one() -> None:
    better, same = scores.gain([blocks(0.2, 1), blocks(0.2, 2)]), scores.gain([blocks(0.0, 3), blocks(0.0, 4)])
    assert 0.1 < better.mcc_low < better.mcc < better.mcc_high and 0.1 < better.log_loss_low < better.log_loss
    assert same.mcc_low < 0 < same.mcc_high and same.log_loss_low < 0 < same.log_loss_high


def test_blocks_hold_every_example_once() -> None:
    one = scores.blocks(*(np.arange(123) % 3,) * 3, np.ones(123), np.full(123, 2.0))
    assert (one.sizes.sum(), one.model.sum(), one.model_loss.sum(), one.rival_loss.sum()) == (123, 123, 123, 246)


def heads(mean: float, log_scale: float, tail: float) -> torch.Tensor:
    told = torch.zeros(N_HEADS)
    for name in ("return", "spread", "volume", "depth_bid", "depth_ask"):
        told[HEAD[f"{name}_mean"]], told[HEAD[f"{name}_log_scale"]], told[HEAD[f"{name}_tail"]] = mean, log_scale, tail
    return told


def test_crps_by_samples_by_quantiles_and_in_closed_form_agree() -> None:
    y, n = torch.full((5,), 0.7), torch.randn(20_000, 5, generator=torch.Generator().manual_seed(1))
    drawn = quantities(heads(0.2, 1.0, -20.0), n)
    s = torch.tensor(0.25)
    closed = 2 * (s * torch.erf(s / 2**0.5) + 2 * torch.exp(-s * s / 2) / (2 * torch.pi) ** 0.5 - torch.pi**-0.5)
    assert sample_crps(drawn, y)[0] == pytest.approx(float(closed), abs=0.02)
    assert quantile_crps(heads(0.2, 1.0, -20.0), y)[0] == pytest.approx(float(closed), abs=0.02)
    np.testing.assert_allclose(_crps(drawn[:500].double().numpy()[:, None, None], y.numpy()), closed, atol=0.1)


def test_a_tail_makes_the_far_ends_further() -> None:
    n = torch.tensor([[-3.0], [0.0], [3.0]]).expand(3, 5)
    light, heavy = quantities(heads(0, 0, -20.0), n), quantities(heads(0, 0, 2.0), n)
    assert (heavy[0] < light[0] - 5).all() and (heavy[1] == 0).all() and (heavy[2] > light[2] + 5).all()


def test_paths_of_spread_and_depth_begin_where_they_stand() -> None:
    drawn = torch.arange(10.0).view(2, 5)
    moved = anchored(drawn, drawn[:1], torch.full((1, 5), 3.0))
    assert moved[0].tolist() == [0.0, 3.0, 2.0, 3.0, 3.0]
    assert (moved[1] - moved[0]).tolist() == [5.0] * 5


def test_ranks_are_even_where_the_forecast_is_right_also_among_equals() -> None:
    chance = np.random.default_rng(1)
    for draw in (chance.standard_normal, lambda size: chance.integers(0, 2, size) * 1.0):
        ranks = _ranks(draw((99, 4_000, 1, 4)), draw((4_000, 1, 4)), chance)
        np.testing.assert_allclose(np.histogram(ranks, 10, (0, 1))[0] / ranks.size, 0.1, atol=0.01)
