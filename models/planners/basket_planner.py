"""Orders of a list planned together: what the world model foresees of each, one program, whole lots of each.

Twenty intervals hang on the first order's start and the last one's end; an order trades in those that lie in its own window, in
one that lies partly in it as large a part of what its participation allows. What schedules before have released is left to them,
as `models.planners.adaptive` has it, and is counted in the cash. The aversion to risk is one number for all: the mean, by value,
of what each order's urgency comes to. Prices are the markets' middles.

Where they cannot be planned together each is planned by itself, and every schedule says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain import decision
from domain.basket import ORDERS_MAX, BasketEvidence, BasketRequest, BasketSchedule
from domain.errors import EmsError, ForecastError, ProgramInput
from domain.schedule import PlanRequest, Schedule, Slice
from domain.values import E9, Side
from models.planners.adaptive import Adaptive, Prospect, evidence_of, look
from models.planners.basket import BasketSolution, own_costs
from models.planners.basket_lots import plan
from models.planners.basket_terms import Band, Basket, BasketLimits, Weights
from models.planners.outlook import Outlook
from models.planners.program import INTERVALS
from models.planners.slicing import carried, edges_of
from models.sight import Sights, shipped

F64 = NDArray[np.float64]
PLACES = INTERVALS + 1  # the last is the closing auction


class _Part(NamedTuple):
    """An order with something to decide. due: what is released; free_ns: from when on it may trade more."""

    at: int  # among the request's orders
    request: PlanRequest
    due: tuple[Slice, ...]
    free_ns: int
    left_e9: int
    price: float


@dataclass(frozen=True, slots=True)
class BasketPlanner:
    """Plans a list's orders as one."""

    NAME: ClassVar[str] = "basket/1"
    sights: Sights = shipped

    def plan(self, request: BasketRequest) -> BasketSchedule:
        """Each order's slices and what it leaves to the closing auction sum to what remains of it."""
        try:
            return self._together(request)
        except (EmsError, ArithmeticError, ValueError) as error:
            return self.instead(request, f"{type(error).__name__}: {error}")

    def instead(self, request: BasketRequest, why: str) -> BasketSchedule:
        """Each by itself."""
        key, alone = str(decision.basket_key(request)), Adaptive(sights=self.sights)
        schedules = []
        for order in request.orders:
            said = alone.plan(order)
            text = f"not planned together: {why}" + (f"; {said.fallback}" if said.fallback else "")
            schedules.append(said.model_copy(update={"basket": key, "fallback": text}))
        return BasketSchedule(planner=f"{self.NAME} {alone.NAME}", schedules=tuple(schedules), fallback=why)

    def _together(self, request: BasketRequest) -> BasketSchedule:
        if len(request.orders) > ORDERS_MAX:
            raise ProgramInput(f"a basket of {len(request.orders)} orders, {ORDERS_MAX} at most")
        if request.cash_e9 is not None and len(set(request.currencies)) > 1:
            raise ProgramInput(f"one bound on the cash of orders in {', '.join(sorted(set(request.currencies)))}")
        key = str(decision.basket_key(request))
        parts, done = _parts(request), {}
        for at, order in enumerate(request.orders):
            if at not in {part.at for part in parts}:  # nothing of it is to be decided any more
                done[at] = Adaptive(sights=self.sights).plan(order)
        evidence = None
        if parts:
            found, evidence = self._solved(request, parts)
            done |= found
        schedules = tuple(done[at].model_copy(update={"basket": key}) for at in range(len(request.orders)))
        return BasketSchedule(planner=self.NAME, schedules=schedules, evidence=evidence)

    def _solved(self, request: BasketRequest, parts: list[_Part]) -> tuple[dict[int, Schedule], BasketEvidence]:
        start_ns, end_ns = (
            pick(getattr(part.request, name) for part in parts) for pick, name in ((min, "start_ns"), (max, "end_ns"))
        )
        edges = edges_of(start_ns, end_ns, min(part.free_ns for part in parts))
        prospects = [look(part.request, edges, self.sights) for part in parts]
        basket = _basket(parts, prospects, edges, request.correlation_e9 / E9)
        found = plan(
            basket, tuple(part.request.lot_e9 for part in parts), _limits(request, parts), Weights(_aversion(basket, prospects)),
            totals_e9=tuple(part.left_e9 for part in parts), rest_until=INTERVALS,
        )  # fmt: skip
        costs = own_costs(basket, np.array(found.slices_e9, np.float64) / E9)
        schedules = {}
        for i, (part, prospect, row) in enumerate(zip(parts, prospects, found.slices_e9, strict=True)):
            evidence = evidence_of(
                prospect, edges, solver=found.solution.status, cost_e9=round(costs[i] / part.left_e9 * E9 * E9),
                duals=found.solution.duals[i : i + 1], lifted=float(found.solution.lifted[i]),
            )  # fmt: skip
            schedules[part.at] = Schedule(
                planner=self.NAME, filled_e9=part.request.filled_e9, slices=(*part.due, *_slices(part, edges, row)),
                at_close_e9=row[-1], evidence=evidence,
            )  # fmt: skip
        return schedules, _evidence(found.solution)


def _parts(request: BasketRequest) -> list[_Part]:
    """The orders of which something is to be decided. Raises ForecastError where a market has no middle."""
    parts = []
    for at, order in enumerate(request.orders):
        begin_ns = max(order.now_ns, order.start_ns)
        if order.remaining_e9 <= 0 or begin_ns >= order.end_ns:
            continue
        due, free_ns = carried(order, begin_ns)
        left_e9 = order.remaining_e9 - sum(each.quantity_e9 for each in due)
        if left_e9 > 0 and free_ns < order.end_ns:
            parts.append(_Part(at, order, due, free_ns, left_e9, _price(order)))
    return parts


def _price(order: PlanRequest) -> float:
    middle = None if order.market is None else order.market.mid_e9
    if not middle or middle <= 0:
        raise ForecastError(f"{order.instrument}: its market has not both sides")
    return middle / E9


def _basket(parts: list[_Part], prospects: list[Prospect], edges: list[int], correlation: float) -> Basket:
    """Arrays of 21 places: intervals, those that there are not with a cap of 0, and the closing auction."""
    m = len(parts)
    closings = [each.outlook.closing for each in prospects]

    def rows(name: str, last: float) -> F64:
        return np.stack([np.append(getattr(each.outlook, name), last) for each in prospects])

    eta = rows("eta", 0.0)
    eta[:, -1] = [row[:-1].mean() if closing is None else closing.eta for row, closing in zip(eta, closings, strict=True)]
    outlook = Outlook(
        alpha=rows("alpha", 0.0), eta=eta, kappa=rows("kappa", 0.0), decay=rows("decay", 1.0),
        gamma=np.array([each.outlook.gamma for each in prospects], np.float64), risk=np.zeros((m, PLACES)),
        displacement=np.zeros(m),
    )  # fmt: skip
    caps = np.zeros((m, PLACES))
    for i, (part, prospect) in enumerate(zip(parts, prospects, strict=True)):
        inside = _inside(part, edges)
        traded = inside > 0
        caps[i, : len(inside)][traded] = prospect.caps[: len(inside)][traded] * inside[traded]
        caps[i, -1] = 0.0 if (closing := closings[i]) is None else closing.cap
    return Basket(
        names=tuple(part.request.instrument for part in parts),
        signs=np.array([_sign(part.request) for part in parts]),
        totals=np.array([part.left_e9 / E9 for part in parts]),
        prices=np.array([part.price for part in parts]),
        outlook=outlook,
        volatility=np.stack([np.append(each.volatility, 0.0) for each in prospects]),
        correlation=np.full((m, m), correlation) + (1.0 - correlation) * np.eye(m),
        caps=caps,
    )


def _inside(part: _Part, edges: list[int]) -> F64:
    """(n,) which part of each interval is the order's to trade in."""
    low, high = np.maximum(edges[:-1], part.free_ns), np.minimum(edges[1:], part.request.end_ns)
    return np.asarray(np.maximum(high - low, 0) / np.diff(edges), np.float64)


def _limits(request: BasketRequest, parts: list[_Part]) -> BasketLimits:
    """Cash that is paid, and that is due by what is released, counts."""
    if request.cash_e9 is None:
        return BasketLimits()
    paid = request.paid_e9 / E9
    deciding = {part.at: part for part in parts}
    for at, order in enumerate(request.orders):
        part = deciding.get(at)
        due_e9 = order.remaining_e9 if part is None else order.remaining_e9 - part.left_e9
        if due_e9 > 0:
            paid += _sign(order) * _price(order) * due_e9 / E9
    cash = request.cash_e9 / E9
    return BasketLimits(running=Band(-cash - paid, cash - paid))


def _aversion(basket: Basket, prospects: list[Prospect]) -> float:
    """The mean, by value, of what each order's urgency comes to: its price of risk over the variance."""
    each = [float(p.outlook.risk[0] / p.volatility[0] ** 2) for p in prospects]
    return float(np.average(each, weights=basket.totals * basket.prices))


def _slices(part: _Part, edges: list[int], row: tuple[int, ...]) -> tuple[Slice, ...]:
    windows = zip(edges[:-1], edges[1:], row, strict=False)
    return tuple(
        Slice(max(begin_ns, part.free_ns), min(end_ns, part.request.end_ns), quantity_e9)
        for begin_ns, end_ns, quantity_e9 in windows
        if quantity_e9
    )


def _evidence(solution: BasketSolution) -> BasketEvidence:
    return BasketEvidence(
        solver=solution.status,
        expected_cost_e9=round(solution.cost * E9),
        risk_e9=round(solution.variance**0.5 * E9),
        duals=tuple(float(each) for each in solution.duals),
        cash_duals=tuple(float(each) for each in solution.cash_duals[2:].ravel()) if len(solution.cash_duals) else (),
    )


def _sign(order: PlanRequest) -> float:
    return 1.0 if order.side is Side.BUY else -1.0
