"""Many orders planned as one: how many shares of each in which interval, with what their prices do together.

Order i trades u_ik shares on its own side in interval k, s_i is 1 for a purchase and -1 for a sale, q_ik is what is left of it:

    cost      sum_i cost_i(u_i)                                  each order's own, `models.planners.outlook`
            + cross sum_k (s u_k)' D R D (s u_k)                 temporary impact on each other, D = diag(sqrt(eta))
    risk      aversion sum_k (s q_k)' Sigma_k (s q_k)            Sigma_k = diag(sd_k) R diag(sd_k), R the correlation
    completion  unfinished sum_i price_i w_i                     w_i shares are not traded, where they may be left

Limits are linear: caps, completion, net cash paid (purchases less sales, at the prices of the start) by interval and running,
and the exposure sum s q price that is left in each group of orders after each interval. Of temporary impact the part `cross` is
shared: E = (1 - cross) diag(eta) + cross D R D is positive semidefinite for 0 <= cross <= 1. Permanent impact is shared likewise;
it has to be symmetric, or buying one and selling the other would pay (Schneider and Lillo 2019). Transient impact is each
order's own. Of an order that is not finished its own permanent impact on the rest is not counted.

Compiled once for a shape; numbers are shares of each order's total and costs over their largest, as in `models.planners.program`.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.planners.compiled_program import CompiledProgram

F64 = NDArray[np.float64]
SIZES: Final = (2, 4, 8, 12, 16, 24, 32, 48, 64, 100)  # a basket is filled up to one of these with orders of nothing
ORDERS_MAX: Final = SIZES[-1]


class Shape(NamedTuple):
    """What a program is compiled for. groups: of orders whose exposure is bounded. cash: is net cash bounded?"""

    orders: int
    intervals: int
    groups: int = 0
    cash: bool = False
    cross: bool = False


class Numbers(NamedTuple):
    """What a solve puts in, m orders over n intervals, scaled. Arrays of what the shape has not are left out."""

    whole: F64  # (m,) 1, or 0 of an order of nothing
    factors: F64  # (m, n, n) F with F'F half of each order's own quadratic form
    lines: F64  # (m, n)
    caps: F64  # (m, n)
    risk: F64  # (n, m, m) L with L'L the weighted covariance of what whole orders cost
    leaving: F64  # (m,) what leaving all of an order costs
    slack: F64  # (m,) how much of it may be left
    shared: F64 | None = None  # (n, m, m) factors of temporary impact on each other
    lasting: F64 | None = None  # (m, m) factor of permanent impact on each other
    cash: F64 | None = None  # (m,) net cash of each whole order
    cash_bounds: F64 | None = None  # (4, n) low and high by interval, low and high running
    exposure: F64 | None = None  # (g, m) of each whole order in each group
    exposure_bounds: F64 | None = None  # (2, g, n) low and high


class Solved(NamedTuple):
    """x, w: (m, n) traded and (m,) left, shares of the totals. prices: the limits' duals, scaled as the objective is:
    of each order's whole (m,), cash (4, n) and exposure (2, g, n), zeros of what the shape has not."""

    x: F64
    w: F64
    status: str
    whole: F64
    cash: F64
    exposure: F64
    solve_ms: float


class BasketProgram:
    """One shape's program."""

    def __init__(self, shape: Shape) -> None:
        cp: Any = import_module("cvxpy")  # takes a second: not before a program is wanted
        m, n = shape.orders, shape.intervals
        self.shape = shape
        self._whole, self._lines, self._caps = cp.Parameter(m), cp.Parameter((m, n)), cp.Parameter((m, n))
        self._leaving, self._slack = cp.Parameter(m), cp.Parameter(m)
        self._factors = [cp.Parameter((n, n)) for _ in range(m)]
        self._risk = [cp.Parameter((m, m)) for _ in range(n)]
        x, w, left = cp.Variable((m, n)), cp.Variable(m), cp.Variable((m, n))
        before = cp.hstack([cp.reshape(self._whole, (m, 1), order="F"), left[:, :-1]]) if n > 1 else self._whole[:, None]
        limits = [cp.sum(x, axis=1) + w == self._whole, left == before - x, x >= 0, x <= self._caps, w >= 0, w <= self._slack]
        cost = cp.sum(cp.multiply(self._lines, x)) + self._leaving @ w
        cost += sum(cp.sum_squares(factor @ x[i]) for i, factor in enumerate(self._factors))
        cost += sum(cp.sum_squares(factor @ left[:, k]) for k, factor in enumerate(self._risk))
        self._shared = [cp.Parameter((m, m)) for _ in range(n)] if shape.cross else []
        self._lasting = cp.Parameter((m, m)) if shape.cross else None
        if shape.cross:
            cost += sum(cp.sum_squares(factor @ x[:, k]) for k, factor in enumerate(self._shared))
            cost += cp.sum_squares(self._lasting @ cp.sum(x, axis=1))
        limits += self._bounds(cp, x, left)
        self.problem = cp.Problem(cp.Minimize(cost), limits)
        self._compiled = CompiledProgram(self.problem)
        self._at_x, self._at_w = self._compiled.at(self._lines), self._compiled.at(self._leaving)

    def _bounds(self, cp: Any, x: Any, left: Any) -> list[Any]:
        (m, n), shape = x.shape, self.shape
        self._cash = cp.Parameter((1, m)) if shape.cash else None
        self._cash_bounds = [cp.Parameter(n) for _ in range(4)] if shape.cash else []
        self._exposure = cp.Parameter((shape.groups, m)) if shape.groups else None
        self._exposure_bounds = [cp.Parameter((shape.groups, n)) for _ in range(2)] if shape.groups else []
        limits = []
        if shape.cash:
            paid = cp.Variable(n)
            low, high, running_low, running_high = self._cash_bounds
            limits += [cp.reshape(self._cash @ x, (n,), order="F") == paid, paid >= low, paid <= high]
            limits += [cp.cumsum(paid) >= running_low, cp.cumsum(paid) <= running_high]
        if shape.groups:
            exposed = cp.Variable((shape.groups, n))
            low, high = self._exposure_bounds
            limits += [self._exposure @ left == exposed, exposed >= low, exposed <= high]
        return limits

    def solve(self, numbers: Numbers) -> Solved:
        """The cheapest schedule.

        Raises:
            Infeasible, Unbounded, SolverFailed: there is none.
        """
        (m, n), g = numbers.lines.shape, self.shape.groups
        raw = self._compiled.run(self._values(numbers))
        x = np.asarray(raw.x, np.float64)
        prices = np.asarray(raw.z, np.float64)
        cash = [prices[self._compiled.at(each)] for each in self._cash_bounds]
        exposure = [prices[self._compiled.at(each)].reshape((g, n), order="F") for each in self._exposure_bounds]
        # What is left of an order follows from the same whole in another limit, so that its price is theirs together.
        whole = np.array([-prices[self._compiled.places(self._whole, i)].sum() for i in range(m)])
        return Solved(
            x=x[self._at_x].reshape((m, n), order="F"), w=x[self._at_w], status=str(raw.status), whole=whole,
            cash=np.array(cash) if cash else np.zeros((4, n)),
            exposure=np.array(exposure) if exposure else np.zeros((2, 0, n)),
            solve_ms=raw.solve_time * 1e3,
        )  # fmt: skip

    def _values(self, numbers: Numbers) -> dict[Any, F64]:
        each = numbers
        values = {
            self._whole: each.whole, self._lines: each.lines, self._caps: each.caps, self._leaving: each.leaving,
            self._slack: each.slack, **dict(zip(self._factors, each.factors, strict=True)),
            **dict(zip(self._risk, each.risk, strict=True)),
        }  # fmt: skip
        if self.shape.cross:
            assert each.shared is not None and each.lasting is not None
            values |= {self._lasting: each.lasting, **dict(zip(self._shared, each.shared, strict=True))}
        if self.shape.cash:
            assert each.cash is not None and each.cash_bounds is not None
            values |= {self._cash: each.cash[None], **dict(zip(self._cash_bounds, each.cash_bounds, strict=True))}
        if self.shape.groups:
            assert each.exposure is not None and each.exposure_bounds is not None
            values |= {self._exposure: each.exposure, **dict(zip(self._exposure_bounds, each.exposure_bounds, strict=True))}
        return values


@cache
def program_of(shape: Shape) -> BasketProgram:
    """Compiled once in a process."""
    return BasketProgram(shape)


def filled_up(orders: int) -> int:
    """How many orders the program has that takes so many; no more than ORDERS_MAX."""
    return next(size for size in SIZES if size >= orders)
