"""Adaptive: what the world model foresees of moves and liquidity, an optimum of it, and whole lots.

Foresight (`models.planners.foresight`) and impact (`models.planners.impact`) make an outlook of the order's intervals, the
program (`models.planners.program`) its cheapest schedule. Twenty intervals hang on the order's start and end alone, so plans made
again agree on where they end. What the schedule before has already released is left to it until its slice ends: however
often it is planned again, each interval is decided once, and fills cannot rush an order through.

Where that cannot be done, Almgren-Chriss plans, and where that fails too, TWAP; the schedule says which and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from domain.errors import EmsError, ForecastError, InvariantBroken, ModelRefused
from domain.observation import Observation
from domain.schedule import Evidence, PlanRequest, Schedule, Slice
from domain.values import E9, Side
from models.planners.almgren_chriss import URGENCY, AlmgrenChriss
from models.planners.foresight import Foreseen, foresee, seed_of
from models.planners.impact import impact
from models.planners.ladder import SECOND_NS, all_now
from models.planners.program import INTERVALS, Outlook, Program, Solution
from models.planners.twap import Twap
from models.rollout import SAMPLES
from models.sight import Sight, sight

F64 = NDArray[np.float64]
AGE_NS_MAX: Final = 60 * SECOND_NS  # of an observation that may be planned on
TAIL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Adaptive:
    """The chapter's scheduler. tail_aversion: how many times the mean cost of the worst twentieth of the futures is added to the
    expected cost; 0: variance alone is weighed, by the order's urgency."""

    NAME: ClassVar[str] = "adaptive/1"
    seen: Sight | None = None  # None: the shipped weights
    tail_aversion: float = 0.0
    fallbacks: tuple[AlmgrenChriss | Twap, ...] = field(default=(AlmgrenChriss(), Twap()))

    def plan(self, request: PlanRequest) -> Schedule:
        """Slices in time order that sum to what remains, in whole lots but for the last."""
        try:
            return self._foreseen(request)
        except (EmsError, ArithmeticError, ValueError) as error:
            return self.instead(request, f"{type(error).__name__}: {error}")

    def instead(self, request: PlanRequest, why: str) -> Schedule:
        """What plans where the model cannot."""
        for planner in self.fallbacks:
            try:
                said = planner.plan(request)
            except (EmsError, ArithmeticError, ValueError) as error:
                why += f"; {planner.NAME}: {type(error).__name__}: {error}"
                continue
            return said.model_copy(update={"planner": f"{self.NAME} {planner.NAME}", "fallback": why})
        raise InvariantBroken(f"{request.parent}: no planner can plan it: {why}")

    def _foreseen(self, request: PlanRequest) -> Schedule:
        begin_ns = max(request.now_ns, request.start_ns)
        if request.remaining_e9 <= 0:
            return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=())
        if begin_ns >= request.end_ns:
            return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=all_now(request))
        due, free_ns = _carried(request, begin_ns)
        left_e9 = request.remaining_e9 - sum(each.quantity_e9 for each in due)
        if left_e9 == 0:
            return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=due)
        edges = _edges(request, free_ns)
        observation = request.observation
        if observation is None:
            raise ForecastError("there is no market data to foresee by")
        if not 0 <= request.now_ns - observation.time_ns <= AGE_NS_MAX:
            raise ForecastError(f"the market data is {(request.now_ns - observation.time_ns) / SECOND_NS:.1f} s old")
        seen, seed = self.seen or _shipped(), seed_of(request.parent, request.plan_number)
        if request.models is not None and seen.digest not in request.models:
            raise ModelRefused(f"version {seen.digest[:12]} is not registered, was retired, or nobody has promoted it")
        after = np.array(edges, np.int64) - observation.time_ns
        ahead = foresee(seen, observation, after, seed=seed)
        solution = self._solved(request, ahead, left_e9)
        slices = (*due, *_lots(solution.shares[: len(edges) - 1], edges, left_e9, request.lot_e9))
        return Schedule(
            planner=self.NAME,
            filled_e9=request.filled_e9,
            slices=slices,
            evidence=_evidence(seen, observation, ahead, solution, left_e9, edges).model_copy(update={"seed": seed}),
        )

    def _solved(self, request: PlanRequest, ahead: Foreseen, left_e9: int) -> Solution:
        outlook, caps = outlook_of(request, ahead)
        if not self.tail_aversion:
            return program().solve(outlook, left_e9 / E9, caps)
        price = _price_unit(request)
        sign = 1.0 if request.side is Side.BUY else -1.0
        moves = np.zeros((SAMPLES, INTERVALS))
        moves[:, : len(ahead.moves)] = (ahead.paths - ahead.moves) * sign * price
        return program(SAMPLES).solve(outlook, left_e9 / E9, caps, moves=moves, aversion=self.tail_aversion)


def outlook_of(request: PlanRequest, ahead: Foreseen) -> tuple[Outlook, F64]:
    """What is foreseen as the program's outlook, from the side of the order, and the caps of its intervals in shares: (20,).

    Places beyond the order's last interval have a cap of 0. A spread that is foreseen to widen is a move against both sides.
    """
    assert request.observation is not None
    n = len(ahead.moves)
    price, size = _price_unit(request), request.observation.size_unit_e9 / E9
    sign = 1.0 if request.side is Side.BUY else -1.0
    tick = 1e-3  # of a price unit: what never moves has no risk, and no impact either
    volatility, spread = np.maximum(ahead.deviation, tick) * price, np.maximum(ahead.spread, tick) * price
    least = request.lot_e9 / E9
    volume = np.maximum(ahead.volume * size, least)
    depth = np.maximum((ahead.depth_ask if sign > 0 else ahead.depth_bid) * size, least)
    cost = impact(volatility, volume, spread, depth)
    alpha = sign * ahead.moves * price
    alpha[:-1] += 0.5 * np.diff(spread)
    urgency = URGENCY if request.urgency_e9 is None else request.urgency_e9 / E9
    weight = float((cost.eta + cost.kappa / 2.0).mean()) * (urgency / INTERVALS) ** 2
    variance = volatility * volatility
    risk = weight * variance / variance.mean()
    rate = request.max_participation_e9
    caps = np.full(n, np.inf) if rate is None else rate / E9 * volume

    def padded(values: F64, rest: float) -> F64:
        return np.concatenate([values, np.full(INTERVALS - n, rest)])

    outlook = Outlook(
        alpha=padded(alpha, 0.0), eta=padded(cost.eta, float(cost.eta.mean())), kappa=padded(cost.kappa, float(cost.kappa[-1])),
        decay=padded(cost.decay, 1.0), gamma=cost.gamma, risk=padded(risk, 0.0), displacement=0.0, closing=None,
    )  # fmt: skip
    return outlook, padded(caps, 0.0)


@cache
def program(paths: int = 0) -> Program:
    """Compiled once in a process."""
    return Program(INTERVALS, paths=paths, tail=TAIL)


@cache
def _shipped() -> Sight:
    return sight()


def _carried(request: PlanRequest, begin_ns: int) -> tuple[tuple[Slice, ...], int]:
    """What the schedule before has begun and not filled, as it stands, and from when on there is something to decide."""
    if request.due_until_ns <= begin_ns:
        return (), begin_ns
    until_ns = min(request.due_until_ns, request.end_ns)
    due_e9 = min(max(request.due_e9, 0), request.remaining_e9)
    if due_e9 < request.remaining_e9:
        due_e9 = due_e9 // request.lot_e9 * request.lot_e9
    if until_ns >= request.end_ns:
        due_e9 = request.remaining_e9
    return (Slice(begin_ns, until_ns, due_e9),) if due_e9 else (), until_ns


def _edges(request: PlanRequest, free_ns: int) -> list[int]:
    """The bounds of what is still to be decided: 20 intervals from start to end, none shorter than a second, the first cut."""
    span_ns = request.end_ns - request.start_ns
    count = max(1, min(INTERVALS, span_ns // SECOND_NS))
    bounds = [request.start_ns + span_ns * i // count for i in range(count + 1)]
    return [free_ns, *(bound for bound in bounds if bound > free_ns)]


def _lots(shares: F64, edges: list[int], left_e9: int, lot_e9: int) -> tuple[Slice, ...]:
    """Whole lots along the sum of the shares, never half a lot off it; the odd rest goes with the last."""
    targets = np.cumsum(shares) / shares.sum()
    slices, released_e9 = [], 0
    for k, target in enumerate(targets):
        last = k + 1 == len(targets)
        due_e9 = left_e9 if last else min(round(float(target) * left_e9 / lot_e9) * lot_e9, left_e9 // lot_e9 * lot_e9)
        if due_e9 > released_e9:
            slices.append(Slice(edges[k], edges[k + 1], due_e9 - released_e9))
            released_e9 = due_e9
    return tuple(slices)


def _price_unit(request: PlanRequest) -> float:
    assert request.observation is not None
    return request.observation.price_unit_e9 / E9


def _evidence(
    seen: Sight, observation: Observation, ahead: Foreseen, solution: Solution, left_e9: int, edges: list[int]
) -> Evidence:
    return Evidence(
        weights_sha256=seen.digest,
        observation_sha256=observation.sha256,
        seed=0,
        samples=SAMPLES,
        solver=solution.status,
        expected_cost_e9=round(solution.cost / (left_e9 / E9) * E9),
        duals=tuple(float(each) for each in solution.duals),
        lifted=solution.lifted,
        latents=ahead.latents.astype("<f2").tobytes().hex(),
        latents_ns=tuple(edges),
    )
