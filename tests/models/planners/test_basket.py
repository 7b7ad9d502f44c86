"""Baskets: the cost that is written, the program beside cvxpy's own, what joint planning gains, limits, whole lots, errors."""

from __future__ import annotations

from typing import Any

import cvxpy
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from domain.errors import Infeasible, ProgramInput, SolverFailed
from models.planners.basket import cost, solve, variance
from models.planners.basket_program import Shape, program_of
from models.planners.basket_terms import Band, Basket, BasketLimits, Group, Weights, gross
from models.planners.outlook import quadratic
from models.planners.program import Program
from tests.models.planners.baskets import basket

F64 = NDArray[np.float64]
AFRAID = Weights(aversion=1e-3)


def weighed(made: Basket, shares: F64, weights: Weights) -> float:
    """What the program minimises, of shares (m, n)."""
    left = (made.totals - shares.sum(axis=1)) @ made.prices
    return cost(made, shares) + weights.aversion * variance(made, shares) + weights.unfinished * float(left)


def walked(made: Basket, u: F64) -> tuple[float, float]:
    """Cost and variance interval after interval, of finished orders; what moves prices is signed."""
    look, s = made.outlook, made.signs
    own, corr = np.eye(len(s)), made.correlation
    left, displaced, spent, variance_ = made.totals.copy(), np.zeros(len(s)), 0.0, 0.0
    for k in range(u.shape[1]):
        left = left - u[:, k]
        mixed = (1 - made.cross) * own + made.cross * corr
        eta = np.sqrt(np.outer(look.eta[:, k], look.eta[:, k])) * mixed
        gamma = np.sqrt(np.outer(look.gamma, look.gamma)) * mixed
        bought = s * u[:, k]
        spent += bought @ (eta + gamma / 2) @ bought + (s * left) @ gamma @ bought + left @ look.alpha[:, k]
        spent += u[:, k] @ (displaced + look.kappa[:, k] / 2 * u[:, k])
        displaced = look.decay[:, k] * (displaced + look.kappa[:, k] * u[:, k])
        moved = s * left * made.volatility[:, k]
        variance_ += moved @ corr @ moved
    return float(spent), float(variance_)


@given(seed=st.integers(0, 2**32), cross=st.sampled_from([0.0, 0.4, 1.0]))
@settings(max_examples=40)
def test_the_written_cost_is_the_walked_one(seed: int, cross: float) -> None:
    chance = np.random.default_rng(seed)
    made = basket(chance, cross=cross)
    u = chance.dirichlet(np.ones(6), 4) * made.totals[:, None]
    spent, risked = walked(made, u)
    assert cost(made, u) == pytest.approx(spent, rel=1e-9, abs=1e-9)
    assert variance(made, u) == pytest.approx(risked, rel=1e-9)


@pytest.mark.parametrize("cross", [0.0, 0.5])
def test_the_compiled_program_is_the_one_that_is_written_out_by_hand(cross: float) -> None:
    """Every limit at once, some of them binding, and orders that may be left unfinished."""
    made = basket(np.random.default_rng(5), cross=cross)
    m, n = made.caps.shape
    made = made._replace(caps=np.full((m, n), made.totals[:, None] * 0.4))
    least, price = np.array([1.0, 1.0, 0.5, 0.0]), made.signs * made.prices
    value = gross(made)
    limits = BasketLimits(
        Band(-0.2 * value, 0.2 * value), Band(-0.5 * value, 0.5 * value),
        (Group("two", np.array([1.0, 1.0, 0.0, 0.0]), Band(-np.inf, np.array([0.3, 0.25, 0.2, 0.1, 0.1, 0.0]) * value)),), least,
    )  # fmt: skip
    weights = Weights(1e-3, 4e-4)
    found = solve(made, limits, weights)
    u = cvxpy.Variable((m, n))
    signed = cvxpy.multiply(made.signs[:, None] * np.ones((1, n)), u)
    left = made.signs[:, None] * made.totals[:, None] - cvxpy.cumsum(signed, axis=1)
    objective = weights.unfinished * made.prices @ (made.totals - cvxpy.sum(u, axis=1)) + float(
        (made.totals[:, None] * made.outlook.alpha).sum()
    )
    roots = np.linalg.cholesky(made.correlation).T
    mixed = np.linalg.cholesky((1 - cross) * np.eye(m) + cross * made.correlation).T
    forms = quadratic(made.outlook._replace(eta=0 * made.outlook.eta, gamma=0.0), made.totals)
    for i in range(m):
        objective += cvxpy.quad_form(u[i], cvxpy.psd_wrap(forms.G[i])) / 2 + forms.b[i] @ u[i]
    for k in range(n):
        objective += weights.aversion * cvxpy.sum_squares(roots @ cvxpy.multiply(made.volatility[:, k], left[:, k]))
        objective += cvxpy.sum_squares(mixed @ cvxpy.multiply(np.sqrt(made.outlook.eta[:, k]), signed[:, k]))
    gamma = np.sqrt(made.outlook.gamma / 2)
    objective += cvxpy.sum_squares(mixed @ cvxpy.multiply(gamma, cvxpy.sum(signed, axis=1)))
    paid = price @ u
    held = [u >= 0, u <= made.caps, cvxpy.sum(u, axis=1) <= made.totals, cvxpy.sum(u, axis=1) >= least * made.totals]
    held += [cvxpy.abs(paid) <= 0.2 * value, cvxpy.abs(cvxpy.cumsum(paid)) <= 0.5 * value]
    held += [cvxpy.multiply(made.prices[:2, None] * np.ones((1, n)), left[:2]).sum(axis=0) <= limits.groups[0].band.high]
    best = cvxpy.Problem(cvxpy.Minimize(objective), held).solve(solver="CLARABEL")
    assert (forms.lifted == 0).all() and (found.lifted == 0).all()
    assert weighed(made, found.shares, weights) == pytest.approx(best, rel=1e-7)
    assert found.shares == pytest.approx(u.value, abs=1e-3 * made.totals.max())
    assert found.cost == cost(made, found.shares) and found.variance == variance(made, found.shares)
    assert found.left[2] > 1 or found.left[3] > 1, "nothing was left, so that leaving was not tried"


def test_it_is_compiled_once_for_a_shape() -> None:
    program = program_of(Shape(4, 6, 1, cash=True, cross=True))
    assert program.problem.is_dcp(dpp=True)
    made = basket(np.random.default_rng(1), cross=0.5)
    group = Group("all", np.ones(4), Band())
    solve(made, BasketLimits(cash=Band(), groups=(group,)))
    compiled = program.problem._cache.param_prog
    before = program_of.cache_info().misses
    solve(
        basket(np.random.default_rng(2), m=3, cross=0.2),
        BasketLimits(running=Band(), groups=(group._replace(weights=np.ones(3)),)),
    )
    assert program_of.cache_info().misses == before and program.problem._cache.param_prog is compiled


def test_a_basket_of_one_is_the_order_alone() -> None:
    made = basket(np.random.default_rng(3), m=1, n=20)
    alone = made.outlook._replace(
        **{name: getattr(made.outlook, name)[0] for name in ("alpha", "eta", "kappa", "decay")}, gamma=0.0, displacement=0.0,
        risk=AFRAID.aversion * made.volatility[0] ** 2,
    )  # fmt: skip
    caps = np.full(20, made.totals[0] / 8)
    one = Program().solve(alone, float(made.totals[0]), caps)
    assert solve(made._replace(caps=caps[None]), weights=AFRAID).shares[0] == pytest.approx(one.shares, abs=1e-4 * made.totals[0])


def test_a_hedged_pair_is_worked_slower_than_each_alone_and_costs_less() -> None:
    made = basket(np.random.default_rng(4), m=2)
    even = np.array([500.0, 500.0])
    made = made._replace(
        signs=np.array([1.0, -1.0]), totals=even, prices=even / 10, volatility=np.full((2, 6), 0.1),
        outlook=made.outlook._replace(alpha=np.zeros((2, 6)), eta=np.full((2, 6), 1e-4), kappa=np.full((2, 6), 1e-4)),
    )  # fmt: skip
    alike = np.array([[1.0, 0.95], [0.95, 1.0]])
    strong = Weights(aversion=1e-2)
    alone = np.concatenate([solve(_only(made, i), weights=strong).shares for i in range(2)])
    apart, together = (
        solve(made._replace(correlation=np.eye(2)), weights=strong),
        solve(made._replace(correlation=alike), weights=strong),
    )
    assert apart.shares == pytest.approx(alone, abs=1e-3)
    assert (together.shares[:, 0] < 0.8 * alone[:, 0]).all()
    hedged = made._replace(correlation=alike)
    assert weighed(hedged, together.shares, strong) < 0.95 * weighed(hedged, alone, strong)
    worse = made._replace(correlation=alike, signs=np.ones(2))
    assert (solve(worse, weights=strong).shares[:, 0] > 1.05 * alone[:, 0]).all(), "two purchases that move alike are hurried"


def _only(made: Basket, i: int) -> Basket:
    rows = {name: getattr(made, name)[i : i + 1] for name in ("names", "signs", "totals", "prices", "volatility", "caps")}
    look = made.outlook._replace(
        **{name: np.asarray(getattr(made.outlook, name))[i : i + 1] for name in made.outlook._fields if name != "closing"}
    )
    return made._replace(**rows, outlook=look, correlation=np.eye(1))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=15, deadline=None)
def test_no_random_schedule_within_the_limits_costs_less(seed: int) -> None:
    chance = np.random.default_rng(seed)
    made = basket(chance, cross=0.3, signs=np.array([1.0, 1.0, -1.0, -1.0]))
    limits = BasketLimits(running=Band(-0.9 * gross(made), 0.9 * gross(made)))
    best = weighed(made, solve(made, limits, AFRAID).shares, AFRAID)
    price = (made.signs * made.prices)[:, None]
    for _ in range(200):
        u = chance.dirichlet(np.full(6, chance.uniform(0.3, 5)), 4) * made.totals[:, None]
        if np.abs((price * u).sum(axis=0).cumsum()).max() <= 0.9 * gross(made):
            assert weighed(made, u, AFRAID) >= best - 1e-9 * abs(best)


def test_duals_are_what_a_share_and_a_unit_of_room_are_worth() -> None:
    made = basket(np.random.default_rng(8))
    value = gross(made)
    group = Group("first", np.array([1.0, 0, 0, 0]), Band(-0.05 * value, 0.05 * value))

    def least(extra: float = 0.0, wider: float = 0.0, grouped: float = 0.0) -> tuple[float, Any]:
        one = made._replace(totals=made.totals + np.array([0, extra, 0, 0]))
        band = Band(group.band.low - grouped, group.band.high + grouped)
        limits = BasketLimits(cash=Band(-0.1 * value - wider, 0.1 * value + wider), groups=(group._replace(band=band),))
        found = solve(one, limits, AFRAID)
        return weighed(one, found.shares, AFRAID), found

    (low, _), (high, _), (_, found) = least(extra=-1e-3), least(extra=1e-3), least()
    assert found.duals[1] == pytest.approx((high - low) / 2e-3, rel=1e-3)
    (low, _), (high, _) = least(wider=-1.0), least(wider=1.0)
    assert found.cash_duals.sum() > 0 and found.cash_duals.sum() == pytest.approx((low - high) / 2, rel=1e-2)
    (low, _), (high, _) = least(grouped=-1.0), least(grouped=1.0)
    assert found.group_duals.sum() > 0 and found.group_duals.sum() == pytest.approx((low - high) / 2, rel=1e-2)


def test_what_need_not_be_finished_is_left_where_it_costs_more_than_it_is_worth() -> None:
    made = basket(np.random.default_rng(9))
    free = BasketLimits(least=np.zeros(4))
    left = [float(solve(made, free, Weights(1e-4, price)).left @ made.prices) for price in (0.0, 3e-4, 1e-3, 1.0)]
    assert left[0] > left[1] > left[2] > left[3] == pytest.approx(0.0, abs=1e-3)
    half = solve(made, BasketLimits(least=np.full(4, 0.5)), Weights())
    assert (half.shares.sum(axis=1) >= 0.5 * made.totals * (1 - 1e-9)).all()


def test_what_leaves_no_room_is_named() -> None:
    made = basket(np.random.default_rng(13), signs=np.array([1.0, 1.0, -1.0, -1.0]))
    value, caps = gross(made), np.full((4, 6), np.inf)
    caps[2] = 1.0
    with pytest.raises(Infeasible, match=r"S2: the limits let at most 6 of \d+ shares trade"):
        solve(made._replace(caps=caps))
    with pytest.raises(Infeasible, match=r"the whole basket pays .* net, outside the running cash limits"):
        solve(made, BasketLimits(running=Band(10 * value, 11 * value)))
    with pytest.raises(Infeasible, match="group tech: a finished basket has no exposure"):
        solve(made, BasketLimits(groups=(Group("tech", np.ones(4), Band(1.0, 2.0)),)))
    slow = made._replace(caps=np.full((4, 6), made.totals[:, None] / 5.0))
    buys = Group("buys", np.array([1.0, 1.0, 0, 0]), Band(-1.0, 1.0))
    with pytest.raises(Infeasible, match="the limits of buys leave no schedule of 4 orders"):
        solve(slow, BasketLimits(running=Band(-value, value), groups=(buys,)))
    with pytest.raises(Infeasible, match="the cash limits leave no schedule of 4 orders"):
        solve(made._replace(signs=np.ones(4)), BasketLimits(cash=Band(-1e-3 * value, 1e-3 * value)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"signs": np.array([1.0, 0.5, -1.0, 1.0])}, "neither buys nor sells"),
        ({"totals": np.array([1.0, np.nan, 1.0, 1.0])}, "totals is not a number"),
        ({"totals": np.array([1.0, -1.0, 1.0, 1.0])}, "totals is below 0"),
        ({"totals": np.zeros(4)}, "nothing is to be traded"),
        ({"prices": np.zeros(4)}, "a price is not above 0"),
        ({"volatility": np.ones((4, 5))}, r"volatility is of shape \(4, 5\)"),
        ({"caps": np.full((4, 6), np.nan)}, "caps is not a number"),
        ({"correlation": np.eye(4) * 2}, "has not 1 on its diagonal"),
        ({"correlation": np.full((4, 4), -1.0) + 2 * np.eye(4)}, "no prices have this correlation matrix"),
        ({"cross": 1.5}, "shared impact 1.5"),
        ({"names": ()}, "a basket of 0 orders"),
        ({"names": ("a",) * 101}, "a basket of 101 orders: from 1 to 100"),
    ],
)  # fmt: skip
def test_numbers_that_fit_no_basket_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProgramInput, match=said):
        solve(basket(np.random.default_rng(1), **changes))


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        (BasketLimits(cash=Band(2.0, 1.0)), "the limits of cash: low is not below high"),
        (BasketLimits(running=Band(np.zeros(3), 1.0)), "the limits of running cash: .* they are not 6 numbers"),
        (BasketLimits(groups=(Group("g", np.ones(3), Band()),)), "weights are not 4 numbers"),
        (BasketLimits(least=np.full(4, 1.5)), "4 numbers from 0 to 1"),
    ],
)
def test_limits_that_fit_no_basket_are_named(limits: BasketLimits, said: str) -> None:
    with pytest.raises(ProgramInput, match=said):
        solve(basket(np.random.default_rng(1)), limits)
    with pytest.raises(ProgramInput, match="and weights"):
        solve(basket(np.random.default_rng(1)), weights=Weights(-1.0))


def test_a_solver_that_stops_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.planners.compiled_program.SETTINGS", {"max_iter": 1})
    program_of.cache_clear()
    with pytest.raises(SolverFailed, match="MaxIterations"):
        solve(basket(np.random.default_rng(1)))
    program_of.cache_clear()
