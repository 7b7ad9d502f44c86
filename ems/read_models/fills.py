"""Fills: every execution, as it was told and as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from domain import fill as fl
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from ems.read_models.parents import SCOPED
from ems.read_models.table import Stored, decimal, moment
from ems.read_models.topic import Column, Topic


class Fills(Stored):
    """Executions that count."""

    topic: ClassVar[Topic] = Topic(
        "fills",
        "Fills",
        (
            Column("id", "Id", "id", hidden=True),
            Column("time_ns", "Time", "time", 100, pin="left"),
            Column("symbol", "Symbol", "symbol", 80),
            Column("side", "Side", "side", 60),
            Column("quantity", "Quantity", "quantity", 90),
            Column("price", "Price", "price", 90),
            Column("notional", "Notional", "money", 110),
            Column("venue", "Venue", "text", 90),
            Column("exec_id", "ExecID", "id", 150),
            Column("state", "State", "status", 80),
            Column("order_id", "Order", "id", 140),
            Column("client", "Client", "text", 90),
            Column("account", "Account", "text", 90),
            Column("parent", "Parent", "id", hidden=True),
            Column("child", "Child", "id", hidden=True),
            Column("seq", "Offset", "int", 80),
            Column("desk", "Desk", "text", hidden=True),
        ),
        never_conflated=True,
        scoped=SCOPED,
        filters=("parent", "child", "symbol", "venue", "client"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (fl.Recorded, fl.Restated)

    def fold(self, recorded: Recorded, after: fl.Fill) -> None:
        """An execution, or what became of one."""
        event, key = recorded.event, recorded.stream
        if isinstance(event, fl.Recorded):
            parent = self.world.state.parents.get(event.parent)
            known = parent if isinstance(parent, ParentOrder) else None
            self.put(_row(key, event, recorded.seq, known, self.world.desk))
        elif isinstance(event, fl.Restated) and (before := self.render(key)) is not None:
            self.put({**before, **_now(event), "state": "busted" if after.busted else "corrected"})


def _row(key: str, event: fl.Recorded, seq: int, parent: ParentOrder | None, desk: str) -> Mapping[str, Any]:
    return {
        "id": key,
        "time_ns": moment(event.venue_time_ns),
        "symbol": event.instrument,
        "side": event.side.value,
        "quantity": decimal(event.quantity_e9),
        "price": decimal(event.price_e9),
        "notional": _notional(event.quantity_e9, event.price_e9),
        "venue": event.venue_session,
        "exec_id": event.exec_id,
        "state": "recorded",
        "order_id": parent.order_id if parent is not None else None,
        "client": parent.client_session or parent.behalf if parent is not None else "",
        "account": parent.account if parent is not None else "",
        "parent": event.parent,
        "child": event.child,
        "seq": seq,
        "desk": desk,
    }


def _now(event: fl.Restated) -> dict[str, Any]:
    notional = _notional(event.quantity_e9, event.price_e9)
    return {"quantity": decimal(event.quantity_e9), "price": decimal(event.price_e9), "notional": notional}


def _notional(quantity_e9: int, price_e9: int) -> str | None:
    return decimal(quantity_e9 * price_e9 // 1_000_000_000)
