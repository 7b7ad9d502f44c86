"""The histogram that latencies are kept in, against sorted lists."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ems.bench.histogram import PLACES, add, lower_bounds, percentile_ns
from models.compiled import hot


@hot
def add_all(counts: np.ndarray, durations: np.ndarray) -> None:  # type: ignore[type-arg]
    for i in range(durations.size):
        add(counts, durations[i])


@pytest.mark.parametrize("percent", [1, 50, 99, 99.9, 100])
def test_a_percentile_is_at_most_a_sixty_fourth_below_what_was_measured(percent: float) -> None:
    durations = (10 ** np.random.default_rng(int(percent)).uniform(0, 9, 20_000)).astype(np.int64)
    counts = np.zeros(PLACES, np.int64)
    add_all(counts, durations)
    assert counts.sum() == len(durations)
    true = int(np.sort(durations)[math.ceil(len(durations) * percent / 100) - 1])
    assert true * (1 - 1 / 64) <= percentile_ns(counts, percent) <= true


def test_every_place_begins_where_it_says() -> None:
    bounds = lower_bounds()
    assert (np.diff(bounds) > 0).all()
    for place in (0, 1, 127, 128, 200, 1_000, PLACES - 1):
        counts = np.zeros(PLACES, np.int64)
        add_all(counts, bounds[place : place + 1])
        assert counts[place] == 1


def test_what_is_beyond_all_places_is_in_the_last_and_nothing_is_no_number() -> None:
    counts = np.zeros(PLACES, np.int64)
    assert math.isnan(percentile_ns(counts, 50))
    add_all(counts, np.array([2**62, -5]))
    assert counts[-1] == 1 and counts[0] == 1
