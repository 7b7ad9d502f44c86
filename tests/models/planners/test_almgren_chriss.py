"""Almgren-Chriss beside its formula, its limits, and as a planner."""

from __future__ import annotations

import math

import numpy as np
import pytest

from domain.errors import ProgramInput
from domain.values import E9, Algo
from models.planners.almgren_chriss import AlmgrenChriss, trajectory, urgency
from models.planners.outlook import Outlook, quadratic
from models.planners.program import solve_many
from models.planners.twap import Twap
from tests.models.planners.requests import MINUTE_NS, START_NS, request


@pytest.mark.parametrize("kappa_t", [0.5, 1.0, 3.0, 12.0])
def test_it_is_the_closed_form(kappa_t: float) -> None:
    left = np.sinh(kappa_t * (1 - np.arange(21) / 20)) / math.sinh(kappa_t)
    assert trajectory(20, kappa_t) == pytest.approx(left[:-1] - left[1:], rel=1e-12)


def test_without_urgency_it_is_twap_and_with_endless_urgency_all_at_once() -> None:
    assert trajectory(20, 0.0) == pytest.approx(np.full(20, 0.05), rel=1e-12)
    assert trajectory(20, 1e-5) == pytest.approx(trajectory(20, 2e-4), rel=1e-6)
    at_once = trajectory(20, 5_000.0)
    assert at_once[0] == pytest.approx(1.0)
    assert at_once.sum() == pytest.approx(1.0)


def test_it_is_where_the_program_costs_least() -> None:
    """Many small intervals, temporary impact and risk alone: the program's optimum comes to the closed form."""
    n, kappa_t, eta = 400, 2.0, 1e-3
    risk = eta * (kappa_t / n) ** 2
    flat = np.ones(n)
    form = quadratic(Outlook(0 * flat, eta * flat, 0 * flat, 0 * flat, 0.0, risk * flat), 1.0)
    found = solve_many(form.G, form.b[None], np.ones(1), np.full((1, n), np.inf))[0]
    assert np.cumsum(found) == pytest.approx(np.cumsum(trajectory(n, kappa_t)), abs=2e-3)


def test_urgency_from_aversion_volatility_and_impact() -> None:
    assert urgency(aversion=1e-6, volatility=0.95, eta=2.5e-6, span=5.0) == pytest.approx(5.0 * 0.95 * math.sqrt(0.4))


@pytest.mark.parametrize("bad", [{"eta": 0.0}, {"aversion": -1.0}, {"volatility": math.nan}, {"span": math.inf}])
def test_what_has_no_urgency(bad: dict[str, float]) -> None:
    with pytest.raises(ProgramInput, match="no urgency"):
        urgency(**({"aversion": 1.0, "volatility": 1.0, "eta": 1.0, "span": 1.0} | bad))
    with pytest.raises(ProgramInput, match="urgency nan"):
        trajectory(20, math.nan)


def test_the_planner_front_loads_by_the_order_s_urgency() -> None:
    asked = request(urgency_e9=3 * E9, algo=Algo.TWAP)
    slices = AlmgrenChriss().plan(asked).slices
    shares = [s.quantity_e9 / asked.remaining_e9 for s in slices]
    assert shares == pytest.approx(trajectory(30, 3.0), abs=1e-3)
    assert AlmgrenChriss().plan(asked.model_copy(update={"urgency_e9": 0})).slices == Twap().plan(asked).slices


def test_it_continues_its_line_after_a_fill() -> None:
    asked = request()
    whole = AlmgrenChriss().plan(asked)
    now_ns = START_NS + 10 * MINUTE_NS
    filled_e9 = whole.target_e9(now_ns - 1)
    later = asked.model_copy(update={"now_ns": now_ns, "filled_e9": filled_e9, "remaining_e9": asked.remaining_e9 - filled_e9})
    assert AlmgrenChriss().plan(later).slices == whole.slices[10:]
