"""Lists of orders that clients send as one, allocations of what was executed, and the algo wheels."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import allocation as al
from domain import order_list as ol
from domain import wheel
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from domain.values import E9
from ems.read_models.table import Stored, decimal, moment
from ems.read_models.topic import Column, Topic


class Baskets(Stored):
    """Lists, and how far each is."""

    topic: ClassVar[Topic] = Topic(
        "baskets",
        "Baskets",
        (
            Column("id", "Id", "id", hidden=True),
            Column("list_id", "List", "id", 140, pin="left"),
            Column("client", "Client", "text", 100),
            Column("phase", "Phase", "status", 100),
            Column("orders", "Orders", "int", 70),
            Column("refused", "Refused", "int", 70),
            Column("received_ns", "Received", "time", 100),
            Column("changed_ns", "Changed", "time", 100),
            Column("desk", "Desk", "text", hidden=True),
        ),
        link=("parents", "list_id"),
        scoped=(("client", "client"), ("desk", "desk")),
        filters=("client", "phase"),
    )
    events: ClassVar[tuple[type[Event], ...]] = ol.EVENTS

    def fold(self, recorded: Recorded, after: ol.OrderList) -> None:
        """A list's event."""
        before = self._made.get(after.id, {})
        at = moment(recorded.meta.event_time_ns)
        self.put({
            "id": after.id, "list_id": after.list_id, "client": after.client_session, "phase": after.phase.value,
            "orders": len(after.orders), "refused": ol.refusals(after.orders), "changed_ns": at, "desk": self.world.desk,
            "received_ns": before.get("received_ns", at),
        })  # fmt: skip


class Allocations(Stored):
    """Each as it holds now."""

    topic: ClassVar[Topic] = Topic(
        "allocations",
        "Allocations",
        (
            Column("id", "Id", "id", hidden=True),
            Column("alloc_id", "Allocation", "id", 140, pin="left"),
            Column("client", "Client", "text", 100),
            Column("state", "State", "status", 100),
            Column("symbol", "Symbol", "symbol", 80),
            Column("orders", "Orders", "list", 180),
            Column("quantity", "Quantity", "quantity", 100),
            Column("avg_px", "Average", "price", 100),
            Column("accounts", "Accounts", "list", 240),
            Column("report", "Report", "int", 70),
            Column("client_says", "Client says", "status", 110),
            Column("changed_ns", "Changed", "time", 100),
            Column("text", "Text", "text", 220),
            Column("desk", "Desk", "text", hidden=True),
        ),
        scoped=(("client", "client"), ("desk", "desk")),
        filters=("client", "state"),
    )
    events: ClassVar[tuple[type[Event], ...]] = al.EVENTS

    def fold(self, recorded: Recorded, after: al.Allocation) -> None:
        """An allocation's event."""
        report, terms = after.report, after.terms or after.waiting
        said = after.said.get(report.number) if report is not None else None
        orders = [self.world.state.parents.get(parent) for parent in after.parents]
        known = [parent for parent in orders if isinstance(parent, ParentOrder)]
        state = (
            "canceled" if after.canceled else "waiting" if after.waiting is not None else "holds" if after.holds else "refused"
        )
        self.put({
            "id": after.id, "alloc_id": terms.alloc_id if terms is not None else next(iter(after.answers), ""),
            "client": after.client_session, "state": state, "symbol": known[0].instrument if known else None,
            "orders": [parent.order_id for parent in known],
            "quantity": decimal(report.quantity_e9) if report is not None else None,
            "avg_px": decimal(report.average_price_e9) if report is not None else None,
            "accounts": [f"{part.account} {decimal(part.quantity_e9)}" for part in report.parts] if report is not None else [],
            "report": report.number if report is not None else None, "client_says": said.status if said is not None else None,
            "changed_ns": moment(recorded.meta.event_time_ns), "text": report.text if report is not None else None,
            "desk": self.world.desk,
        })  # fmt: skip


class Wheels(Stored):
    """Every arm of every wheel: its weight, and how often it was drawn in this round."""

    topic: ClassVar[Topic] = Topic(
        "wheels",
        "Algo wheels",
        (
            Column("id", "Id", "id", hidden=True),
            Column("wheel", "Wheel", "text", 110, pin="left"),
            Column("arm", "Arm", "text", 130),
            Column("algo", "Algorithm", "text", 120),
            Column("weight_pct", "Weight", "pct", 80),
            Column("drawn", "Drawn", "int", 80),
            Column("drawn_pct", "Share", "pct", 80),
            Column("round", "Round", "int", 70),
            Column("by", "Weights by", "text", 100),
            Column("reason", "Reason", "text", 240),
            Column("changed_ns", "Changed", "time", 100),
        ),
        filters=("wheel",),
    )
    events: ClassVar[tuple[type[Event], ...]] = wheel.EVENTS

    def fold(self, recorded: Recorded, after: wheel.Wheel) -> None:
        """Opened, weighed anew, or drawn from."""
        event: Any = recorded.event
        if isinstance(event, wheel.Opened):
            for key in [key for key, row in self._made.items() if row["wheel"] == event.wheel]:
                self.drop(key)
        rows = {arm.name: dict(self._made.get(f"{after.name} {arm.name}", {})) for arm in after.arms}
        if isinstance(event, wheel.Assigned):
            rows[event.arm]["drawn"] += 1
        total = sum(row.get("drawn", 0) for row in rows.values())
        for arm, weight_e9 in zip(after.arms, after.weights_e9, strict=True):
            row = rows[arm.name]
            drawn = row.get("drawn", 0)
            told = row if isinstance(event, wheel.Assigned) else _told(recorded, event)
            self.put(told | {
                "id": f"{after.name} {arm.name}", "wheel": after.name, "arm": arm.name,
                "algo": arm.algo or " ".join(f"{tag}={value}" for tag, value in arm.fields), "round": after.round,
                "weight_pct": round(100 * weight_e9 / E9, 3), "drawn": drawn,
                "drawn_pct": round(100 * drawn / total, 2) if total else None,
            })  # fmt: skip


def _told(recorded: Recorded, event: Any) -> dict[str, Any]:
    by = getattr(event, "by", "person")
    person = recorded.meta.actor.removeprefix("person:")
    return {"by": person if by == "person" else by, "reason": event.reason, "changed_ns": moment(recorded.meta.event_time_ns)}
