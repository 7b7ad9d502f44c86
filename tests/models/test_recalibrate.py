"""Draws that are off centre and too sure are put right, by days that were not learnt from; what is missing is said."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.recalibrate import Drawn, fit

STEPS, SAMPLES, MOMENTS = 20, 40, 80


def market(seed: int, level: float) -> Drawn:
    """Spread, volume and depths are noise of deviation 0.5 about a level; the draws are about 1, half as wide. Returns add up."""
    chance = np.random.default_rng(seed)
    history = level + 0.5 * chance.normal(size=(MOMENTS, 120, 5))
    true = level + 0.5 * chance.normal(size=(MOMENTS, STEPS, 5))
    draws = 1 + 0.25 * chance.normal(size=(SAMPLES, MOMENTS, STEPS, 5))
    history[..., 0] -= level
    true[..., 0] = (true[..., 0] - level).cumsum(axis=1)
    draws[..., 0] = (draws[..., 0] - 1).cumsum(axis=2)
    return Drawn(draws, true, history)


def covered(draws: np.ndarray, true: np.ndarray, level: float) -> np.ndarray:
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return ((low <= true) & (true <= high)).mean(axis=(0, 1))


def test_intervals_hold_as_often_as_they_say_on_a_market_of_another_level() -> None:
    right, other = fit([market(1, 3.0), market(2, 1.5)]), market(3, 5.0)
    for level in (0.5, 0.8, 0.95):
        assert (covered(other.draws, other.true, level) < level - 0.1).all(), "as they are drawn, they do not"
        assert covered(right.apply(other).numpy(), other.true, level) == pytest.approx(level, abs=0.08)
    assert right.apply(other, [1, 20]).shape == (SAMPLES, MOMENTS, 2, 5)


def test_the_same_draws_give_the_same_and_none_give_nothing() -> None:
    whole = market(1, 3.0)
    few = Drawn(whole.draws[:20, :20], whole.true[:20], whole.history[:20])
    first, second = fit([few]), fit([few])
    assert all(torch.equal(one, other) and bool(one.isfinite().all()) for one, other in zip(first, second, strict=True))
    with pytest.raises(ValueError, match="not learnt from"):
        fit([])
