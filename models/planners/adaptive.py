"""Adaptive: what the world model foresees of moves and liquidity, an optimum of it, and whole lots.

Foresight (`models.planners.foresight`) and impact (`models.planners.impact`) make an outlook of the order's intervals, the
program (`models.planners.program`) its cheapest schedule. Twenty intervals hang on the order's start and end alone, so plans made
again agree on where they end. What the schedule before has already released is left to it until its slice ends: however
often it is planned again, each interval is decided once, and fills cannot rush an order through.

What an order may leave to the closing auction is one more place of the program (`models.planners.closing`), so that it gets as
much of it as is cheaper there. With a tail aversion the mean cost of the worst twentieth of the futures is weighed too.

What is foreseen counts for as much as it is trusted (`PlanRequest.trust_e9`, `domain.standing`): the schedule is that much of the
way from the one that the same program finds with nothing foreseen, under the same caps, to its own.
Both keep all limits, and so does what lies between them.

Where that cannot be done, Almgren-Chriss plans, and where that fails too, TWAP; the schedule says which and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import EmsError, ForecastError, InvariantBroken, ModelRefused
from domain.observation import Observation
from domain.schedule import Evidence, PlanRequest, Schedule
from domain.values import E9, Side
from models.planners.almgren_chriss import URGENCY, AlmgrenChriss
from models.planners.auctions import LeavesTheClose
from models.planners.closing import closing_leg
from models.planners.foresight import Foreseen, foresee, seed_of
from models.planners.impact import impact
from models.planners.ladder import SECOND_NS, all_now
from models.planners.program import INTERVALS, Outlook, Program, Solution, expected_cost, quadratic
from models.planners.slicing import along, at_close, carried, edges_of
from models.planners.twap import Twap
from models.rollout import SAMPLES
from models.sight import Sight, Sights, shipped

F64 = NDArray[np.float64]
AGE_NS_MAX: Final = 60 * SECOND_NS  # of an observation that may be planned on
TAIL: Final = 0.05
STILL: Final = 1e-3  # of a price unit: what never moves has no risk, and no impact either


@dataclass(frozen=True, slots=True)
class Adaptive:
    """The chapter's scheduler. tail_aversion: how many times the mean cost of the worst twentieth of the futures is added to the
    expected cost; 0: variance alone is weighed, by the order's urgency."""

    NAME: ClassVar[str] = "adaptive/1"
    sights: Sights = shipped
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
                said = LeavesTheClose(planner).plan(request)
            except (EmsError, ArithmeticError, ValueError) as error:
                why += f"; {planner.NAME}: {type(error).__name__}: {error}"
                continue
            return said.model_copy(update={"planner": f"{self.NAME} {planner.NAME}", "fallback": why})
        raise InvariantBroken(f"{request.parent}: no planner can plan it: {why}")

    def _foreseen(self, request: PlanRequest) -> Schedule:
        begin_ns = max(request.now_ns, request.start_ns)
        if begin_ns >= request.end_ns or request.remaining_e9 <= 0:
            close_e9 = at_close(request, request.remaining_e9)
            slices = all_now(request.model_copy(update={"remaining_e9": request.remaining_e9 - close_e9}))
            return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=slices, at_close_e9=close_e9)
        due, free_ns = carried(request, begin_ns)
        left_e9 = request.remaining_e9 - sum(each.quantity_e9 for each in due)
        if left_e9 == 0 or free_ns >= request.end_ns:
            return Schedule(planner=self.NAME, filled_e9=request.filled_e9, slices=due, at_close_e9=left_e9)
        edges = edges_of(request.start_ns, request.end_ns, free_ns)
        prospect = look(request, edges, self.sights)
        solution = self._trusted(request, prospect, left_e9)
        count = len(edges) - 1
        close_e9 = 0
        if prospect.outlook.closing is not None:
            close_e9 = at_close(request, round(float(solution.shares[-1]) * E9 / request.lot_e9) * request.lot_e9)
        slices = (*due, *along(solution.shares[:count], edges, left_e9 - close_e9, request.lot_e9))
        cost_e9 = round(solution.cost / (left_e9 / E9) * E9)
        evidence = evidence_of(
            prospect, edges, solver=solution.status, cost_e9=cost_e9, duals=solution.duals, lifted=solution.lifted
        )
        return Schedule(
            planner=self.NAME, filled_e9=request.filled_e9, slices=slices, at_close_e9=close_e9, evidence=evidence
        )  # fmt: skip

    def _trusted(self, request: PlanRequest, prospect: Prospect, left_e9: int) -> Solution:
        """The optimum of what is foreseen, as far as that is trusted."""
        found = self._solved(request, prospect, left_e9)
        if request.trust_e9 is None or request.trust_e9 >= E9:
            return found
        trust = max(request.trust_e9, 0) / E9
        program_ = program(closing=prospect.outlook.closing is not None)
        base = program_.solve(neutral(prospect.outlook, len(prospect.ahead.moves)), left_e9 / E9, prospect.caps)
        shares = base.shares + trust * (found.shares - base.shares)
        cost = float(expected_cost(quadratic(prospect.outlook, left_e9 / E9), shares))
        return found._replace(shares=shares, cost=cost)

    def _solved(self, request: PlanRequest, prospect: Prospect, left_e9: int) -> Solution:
        closing = prospect.outlook.closing is not None
        aversion = self.tail_aversion if request.tail_aversion_e9 is None else request.tail_aversion_e9 / E9
        if not aversion:
            return program(closing=closing).solve(prospect.outlook, left_e9 / E9, prospect.caps)
        sign = 1.0 if request.side is Side.BUY else -1.0
        ahead = prospect.ahead
        moves = np.zeros((SAMPLES, INTERVALS))
        moves[:, : len(ahead.moves)] = (ahead.paths - ahead.moves) * sign * price_unit(prospect.observation)
        found = program(SAMPLES, closing=closing)
        return found.solve(prospect.outlook, left_e9 / E9, prospect.caps, moves=moves, aversion=aversion)


class Prospect(NamedTuple):
    """What is foreseen of an order's intervals. outlook and caps: padded to 20; volatility: (20,) price units."""

    seen: Sight
    observation: Observation
    seed: int
    ahead: Foreseen
    outlook: Outlook
    caps: F64
    volatility: F64


def look(request: PlanRequest, edges: list[int], sights: Sights = shipped) -> Prospect:
    """Foresee the intervals between the edges, by the version that has looked at the market.

    Raises:
        ForecastError: there is no market data, or it is old or damaged. ModelRefused: that version may not decide.
        WeightsError: it is not here.
    """
    observation = request.observation
    if observation is None:
        raise ForecastError("there is no market data to foresee by")
    if not 0 <= request.now_ns - observation.time_ns <= AGE_NS_MAX:
        raise ForecastError(f"the market data is {(request.now_ns - observation.time_ns) / SECOND_NS:.1f} s old")
    seen, seed = sights(observation.weights_sha256), seed_of(request.parent, request.plan_number)
    if request.models is not None and seen.digest not in request.models:
        raise ModelRefused(f"version {seen.digest[:12]} is not registered, was retired, or nobody has promoted it")
    ahead = foresee(seen, observation, np.array(edges, np.int64) - observation.time_ns, seed=seed)
    outlook, caps = outlook_of(request, ahead)
    size = observation.size_unit_e9 / E9
    closing = closing_leg(request, ahead, edges, price=price_unit(observation), size=size)
    volatility = np.zeros(INTERVALS)
    volatility[: len(ahead.deviation)] = np.maximum(ahead.deviation, STILL) * price_unit(observation)
    return Prospect(seen, observation, seed, ahead, outlook._replace(closing=closing), caps, volatility)


def outlook_of(request: PlanRequest, ahead: Foreseen) -> tuple[Outlook, F64]:
    """What is foreseen as the program's outlook, from the side of the order, and the caps of its intervals in shares: (20,).

    Places beyond the order's last interval have a cap of 0. A spread that is foreseen to widen is a move against both sides.
    """
    assert request.observation is not None
    n = len(ahead.moves)
    price, size = price_unit(request.observation), request.observation.size_unit_e9 / E9
    sign = 1.0 if request.side is Side.BUY else -1.0
    volatility, spread = np.maximum(ahead.deviation, STILL) * price, np.maximum(ahead.spread, STILL) * price
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
def program(paths: int = 0, *, closing: bool = False) -> Program:
    """Compiled once in a process."""
    return Program(INTERVALS, closing=closing, paths=paths, tail=TAIL)


def neutral(outlook: Outlook, n: int) -> Outlook:
    """With nothing foreseen: no move, and every one of the first n intervals as dear and as risky as they are on average."""

    def even(values: F64) -> F64:
        return np.full(INTERVALS, float(values[:n].mean()))

    return outlook._replace(alpha=np.zeros(INTERVALS), eta=even(outlook.eta), kappa=even(outlook.kappa), risk=even(outlook.risk))


def price_unit(observation: Observation) -> float:
    """Currency."""
    return observation.price_unit_e9 / E9


def evidence_of(prospect: Prospect, edges: list[int], *, solver: str, cost_e9: int, duals: F64, lifted: float) -> Evidence:
    """What a plan rests on. cost_e9: expected, per share. duals: of the quantity first, price units."""
    return Evidence(
        weights_sha256=prospect.seen.digest,
        observation_sha256=prospect.observation.sha256,
        seed=prospect.seed,
        samples=SAMPLES,
        solver=solver,
        expected_cost_e9=cost_e9,
        duals=tuple(float(each) for each in duals),
        lifted=lifted,
        latents=prospect.ahead.latents.astype("<f2").tobytes().hex(),
        latents_ns=tuple(edges),
    )
