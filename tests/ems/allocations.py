"""What the tests of allocations share: an order that is over, an instruction about it, and what the client is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from domain.allocation_messages import AllocatedOrder, AllocationAck, AllocationInstruction, AllocationReport
from domain.allocation_terms import AllocationPolicy, Share
from domain.event import InboundRef
from domain.instructions import Instructions, PreAllocation
from domain.session_policy import SessionPolicy
from domain.values import E9, Side
from tests.domain.orders import DAY, new_order
from tests.ems.room import Room

X_Y = (("X", 600), ("Y", 400))


async def open_room(**policy: Any) -> Room:
    room = Room(policies={"OMS": SessionPolicy(allocation=AllocationPolicy(**{"lot_e9": E9, **policy}))})
    return await room.open()


def groups(*parts: tuple[str, int | None]) -> Instructions:
    """NoAllocs on the order itself."""
    shares = [PreAllocation(account=a, quantity_e9=None if q is None else q * E9, individual_id=f"I{a}") for a, q in parts]
    return Instructions(allocations=tuple(shares))


async def executed(room: Room, *fills: tuple[int, int], **changes: Any) -> None:
    """A direct order, filled so, and over."""
    await room.client(new_order(**{"algo": "", "parameters": (), "quantity_e9": sum(q for q, _ in fills) * E9, **changes}))
    await room.report("new")
    for number, (quantity, price) in enumerate(fills, start=1):
        await room.fill(quantity, f"E{room.parent().cl_ord_id}{number}", price=price)


def instruction(*parts: tuple[str, int | None], **changes: Any) -> AllocationInstruction:
    quantity = sum(q or 0 for _, q in parts)
    return replace(
        AllocationInstruction(
            ref=InboundRef("OMS", 0, 0), alloc_id="J1", action="new", ref_alloc_id="", alloc_type=1, trade_date=DAY.trade_date,
            symbol="ABC", side=Side.BUY, quantity_e9=quantity * E9, average_price_e9=100 * E9, price_decimals=4, currency="",
            orders=(AllocatedOrder("A1", "", None),),
            shares=tuple(Share(account=a, quantity_e9=None if q is None else q * E9, individual_id=f"I{a}") for a, q in parts),
        ),
        **changes,
    )  # fmt: skip


def told(room: Room) -> list[AllocationAck | AllocationReport]:
    return [m for m in room.take() if isinstance(m, AllocationAck | AllocationReport)]


def parts(report: AllocationAck | AllocationReport) -> dict[str, int]:
    assert isinstance(report, AllocationReport)
    assert sum(part.quantity_e9 for part in report.parts) == report.quantity_e9
    return {part.account: part.quantity_e9 // E9 for part in report.parts}


async def report_of(room: Room) -> AllocationReport:
    (report,) = told(room)
    assert isinstance(report, AllocationReport)
    return report


async def part_filled(room: Room, quantity: int, instructions: Instructions) -> None:
    await room.client(new_order(algo="", parameters=(), instructions=instructions))
    await room.report("new")
    await room.fill(quantity)
    await room.report("canceled", cum_quantity_e9=quantity * E9, leaves_quantity_e9=0)
