"""How long the desk waits for what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.parent_order import ParentOrder
from domain.steering import Urgency
from domain.values import Algo
from ems.tactic import Placement

DECIDING_FACTOR = 30  # a venue that says it is deciding may take so much longer than one that says nothing

PATIENCE: Final[dict[Urgency, float]] = {"low": 2.0, "normal": 1.0, "high": 0.25}


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the scheduler waits for what, in the desk's clock (so tape time where a tape plays)."""

    patience_ns: int = 30_000_000_000  # a passive child rests this long before its quantity crosses the spread
    closing_ns: int = 2_000_000_000  # a schedule is done this long before its order's end, so that what is left can cross
    unanswered_ns: int = 2_000_000_000  # a venue that has not answered for this long puts the order in doubt
    replan_ns: int = 300_000_000_000  # a time-based plan is made anew this often
    pov_ns: int = 5_000_000_000  # a volume-following plan is made anew this often
    plan_lost_ns: int = 30_000_000_000  # a plan that has not come by then is asked for again
    plan_failed_ns: int = 5_000_000_000  # after a planner's failure it is asked again no sooner
    close_grace_ns: int = 60_000_000_000  # a venue has this long after the close to say what became of an order
    note_ns: int = 0  # the markets of working orders are noted so often at most; 0: never
    note_after_ns: int = 330_000_000_000  # an instrument's market is noted for so long after its last execution
    fallback_ns: int = 30_000_000_000  # a plan that another planner had to make is made anew this often
    deviation_max: float | None = 0.15  # a market further from where it was foreseen calls for a plan; None: conformal
    deviation_rest_ns: int = 30_000_000_000  # after a plan no deviation calls for another so long
    at_open_cutoff_ns: int = 120_000_000_000  # before the opening auction trades: when a venue takes no more orders for it
    at_close_cutoff_ns: int = 600_000_000_000  # before the close, the same
    auction_lead_ns: int = 60_000_000_000  # so long before a cut-off auction orders leave
    placement: Placement = "mixed"  # how children are priced that are not late
    rejections_max: int = 5  # venues' rejections in a row after which a parent releases nothing more

    def patience_of(self, parent: ParentOrder) -> int:
        """A short order is less patient: a tenth of its time at most; and a person may have asked for more or less haste."""
        usual_ns = min(self.patience_ns, (parent.terms.end_ns - parent.terms.start_ns) // 10)
        return int(usual_ns * PATIENCE[parent.steering.urgency])

    def schedule_end_ns(self, parent: ParentOrder) -> int:
        """When a schedule is to be done. A volume-following order has none: it goes with the market to its end."""
        return parent.terms.end_ns if parent.terms.algo is Algo.POV else parent.terms.end_ns - self._reserve_ns(parent)

    def closing_begins_ns(self, parent: ParentOrder) -> int:
        """From when on nothing of an order may rest passively: a cancel, its answer and another order still fit."""
        return parent.terms.end_ns - max(self.patience_of(parent), self._reserve_ns(parent))

    def _reserve_ns(self, parent: ParentOrder) -> int:
        """Of a short order a third of its time at most."""
        return min(self.closing_ns, (parent.terms.end_ns - parent.terms.start_ns) // 3)
