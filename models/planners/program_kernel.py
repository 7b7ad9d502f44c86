"""The scheduling program for many orders at once: an interior-point method in one compiled function.

minimise 1/2 u'Gu + b'u with sum u = total and 0 <= u <= caps, by Mehrotra's predictor and corrector (Nocedal and Wright 2006,
section 16.6), in shares of the total, so that every number is near 1. A path costs one Cholesky factorisation of (n, n) an
iteration, about ten in all, whichever caps bind.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.compiled import hot, inlined

F64 = NDArray[np.float64]

SOLVED: Final = 0
INFEASIBLE: Final = 1
NOT_A_NUMBER: Final = 2
NOT_CONVERGED: Final = 3

_ITERATIONS: Final = 60
_GAP: Final = 1e-13  # of the scaled cost: complementarity at which an iteration ends
_RESIDUAL: Final = 1e-10
_STEP: Final = 0.995  # of the way to the boundary
_ROOM: Final = 1e-9  # of the total: with less between it and the sum of the caps, every cap is filled

# Rows of the work space, (WORK, n), after the n rows of the factor.
_W, _CAP, _LINE, _LOWER, _UPPER, _DUAL, _RHS, _ONES, _DW, _DLOWER, _DUPPER = range(11)
WORK: Final = 11


@hot
def solve_paths(quadratic: F64, line: F64, total: F64, caps: F64, work: F64, shares: F64, said: NDArray[np.int64]) -> None:
    """Solve P programs.

    Args:
        quadratic: (P, n, n) or (1, n, n) for all, symmetric and positive semidefinite.
        line: (P, n), b. total: (P,). caps: (P, n), not negative, may be infinite.
        work: (n + WORK, n), scratch.
        shares: (P, n), takes the answers; said: (P,), takes what became of each.
    """
    for p in range(line.shape[0]):
        said[p] = _solve(quadratic, p if quadratic.shape[0] > 1 else 0, line, total[p], caps, work, shares, p)


@inlined
def _solve(quadratic: F64, g: int, line: F64, total: float, caps: F64, work: F64, shares: F64, p: int) -> int:
    n = line.shape[1]
    for i in range(n):
        shares[p, i] = 0.0
    if not (total >= 0.0 and np.isfinite(total)):
        return NOT_A_NUMBER
    if total == 0.0:
        return SOLVED
    room, scale = 0.0, 0.0
    for i in range(n):
        if not (caps[p, i] >= 0.0 and np.isfinite(line[p, i])):
            return NOT_A_NUMBER
        work[n + _CAP, i] = min(caps[p, i] / total, 2.0)  # nobody can have more than all: 2 never binds
        room += work[n + _CAP, i]
        scale = max(scale, abs(line[p, i]) * total)
        for j in range(n):
            if not np.isfinite(quadratic[g, i, j]):
                return NOT_A_NUMBER
            scale = max(scale, abs(quadratic[g, i, j]) * total * total)
    if room < 1.0 - _ROOM:
        return INFEASIBLE
    if room <= 1.0 + _ROOM:
        for i in range(n):
            shares[p, i] = min(caps[p, i], work[n + _CAP, i] * total)
        return SOLVED
    scale = max(scale, 1e-300)
    return _iterate(quadratic, g, line, total, work, shares, p, room, scale)


@inlined
def _iterate(quadratic: F64, g: int, line: F64, total: float, work: F64, shares: F64, p: int, room: float, scale: float) -> int:
    """From a strictly feasible start, which every later point stays: only the slope's residual is brought to zero."""
    n = line.shape[1]
    free = 0
    for i in range(n):
        cap = work[n + _CAP, i]
        work[n + _W, i] = cap / room
        work[n + _LINE, i] = line[p, i] * total / scale
        work[n + _LOWER, i] = 1.0 if cap > 0.0 else 0.0
        work[n + _UPPER, i] = 1.0 if cap > 0.0 else 0.0
        work[n + _DW, i], work[n + _DLOWER, i], work[n + _DUPPER, i] = 0.0, 0.0, 0.0
        free += cap > 0.0
    squared = total * total / scale
    level = 0.0  # the multiplier of the total
    for _ in range(_ITERATIONS):
        gap, residual = 0.0, 0.0
        for i in range(n):
            if work[n + _CAP, i] <= 0.0:
                continue
            slope = work[n + _LINE, i]
            for j in range(n):
                slope += quadratic[g, i, j] * squared * work[n + _W, j]
            slope += level - work[n + _LOWER, i] + work[n + _UPPER, i]
            work[n + _DUAL, i] = slope
            residual = max(residual, abs(slope))
            gap += work[n + _W, i] * work[n + _LOWER, i] + (work[n + _CAP, i] - work[n + _W, i]) * work[n + _UPPER, i]
        gap /= 2.0 * free
        if gap < _GAP and residual < _RESIDUAL:
            for i in range(n):
                shares[p, i] = work[n + _W, i] * total
            return SOLVED
        if not _factor(quadratic, g, squared, work, n):
            return NOT_CONVERGED
        _direction(work, n, 0.0, 0.0)
        step = min(1.0, _longest(work, n))
        ahead = 0.0
        for i in range(n):
            w, y = work[n + _W, i] + step * work[n + _DW, i], work[n + _CAP, i] - work[n + _W, i] - step * work[n + _DW, i]
            lower, upper = work[n + _LOWER, i] + step * work[n + _DLOWER, i], work[n + _UPPER, i] + step * work[n + _DUPPER, i]
            ahead += w * lower + y * upper
        centre = (ahead / (2.0 * free) / gap) ** 3 if gap > 0.0 else 0.0
        rise = _direction(work, n, centre * gap, 1.0)
        step = min(1.0, _STEP * _longest(work, n))
        for i in range(n):
            work[n + _W, i] += step * work[n + _DW, i]
            work[n + _LOWER, i] += step * work[n + _DLOWER, i]
            work[n + _UPPER, i] += step * work[n + _DUPPER, i]
        level += step * rise
    return NOT_CONVERGED


@inlined
def _factor(quadratic: F64, g: int, squared: float, work: F64, n: int) -> bool:
    """The lower Cholesky factor of G plus the barrier's curvature, into the first n rows of work. A place whose cap is 0
    keeps a row and column of the identity: its direction is 0."""
    for i in range(n):
        fixed = work[n + _CAP, i] <= 0.0
        for j in range(i + 1):
            value = 0.0 if fixed or work[n + _CAP, j] <= 0.0 else quadratic[g, i, j] * squared
            if i == j:
                if fixed:
                    value = 1.0
                else:
                    value += work[n + _LOWER, i] / work[n + _W, i]
                    value += work[n + _UPPER, i] / (work[n + _CAP, i] - work[n + _W, i])
            for k in range(j):
                value -= work[i, k] * work[j, k]
            if i == j:
                if not value > 0.0:
                    return False
                work[i, i] = np.sqrt(value)
            else:
                work[i, j] = value / work[j, j]
    return True


@inlined
def _substitute(work: F64, n: int, row: int) -> None:
    """Solve with the factor, in place."""
    for i in range(n):
        value = work[row, i]
        for k in range(i):
            value -= work[i, k] * work[row, k]
        work[row, i] = value / work[i, i]
    for i in range(n - 1, -1, -1):
        value = work[row, i]
        for k in range(i + 1, n):
            value -= work[k, i] * work[row, k]
        work[row, i] = value / work[i, i]


@inlined
def _direction(work: F64, n: int, target: float, second: float) -> float:
    """Newton's direction towards complementarity `target`; second 1 takes the products of the direction before into account.

    Returns the multiplier's part of it.
    """
    for i in range(n):
        if work[n + _CAP, i] <= 0.0:
            work[n + _RHS, i], work[n + _ONES, i] = 0.0, 0.0
            continue
        w, y = work[n + _W, i], work[n + _CAP, i] - work[n + _W, i]
        low = target - second * work[n + _DW, i] * work[n + _DLOWER, i]
        high = target + second * work[n + _DW, i] * work[n + _DUPPER, i]
        work[n + _RHS, i] = -work[n + _DUAL, i] - work[n + _LOWER, i] + low / w + work[n + _UPPER, i] - high / y
        work[n + _ONES, i] = 1.0
    _substitute(work, n, n + _RHS)
    _substitute(work, n, n + _ONES)
    above, below = 0.0, 0.0
    for i in range(n):
        above += work[n + _RHS, i]
        below += work[n + _ONES, i]
    rise = above / below
    for i in range(n):
        if work[n + _CAP, i] <= 0.0:
            work[n + _DW, i], work[n + _DLOWER, i], work[n + _DUPPER, i] = 0.0, 0.0, 0.0
            continue
        w, y = work[n + _W, i], work[n + _CAP, i] - work[n + _W, i]
        low = target - second * work[n + _DW, i] * work[n + _DLOWER, i]
        high = target + second * work[n + _DW, i] * work[n + _DUPPER, i]
        move = work[n + _RHS, i] - rise * work[n + _ONES, i]
        work[n + _DW, i] = move
        work[n + _DLOWER, i] = low / w - work[n + _LOWER, i] - work[n + _LOWER, i] / w * move
        work[n + _DUPPER, i] = high / y - work[n + _UPPER, i] + work[n + _UPPER, i] / y * move
    return rise


@inlined
def _longest(work: F64, n: int) -> float:
    """How far the direction can be gone before something turns negative, at most 1 / _STEP."""
    step = 1.0 / _STEP
    for i in range(n):
        move, lower, upper = work[n + _DW, i], work[n + _DLOWER, i], work[n + _DUPPER, i]
        if move < 0.0:
            step = min(step, -work[n + _W, i] / move)
        elif move > 0.0:
            step = min(step, (work[n + _CAP, i] - work[n + _W, i]) / move)
        if lower < 0.0:
            step = min(step, -work[n + _LOWER, i] / lower)
        if upper < 0.0:
            step = min(step, -work[n + _UPPER, i] / upper)
    return step
