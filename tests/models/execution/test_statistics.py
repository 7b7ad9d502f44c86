"""Intervals, deviations, tails and the correction for many questions."""

from __future__ import annotations

import numpy as np
import pytest

from models.execution import statistics as st


def orders(size: int = 2_000) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two strategies on the same orders of two scenarios: the second costs 8 and 12 where the first costs 10 and 30."""
    chance = np.random.default_rng(3)
    kinds = np.arange(size) % 2
    expected = np.column_stack([np.where(kinds, 30.0, 10.0), np.where(kinds, 12.0, 8.0)]) + chance.normal(0, 1, (size, 1))
    return expected, expected + chance.normal(0, 20, (size, 1)), kinds


def test_figures_are_of_the_orders_and_draws_lie_around_them() -> None:
    expected, happened, kinds = orders()
    whole, drawn = st.figures(expected, happened, kinds), st.resample(expected, happened, kinds)
    assert whole.expected[0] == pytest.approx(expected.mean(axis=0))
    assert whole.deviation[0] == pytest.approx(happened.std(axis=0))
    means = np.array([[expected[kinds == kind, s].mean() for s in (0, 1)] for kind in (0, 1)])
    assert whole.between[0] == pytest.approx(means.std(axis=0))
    assert whole.between[0] == pytest.approx([10, 2], abs=0.2)
    assert drawn.expected.shape == (st.DRAWS, 2)
    assert drawn.expected.mean(axis=0) == pytest.approx(whole.expected[0], rel=0.01)
    assert drawn.expected.std(axis=0) == pytest.approx(expected.std(axis=0) / np.sqrt(len(expected)), rel=0.05)


def test_a_paired_difference_has_a_narrower_interval_than_its_parts() -> None:
    _, happened, kinds = orders()
    drawn = st.resample(happened, happened, kinds)
    gap = drawn.expected[:, 1] - drawn.expected[:, 0]
    assert gap.std() < 0.6 * drawn.expected[:, 1].std()


def test_orders_of_one_cluster_are_drawn_together() -> None:
    expected, _, _ = orders(200)
    one = np.repeat(expected[:20], 10, axis=0)
    alone = st.resample(one, one, np.zeros(200, int))
    together = st.resample(one, one, np.zeros(200, int), clusters=np.repeat(np.arange(20), 10))
    assert (together.expected.std(axis=0) > 2 * alone.expected.std(axis=0)).all()


def test_intervals_cover_what_they_say() -> None:
    chance, inside = np.random.default_rng(1), 0
    for _ in range(100):
        sample = chance.normal(5, 3, (80, 1))
        _, low, high = st.interval(
            0.0, st.resample(sample, sample, np.zeros(80, int), seed=int(chance.integers(1 << 30))).expected[:, 0]
        )
        inside += low <= 5 <= high
    assert 88 <= inside <= 99


def test_a_ratio_to_what_may_be_nothing_is_not_told() -> None:
    near_zero = np.random.default_rng(1).normal(0.1, 1, 1_000)
    assert st.ratio(np.float64(1), np.float64(0.1), near_zero, near_zero) is None
    above = np.full(1_000, 2.0)
    assert st.ratio(np.float64(1), np.float64(2), above / 2, above) == st.Interval(0.5, 0.5, 0.5)


def test_holm_is_the_published_example() -> None:
    told = st.holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert told == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})


def test_the_tail_is_the_mean_of_the_worst_twentieth() -> None:
    costs = np.column_stack([np.arange(100.0), -np.arange(100.0)])
    assert st.tail_mean(costs) == pytest.approx([97.0, -2.0])


def test_a_p_value_is_small_only_where_no_draw_is_on_the_other_side() -> None:
    assert st.p_value(np.full(10_000, -1.0)) == pytest.approx(2e-4)
    assert st.p_value(np.linspace(-1, 1, 10_001)) == 1.0
