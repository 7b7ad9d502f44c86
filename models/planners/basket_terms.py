"""What a basket is: many orders with what their prices do together, the limits on them as one, and what is weighed.

What has no schedule for a reason that can be seen without solving is an error here, whose message names the order or the limit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import Infeasible, ProgramInput
from models.planners.basket_program import ORDERS_MAX
from models.planners.outlook import Outlook
from models.planners.program import ROOM

F64 = NDArray[np.float64]
_ROUNDING: Final = 1e-9  # of a correlation matrix's largest eigenvalue, and of a basket's gross value


class Basket(NamedTuple):
    """m orders over n intervals; rows are orders.

    names: (m,) for messages. signs: (m,) 1 for purchases, -1 for sales. totals: (m,) shares. prices: (m,) at the start. outlook:
    arrays (m, n) and gamma, displacement (m,), from each order's own side, without risk and closing. volatility: (m, n) of
    each interval's move, price units. correlation: (m, m). caps: (m, n) shares. cross: how much of impact is shared, 0 to 1.
    """

    names: tuple[str, ...]
    signs: F64
    totals: F64
    prices: F64
    outlook: Outlook
    volatility: F64
    correlation: F64
    caps: F64
    cross: float = 0.0


class Band(NamedTuple):
    """A low and a high, numbers or (n,); infinite where there is none."""

    low: float | F64 = -np.inf
    high: float | F64 = np.inf


class Group(NamedTuple):
    """Orders whose exposure (signed value of what is left) is bounded after each interval. weights: (m,), mostly 0 and 1."""

    name: str
    weights: F64
    band: Band


class BasketLimits(NamedTuple):
    """cash: net paid in each interval. running: net paid so far. groups: sectors, or all orders. least: (m,) share of each order
    that must be traded, 1 everywhere where None."""

    cash: Band | None = None
    running: Band | None = None
    groups: tuple[Group, ...] = ()
    least: F64 | None = None


class Weights(NamedTuple):
    """aversion: currency per squared currency of variance. unfinished: currency per currency of value that is left."""

    aversion: float = 0.0
    unfinished: float = 0.0


def check(basket: Basket, limits: BasketLimits, weights: Weights) -> None:
    """Raises ProgramInput where numbers fit no basket."""
    m = len(basket.names)
    if not 1 <= m <= ORDERS_MAX:
        raise ProgramInput(f"a basket of {m} orders: from 1 to {ORDERS_MAX} are planned together")
    n = np.shape(basket.caps)[-1] if np.ndim(basket.caps) == 2 else 0
    shapes = {"signs": (m,), "totals": (m,), "prices": (m,), "volatility": (m, n), "correlation": (m, m), "caps": (m, n)}
    for name, shape in shapes.items():
        array = np.asarray(getattr(basket, name))
        if array.shape != shape or n < 1:
            raise ProgramInput(f"a basket whose {name} is of shape {array.shape} and not {shape}")
        if np.isnan(array).any() or (name != "caps" and not np.isfinite(array).all()):
            raise ProgramInput(f"a basket whose {name} is not a number")
    if not np.isin(basket.signs, (1.0, -1.0)).all():
        raise ProgramInput("a basket in which an order neither buys nor sells")
    for name in ("totals", "volatility", "caps"):
        if (np.asarray(getattr(basket, name)) < 0).any():
            raise ProgramInput(f"a basket whose {name} is below 0")
    if not (np.asarray(basket.prices) > 0).all() or not (np.asarray(basket.totals) > 0).any():
        raise ProgramInput("a basket in which a price is not above 0, or nothing is to be traded")
    if basket.outlook.closing is not None or np.any(basket.outlook.risk) or np.shape(basket.outlook.alpha) != (m, n):
        raise ProgramInput("a basket's outlook has an array of (orders, intervals) without risk and closing")
    _check_correlation(basket)
    if not 0 <= basket.cross <= 1 or not (0 <= weights.aversion < np.inf and 0 <= weights.unfinished < np.inf):
        raise ProgramInput(f"a basket with shared impact {basket.cross} and weights {tuple(weights)}")
    _check_limits(limits, m, n)


def _check_correlation(basket: Basket) -> None:
    matrix = np.asarray(basket.correlation)
    if np.abs(matrix - matrix.T).max() > _ROUNDING or np.abs(np.diag(matrix) - 1.0).max() > _ROUNDING:
        raise ProgramInput("a correlation matrix that is not symmetric, or has not 1 on its diagonal")
    least, *_, most = (float(each) for each in np.linalg.eigvalsh(matrix)[[0, -1]])
    if least < -_ROUNDING * max(most, 1.0):
        raise ProgramInput(f"no prices have this correlation matrix: its least eigenvalue is {least:.3g}")


def _check_limits(limits: BasketLimits, m: int, n: int) -> None:
    bands = {"cash": limits.cash, "running cash": limits.running} | {each.name: each.band for each in limits.groups}
    for name, band in bands.items():
        if band is None:
            continue
        low, high = (np.asarray(each, np.float64) for each in band)
        if low.shape not in ((), (n,)) or high.shape not in ((), (n,)) or not (low <= high).all():
            raise ProgramInput(f"the limits of {name}: low is not below high, or they are not {n} numbers")
    if any(np.shape(each.weights) != (m,) or not np.isfinite(each.weights).all() for each in limits.groups):
        raise ProgramInput(f"a group's weights are not {m} numbers")
    if limits.least is not None:
        least = np.asarray(limits.least, np.float64)
        if least.shape != (m,) or not ((least >= 0) & (least <= 1)).all():
            raise ProgramInput(f"the shares of orders that must be traded are {m} numbers from 0 to 1")


def check_room(basket: Basket, limits: BasketLimits) -> None:
    """Raises Infeasible for what can be seen without solving, each with its name."""
    least = np.ones(len(basket.names)) if limits.least is None else np.asarray(limits.least)
    room = np.minimum(basket.caps, basket.totals[:, None]).sum(axis=1)
    for i in np.flatnonzero(room < least * basket.totals * (1.0 - ROOM)):
        raise Infeasible(
            f"{basket.names[i]}: the limits let at most {room[i]:g} of {least[i] * basket.totals[i]:g} shares trade before the "
            "end: raise its participation or size limit, or give it more time"
        )
    if limits.least is not None and (least < 1).any():
        return  # what may be left decides
    last = [float(np.broadcast_to(each, basket.caps.shape[1:])[-1]) for each in limits.running or Band()]
    net, room_e = float((basket.signs * basket.prices * basket.totals).sum()), _ROUNDING * gross(basket)
    if not last[0] - room_e <= net <= last[1] + room_e:
        raise Infeasible(
            f"the whole basket pays {net:,.2f} net, outside the running cash limits of {last[0]:,.2f} to {last[1]:,.2f}: "
            "widen them, or let orders be left unfinished"
        )
    for group in limits.groups:
        low, high = (float(np.broadcast_to(each, basket.caps.shape[1:])[-1]) for each in group.band)
        if not low <= 0.0 <= high:
            raise Infeasible(f"group {group.name}: a finished basket has no exposure, outside {low:,.2f} to {high:,.2f}")


def gross(basket: Basket) -> float:
    """Value of all orders at the start's prices, currency."""
    return float((basket.prices * basket.totals).sum())
