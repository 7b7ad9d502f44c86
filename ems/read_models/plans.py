"""Plans: what planners decided for each order, from what, why, and by whom instead where the asked one could not."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import decision
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from domain.values import StreamId
from ems.read_models.parents import SCOPED
from ems.read_models.table import Stored, decimal, moment
from ems.read_models.topic import Column, Topic


class Plans(Stored):
    """The latest of all orders."""

    keep: ClassVar[int] = 20_000
    topic: ClassVar[Topic] = Topic(
        "plans",
        "Plans",
        (
            Column("id", "Id", "id", hidden=True),
            Column("time_ns", "Planned", "time", 100, pin="left"),
            Column("order_id", "Order", "id", 140),
            Column("symbol", "Symbol", "symbol", 80),
            Column("number", "Number", "int", 70),
            Column("reason", "Why", "text", 110),
            Column("planner", "By", "text", 110),
            Column("fallback", "Instead, because", "text", 220),
            Column("remaining", "To trade", "quantity", 90),
            Column("slices", "Slices", "int", 60),
            Column("begins_ns", "From", "time", 100),
            Column("ends_ns", "To", "time", 100),
            Column("expected_cost", "Expected cost", "price", 110),
            Column("version", "Model", "id", 130),
            Column("parent", "Parent", "id", hidden=True),
            Column("client", "Client", "text", hidden=True),
            Column("account", "Account", "text", hidden=True),
            Column("desk", "Desk", "text", hidden=True),
        ),
        scoped=SCOPED,
        filters=("parent", "symbol", "planner"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (decision.Planned, decision.Failed)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """One plan, or why there was none."""
        event: Any = recorded.event
        request = event.request
        parent = self.world.state.parents.get(StreamId(request.parent))
        known = parent if isinstance(parent, ParentOrder) else None
        row = {
            "id": recorded.stream, "time_ns": moment(request.now_ns), "order_id": known.order_id if known is not None else None,
            "symbol": request.instrument, "number": request.plan_number, "reason": request.reason,
            "remaining": decimal(request.remaining_e9), "parent": request.parent,
            "client": known.client_session or known.behalf if known is not None else "",
            "account": known.account if known is not None else "",
            "desk": self.world.desk,
        }  # fmt: skip
        if isinstance(event, decision.Failed):
            self.put(row | {"planner": "none", "fallback": event.error})
            return
        schedule = event.schedule
        evidence, slices = schedule.evidence, schedule.slices
        self.put(row | {
            "planner": schedule.planner, "fallback": schedule.fallback or None, "slices": len(slices),
            "begins_ns": moment(slices[0].start_ns) if slices else None, "ends_ns": moment(slices[-1].end_ns) if slices else None,
            "expected_cost": decimal(evidence.expected_cost_e9) if evidence is not None else None,
            "version": evidence.weights_sha256 if evidence is not None else None,
        })  # fmt: skip
