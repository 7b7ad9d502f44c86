"""Allocations of several orders, several of one order, and what replaces and cancels make of them."""

from __future__ import annotations

from domain.allocation import Allocation
from domain.allocation_messages import AllocatedOrder, AllocationAck, AllocationReport
from domain.allocation_terms import Misfit
from domain.values import E9
from tests.domain.orders import new_order
from tests.ems.allocations import X_Y, executed, groups, instruction, open_room, parts, report_of, told
from tests.ems.room import Room


async def test_several_orders_are_allocated_together_at_one_average_price() -> None:
    room = await open_room()
    await executed(room, (400, 100))
    await executed(room, (600, 105), cl_ord_id="B1")
    room.take()
    both = (AllocatedOrder("A1", "", None), AllocatedOrder("B1", "", None))
    await room.client(instruction(("X", 300), ("Y", 600), average_price_e9=103 * E9, orders=both))
    (refused,) = told(room)
    assert "OrderBookingQty (800) has to say how much of each order" in refused.text
    await room.client(instruction(("X", 300), ("Y", 700), average_price_e9=103 * E9, orders=both, alloc_id="J2"))
    answer, report = told(room)
    assert parts(report) == {"X": 300, "Y": 700}
    assert isinstance(report, AllocationReport)
    assert [(o.cl_ord_id, o.quantity_e9, o.average_price_e9) for o in report.orders] == [
        ("A1", 400 * E9, 100 * E9), ("B1", 600 * E9, 105 * E9)
    ]  # fmt: skip
    assert answer.text == ""


async def test_an_order_may_be_allocated_piece_by_piece_but_not_beyond_what_was_executed() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    room.take()
    await room.client(instruction(("X", 600)))
    await room.client(instruction(("Y", 500), alloc_id="J2"))
    await room.client(instruction(("Y", 400), alloc_id="J3"))
    statuses = [(m.alloc_id, m.status) for m in told(room) if isinstance(m, AllocationAck)]
    assert statuses == [("J1", "accepted"), ("J2", "block_reject"), ("J3", "accepted")]


async def test_an_instruction_takes_precedence_over_the_groups_of_an_order_that_still_works() -> None:
    room = await open_room()
    await room.client(new_order(algo="", parameters=(), quantity_e9=1000 * E9, instructions=groups(("X", 1000))))
    await room.report("new")
    await room.client(instruction(("Y", 400), alloc_type=2, average_price_e9=0))
    room.take()
    await room.fill(1000)
    answer, instructed, rest = told(room)
    assert isinstance(answer, AllocationAck)
    assert (parts(instructed), parts(rest)) == ({"Y": 400}, {"X": 600})


async def test_a_replace_and_a_cancel() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    await room.client(instruction(*X_Y))
    first = told(room)[-1]
    await room.client(instruction(("X", 1000), alloc_id="J2", action="replace", ref_alloc_id="J1"))
    answer, second = told(room)
    assert isinstance(first, AllocationReport)
    assert isinstance(second, AllocationReport)
    assert isinstance(answer, AllocationAck)
    assert (answer.alloc_id, answer.status) == ("J2", "accepted")
    assert (second.action, second.ref_report_id, second.alloc_id) == ("replace", first.report_id, "J2")
    assert second.report_id != first.report_id
    assert parts(second) == {"X": 1000}
    await room.client(instruction(*X_Y, alloc_id="J3", action="replace", ref_alloc_id="J1"))
    (stale,) = told(room)
    assert stale.text == "RefAllocID (72) is J1, the allocation's last AllocID is J2"
    await room.client(instruction(alloc_id="J4", action="cancel", ref_alloc_id="J2"))
    answer, last = told(room)
    assert isinstance(last, AllocationReport)
    assert (last.action, last.ref_report_id, last.parts) == ("cancel", second.report_id, ())
    await room.client(instruction(*X_Y, alloc_id="J5", action="replace", ref_alloc_id="J2"))
    (late,) = told(room)
    assert late.text == "the allocation J2 was canceled"
    await room.client(instruction(*X_Y, alloc_id="J6"))
    assert len(told(room)) == 2, "what was given back is free"


async def test_a_refused_replace_leaves_what_held() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    await room.client(instruction(*X_Y))
    room.take()
    await room.client(instruction(("X", 1100), alloc_id="J2", action="replace", ref_alloc_id="J1"))
    (answer,) = told(room)
    assert isinstance(answer, AllocationAck)
    assert answer.misfit is Misfit.WRONG_QUANTITY
    assert only(room).terms is not None
    assert only(room).terms.alloc_id == "J1"  # type: ignore[union-attr]


async def test_a_client_may_replace_the_groups_of_its_order() -> None:
    room = await open_room()
    await executed(room, (1000, 100), instructions=groups(*X_Y))
    first = await report_of(room)
    changes = {"alloc_id": "J1", "action": "replace", "ref_alloc_id": first.alloc_id}
    await room.client(instruction(("Z", 1000), **changes))
    _, second = told(room)
    assert isinstance(second, AllocationReport)
    assert (second.ref_report_id, parts(second)) == (first.report_id, {"Z": 1000})
    await room.wait(1)
    assert told(room) == []


def only(room: Room) -> Allocation:
    (allocation,) = room.desk.state.allocations.values()
    return allocation
