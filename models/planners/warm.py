"""A first plan of a made-up order, which loads the weights and compiles everything that a plan needs."""

from __future__ import annotations

import numpy as np

from domain.errors import InvariantBroken
from domain.observation import Observation
from domain.schedule import PlanRequest, Schedule
from domain.values import E9, Algo, Side
from models.net_contract import BOOK, LEVELS
from models.planners.adaptive import Adaptive
from models.planners.foresight import ARRAYS, text_of


def warm() -> Schedule:
    """Plan it. Raises InvariantBroken where even this cannot be planned with foresight: nothing could."""
    schedule = Adaptive().plan(made_request())
    if schedule.fallback:
        raise InvariantBroken(f"the adaptive planner cannot plan: {schedule.fallback}")
    return schedule


def made_request(plan_number: int = 1) -> PlanRequest:
    """An order of 10,000 over half an hour in a market of ten even levels a side."""
    arrays = np.zeros(ARRAYS, np.float32)
    ticks = np.arange(LEVELS) + 0.5
    arrays[:BOOK] = np.stack([-np.log2(1 + ticks), np.ones(LEVELS), np.log2(1 + ticks), np.ones(LEVELS)], 1).ravel()
    observation = Observation(
        time_ns=E9, arrays=text_of(arrays), price_unit_e9=E9 // 50, size_unit_e9=200 * E9, step_ns=2 * E9
    )  # fmt: skip
    return PlanRequest(
        parent="", parent_version=1, plan_number=plan_number, reason="accepted", instrument="", side=Side.BUY, algo=Algo.ADAPTIVE,
        remaining_e9=10_000 * E9, filled_e9=0, lot_e9=E9, now_ns=2 * E9, start_ns=2 * E9, end_ns=1_802 * E9,
        participation_e9=None, market=None, started_volume_e9=0, observation=observation,
    )  # fmt: skip
