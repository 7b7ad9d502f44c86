"""The terms of a parent order: what its client may amend."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from domain.instructions import Instructions
from domain.values import Algo, OrdType, TimeInForce


class Terms(BaseModel):
    """What the client may amend. Times are UTC nanoseconds, rates are fractions at 1e-9."""

    model_config = ConfigDict(frozen=True)

    quantity_e9: int
    limit_price_e9: int | None
    algo: Algo
    start_ns: int
    end_ns: int
    participation_e9: int | None = None
    max_participation_e9: int | None = None
    would_price_e9: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()  # as sent, echoed on every report
    ord_type: OrdType | None = None  # None: a limit order where there is a limit, else a market order
    time_in_force: TimeInForce = TimeInForce.DAY
    instructions: Instructions | None = None
    at_open_e9: int | None = None  # which share of the quantity goes into the opening auction, and into the closing one
    at_close_e9: int | None = None
    tail_aversion_e9: int | None = None  # how much the worst twentieth of the futures weighs beside the mean
    basket_correlation_e9: int | None = None  # planned with the orders of its list that say the same
    basket_cash_e9: int | None = None  # what they may pay net, either way
    urgency_e9: int | None = None  # how much risk weighs beside impact, None: as the algorithm has it

    @property
    def expires_ns(self) -> int | None:
        """When its venue ends it by itself: the close of its day, its ExpireTime, or (None) never."""
        if self.time_in_force is TimeInForce.GTC:
            return None
        if self.time_in_force is TimeInForce.GTD and self.instructions is not None:
            return self.instructions.expire_ns
        return self.end_ns

    def until(self, end_ns: int) -> Terms:
        """The same with another end."""
        return self.model_copy(update={"end_ns": end_ns})
