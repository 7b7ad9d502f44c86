"""Child orders: what was sent to venues, and how each stands there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from domain import child_order as co
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from domain.values import StreamId, divide_round
from ems.read_models.parents import SCOPED
from ems.read_models.table import Table, decimal, moment
from ems.read_models.topic import Column, Topic


class Children(Table):
    """Every child order."""

    topic: ClassVar[Topic] = Topic(
        "children",
        "Child orders",
        (
            Column("id", "Id", "id", hidden=True),
            Column("cl_ord_id", "ClOrdID", "id", 150, pin="left"),
            Column("symbol", "Symbol", "symbol", 80),
            Column("side", "Side", "side", 60),
            Column("quantity", "Quantity", "quantity", 90),
            Column("limit_px", "Limit", "price", 90),
            Column("filled", "Filled", "quantity", 90, flash=True),
            Column("avg_px", "Average", "price", 90, flash=True),
            Column("status", "Status", "status", 110),
            Column("venue", "Venue", "text", 90),
            Column("tactic", "Tactic", "text", 80),
            Column("leaves", "Left", "quantity", 90),
            Column("changed_ns", "Changed", "time", 90),
            Column("venue_order_id", "Venue's id", "id", 120),
            Column("parent", "Parent", "id", hidden=True),
            Column("order_id", "Order", "id", 140),
            Column("client", "Client", "text", hidden=True),
            Column("account", "Account", "text", hidden=True),
            Column("live", "Live", "flag", hidden=True),
            Column("desk", "Desk", "text", hidden=True),
        ),
        link=("fills", "child"),
        scoped=SCOPED,
        filters=("parent", "symbol", "status", "venue", "live"),
    )
    events: ClassVar[tuple[type[Event], ...]] = co.EVENTS

    def fold(self, recorded: Recorded, after: Any) -> None:
        """A child's event."""
        self.touch(recorded.stream)

    def ids(self) -> Iterable[str]:
        """In the order in which they were made."""
        return self.world.state.children.keys()

    def render(self, key: str) -> Mapping[str, Any] | None:
        """One child."""
        child = self.world.state.children.get(StreamId(key))
        if child is None:
            return None
        parent = self.world.state.parents.get(child.parent)
        of_client = isinstance(parent, ParentOrder)
        filled_e9 = child.cum_quantity_e9
        return {
            "id": key,
            "cl_ord_id": child.cl_ord_id,
            "symbol": child.instrument,
            "side": child.side.value,
            "quantity": decimal(child.quantity_e9),
            "limit_px": decimal(child.limit_price_e9),
            "filled": decimal(filled_e9),
            "avg_px": decimal(divide_round(child.notional_e18, filled_e9)) if filled_e9 else None,
            "status": child.status.value,
            "venue": child.venue_session,
            "tactic": child.tactic,
            "leaves": decimal(child.leaves_e9),
            "changed_ns": moment(child.changed_ns),
            "venue_order_id": child.order_id or None,
            "parent": child.parent,
            "order_id": parent.order_id if isinstance(parent, ParentOrder) else None,
            "client": parent.client_session or parent.behalf if isinstance(parent, ParentOrder) else "",
            "account": parent.account if of_client and isinstance(parent, ParentOrder) else child.account,
            "live": child.live,
            "desk": self.world.desk,
        }
