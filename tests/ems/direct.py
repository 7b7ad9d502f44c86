"""Direct orders for tests: opened, worked, replaced; and what their client was told."""

from __future__ import annotations

from typing import Any

from domain.event import InboundRef
from domain.messages import VenueCancelReject
from domain.sending import CancelReject, ParentReport
from domain.session_policy import SessionPolicy
from domain.values import E9
from tests.domain.orders import replace_order
from tests.ems.room import Room

REF = InboundRef("OMS", 0, 0)


async def opened(policy: SessionPolicy | None = None, **changes: Any) -> Room:
    """A desk with one direct order for 10000, which its venue has not answered yet."""
    room = Room(policies={"OMS": policy} if policy else None)
    await room.open()
    await room.order(**{"algo": "", "parameters": (), "quantity_e9": 10_000 * E9, **changes})
    return room


async def working(filled: int = 0, **changes: Any) -> Room:
    room = await opened(**changes)
    await room.report("new", order_id="V1")
    if filled:
        await room.fill(filled, "E0")
    room.take()
    return room


async def replace(room: Room, cl_ord_id: str, orig: str, quantity: int) -> None:
    await room.client(replace_order(cl_ord_id=cl_ord_id, orig_cl_ord_id=orig, algo="", parameters=(), quantity_e9=quantity * E9))


async def venue_refuses(room: Room, request: str, reason: int = 99) -> None:
    child = room.child()
    cl_ord_id = child.canceling if request == "cancel" else child.replacing.cl_ord_id  # type: ignore[union-attr]
    await room.venue(
        VenueCancelReject(
            ref=REF,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id=child.cl_ord_id,
            response_to=request,
            reason=reason,
            ord_status="",  # type: ignore[arg-type]
        )
    )


async def venue_replaces(room: Room, quantity: int = 0) -> None:
    replacing = room.child().replacing
    assert replacing is not None
    await room.report("replaced", cl_ord_id=replacing.cl_ord_id, quantity_e9=quantity * E9 or replacing.quantity_e9)


def told(room: Room) -> list[tuple[Any, ...]]:
    """What the client has been sent since the last look: kind, status, ids, OrderQty, CumQty, LeavesQty."""
    seen: list[tuple[Any, ...]] = []
    for m in room.take():
        if isinstance(m, ParentReport):
            quantities = tuple(q // E9 for q in (m.quantity_e9, m.cum_quantity_e9, m.leaves_quantity_e9))
            seen.append((m.exec_kind, str(m.ord_status), m.cl_ord_id, m.orig_cl_ord_id, *quantities))
        elif isinstance(m, CancelReject):
            seen.append((f"{m.response_to}_reject", str(m.ord_status), m.cl_ord_id, m.orig_cl_ord_id, m.cxl_rej_reason))
    return seen
