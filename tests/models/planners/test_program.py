"""The scheduling program: its cost, its two solvers beside each other, and what it says where there is no schedule."""

from __future__ import annotations

import math
from typing import Any

import cvxpy
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.errors import Infeasible, ProgramInput, SolverFailed
from models.planners.outlook import Closing, Outlook, expected_cost, quadratic
from models.planners.program import Program, solve_many
from models.planners.program_kernel import SOLVED, WORK, solve_paths

F64 = NDArray[np.float64]
N = 20
TOTAL = 1_000.0


@pytest.fixture(scope="module")
def program() -> Program:
    return Program()


def outlook(chance: np.random.Generator, n: int = N, **changes: Any) -> Outlook:
    values = Outlook(
        alpha=chance.normal(scale=0.02, size=n),
        eta=chance.uniform(0.2, 2.0, n) * 1e-4,
        kappa=chance.uniform(0.5, 1.5, n) * 1e-4,
        decay=chance.uniform(0.3, 0.95, n),
        gamma=1e-5,
        risk=chance.uniform(0.0, 1.0, n) * 1e-6,
        displacement=float(chance.normal(scale=0.02)),
    )
    return values._replace(**changes)


def walked(look: Outlook, u: F64) -> float:
    """The cost by its recursion, interval after interval."""
    left, displaced, cost = float(u.sum()), float(look.displacement), 0.0
    for k in range(len(look.alpha)):
        left -= u[k]
        cost += left * (look.alpha[k] + look.gamma * u[k]) + look.risk[k] * left**2
        cost += u[k] * (displaced + (look.eta[k] + look.kappa[k] / 2 + look.gamma / 2) * u[k])
        displaced = look.decay[k] * (displaced + look.kappa[k] * u[k])
    if look.closing is not None:
        cost += u[-1] * (displaced + (look.closing.eta + look.gamma / 2) * u[-1])
        left -= u[-1]
    assert abs(left) < 1e-9
    return float(cost)


@given(seed=st.integers(0, 2**32), closing=st.booleans())
def test_the_quadratic_form_is_the_walked_cost(seed: int, closing: bool) -> None:
    chance = np.random.default_rng(seed)
    look = outlook(chance, closing=Closing(2e-4, 500.0) if closing else None)
    u = chance.dirichlet(np.ones(N + closing)) * TOTAL
    assert float(expected_cost(quadratic(look, TOTAL), u)) == pytest.approx(walked(look, u), rel=1e-9, abs=1e-9)


def test_the_program_is_disciplined_and_parametrised_so_it_is_compiled_once(program: Program) -> None:
    assert program.problem.is_dcp(dpp=True)
    chance = np.random.default_rng(1)
    program.solve(outlook(chance), TOTAL, np.full(N, np.inf))
    compiled = program.problem._cache.param_prog
    look, caps = outlook(chance), np.full(N, 90.0)
    found = program.solve(look, TOTAL, caps)
    assert program.problem._cache.param_prog is compiled
    assert Program(3, paths=5).problem.is_dcp(dpp=True)
    by_hand = cvxpy.Variable(N)
    form = quadratic(look, TOTAL)
    cost = cvxpy.quad_form(by_hand, cvxpy.psd_wrap(form.G)) / 2 + form.b @ by_hand
    cvxpy.Problem(cvxpy.Minimize(cost), [cvxpy.sum(by_hand) == TOTAL, by_hand >= 0, by_hand <= caps]).solve(solver="CLARABEL")
    assert found.shares == pytest.approx(by_hand.value, abs=1e-3)


def test_both_solvers_come_to_the_same_shares(program: Program) -> None:
    """500 random programs, binding caps, caps of nothing and both signs of alpha among them.

    Where a limit only just binds, shares are worse determined than the cost is.
    """
    chance = np.random.default_rng(7)
    bound = 0
    for _ in range(500):
        look, total = outlook(chance), float(10.0 ** chance.uniform(0, 7))
        look = look._replace(alpha=look.alpha * TOTAL / total)
        caps = chance.uniform(0.0, 4.0, N) * total / N * (chance.uniform(size=N) > 0.1)
        if caps.sum() < 1.001 * total:
            caps = np.full(N, np.inf)
        form = quadratic(look, total)
        many = solve_many(form.G, form.b[None], np.array([total]), caps[None])[0]
        one = program.solve(look, total, caps)
        assert abs(many - one.shares).max() <= 1e-5 * total
        assert many.sum() == pytest.approx(total, rel=1e-9) and (many >= 0).all() and (many <= caps * (1 + 1e-12)).all()
        assert float(expected_cost(form, many)) == pytest.approx(one.cost, rel=1e-8, abs=1e-9 * abs(form.b).max() * total)
        bound += bool((one.shares > caps * (1 - 1e-6)).any())
    assert bound > 100


def test_no_shift_between_two_intervals_costs_less(program: Program) -> None:
    """Karush, Kuhn and Tucker by hand: a share more where there is room, a share less where there are shares."""
    look = outlook(np.random.default_rng(3))
    caps = np.full(N, 90.0)
    form = quadratic(look, TOTAL)
    found = program.solve(look, TOTAL, caps)
    slope = form.G @ found.shares + form.b
    dearest, cheapest = slope[found.shares > 1e-3].max(), slope[found.shares < caps - 1e-3].min()
    assert dearest <= cheapest + 1e-6 * abs(slope).max()
    assert found.duals[0] == pytest.approx(cheapest, rel=1e-3)
    full = found.shares > caps - 1e-3
    assert full.any() and found.duals[1:][full] == pytest.approx(cheapest - slope[full], rel=1e-3, abs=1e-6)
    assert found.duals[1:][~full] == pytest.approx(0.0, abs=1e-6)


def test_many_orders_with_many_impacts_at_once() -> None:
    chance = np.random.default_rng(5)
    looks = [outlook(chance) for _ in range(50)]
    total = chance.uniform(0, 2_000, 50)
    total[7] = 0.0
    caps = np.full((50, N), 400.0)
    stacked = Outlook(*(np.stack([look[i] for look in looks]) for i in range(7)))
    form = quadratic(stacked, total)
    found = solve_many(form.G, form.b, total, caps)
    assert found[7].tolist() == [0.0] * N
    for i, look in enumerate(looks):
        alone = quadratic(look, total[i])
        assert pytest.approx(form.G[i], rel=1e-12) == alone.G and alone.b == pytest.approx(form.b[i], rel=1e-9, abs=1e-15)
        assert solve_many(alone.G, alone.b[None], total[i : i + 1], caps[:1])[0].tobytes() == found[i].tobytes()


def test_what_lay_in_the_working_memory_before_is_never_read() -> None:
    form = quadratic(outlook(np.random.default_rng(2)), TOTAL)
    shares, said = np.full((1, N), np.nan), np.full(1, -1)
    work = np.full((N + WORK, N), np.nan)
    solve_paths(form.G[None], form.b[None], np.full(1, TOTAL), np.full((1, N), 80.0), work, shares, said)
    assert said[0] == SOLVED and shares.sum() == pytest.approx(TOTAL)


def test_a_closing_auction_takes_what_is_cheaper_there_up_to_its_cap() -> None:
    program = Program(closing=True)
    flat = np.ones(N)
    dear = Outlook(0 * flat, 1e-3 * flat, 0 * flat, 0 * flat, 0.0, 0 * flat)
    cheap = program.solve(dear._replace(closing=Closing(1e-5, 300.0)), TOTAL, np.full(N, np.inf))
    assert cheap.shares[-1] == pytest.approx(300.0, rel=1e-6)
    assert cheap.shares.sum() == pytest.approx(TOTAL)
    alike = program.solve(dear._replace(closing=Closing(1e-3, np.inf)), TOTAL, np.full(N, np.inf))
    assert alike.shares == pytest.approx(np.full(N + 1, TOTAL / 21), rel=1e-5)
    with pytest.raises(ProgramInput, match="for a program of 20"):
        program.solve(dear, TOTAL, np.full(N, np.inf))


def test_a_tail_that_is_dear_buys_earlier() -> None:
    chance = np.random.default_rng(11)
    moves = chance.normal(scale=0.5, size=(200, N))
    program, flat = Program(paths=200), np.ones(N)
    look = Outlook(0 * flat, 1e-3 * flat, 0 * flat, 0 * flat, 0.0, 0 * flat)
    caps = np.full(N, np.inf)

    def tail(u: F64) -> float:
        losses = np.sort(((u.sum() - np.cumsum(u)) * moves).sum(1))
        return float(losses[-10:].mean())

    calm, afraid = (program.solve(look, TOTAL, caps, moves=moves, aversion=each).shares for each in (0.0, 1.0))
    assert calm == pytest.approx(np.full(N, 50.0), rel=1e-5)
    assert tail(afraid) < 0.8 * tail(calm)
    mean = [(1e-3 * u * u).sum() for u in (calm, afraid)]
    assert mean[1] + tail(afraid) < mean[0] + tail(calm)
    nearby = [afraid + step * (np.eye(N)[i] - np.eye(N)[j]) for i, j in ((0, 5), (5, 0), (3, 19)) for step in (0.5,)]
    assert all((1e-3 * u * u).sum() + tail(u) >= mean[1] + tail(afraid) - 1e-6 for u in nearby if (u >= 0).all())


def test_impact_that_could_be_traded_against_is_lifted_and_said(program: Program) -> None:
    """Transient impact that vanishes at once while displacement stays would pay for buying and selling again."""
    flat = np.ones(N)
    kappa = np.where(np.arange(N) < 10, 1e-3, 1e-5)
    look = Outlook(0 * flat, 1e-7 * flat, kappa, 0.99 * flat, 0.0, 0 * flat)
    form = quadratic(look, TOTAL)
    assert float(form.lifted) > 1e-4
    assert np.linalg.eigvalsh(form.G)[0] > -1e-15
    found = program.solve(look, TOTAL, np.full(N, np.inf))
    assert found.lifted == float(form.lifted)
    assert found.cost == pytest.approx(walked(look, found.shares), rel=1e-9)
    assert float(quadratic(look._replace(kappa=flat * 1e-3), TOTAL).lifted) == 0.0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"alpha": np.full(N, np.nan)}, "whose alpha is not a number"),
        ({"eta": np.full(N, -1e-9)}, "whose eta is below 0"),
        ({"risk": np.full(N, -1.0)}, "whose risk is below 0"),
        ({"decay": np.full(N, 1.01)}, "grows instead of decaying"),
        ({"kappa": np.ones(19)}, "whose arrays are"),
        ({"gamma": math.inf}, "whose gamma is not a number"),
        ({"alpha": np.ones(19)}, "for a program of 20 intervals"),
    ],
)
def test_an_outlook_that_cannot_be_is_refused_by_name(program: Program, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ProgramInput, match=why):
        program.solve(outlook(np.random.default_rng(1), **changes), TOTAL, np.full(N, np.inf))


def test_caps_without_room_are_refused_in_a_trader_s_words(program: Program) -> None:
    look = outlook(np.random.default_rng(1))
    with pytest.raises(Infeasible, match="at most 800 of 1000 shares trade before the end: raise the participation"):
        program.solve(look, TOTAL, np.full(N, 40.0))
    form = quadratic(look, TOTAL)
    with pytest.raises(Infeasible, match="order 1: its caps let 800 of 1000 shares trade"):
        solve_many(form.G, np.stack([form.b] * 2), np.full(2, TOTAL), np.stack([np.full(N, 60.0), np.full(N, 40.0)]))
    assert program.solve(look, TOTAL, np.full(N, 50.0)).shares == pytest.approx(np.full(N, 50.0))
    assert solve_many(form.G, form.b[None], np.full(1, TOTAL), np.full((1, N), 50.0))[0] == pytest.approx(np.full(N, 50.0))


@pytest.mark.parametrize("total", [0.0, -1.0, math.nan])
def test_there_must_be_something_to_trade(program: Program, total: float) -> None:
    with pytest.raises(ProgramInput):
        program.solve(outlook(np.random.default_rng(1)), total, np.full(N, np.inf))


@pytest.mark.parametrize("broken", ["G", "b", "total", "caps"])
def test_what_is_no_number_is_refused_for_many_too(broken: str) -> None:
    form = quadratic(outlook(np.random.default_rng(1)), TOTAL)
    values = {"G": form.G.copy(), "b": form.b[None].copy(), "total": np.full(1, TOTAL), "caps": np.full((1, N), TOTAL)}
    values[broken].flat[0] = np.nan
    with pytest.raises(ProgramInput, match="order 0: what is no number"):
        solve_many(**values)
    values[broken].flat[0] = TOTAL
    with pytest.raises(ProgramInput, match="programs of shapes"):
        solve_many(values["G"], values["b"], np.full(2, TOTAL), values["caps"])


def test_a_cost_that_is_not_convex_has_no_optimum_to_find() -> None:
    with pytest.raises(SolverFailed, match="is its cost convex"):
        solve_many(-np.eye(N), np.zeros((1, N)), np.ones(1), np.full((1, N), np.inf))


def test_a_solver_that_stops_is_named(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.planners.compiled_program.SETTINGS", {"max_iter": 1})
    with pytest.raises(SolverFailed, match="the solver stopped without a schedule: MaxIterations"):
        Program().solve(outlook(np.random.default_rng(1)), TOTAL, np.full(N, np.inf))
