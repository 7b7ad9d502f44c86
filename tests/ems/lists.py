"""Lists of orders to test with."""

from __future__ import annotations

from typing import Any

from domain import parent_order as po
from domain.event import InboundRef
from domain.list_messages import Entry, ListStatus, NewOrderList
from domain.messages import NewOrder
from domain.parent_order import ParentOrder
from tests.domain.orders import DAY, new_order
from tests.ems.room import Room

REF = InboundRef("OMS", 0, 0)
DIRECT: dict[str, Any] = {"algo": "", "parameters": ()}


def good(*names: str, **changes: Any) -> tuple[NewOrder, ...]:
    return tuple(new_order(cl_ord_id=name, **changes) for name in names)


def new_list(*orders: NewOrder, **changes: Any) -> NewOrderList:
    values = {"ref": REF, "list_id": "L1", "staged": True, "all_or_none": False, "instructions": ""}
    entries = tuple(Entry(number, order) for number, order in enumerate(orders, 1))
    return NewOrderList(**{**values, "entries": entries, **changes})


MIXED = (*good("A1"), *good("B1", **DIRECT), *good("C1", symbol="NONE"))


async def staged(*orders: NewOrder, **changes: Any) -> Room:
    room = await Room(**changes).open()
    await room.client(new_list(*(orders or (*good("A1"), *good("B1", **DIRECT)))))
    return room


def order(room: Room, first: str) -> ParentOrder:
    return room.desk.state.parent(po.key("OMS", DAY.trade_date, first))


def status(room: Room) -> ListStatus:
    (found,) = room.take(ListStatus)
    assert isinstance(found, ListStatus)
    return found


def of(answer: ListStatus) -> list[tuple[str, str]]:
    return [(listed.cl_ord_id, listed.status.value) for listed in answer.orders]
