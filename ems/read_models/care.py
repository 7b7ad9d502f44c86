"""The care desk: orders that wait for a trader, and the blocks that the house has taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from domain import parent_order as po
from domain.care import Handled
from domain.care_rules import waits
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from domain.values import StreamId, multiply_e9
from ems.read_models.parents import SCOPED
from ems.read_models.table import Stored, Table, World, decimal, moment
from ems.read_models.topic import Column, Topic


class OrdersStaged(Table):
    """Every order that waits for a trader; one that was taken, turned down or ended is here no more."""

    topic: ClassVar[Topic] = Topic(
        "orders_staged",
        "Staged orders",
        (
            Column("id", "Id", "id", hidden=True),
            Column("order_id", "Order", "id", 140, pin="left"),
            Column("symbol", "Symbol", "symbol", 80, pin="left"),
            Column("side", "Side", "side", 60),
            Column("quantity", "Quantity", "quantity", 90),
            Column("limit_px", "Limit", "price", 90),
            Column("notional", "Notional", "money", 120),
            Column("algo", "Asks for", "text", 80),
            Column("rule", "Rule", "text", 120),
            Column("owner", "Owner", "text", 90),
            Column("client", "Client", "text", 90),
            Column("account", "Account", "text", 90),
            Column("created_ns", "Came", "time", 90),
            Column("end_ns", "Until", "time", 90),
            Column("cl_ord_id", "ClOrdID", "id", 130),
            Column("list_id", "List", "id", 90),
            Column("desk", "Desk", "text", hidden=True),
        ),
        scoped=SCOPED,
        filters=("symbol", "client", "account", "rule", "owner"),
    )
    events: ClassVar[tuple[type[Event], ...]] = po.EVENTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._waiting: dict[str, None] = {}

    def fold(self, recorded: Recorded, after: Any) -> None:
        """An order began to wait, is another one, or waits no more."""
        stream = recorded.stream
        if isinstance(after, ParentOrder) and waits(after):
            self._waiting[stream] = None
            self.touch(stream)
        elif stream in self._waiting:
            del self._waiting[stream]
            self.touch(stream)

    def ids(self) -> Iterable[str]:
        """The longest waiting first."""
        return self._waiting.keys()

    def render(self, key: str) -> Mapping[str, Any] | None:
        """One order, None once it does not wait."""
        order = self.world.state.parents.get(StreamId(key))
        if key not in self._waiting or not isinstance(order, ParentOrder):
            return None
        terms = order.terms
        price_e9 = terms.limit_price_e9 or order.care.reserved_price_e9
        return {
            "id": key,
            "order_id": order.order_id,
            "symbol": order.instrument,
            "side": order.side.value,
            "quantity": decimal(terms.quantity_e9),
            "limit_px": decimal(terms.limit_price_e9),
            "notional": None if price_e9 is None else decimal(multiply_e9(price_e9, terms.quantity_e9)),
            "algo": terms.algo.value,
            "rule": order.care.rule,
            "owner": order.care.owner.removeprefix("person:") or None,
            "client": order.client_session,
            "account": order.account,
            "created_ns": moment(order.created_ns),
            "end_ns": moment(terms.end_ns),
            "cl_ord_id": order.cl_ord_id,
            "list_id": order.list_id or None,
            "desk": self.world.desk,
        }


class Blocks(Stored):
    """What the house took the other side of."""

    topic: ClassVar[Topic] = Topic(
        "blocks",
        "Blocks",
        (
            Column("id", "Id", "id", hidden=True),
            Column("time_ns", "Time", "time", 100, pin="left"),
            Column("order_id", "Order", "id", 140),
            Column("symbol", "Symbol", "symbol", 80),
            Column("side", "Client's side", "side", 80),
            Column("quantity", "Quantity", "quantity", 90),
            Column("price", "Price", "price", 90),
            Column("notional", "Notional", "money", 120),
            Column("house_account", "House account", "text", 110),
            Column("house_order_id", "House's order", "id", 140),
            Column("by", "By", "text", 90),
            Column("reason", "Reason", "text", 240),
            Column("client", "Client", "text", 90),
            Column("account", "Account", "text", 90),
            Column("desk", "Desk", "text", hidden=True),
        ),
        never_conflated=True,
        scoped=SCOPED,
        filters=("symbol", "client", "account", "by"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (Handled,)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """A block was taken."""
        event: Any = recorded.event
        if event.act != "block" or not isinstance(after, ParentOrder):
            return
        house = event.orders[0][0]
        self.put({
            "id": house, "time_ns": moment(recorded.meta.event_time_ns), "order_id": after.order_id, "symbol": after.instrument,
            "side": after.side.value, "quantity": decimal(event.quantity_e9), "price": decimal(event.price_e9),
            "notional": decimal(multiply_e9(event.price_e9, event.quantity_e9)), "house_account": event.counterparty,
            "house_order_id": po.order_id(house), "by": recorded.meta.actor.removeprefix("person:"), "reason": event.reason,
            "client": after.client_session or after.behalf, "account": after.account, "desk": self.world.desk,
        })  # fmt: skip
