"""When the market has left a plan: the distance, the rest after a plan, the conformal threshold."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from domain.latent_path import conformal, path_of
from domain.observation import Observation, Observed
from domain.schedule import Evidence
from domain.values import stream_id
from ems.deviations import Deviations
from ems.pace import Pace

S = 1_000_000_000
PARENT = stream_id("parent", "1")


def evidence(*rows: float) -> Evidence:
    """A path that is `row` in all places, 10 s apart."""
    text = b"".join(struct.pack("<128e", *[row] * 128) for row in rows).hex()
    values: dict[str, Any] = {"weights_sha256": "w", "observation_sha256": "o", "seed": 1, "samples": 500, "solver": "Solved"}
    return Evidence(**values, expected_cost_e9=0, duals=(), latents=text, latents_ns=tuple(10 * S * i for i in range(len(rows))))


def seen(at_s: float, latent: float) -> Observed:
    told = Observation(time_ns=int(at_s * S), arrays="", price_unit_e9=1, size_unit_e9=1, step_ns=1)
    return Observed("AMZN", told, (latent,) * 128)


def test_the_path_is_a_line_between_its_moments_and_level_beyond() -> None:
    path = path_of(evidence(0.0, 1.0, 2.0))
    assert path is not None
    assert [path.at(int(s * S))[0] for s in (-5, 0, 5, 15, 20, 99)] == [0.0, 0.0, 0.5, 1.5, 2.0, 2.0]
    assert path.deviation(5 * S, (0.5,) * 128) == 0.0
    assert path.deviation(5 * S, (1.5,) * 128) == pytest.approx(1.0)
    assert path_of(None) is None
    with pytest.raises(ValueError, match="2 latents for 1"):
        path_of(evidence(0.0, 1.0).model_copy(update={"latents_ns": (0,)}))


def test_a_market_that_leaves_its_path_calls_for_a_plan_and_says_how_far_it_is() -> None:
    found = Deviations(Pace(deviation_rest_ns=0))
    found.planned(PARENT, "AMZN", evidence(0.0, 0.0), 0)
    assert found.observed(seen(1, 0.15), S) == []
    assert found.said(PARENT) == ""
    assert found.observed(seen(2, 0.16), 2 * S) == [PARENT]
    assert found.said(PARENT) == "deviation 0.160 over 0.150"
    assert found.observation("AMZN") == seen(2, 0.16).observation
    assert found.observation("AAPL") is None


def test_after_a_plan_it_rests() -> None:
    found = Deviations(Pace(deviation_rest_ns=30 * S))
    found.planned(PARENT, "AMZN", evidence(0.0, 0.0), 100 * S)
    assert found.observed(seen(129, 1.0), 129 * S) == []
    assert found.observed(seen(130, 1.0), 130 * S) == [PARENT]
    found.planned(PARENT, "AMZN", evidence(1.0, 1.0), 130 * S)
    assert found.said(PARENT) == ""
    assert found.observed(seen(200, 1.0), 200 * S) == []


def test_an_order_that_is_over_and_a_plan_without_foresight_are_left_by_nobody() -> None:
    found = Deviations(Pace(deviation_rest_ns=0))
    found.planned(PARENT, "AMZN", evidence(0.0), 0)
    found.forget(PARENT)
    assert found.observed(seen(1, 9.0), S) == []
    found.planned(PARENT, "AMZN", None, 0)
    assert found.observed(seen(1, 9.0), S) == []


@pytest.mark.parametrize(
    ("count", "miss", "expected"), [(19, 0.05, 19.0), (18, 0.05, math.inf), (99, 0.1, 90.0), (0, 0.5, math.inf)]
)
def test_the_conformal_threshold(count: int, miss: float, expected: float) -> None:
    assert conformal([float(i) for i in range(count, 0, -1)], miss) == expected


def test_a_conformal_threshold_comes_from_the_first_steps_of_the_plans_before() -> None:
    found = Deviations(Pace(deviation_rest_ns=0, deviation_max=None))
    assert found.threshold() == 0.15
    for number in range(1, 20):
        found.planned(PARENT, "AMZN", evidence(0.0, 0.0, 0.0), 0)
        found.observed(seen(5, 9.0), 0)  # the first step is not over
        found.observed(seen(10, number / 10), 0)
        found.observed(seen(15, 9.0), 0)  # nor is this one the first
    assert found.threshold() == pytest.approx(1.9, abs=1e-6)
    with pytest.raises(ValueError, match="a miss of 1"):
        conformal([1.0], 1)
