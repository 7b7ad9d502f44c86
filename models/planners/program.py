"""The scheduling program: how many shares in which interval cost least, `models.planners.outlook` says at what cost.

`Program` is one in cvxpy: disciplined and parametrised, so that it is compiled once and every solve only puts numbers in.
G enters by a factor F with F'F = G/2; the objective, sum of squares of F u plus b'u, is convex whatever numbers stand in F.
`solve_many` solves thousands at once by a method of our own and comes to the same shares, held by test.

Both work in shares of the total and in costs divided by their largest number, so that a solver's tolerances mean the same
for a hundred shares of a currency pair and for a million of a penny stock.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import Infeasible, ProgramInput, SolverFailed
from models.planners.compiled_program import CompiledProgram
from models.planners.outlook import Closing, Outlook, Quadratic, expected_cost, quadratic
from models.planners.program_kernel import INFEASIBLE, NOT_A_NUMBER, SOLVED, WORK, solve_paths

__all__ = ["Closing", "Outlook", "Program", "Quadratic", "Solution", "expected_cost", "quadratic", "solve_many"]

F64 = NDArray[np.float64]
INTERVALS: Final = 20
ROOM: Final = 1e-9  # of the total: what caps may lack by rounding


class Solution(NamedTuple):
    """Where the cost is least.

    shares: (n,), with one place more for a closing auction. cost: expected, price units times shares, against the price at
    the start. duals: (1 + places,), what one share more of the total would cost and of each cap would save, price units.
    solve_ms: the solver's own time, without cvxpy's. lifted: temporary impact added for convexity.
    """

    shares: F64
    status: str
    cost: float
    duals: F64
    solve_ms: float
    lifted: float


class Program:
    """One program of n intervals, and of one place more with closing; compiled when it is made.

    Args:
        paths: how many price paths enter the tail; 0: the objective is the expected cost alone.
        tail: the share of the paths that is the tail, 0.05 for the worst twentieth.
    """

    def __init__(self, n: int = INTERVALS, *, closing: bool = False, paths: int = 0, tail: float = 0.05) -> None:
        cp: Any = import_module("cvxpy")  # takes a second: not before a program is wanted
        if n < 1 or paths < 0 or not 0.0 < tail <= 1.0:
            raise ProgramInput(f"a program of {n} intervals, {paths} paths and a tail of {tail}")
        self.n, self.places, self.paths, self._closing = n, n + closing, paths, closing
        places = self.places
        self._factor = cp.Parameter((places, places))
        self._line = cp.Parameter(places)
        self._caps = cp.Parameter(places, nonneg=True)
        self._u = cp.Variable(places)
        cost = cp.sum_squares(self._factor @ self._u) + self._line @ self._u
        self._whole = cp.Parameter(1)  # 1; a parameter, so that its dual is found
        limits = [cp.sum(self._u) == self._whole, self._u >= 0.0, self._u <= self._caps]
        if paths:
            self._moves = cp.Parameter((paths, places))
            level, beyond = cp.Variable(), cp.Variable(paths, nonneg=True)
            # Rockafellar and Uryasev 2000: the mean of the worst losses is the least of level + mean excess / tail.
            cost = cost + level + cp.sum(beyond) / (tail * paths)
            limits.append(beyond >= self._moves @ self._u - level)
        self.problem = cp.Problem(cp.Minimize(cost), limits)
        self._compiled = CompiledProgram(self.problem)
        self._at_u = self._compiled.at(self._line)  # of u in the solver's variables: where its slope stands
        self._at_caps = self._compiled.at(self._caps)  # of the caps in the solver's limits
        self._at_all = int(self._compiled.at(self._whole)[0])

    def solve(self, outlook: Outlook, total: float, caps: F64, *, moves: F64 | None = None, aversion: float = 0.0) -> Solution:
        """The schedule of least cost.

        Args:
            total: shares to buy, > 0. caps: (n,) shares at most in each interval, >= 0, may be infinite.
            moves: (paths, n) price moves of each interval beyond the expected ones, price units, where the program has paths.
            aversion: how many times the mean cost of the tail is added to the expected cost.

        Raises:
            ProgramInput: numbers that fit no program. Infeasible, Unbounded, SolverFailed: there is no schedule.
        """
        if (outlook.closing is not None) != self._closing or np.shape(outlook.alpha) != (self.n,):
            raise ProgramInput(f"an outlook of {np.shape(outlook.alpha)} for a program of {self.n} intervals")
        form = quadratic(outlook, total)
        caps = self._checked_caps(outlook, total, caps)
        scale = max(float(np.abs(form.G).max()) * total * total, float(np.abs(form.b).max()) * total) or 1.0
        values = {
            self._factor: _factor(form.G * (total * total / scale)),
            self._line: form.b * (total / scale),
            self._caps: caps / total,
            self._whole: np.ones(1),
        }
        if self.paths or moves is not None or aversion:
            values[self._moves] = self._checked_moves(moves, aversion) * (total / scale)
        raw = self._compiled.run(values)
        shares = np.clip(np.asarray(raw.x, np.float64)[self._at_u], 0.0, caps / total)
        shares *= total / shares.sum()
        prices = np.asarray(raw.z, np.float64) * (scale / total)
        duals = np.concatenate([[-prices[self._at_all]], prices[self._at_caps]])
        cost = float(expected_cost(form, shares))
        return Solution(shares, str(raw.status), cost, duals, raw.solve_time * 1e3, float(form.lifted))

    def _checked_caps(self, outlook: Outlook, total: float, caps: F64) -> F64:
        caps = np.asarray(caps, np.float64)
        if not total > 0 or caps.shape != (self.n,) or np.isnan(caps).any() or (caps < 0).any():
            raise ProgramInput(f"{total:g} shares to trade under caps of shape {caps.shape}, the least {caps.min(initial=0.0):g}")
        if outlook.closing is not None:
            caps = np.append(caps, outlook.closing.cap)
        caps = np.minimum(caps, total)
        if (room := float(caps.sum())) < total * (1.0 - ROOM):
            raise Infeasible(
                f"the limits let at most {room:g} of {total:g} shares trade before the end: "
                "raise the participation or the size limit, or give the order more time"
            )
        return np.minimum(caps * max(1.0, total / room), total)

    def _checked_moves(self, moves: F64 | None, aversion: float) -> F64:
        """(paths, places): what each path's moves cost for each place, where all that is left bears them."""
        fits = moves is not None and self.paths and moves.shape == (self.paths, self.n) and np.isfinite(moves).all()
        if not fits or not 0 <= aversion < np.inf:
            raise ProgramInput(f"an aversion of {aversion}, or price paths that are no numbers or not {self.paths} of {self.n}")
        each = np.asarray(moves, np.float64)
        if self._closing:
            each = np.concatenate([each, np.zeros((self.paths, 1))], -1)
        ahead = np.flip(np.cumsum(np.flip(each, -1), -1), -1)  # (paths, places) from each interval to the end
        return np.asarray((ahead[:, :1] - ahead) * aversion)


def solve_many(G: F64, b: F64, total: F64, caps: F64) -> F64:  # noqa: N803 (the field's letter)
    """The same program for P orders at once: (P, n) shares.

    Args:
        G: (P, n, n), or (n, n) for all. b: (P, n). total: (P,) >= 0. caps: (P, n) >= 0, may be infinite.

    Raises:
        ProgramInput, Infeasible, SolverFailed: naming the first order that has no schedule.
    """
    G, b, total, caps = (np.ascontiguousarray(each, np.float64) for each in (G, b, total, caps))  # noqa: N806
    G = G[None] if G.ndim == 2 else G  # noqa: N806
    if (
        b.ndim != 2
        or G.shape[1:] != (b.shape[1],) * 2
        or G.shape[0] not in (1, len(b))
        or caps.shape != b.shape
        or total.shape != b.shape[:1]
    ):
        raise ProgramInput(f"programs of shapes {G.shape}, {b.shape}, {total.shape}, {caps.shape}")
    shares = np.empty_like(b)
    said = np.empty(len(b), np.int64)
    solve_paths(G, b, total, caps, np.empty((b.shape[1] + WORK, b.shape[1])), shares, said)
    if (said == SOLVED).all():
        return shares
    first = int(np.argmax(said != SOLVED))
    if said[first] == INFEASIBLE:
        raise Infeasible(f"order {first}: its caps let {caps[first].sum():g} of {total[first]:g} shares trade")
    if said[first] == NOT_A_NUMBER:
        raise ProgramInput(f"order {first}: what is no number, a total or a cap below 0")
    raise SolverFailed(f"order {first}: no optimum; is its cost convex?")


def _factor(G: F64) -> F64:  # noqa: N803
    """F with F'F = G/2, for G positive semidefinite up to rounding."""
    try:
        return np.asarray(np.linalg.cholesky(G / 2.0).T, np.float64)
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(G / 2.0)
        return np.sqrt(np.maximum(values, 0.0))[:, None] * vectors.T
