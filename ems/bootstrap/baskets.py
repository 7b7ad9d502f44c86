"""`ems basket`: a file that describes a basket -> its front over cost, risk and completion, and the plan that weights choose."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.errors import ConfigError, NumberError
from domain.values import E9, to_e9
from ems.bootstrap.basket_pictures import draw
from models.planners.basket import apart, gross
from models.planners.basket_front import Point, Preference, chosen, front
from models.planners.basket_lots import BasketPlan, plan
from models.planners.basket_terms import Band, Basket, BasketLimits, Group
from models.planners.impact import impact
from models.planners.outlook import Outlook

F64 = NDArray[np.float64]
DAY_MINUTES: Final = 390.0
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=100)]
Between = float | tuple[float, float]  # either way, or low and high


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrderEntry(_Strict):
    """One order. Quantities are texts or whole numbers, so that they are exact."""

    symbol: str
    side: Literal["buy", "sell"]
    quantity: str | int
    price: Positive
    adv: Positive  # average daily volume, shares
    volatility: Annotated[float, Field(ge=0, allow_inf_nan=False)]  # of a day, per cent
    spread_bps: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    drift_bps: Annotated[float, Field(allow_inf_nan=False)] = 0.0  # the price's expected move while it is worked
    group: str = ""
    lot: str | int = 1
    max_participation: Annotated[float, Field(gt=0, le=100)] | None = None  # per cent of the volume
    max_interval: Positive | None = None  # shares
    finish: Share = 100.0  # per cent that must be traded


class GroupEntry(_Strict):
    """A bound on what is left of the orders of a group, signed value; from an interval on, since it may be outside at first."""

    name: str
    limit: Between
    from_interval: Annotated[int, Field(ge=1)] = 1


class CashEntry(_Strict):
    """Net cash paid: purchases less sales."""

    interval: Between | None = None
    running: Between | None = None


class BasketFile(_Strict):
    """The whole file. correlation: between any two, or a matrix in the order of the orders."""

    minutes: Annotated[float, Field(gt=0, le=10 * DAY_MINUTES)]
    intervals: Annotated[int, Field(ge=1, le=60)] = 20
    correlation: float | tuple[tuple[float, ...], ...]
    cross: Annotated[float, Field(ge=0, le=1)] = 0.0
    cash: CashEntry = CashEntry()
    groups: tuple[GroupEntry, ...] = ()
    orders: Annotated[tuple[OrderEntry, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _names(self) -> BasketFile:
        known = [each.name for each in self.groups]
        for name in known:
            if known.count(name) > 1:
                raise ValueError(f"group {name} is there twice")
        for order in self.orders:
            if order.group and order.group not in known:
                raise ValueError(f"{order.symbol}: there is no group {order.group}; there are {', '.join(known) or 'none'}")
        return self


class Told(NamedTuple):
    """What the file has, and what follows."""

    basket: Basket
    limits: BasketLimits
    points: list[Point]
    choice: Point
    planned: BasketPlan
    alone: tuple[float, float]  # cost and risk of planning each by itself at the same aversion, basis points


def read(path: Path) -> tuple[Basket, BasketLimits, tuple[int, ...]]:
    """Basket, limits and lots at 1e-9.

    Raises:
        ConfigError: the file cannot be read, or an entry is wrong, which it names.
    """
    try:
        file = BasketFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as cause:
        raise ConfigError(f"{path}: {cause}") from cause
    except ValidationError as cause:
        first = cause.errors()[0]
        where = ".".join(str(each) for each in first["loc"])
        raise ConfigError(f"{path}: {where}: {first['msg']}" if where else f"{path}: {first['msg']}") from cause
    try:
        quantities = [to_e9(str(each.quantity)) for each in file.orders]
        lots = tuple(to_e9(str(each.lot)) for each in file.orders)
    except NumberError as cause:
        raise ConfigError(f"{path}: {cause}") from cause
    if min(*quantities, *lots) <= 0:
        raise ConfigError(f"{path}: quantities and lots are above 0")
    return _basket(file, np.array(quantities) / E9), _limits(file), lots


def tell(path: Path, weights: tuple[float, float, float], picture: Path | None = None) -> dict[str, Any]:
    """The front, the plan that the weights (of cost, risk and completion) choose, and each order planned by itself beside it.

    Raises:
        ConfigError: as `read`, or the picture cannot be written. ProgramError: there is no schedule, and why.
    """
    basket, limits, lots = read(path)
    choice = chosen(basket, limits, Preference(*weights))
    points = front(basket, limits)
    planned, alone = plan(basket, lots, limits, choice.weights), apart(basket, choice.weights)
    value = gross(basket)
    told = Told(basket, limits, points, choice, planned, (alone.cost / value * 1e4, math.sqrt(alone.variance) / value * 1e4))
    if picture is not None:
        try:
            draw(points, choice, basket, np.array(planned.slices_e9, np.float64) / E9, told.alone, picture)
        except OSError as cause:
            raise ConfigError(f"the picture cannot be written: {cause}") from cause
    return _json(told)


def table(figures: dict[str, Any]) -> list[str]:
    """Lines for a person."""
    lines = [f"{'cost bps':>10}{'risk bps':>10}{'traded':>9}   weights of cost, risk, completion"]
    lines += [_line(point) for point in figures["front"]]
    lines += ["", "chosen by your weights:", _line(figures["chosen"])]
    alone = figures["apart"]
    lines.append(f"{alone['cost_bps']:>10.2f}{alone['risk_bps']:>10.2f}{'':>9}   each order by itself, without limits")
    for order in figures["chosen"]["orders"]:
        shares = " ".join(f"{each:g}" for each in order["slices"])
        left = f"; {order['left']:g} left" if order["left"] else ""
        lines.append(f"{order['side']} {order['symbol']}: {shares}{left}")
    return lines


def _line(point: dict[str, Any]) -> str:
    weights = ", ".join(f"{each:.3g}" for each in point["weights"].values())
    return f"{point['cost_bps']:>10.2f}{point['risk_bps']:>10.2f}{100 * point['completion']:>8.1f}%   {weights}"


def _basket(file: BasketFile, totals: F64) -> Basket:
    m, n = len(file.orders), file.intervals
    interval = file.minutes / n / DAY_MINUTES  # of a day
    ones = np.ones(n)
    signs = np.array([1.0 if each.side == "buy" else -1.0 for each in file.orders])
    prices = np.array([each.price for each in file.orders])
    volume = np.array([each.adv * interval for each in file.orders])
    volatility = prices * np.array([each.volatility for each in file.orders]) / 100 * np.sqrt(interval)
    moved = [
        impact(v * ones, traded * ones, order.spread_bps * 1e-4 * price * ones, np.full(n, max(1.0, traded * 1e-3)))
        for v, traded, order, price in zip(volatility, volume, file.orders, prices, strict=True)
    ]
    drift = signs * prices * np.array([each.drift_bps for each in file.orders]) * 1e-4 / n
    outlook = Outlook(
        alpha=drift[:, None] * ones, eta=np.stack([each.eta for each in moved]), kappa=np.stack([each.kappa for each in moved]),
        decay=np.stack([each.decay for each in moved]), gamma=np.array([each.gamma for each in moved]), risk=np.zeros((m, n)),
        displacement=np.zeros(m),
    )  # fmt: skip
    caps = np.full((m, n), np.inf)
    for i, each in enumerate(file.orders):
        if each.max_participation is not None:
            caps[i] = each.max_participation / 100 * volume[i]
        if each.max_interval is not None:
            caps[i] = np.minimum(caps[i], each.max_interval)
    given = file.correlation
    correlation = np.array(given) if isinstance(given, tuple) else np.full((m, m), given) + (1 - given) * np.eye(m)
    names = tuple(each.symbol for each in file.orders)
    return Basket(names, signs, totals, prices, outlook, volatility[:, None] * ones, correlation, caps, file.cross)


def _limits(file: BasketFile) -> BasketLimits:
    groups = []
    for entry in file.groups:
        low, high = _band(entry.limit)
        bounded = np.arange(file.intervals) >= entry.from_interval - 1
        band = Band(np.where(bounded, low, -np.inf), np.where(bounded, high, np.inf))
        groups.append(Group(entry.name, np.array([float(each.group == entry.name) for each in file.orders]), band))
    least = np.array([each.finish for each in file.orders]) / 100
    return BasketLimits(
        cash=None if file.cash.interval is None else _band(file.cash.interval),
        running=None if file.cash.running is None else _band(file.cash.running),
        groups=tuple(groups), least=None if (least >= 1).all() else least,
    )  # fmt: skip


def _band(limit: Between) -> Band:
    return Band(-abs(limit), abs(limit)) if isinstance(limit, float | int) else Band(*limit)


def _json(told: Told) -> dict[str, Any]:
    basket = told.basket
    rows = zip(basket.names, basket.signs, told.planned.slices_e9, told.planned.left_e9, told.choice.solution.duals, strict=True)
    orders = [
        {
            "symbol": name, "side": "buy" if sign > 0 else "sell", "slices": [each / E9 for each in slices], "left": left / E9,
            "price_of_a_share_more": float(dual),
        }
        for name, sign, slices, left, dual in rows
    ]  # fmt: skip
    choice = _point(told.choice) | {"orders": orders, "solver": told.choice.solution.status}
    cost, risk = told.alone
    return {
        "value": gross(basket), "front": [_point(each) for each in told.points], "chosen": choice,
        "apart": {"cost_bps": cost, "risk_bps": risk},
    }  # fmt: skip


def _point(point: Point) -> dict[str, Any]:
    return {
        "cost_bps": point.cost_bps, "risk_bps": point.risk_bps, "completion": point.completion,
        "weights": point.preference._asdict(),
    }  # fmt: skip


def as_text(figures: dict[str, Any], *, json_output: bool) -> str:
    """One JSON object, or a table."""
    return json.dumps(figures) if json_output else "\n".join(table(figures))
