"""Orders of a list that are planned together: what their planner is told, and what it answers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.schedule import PlanRequest, Schedule

ORDERS_MAX = 32  # more are planned each by itself: a plan has to come in seconds


class BasketRequest(BaseModel):
    """Everything a planner of a basket may know. Same request, same schedules."""

    model_config = ConfigDict(frozen=True)

    basket: str  # stream of the list
    plan_number: int  # rises with every plan of any of its orders
    reason: str  # of the order that called for it
    correlation_e9: int  # between any two
    cash_e9: int | None  # what may be paid net at any time, either way; None: no bound
    paid_e9: int  # net so far, by what is filled
    currencies: tuple[str, ...]  # of each order
    orders: tuple[PlanRequest, ...]

    @property
    def parent(self) -> str:
        """What requests coalesce by."""
        return self.basket


class BasketEvidence(BaseModel):
    """What a joint plan rests on, beside its request and its orders' own evidence. Currency at 1e-9."""

    model_config = ConfigDict(frozen=True)

    solver: str
    expected_cost_e9: int
    risk_e9: int  # standard deviation of the cost
    duals: tuple[float, ...]  # of each order's quantity, in price
    cash_duals: tuple[float, ...]  # by interval, per unit of room: of the least and of the most that may be paid


class BasketSchedule(BaseModel):
    """Schedules of the request's orders, in its order."""

    model_config = ConfigDict(frozen=True)

    planner: str
    schedules: tuple[Schedule, ...]
    fallback: str = ""  # why they were planned each by itself
    evidence: BasketEvidence | None = None
