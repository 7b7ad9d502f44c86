"""A basket's schedule in whole lots that keeps every limit of the basket, not of its rounding.

Along the running sum of its shares an order is never half a lot off. With caps in whole lots that rounding breaks no cap: where
x <= c and c is whole, round(a + x) - round(a) <= c. Limits of cash and of groups are narrowed by what rounding may come to before
the program is solved. An order's odd rest goes where there is room for it, as late as may be.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import Infeasible, ProgramInput, SolverFailed
from domain.values import E9
from models.planners.basket import BasketSolution, solve
from models.planners.basket_terms import Band, Basket, BasketLimits, Weights, check, check_room, gross

F64 = NDArray[np.float64]
_SLACK = 1e-9  # of the gross value: what sums of floats may be off


class BasketPlan(NamedTuple):
    """slices_e9: by order, by interval. left_e9: by order, what is not traded. solution: of the whole lots, before rounding."""

    slices_e9: tuple[tuple[int, ...], ...]
    left_e9: tuple[int, ...]
    solution: BasketSolution


def plan(
    basket: Basket, lots_e9: tuple[int, ...], limits: BasketLimits | None = None, weights: Weights | None = None, *,
    totals_e9: tuple[int, ...] | None = None, rest_until: int | None = None,
) -> BasketPlan:  # fmt: skip
    """The cheapest schedule of whole lots, near enough: limits are held, and rounding costs what it costs.

    Args:
        lots_e9: of each order, above 0. totals_e9: of each order, where floats do not hold them to the last place.
        rest_until: from this interval on nothing but whole lots; None: the odd rest may go with any.

    Raises:
        ProgramInput, Infeasible, Unbounded, SolverFailed: as `models.planners.basket.solve`.
    """
    limits, weights = limits or BasketLimits(), weights or Weights()
    check(basket, limits, weights)
    check_room(basket, limits)
    if len(lots_e9) != len(basket.names) or min(lots_e9) <= 0:
        raise ProgramInput(f"a basket of {len(basket.names)} orders with lots {lots_e9}")
    whole = _whole(basket, lots_e9, totals_e9)
    in_lots, narrowed = _in_lots(basket, limits, whole)
    solution = solve(in_lots, narrowed, weights) if (in_lots.totals > 0).any() else _nothing(in_lots)
    least = np.ones(len(lots_e9)) if limits.least is None else np.asarray(limits.least)
    slices = []
    for i, (lot, total, odd, caps_e9) in enumerate(zip(*whole, strict=True)):
        caps = [cap // lot for cap in caps_e9]
        row = [lots * lot for lots in _rounded(solution.shares[i] * E9 / lot, caps, total // lot, float(least[i]))]
        if odd and sum(row) + odd == total:
            row[_place_of_rest(basket.names[i], row[:rest_until], caps_e9[:rest_until], odd)] += odd
        slices.append(tuple(row))
    _verify(basket, limits, slices, whole.caps_e9)
    left_e9 = tuple(total - sum(row) for total, row in zip(whole.totals_e9, slices, strict=True))
    return BasketPlan(tuple(slices), left_e9, solution)


class _Whole(NamedTuple):
    """By order: its lot, its total, what of it is no whole lot, and its caps by interval."""

    lots_e9: tuple[int, ...]
    totals_e9: list[int]
    odd_e9: list[int]
    caps_e9: list[list[int]]


def _whole(basket: Basket, lots_e9: tuple[int, ...], exact_e9: tuple[int, ...] | None) -> _Whole:
    totals = [round(float(each) * E9) for each in basket.totals] if exact_e9 is None else list(exact_e9)
    caps = [
        [total if cap * E9 >= total else int(cap * E9) for cap in row] for row, total in zip(basket.caps, totals, strict=True)
    ]
    return _Whole(lots_e9, totals, [total % lot for total, lot in zip(totals, lots_e9, strict=True)], caps)


def _in_lots(basket: Basket, limits: BasketLimits, whole: _Whole) -> tuple[Basket, BasketLimits]:
    """The same with totals and caps in whole lots, and limits narrowed by what rounding may come to."""
    lots, odd = np.array(whole.lots_e9, np.float64) / E9, np.array(whole.odd_e9, np.float64) / E9
    counts = [[cap // lot for cap in row] for row, lot in zip(whole.caps_e9, whole.lots_e9, strict=True)]
    caps = np.array(counts, np.float64) * lots[:, None]  # (m, n)
    totals = np.array([total // lot for total, lot in zip(whole.totals_e9, whole.lots_e9, strict=True)], np.float64) * lots
    least, n = limits.least, caps.shape[1]
    finished = least is None or bool((np.asarray(least) >= 1).all())
    if least is not None:
        wanted = np.ceil(np.asarray(least) * basket.totals / lots * (1 - _SLACK)) * lots
        least = np.where(totals > 0, np.minimum(1.0, wanted / np.where(totals > 0, totals, 1.0)), 0.0)
    short = caps.sum(axis=1) < totals * (1.0 if least is None else least) * (1 - _SLACK)
    if short.any():
        name = basket.names[int(np.argmax(short))]
        raise Infeasible(f"{name}: its limits leave no room in whole lots: raise them, or give it more time")
    so_far = basket.prices * (lots / 2 + odd)  # what rounding may come to, of all intervals together
    groups = [
        each._replace(band=_narrowed(each.name, each.band, float(np.abs(each.weights) @ so_far), n, finished))
        for each in limits.groups
    ]
    return basket._replace(totals=totals, caps=caps), limits._replace(
        cash=limits.cash and _narrowed("cash", limits.cash, float(basket.prices @ (lots + odd)), n),
        running=limits.running and _narrowed("running cash", limits.running, float(so_far.sum()), n, finished),
        groups=tuple(groups),
        least=least,
    )


def _narrowed(name: str, band: Band, by: float, n: int, finished: bool = False) -> Band:
    """By what rounding may come to; where all is traded by the last interval, the end is certain and was checked."""
    low, high = (np.array(np.broadcast_to(each, (n,)), np.float64) for each in band)
    low, high = low + by, high - by
    if finished:
        low[-1], high[-1] = -np.inf, np.inf
    if not (low <= high).all():
        raise Infeasible(f"the limits of {name} leave no room for whole lots, whose rounding may come to {by:,.2f}")
    return Band(low, high)


def _rounded(shares: F64, caps: list[int], total: int, least: float) -> list[int]:
    """Lots by interval along the running sum of shares (n,), in lots."""
    target = list(accumulate(float(each) for each in shares))
    last = total if least >= 1 else min(total, sum(caps), max(round(target[-1]), math.ceil(least * total * (1 - _SLACK))))
    room = list(accumulate(reversed(caps), initial=0))[::-1][1:]  # after each interval
    out, done = [], 0
    for k, (along, cap) in enumerate(zip(target, caps, strict=True)):
        up_to = min(max(round(along), done, last - room[k]), done + cap, last)
        out.append(up_to - done)
        done = up_to
    return out


def _place_of_rest(name: str, row: list[int], caps_e9: list[int], odd_e9: int) -> int:
    """The interval that an odd rest goes with: the last that trades and has room, else the last that has."""
    room = [k for k, (traded, cap) in enumerate(zip(row, caps_e9, strict=True)) if traded + odd_e9 <= cap]
    if not room:
        raise Infeasible(f"{name}: its limits leave no room for its odd rest of {odd_e9 / E9:g} shares")
    return max((k for k in room if row[k]), default=room[-1])


def _nothing(basket: Basket) -> BasketSolution:
    m, n = basket.caps.shape
    none = np.zeros((m, n))
    return BasketSolution(none, basket.totals, 0.0, 0.0, "nothing in whole lots", none[:, 0], none[:0], none[:0], none[:, 0], 0.0)


def _verify(basket: Basket, limits: BasketLimits, slices: list[tuple[int, ...]], caps_e9: list[list[int]]) -> None:
    """Raises SolverFailed where a limit is not held: nothing is planned that breaks one."""
    room = _SLACK * gross(basket)
    traded = np.array(slices, np.float64) / E9
    if any(not 0 <= each <= cap for row, caps in zip(slices, caps_e9, strict=True) for each, cap in zip(row, caps, strict=True)):
        raise SolverFailed("whole lots that break a cap")
    paid = (basket.signs * basket.prices) @ traded
    left = (basket.signs * basket.prices)[:, None] * (basket.totals[:, None] - traded.cumsum(axis=1))
    held = [("cash", limits.cash, paid), ("running cash", limits.running, paid.cumsum())]
    held += [(each.name, each.band, each.weights @ left) for each in limits.groups]
    for name, band, values in held:
        if band is not None and not ((values >= band.low - room) & (values <= band.high + room)).all():
            raise SolverFailed(f"whole lots that break the limits of {name}")
