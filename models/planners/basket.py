"""A basket: many orders with what their prices do together, the limits on them as one, and the schedule of least cost.

What it weighs is in currency: the expected shortfall, the variance of what is left times an aversion, and what is left at the end
times a price. `models.planners.basket_program` has the formulas, `models.planners.basket_terms` what a basket is and how its
numbers are checked. What has no schedule is an error whose message names the limits that leave no room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import Infeasible
from models.planners.basket_program import BasketProgram, Numbers, Shape, Solved, filled_up, program_of
from models.planners.basket_terms import Band, Basket, BasketLimits, Weights, check, check_room, gross
from models.planners.outlook import Quadratic, expected_cost, quadratic
from models.planners.program import ROOM

F64 = NDArray[np.float64]

__all__ = [
    "Band",
    "Basket",
    "BasketLimits",
    "BasketSolution",
    "Weights",
    "apart",
    "cost",
    "gross",
    "own_costs",
    "solve",
    "variance",
]


class BasketSolution(NamedTuple):
    """shares: (m, n). left: (m,) shares that are not traded. cost: expected shortfall, currency. variance: squared currency.

    duals: (m,) what a share more of each order costs, price units. cash_duals: (4, n) what a unit more of room would save, low
    and high by interval, low and high running. group_duals: (2, g, n) likewise. lifted: (m,) as in an outlook's quadratic form.
    """

    shares: F64
    left: F64
    cost: float
    variance: float
    status: str
    duals: F64
    cash_duals: F64
    group_duals: F64
    lifted: F64
    solve_ms: float


def solve(basket: Basket, limits: BasketLimits | None = None, weights: Weights | None = None) -> BasketSolution:
    """The schedule of least weighed cost.

    Raises:
        ProgramInput: numbers that fit no basket. Infeasible, Unbounded, SolverFailed: there is no schedule.
    """
    limits, weights = limits or BasketLimits(), weights or Weights()
    check(basket, limits, weights)
    check_room(basket, limits)
    forms = _forms(basket)
    m, n = basket.caps.shape
    cash = limits.cash is not None or limits.running is not None
    program = program_of(Shape(filled_up(m), n, len(limits.groups), cash, basket.cross > 0))
    numbers, scale = _numbers(basket, limits, weights, forms, program.shape)
    solved = _told(program, numbers, basket, limits)
    shares, left = _shares(basket, numbers, solved)
    # A share more is also a share that bears every move until it is traded.
    duals = solved.whole[:m] * scale / _positive(basket.totals) + np.asarray(basket.outlook.alpha).sum(axis=1)
    return BasketSolution(
        shares=shares, left=left, cost=_cost(basket, forms, shares), variance=variance(basket, shares), status=solved.status,
        duals=duals, cash_duals=solved.cash * scale / gross(basket), group_duals=solved.exposure * scale / gross(basket),
        lifted=forms.lifted, solve_ms=solved.solve_ms,
    )  # fmt: skip


def apart(basket: Basket, weights: Weights | None = None) -> BasketSolution:
    """Each order planned by itself, by its own variance and impact, without the basket's limits; told with what is shared.

    Raises:
        ProgramInput, Infeasible, SolverFailed: as `solve`.
    """
    alone = basket._replace(correlation=np.eye(len(basket.names)), cross=0.0)
    found = solve(alone, BasketLimits(), weights)
    return found._replace(cost=cost(basket, found.shares), variance=variance(basket, found.shares))


def cost(basket: Basket, shares: F64) -> float:
    """Expected shortfall of shares (m, n), currency: what is left bears every move that is expected."""
    return _cost(basket, _forms(basket), shares)


def variance(basket: Basket, shares: F64) -> float:
    """Of the shortfall, squared currency: every interval's move falls on what is left after it."""
    left = basket.signs[:, None] * (basket.totals[:, None] - np.cumsum(shares, axis=1)) * basket.volatility  # (m, n)
    return float(np.einsum("ik,ij,jk->", left, basket.correlation, left))


def own_costs(basket: Basket, shares: F64) -> F64:
    """(m,) each order's own part of the expected shortfall, without what they do to each other."""
    return np.asarray(expected_cost(_forms(basket), shares))


def _forms(basket: Basket) -> Quadratic:
    """Each order's own cost, with all of its permanent impact and the part of temporary impact that is not shared."""
    own = 1.0 - basket.cross
    outlook = basket.outlook._replace(eta=np.asarray(basket.outlook.eta) * own, gamma=0.0)
    form = quadratic(outlook, basket.totals)
    lasting = np.broadcast_to(np.asarray(basket.outlook.gamma, np.float64), basket.totals.shape) * own
    return form._replace(G=form.G + lasting[:, None, None])


def _cost(basket: Basket, forms: Quadratic, shares: F64) -> float:
    found = float(np.sum(expected_cost(forms, shares)))
    if not basket.cross:
        return found
    signed, gamma = basket.signs[:, None] * shares, np.asarray(basket.outlook.gamma, np.float64)
    roots = np.sqrt(basket.outlook.eta) * signed  # (m, n)
    lasting = np.sqrt(gamma) * signed.sum(axis=1)
    shared = np.einsum("ik,ij,jk->", roots, basket.correlation, roots) + 0.5 * lasting @ basket.correlation @ lasting
    return found + basket.cross * float(shared)


def _numbers(
    basket: Basket, limits: BasketLimits, weights: Weights, forms: Quadratic, shape: Shape
) -> tuple[Numbers, float]:  # fmt: skip
    """The program's numbers, and what they are scaled by."""
    m, n, more = *basket.caps.shape, shape.orders - len(basket.names)
    X = basket.totals  # noqa: N806 (the field's letter)
    G = forms.G * (X * X)[:, None, None]  # noqa: N806
    root = _root(basket.correlation)  # (m, m)
    value = basket.signs * basket.prices * X
    risk = np.sqrt(weights.aversion) * root * (basket.signs * X * basket.volatility.T)[:, None, :]  # (n, m, m)
    lines, leaving = forms.b * X[:, None], weights.unfinished * np.abs(value)
    scale = max(float(np.abs(each).max()) for each in (G, lines, leaving, risk @ np.swapaxes(risk, 1, 2))) or 1.0
    value_of_all = gross(basket)
    slack = np.zeros(m) if limits.least is None else 1.0 - np.asarray(limits.least, np.float64)
    worked = (X > 0).astype(np.float64)
    small = 1.0 / np.sqrt(scale)
    numbers = Numbers(
        whole=_more(worked, more), factors=_more(np.stack([_root(each / 2.0) for each in G / scale]), more),
        lines=_more(lines / scale, more), caps=_more(_caps(basket) / _positive(X)[:, None], more),
        risk=_square(risk * small, more), leaving=_more(leaving / scale, more), slack=_more(slack * worked, more),
    )  # fmt: skip
    if shape.cross:
        gamma = np.broadcast_to(np.asarray(basket.outlook.gamma, np.float64), (m,))
        shared = np.sqrt(basket.cross * basket.outlook.eta).T * basket.signs * X * small  # (n, m)
        lasting = np.sqrt(basket.cross * gamma / 2.0) * basket.signs * X * small
        numbers = numbers._replace(shared=_square(root * shared[:, None, :], more), lasting=_square(root * lasting, more))
    if shape.cash:
        bounds = [_clipped(each, value_of_all, n) for band in (limits.cash, limits.running) for each in band or Band()]
        numbers = numbers._replace(cash=_more(value / value_of_all, more), cash_bounds=np.array(bounds))
    if shape.groups:
        exposure = np.stack([np.concatenate([each.weights * value / value_of_all, np.zeros(more)]) for each in limits.groups])
        size = max(1.0, float(np.abs(exposure).sum(axis=1).max()))
        both = [np.stack([_clipped(each.band[side], value_of_all, n, size) for each in limits.groups]) for side in (0, 1)]
        numbers = numbers._replace(exposure=exposure, exposure_bounds=np.array(both))
    return numbers, scale


def _told(program: BasketProgram, numbers: Numbers, basket: Basket, limits: BasketLimits) -> Solved:
    """Solve; where there is no schedule, say without which limits there would be one."""
    try:
        return program.solve(numbers)
    except Infeasible as error:
        groups = ", ".join(each.name for each in limits.groups)
        for name, free in (("the cash limits", _without_cash(numbers)), (f"the limits of {groups}", _without_groups(numbers))):
            if free is not None and _has_schedule(program, free):
                raise Infeasible(
                    f"{name} leave no schedule of {len(basket.names)} orders: widen them, or give more time"
                ) from error
        raise Infeasible("no schedule keeps the limits of cash, groups and participation together: widen one of them") from error


def _without_cash(numbers: Numbers) -> Numbers | None:
    if numbers.cash_bounds is None:
        return None
    return numbers._replace(cash_bounds=np.array([[-2.0], [2.0], [-2.0], [2.0]]) + np.zeros_like(numbers.cash_bounds))


def _without_groups(numbers: Numbers) -> Numbers | None:
    if numbers.exposure_bounds is None or numbers.exposure is None:
        return None
    size = 2.0 * max(1.0, float(np.abs(numbers.exposure).sum(axis=1).max()))
    return numbers._replace(exposure_bounds=np.array([-size, size])[:, None, None] + np.zeros_like(numbers.exposure_bounds))


def _has_schedule(program: BasketProgram, numbers: Numbers) -> bool:
    try:
        program.solve(numbers)
    except Infeasible:
        return False
    return True


def _shares(basket: Basket, numbers: Numbers, solved: Solved) -> tuple[F64, F64]:
    """Within caps to the last bit, and summing to the totals with what is left."""
    m = len(basket.names)
    x, w = np.clip(solved.x[:m], 0.0, numbers.caps[:m]), np.clip(solved.w[:m], 0.0, numbers.slack[:m])
    sums = x.sum(axis=1)
    x *= np.where(sums > 0, (numbers.whole[:m] - w) / _positive(sums), 0.0)[:, None]
    return x * basket.totals[:, None], w * basket.totals


def _caps(basket: Basket) -> F64:
    """(m, n) no more than the totals; what is missing by rounding is added."""
    caps = np.minimum(basket.caps, basket.totals[:, None])
    room = caps.sum(axis=1)
    short = (room < basket.totals) & (room >= basket.totals * (1.0 - ROOM)) & (room > 0)
    return np.where(short[:, None], caps * (basket.totals / _positive(room))[:, None], caps)


def _root(matrix: F64) -> F64:
    """F with F'F = matrix, for one that is positive semidefinite up to rounding."""
    values, vectors = np.linalg.eigh(matrix)
    return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T


def _positive(values: F64) -> F64:
    return np.where(values > 0, values, 1.0)


def _clipped(bound: float | F64, value_of_all: float, n: int, size: float = 1.0) -> F64:
    """(n,) over the gross value; one that cannot bind is brought near, for a solver's sake."""
    return np.clip(np.broadcast_to(np.asarray(bound, np.float64) / value_of_all, (n,)), -2.0 * size, 2.0 * size)


def _more(array: F64, more: int) -> F64:
    """With orders of nothing."""
    return np.concatenate([array, np.zeros((more, *array.shape[1:]))])


def _square(matrices: F64, more: int) -> F64:
    return np.pad(matrices, [(0, 0)] * (matrices.ndim - 2) + [(0, more), (0, more)])
