"""The maker's exact world and its grid: published numbers, two solvers that agree, a simulation that pays what the formula
says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models import inference_layout as lay
from models.worlds.making_events import BUY, END, PRICE_UNIT, SELL, MakingWorld
from models.worlds.making_exact import F64, ExactConfig, best_quotes, best_rate, best_value, fixed_value, matrix_exponential
from models.worlds.making_grid import EXACT, GridConfig, MakingRegime, solve
from models.worlds.making_run import AVELLANEDA_STOIKOV, FIXED, GLFT, Maker, Run, run
from models.worlds.world import TRAINING_SEEDS

SEED = TRAINING_SEEDS[800_000]  # nothing was learnt from it, nothing is judged by it
USUAL = ExactConfig()
GRID = MakingWorld(GridConfig(), "grid")


@pytest.mark.parametrize(("running", "value", "rate"), [(0.0, 68.20, 68.58), (0.05, 67.40, 67.36), (0.5, 64.72, 64.56)])
def test_the_optimum_is_the_published_one(running: float, value: float, rate: float) -> None:
    config = replace(USUAL, running=running)
    assert best_value(config) == pytest.approx(value, abs=0.005)
    assert best_rate(config) == pytest.approx(rate, abs=0.005)


@pytest.mark.parametrize(("running", "told", "error"), [(0.05, 64.87, 0.4), (0.5, 42.14, 0.5)])
def test_constant_quotes_are_worth_what_a_simulation_of_two_thousand_steps_said(
    running: float, told: float, error: float
) -> None:
    assert fixed_value(replace(USUAL, running=running)) == pytest.approx(told, abs=error)


def test_a_matrix_exponential_is_that_of_a_rotation() -> None:
    turn = np.array([[0.0, -2.0], [2.0, 0.0]])
    assert matrix_exponential(turn) == pytest.approx(np.array([[np.cos(2), -np.sin(2)], [np.sin(2), np.cos(2)]]), abs=1e-12)


def test_the_grid_without_signal_and_regimes_is_the_closed_form() -> None:
    found = solve(EXACT)
    assert found.value == pytest.approx(best_value(USUAL), abs=1e-9)
    assert found.quotes[20, 0, 0, 20:41] == pytest.approx(best_quotes(USUAL, 0.5)[20:41], abs=1e-9)


def test_adverse_selection_widens_the_best_quotes_by_what_the_middle_jumps() -> None:
    jumping = solve(replace(EXACT, jump=0.2)).quotes[20, 0, 0, 30] - solve(EXACT).quotes[20, 0, 0, 30]
    assert jumping == pytest.approx([0.2, 0.2], abs=0.02)


def _worth(done: Run) -> tuple[float, float]:
    return float(done.value.mean()), float(2.6 * done.value.std() / np.sqrt(len(done.value)))


@pytest.mark.parametrize("world", [MakingWorld(), GRID], ids=lambda world: world.name)
def test_the_optimum_played_event_by_event_is_worth_its_value(world: MakingWorld) -> None:
    optimum = solve(world.config)
    paths = world.draw(SEED, 1_500, looks=False)
    value, error = _worth(run(world, paths, Maker.optimal(optimum)))
    assert abs(value - optimum.value) < error < 0.01 * optimum.value


def test_constant_quotes_played_are_worth_their_value_and_rules_lie_between_them_and_the_optimum() -> None:
    world = MakingWorld()
    paths = world.draw(SEED, 1_500, looks=False)
    value, error = _worth(run(world, paths, Maker("fixed", FIXED, 1 / USUAL.kappa)))
    assert abs(value - fixed_value(USUAL)) < error
    for kind, gamma in ((AVELLANEDA_STOIKOV, 0.03), (GLFT, 0.2)):
        assert fixed_value(USUAL) + 10 < _worth(run(world, paths, Maker("rule", kind, gamma)))[0] < best_value(USUAL) + error


def test_no_maker_passes_the_limit_however_it_quotes() -> None:
    world = MakingWorld(replace(EXACT, base=replace(USUAL, limit=3)))
    done = run(world, world.draw(SEED, 50, looks=False), Maker("greedy", FIXED, -1.0))
    assert np.abs(done.inventory).max() == 3 and done.failed[0] == 0


def test_the_market_is_the_seeds_and_the_first_rows_of_more_paths_are_those_of_fewer() -> None:
    few, many = GRID.draw(SEED, 3), GRID.draw(SEED, 5)
    for one, other in zip(few, many, strict=True):
        assert np.array_equal(one, other[:3])
    assert not np.array_equal(few.kind, GRID.draw(SEED + 1, 3).kind)


def test_books_show_signal_and_regime_through_noise_and_nothing_of_what_comes() -> None:
    paths = GRID.draw(SEED, 40)
    there = np.arange(paths.kind.shape[1]) < paths.length[:, None]
    book = paths.inputs[there][:, lay.IN_BOOK : lay.IN_TAPE].reshape(-1, 10, 4)
    lean, depth = (book[:, :, 1] - book[:, :, 3]).mean(axis=1), (book[:, :, 1] + book[:, :, 3]).mean(axis=1)

    def told(shown: F64, hidden: F64) -> float:
        return float(np.corrcoef(shown, hidden)[0, 1])

    assert 0.5 < told(lean, paths.signal[there]) < 0.9
    assert 0.7 < told(depth, paths.state[there][:, 0]) < 0.95
    way = (paths.kind == BUY) * 1.0 - (paths.kind == SELL)
    assert abs(told(lean, way[there])) < 0.03  # which side comes next is chance
    assert not paths.inputs[~there].any()


def test_events_come_as_often_as_the_world_says_and_the_signal_stays_in_its_long_run() -> None:
    paths = GRID.draw(SEED, 300, looks=False)
    assert (paths.kind == END).sum(where=np.arange(paths.kind.shape[1]) < paths.length[:, None]) == 300
    assert paths.wait.sum(axis=1) == pytest.approx(np.ones(300))
    arrivals = np.mean([one.arrivals for one in GRID.config.regimes]) * USUAL.arrivals
    assert (paths.kind == BUY).sum(axis=1).mean() == pytest.approx(arrivals, rel=0.03)
    weighed = np.sqrt((paths.signal**2 * paths.wait).sum(axis=1).mean())
    assert weighed == pytest.approx(GRID.config.signal_sd, rel=0.05)
    assert best_quotes(USUAL, 0.5)[30:40, 0].max() < PRICE_UNIT * 4  # what a net can ask for is enough


def test_a_regime_of_thin_books_is_quoted_wider() -> None:
    quiet = replace(GridConfig(), coins=0, regimes=(MakingRegime(1.0, 0.7, -0.7), MakingRegime(1.0, 1.4, 0.7)))
    quotes = solve(quiet).quotes[20, :, 0, USUAL.limit, 0]
    assert quotes[0] > 1.4 * quotes[1]
