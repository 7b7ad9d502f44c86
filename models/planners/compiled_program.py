"""A program of cvxpy that is compiled once; every solve only puts numbers into the solver's own form.

Each parameter is given numbers that occur nowhere else, and where they turn up in that form is noted. A solve then writes there
and leaves out cvxpy's own way from parameters to matrices, which takes several times as long as the solver.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import Infeasible, InvariantBroken, SolverFailed, Unbounded

F64 = NDArray[np.float64]
SOLVER: Final = "CLARABEL"
SETTINGS: Final = {"tol_gap_abs": 1e-12, "tol_gap_rel": 1e-12, "tol_feas": 1e-12, "max_iter": 200}  # of numbers near 1
_MARK: Final = 1_000.0  # the first of the numbers that occur nowhere else: above every constant of a program


class Place(NamedTuple):
    """Where a parameter's numbers stand in the solver's form: the array, the places in it, which number stands in each, and
    its sign there."""

    name: str
    at: NDArray[np.intp]
    number: NDArray[np.intp]
    sign: F64


class CompiledProgram:
    """See the module. problem: disciplined and parametrised; each parameter in one of the solver's three arrays.

    Raises:
        InvariantBroken: a parameter is not to be found there, which another version of cvxpy might bring about.
    """

    def __init__(self, problem: Any) -> None:
        self.problem = problem
        marks, mark = {}, _MARK
        for parameter in problem.parameters():
            count = int(np.prod(parameter.shape))
            marks[parameter] = parameter.value = np.arange(mark, mark + count).reshape(parameter.shape, order="F")
            mark += count
        self._data, _, _ = problem.get_problem_data(SOLVER)
        self._matrix = type(self._data["A"])  # scipy's, which cvxpy brings
        squares = self._data["P"].tocoo()
        upper = squares.row <= squares.col
        self._squares = self._matrix((squares.data[upper], (squares.row[upper], squares.col[upper])), squares.shape)
        self._solver = import_module("clarabel")  # the solver that cvxpy brings and has compiled for
        dims = self._data["dims"]
        self._cones = [self._solver.ZeroConeT(dims.zero), self._solver.NonnegativeConeT(dims.nonneg)]
        self._settings = self._solver.DefaultSettings()
        for name, value in (SETTINGS | {"verbose": False}).items():
            setattr(self._settings, name, value)
        # cvxpy unrolls matrices by columns.
        self._places = {parameter: _places(self._data, numbers.ravel("F")) for parameter, numbers in marks.items()}

    def at(self, parameter: Any) -> NDArray[np.intp]:
        """Where a parameter that stands once in the solver's form does: for its numbers in the order of columns."""
        place = self._places[parameter]
        if len(place.at) != int(np.prod(parameter.shape)):
            raise InvariantBroken(f"a parameter of a program that stands {len(place.at)} times in the solver's form")
        return place.at[np.argsort(place.number)]

    def places(self, parameter: Any, number: int) -> NDArray[np.intp]:
        """Every place of one of a parameter's numbers."""
        place = self._places[parameter]
        return place.at[place.number == number]

    def run(self, values: dict[Any, F64]) -> Any:
        """The solver's own result, for the parameters' values.

        Raises:
            Infeasible, Unbounded, SolverFailed: there is no schedule.
        """
        limits = self._data["A"]
        data = {"A": limits.data.copy(), "b": self._data["b"].copy(), "c": self._data["c"].copy()}
        for parameter, numbers in values.items():
            place = self._places[parameter]
            data[place.name][place.at] = place.sign * numbers.ravel("F")[place.number]
        A = self._matrix((data["A"], limits.indices, limits.indptr), limits.shape)  # noqa: N806
        raw = self._solver.DefaultSolver(self._squares, data["c"], A, data["b"], self._cones, self._settings).solve()
        status = str(raw.status)
        if status in ("Solved", "AlmostSolved") and np.isfinite(raw.x).all():
            return raw
        if "PrimalInfeasible" in status:
            raise Infeasible("no schedule keeps every limit: raise the participation or the size limit, or give more time")
        if "DualInfeasible" in status:
            raise Unbounded("the cost falls without end under these limits: the impact that was handed in cannot be right")
        raise SolverFailed(f"the solver stopped without a schedule: {status}")


def _places(data: dict[str, Any], numbers: F64) -> Place:
    """Every place of `numbers`, which rise. Raises InvariantBroken where one stands nowhere, or they stand in two arrays."""
    found = []
    for name in ("A", "b", "c"):
        held = np.asarray(data["A"].data if name == "A" else data[name])
        number = np.searchsorted(numbers, np.abs(held)).clip(0, len(numbers) - 1)
        at = np.flatnonzero(numbers[number] == np.abs(held))
        if len(at):
            found.append(Place(name, at, number[at], np.sign(held[at])))
    if len(found) != 1 or len(np.unique(found[0].number)) != len(numbers):
        raise InvariantBroken("a parameter of a program that is not to be found in the solver's form")
    return found[0]
