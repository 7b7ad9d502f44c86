"""A schedule: how much of an order to trade in which interval. What planners return and parents keep."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.market_state import MarketState
from domain.observation import Observation
from domain.values import Algo, Side


class Slice(NamedTuple):
    """Trade quantity_e9 shares in [start_ns, end_ns)."""

    start_ns: int
    end_ns: int
    quantity_e9: int


class Evidence(BaseModel):
    """What a model's plan rests on, beside its request: enough to judge it and to say whether it would be planned again."""

    model_config = ConfigDict(frozen=True)

    weights_sha256: str
    observation_sha256: str
    seed: int  # of the futures
    samples: int
    solver: str  # its last word
    expected_cost_e9: int  # against the middle when it was planned, per share in price, at 1e-9
    duals: tuple[float, ...]  # in price: of the whole quantity, then of each interval's cap
    lifted: float = 0.0  # temporary impact that was added for convexity, price per share
    latents: str = ""  # (m, 128) little-endian float16 in hexadecimal: where the market is foreseen to be at m moments
    latents_ns: tuple[int, ...] = ()  # those moments


class Schedule(BaseModel):
    """Slices in time order. Their sum is at most what was left of the order when it was planned.

    A schedule is relative to what was already filled (filled_e9) when it was made: the target at time t is
    filled_e9 plus the slices begun by t, see `target_e9`.
    """

    model_config = ConfigDict(frozen=True)

    planner: str  # name and version of the code that planned, "vwap/1"
    filled_e9: int
    slices: tuple[Slice, ...]
    at_close_e9: int = 0  # for the closing auction, beside the slices
    fallback: str = ""  # why the planner that was asked for did not plan, and which did
    evidence: Evidence | None = None  # in the decision alone
    basket: str = ""  # the decision that planned it together with others

    def target_e9(self, now_ns: int) -> int:
        """Cumulative shares that should have been released by now: filled_e9 plus every slice begun."""
        return self.filled_e9 + sum(s.quantity_e9 for s in self.slices if s.start_ns <= now_ns)

    def next_start_ns(self, now_ns: int) -> int | None:
        """When the next slice begins, None after the last."""
        return min((s.start_ns for s in self.slices if s.start_ns > now_ns), default=None)


class VolumeCurve(NamedTuple):
    """Share of the day's volume per bucket (sums to 1), when the first bucket begins and how long each lasts."""

    shares: tuple[float, ...]
    open_ns: int
    bucket_ns: int


class PlanRequest(BaseModel):
    """Everything a planner may know. Same request, same schedule."""

    model_config = ConfigDict(frozen=True)

    parent: str  # stream of the parent order
    parent_version: int  # at which it was asked for: a plan for an order that has moved on may be stale
    plan_number: int  # counts the plans of this parent, from 1
    reason: str  # accepted, amended, fill, timer, deviation
    instrument: str
    side: Side
    algo: Algo
    remaining_e9: int  # what is left to fill: order quantity less filled
    filled_e9: int
    lot_e9: int
    now_ns: int
    start_ns: int
    end_ns: int  # when the schedule is to be done: the order's end, or a little earlier
    participation_e9: int | None  # POV's target rate, as a fraction at 1e-9
    market: MarketState | None
    started_volume_e9: int  # market volume when the order began (session cumulative)
    start_filled_e9: int = 0  # what was filled at start_ns: 0 for a new order, more where an amendment began a new line
    volume_curve: tuple[float, ...] = ()  # share of the day's volume per bucket, sums to 1 (VWAP)
    curve_open_ns: int = 0  # when the first bucket begins
    curve_bucket_ns: int = 0  # how long each bucket lasts
    seed: int = 0
    urgency_e9: int | None = None  # how dear risk is beside impact, kappa T at 1e-9; None: as the planner is set
    max_participation_e9: int | None = None  # a cap on the share of the market's volume
    observation: Observation | None = None
    due_e9: int = 0  # released by the schedule before and not filled
    due_until_ns: int = 0  # when the slice of the schedule before that has begun ends: what comes before is planned
    at_close_max_e9: int = 0  # how much is for the closing auction, or of adaptive at most; 0: the order has none
    tail_aversion_e9: int | None = None  # times the mean cost of the worst twentieth of the futures, at 1e-9
    models: tuple[str, ...] | None = None  # digests that may decide, as the desk's registry has them; None: nobody asked
    trust_e9: int | None = None  # in what is foreseen, `domain.standing.trust_e9`; None: nobody judges it, it is whole
