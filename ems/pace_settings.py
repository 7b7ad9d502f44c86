"""The configuration's part on pace: how long the scheduler waits for what, and how often markets are noted."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from ems.pace import Pace
from ems.tactic import Placement

Seconds = Annotated[float, Field(gt=0, le=86_400)]
_NS: Final = 1_000_000_000


class PaceSettings(BaseModel):
    """How long the scheduler waits. Names in _wall_s are seconds of the wall, the others of the desk's clock."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patience_s: Seconds = 30
    replan_s: Seconds = 300
    pov_s: Seconds = 5
    closing_wall_s: Seconds = 2
    close_grace_s: Seconds = 60
    unanswered_wall_s: Seconds = 2
    plan_lost_wall_s: Seconds = 5
    fallback_s: Seconds = 30  # a plan that another planner had to make is made anew this often
    deviation_max: Annotated[float, Field(gt=0, le=10)] | Literal["conformal"] = 0.15  # from where a plan foresaw its market
    deviation_rest_s: Annotated[float, Field(ge=0, le=86_400)] = 30  # after a plan no deviation calls for another so long
    at_open_cutoff_s: Annotated[float, Field(ge=0, le=86_400)] = 120  # before the opening auction trades
    at_close_cutoff_s: Annotated[float, Field(ge=0, le=86_400)] = 600  # before the close
    auction_lead_s: Seconds = 60  # so long before a cut-off auction orders leave
    placement: Placement = "mixed"
    rejections_max: Annotated[int, Field(ge=1)] = 5
    note_s: Annotated[float, Field(ge=0, le=10)] = 1  # the market of an order is noted so often at most; 0: never
    note_after_s: Annotated[float, Field(ge=0, le=86_400)] = 330  # for so long after an instrument's last execution

    def pace(self, speed: float) -> Pace:
        """The pace in the desk's clock, which runs at this speed."""
        return Pace(
            patience_ns=int(self.patience_s * _NS),
            close_grace_ns=int(self.close_grace_s * _NS),
            closing_ns=int(self.closing_wall_s * speed * _NS),
            unanswered_ns=int(self.unanswered_wall_s * speed * _NS),
            replan_ns=int(self.replan_s * _NS),
            pov_ns=int(self.pov_s * _NS),
            plan_lost_ns=int(self.plan_lost_wall_s * speed * _NS),
            fallback_ns=int(self.fallback_s * _NS),
            deviation_max=None if self.deviation_max == "conformal" else self.deviation_max,
            deviation_rest_ns=int(self.deviation_rest_s * _NS),
            at_open_cutoff_ns=int(self.at_open_cutoff_s * _NS),
            at_close_cutoff_ns=int(self.at_close_cutoff_s * _NS),
            auction_lead_ns=int(self.auction_lead_s * _NS),
            placement=self.placement,
            rejections_max=self.rejections_max,
            note_ns=int(self.note_s * _NS),
            note_after_ns=int(self.note_after_s * _NS),
        )
