"""Allocations that orders bring along; what is told anew after busts and corrections; and all of it again after a crash."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.allocation_messages import AllocatedOrder, AllocationAck, AllocationReport
from domain.allocation_terms import Method, Misfit
from domain.messages import LinkUp
from domain.values import E9
from ems import recovery
from tests.domain.orders import new_order
from tests.ems.allocations import X_Y, executed, groups, instruction, open_room, part_filled, parts, report_of, told
from tests.ems.room import Room, session, topics


async def test_groups_of_an_order_are_carried_out_when_it_is_over() -> None:
    room = await open_room()
    await executed(room, (500, 100), (500, 101), instructions=groups(("X", 600), ("Y", 400)))
    report = await report_of(room)
    assert (report.action, report.pre_trade, report.misfit) == ("new", True, None)
    assert parts(report) == {"X": 600, "Y": 400}
    assert (report.average_price_e9, report.price_decimals) == (100_500_000_000, 4)
    assert (report.currency, report.gross_e9, report.net_money_e9) == ("USD", 100_500 * E9, 100_500 * E9)
    assert [part.net_money_e9 for part in report.parts] == [60_300 * E9, 40_200 * E9]
    assert [part.individual_id for part in report.parts] == ["IX", "IY"]
    assert (report.alloc_id, report.orders[0].cl_ord_id) == (room.parent().order_id, "A1")


async def test_nothing_is_told_while_the_order_works_or_where_nothing_was_executed() -> None:
    room = await open_room()
    await room.client(new_order(algo="", parameters=(), instructions=groups(("X", 600), ("Y", 400))))
    await room.report("new")
    await room.fill(100)
    assert told(room) == []
    await room.client(
        new_order(
            cl_ord_id="B1",
            algo="",
            parameters=(),
            instructions=groups(
                ("X", 1000),
            ),
        )
    )
    await room.report("rejected")
    assert told(room) == []


async def test_an_algorithms_order_is_allocated_at_its_end() -> None:
    room = await open_room()
    await room.order(instructions=groups(("X", 300), ("Y", 700)))
    await room.plan(1000)
    await room.fill(500)
    await room.cancel()
    await room.report("canceled", cum_quantity_e9=500 * E9, leaves_quantity_e9=0)
    assert parts(await report_of(room)) == {"X": 150, "Y": 350}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, {"X": 184, "Y": 166}),
        ({"method": Method.PRIORITY}, {"X": 350, "Y": 0}),
        ({"method": Method.PERCENTAGE, "percentages": {"X": 10, "Y": 90}}, {"X": 35, "Y": 315}),
        ({"lot_e9": 100 * E9}, {"X": 200, "Y": 150}),
        ({"lot_e9": None}, {"X": 180, "Y": 170}),  # the instrument's lot of 10
    ],
)
async def test_what_is_not_all_that_was_asked_for_is_divided_by_the_clients_rule(
    policy: dict[str, Any], expected: dict[str, int]
) -> None:
    room = await open_room(**policy)
    await part_filled(room, 350, groups(("X", 525), ("Y", 475)))
    assert parts(await report_of(room)) == expected


@pytest.mark.parametrize(
    ("policy", "shares", "said"),
    [
        ({"method": Method.FIXED}, (("X", 525), ("Y", 475)), "the accounts ask for 1000 together, 350 is to be allocated"),
        ({}, (("X", 525), ("Y", None)), "AllocQty (80) of account Y is missing"),
        (
            {"method": Method.PERCENTAGE, "percentages": {"X": 1}},
            (("X", None), ("Y", None)),
            "no percentage is agreed for account Y",
        ),
        ({}, (("X", 1005), ("Y", -5)), "an AllocQty (80) is negative"),
    ],
)
async def test_groups_that_cannot_be_carried_out_are_reported_as_refused(
    policy: dict[str, Any], shares: tuple[tuple[str, int | None], ...], said: str
) -> None:
    room = await open_room(**policy)
    await part_filled(room, 350, groups(*shares))
    report = await report_of(room)
    assert (report.misfit, report.text, report.parts) == (Misfit.WRONG_ALLOCATED_QUANTITY, said, ())
    assert (report.action, report.quantity_e9) == ("new", 350 * E9)
    await room.client(instruction(("X", 350)))
    answer, instructed = told(room)
    assert isinstance(answer, AllocationAck)
    assert (answer.status, parts(instructed)) == ("accepted", {"X": 350}), "they hold nothing that an instruction may want"
    await room.client(instruction(alloc_id="J2", action="cancel", ref_alloc_id="J1"))
    assert [type(m) for m in told(room)] == [AllocationAck, AllocationReport], "nor is their refusal told twice"


# ------------------------------------------------------------------------------------- busts, corrections


async def bust(room: Room, exec_id: str, cum: int) -> None:
    await room.report("trade_cancel", exec_id=f"{exec_id}-X", exec_ref_id=exec_id, cum_quantity_e9=cum * E9, leaves_quantity_e9=0,
                      ord_status="canceled")  # fmt: skip


async def correct(room: Room, exec_id: str, quantity: int, price: int) -> None:
    await room.report("trade_correct", exec_id=f"{exec_id}-C", exec_ref_id=exec_id, last_quantity_e9=quantity * E9,
                      last_price_e9=price * E9, leaves_quantity_e9=0, ord_status="filled")  # fmt: skip


async def test_a_bust_replaces_the_report_and_the_last_one_cancels_it() -> None:
    room = await open_room()
    await executed(room, (400, 100), (600, 100), instructions=groups(*X_Y))
    first = await report_of(room)
    await bust(room, "EA11", 600)
    second = await report_of(room)
    assert (second.action, second.ref_report_id) == ("replace", first.report_id)
    assert parts(second) == {"X": 360, "Y": 240}
    await bust(room, "EA12", 0)
    third = await report_of(room)
    assert (third.action, third.ref_report_id, third.parts) == ("cancel", second.report_id, ())
    assert (third.quantity_e9, third.text) == (600 * E9, "nothing of it is executed any more")
    assert len({first.report_id, second.report_id, third.report_id}) == 3
    history = [topic for topic in await topics(room) if topic.startswith("allocation.")]
    assert history == ["allocation.accepted", *["allocation.reported"] * 3]


async def test_a_corrected_price_replaces_the_report() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    await room.client(instruction(*X_Y))
    first = told(room)[-1]
    await correct(room, "EA11", 1000, 99)
    second = await report_of(room)
    assert isinstance(first, AllocationReport)
    assert (second.action, second.ref_report_id, second.average_price_e9) == ("replace", first.report_id, 99 * E9)
    assert parts(second) == {"X": 600, "Y": 400}


async def test_what_is_executed_again_is_reported_anew() -> None:
    room = await open_room()
    await executed(room, (1000, 100), instructions=groups(*X_Y))
    await room.report("trade_cancel", exec_id="EA11-X", exec_ref_id="EA11", leaves_quantity_e9=1000 * E9, ord_status="new")
    first, canceled = told(room)
    assert isinstance(canceled, AllocationReport)
    assert canceled.action == "cancel"
    await room.fill(300, "F1", price=101)
    assert told(room) == [], "it works again"
    await room.fill(700, "F2", price=101)
    again = await report_of(room)
    assert (again.action, again.ref_report_id, again.average_price_e9) == ("new", "", 101 * E9)
    assert isinstance(first, AllocationReport)


async def test_fixed_quantities_that_a_bust_breaks_are_canceled_until_the_client_says_more() -> None:
    room = await open_room(method=Method.FIXED)
    await executed(room, (400, 100), (600, 100))
    await room.client(instruction(*X_Y))
    room.take()
    await bust(room, "EA11", 600)
    report = await report_of(room)
    assert (report.action, report.misfit) == ("cancel", Misfit.WRONG_ALLOCATED_QUANTITY)
    await room.client(instruction(("X", 200), ("Y", 400), alloc_id="J2", action="replace", ref_alloc_id="J1"))
    answer, again = told(room)
    assert isinstance(again, AllocationReport)
    assert (again.action, parts(again)) == ("new", {"X": 200, "Y": 400})
    assert isinstance(answer, AllocationAck)


async def test_what_lost_its_executions_takes_none_from_those_that_have_them_since() -> None:
    room = await open_room(method=Method.FIXED)
    await executed(room, (400, 100), (600, 100))
    await room.client(instruction(*X_Y))
    await bust(room, "EA11", 600)
    await room.client(instruction(("X", 600), alloc_id="J2"))
    room.take()
    await room.fill(400, "LATE")
    assert told(room) == [], "J1 asks for 1000, and 400 are free"
    await room.client(instruction(alloc_id="J3", action="cancel", ref_alloc_id="J2"))
    _, canceled, again = told(room)
    assert isinstance(canceled, AllocationReport)
    assert isinstance(again, AllocationReport)
    assert (canceled.alloc_id, again.alloc_id, again.action) == ("J2", "J1", "new")
    assert parts(again) == {"X": 600, "Y": 400}


async def test_where_a_bust_leaves_too_little_for_all_the_last_gives_way() -> None:
    room = await open_room()
    await executed(room, (300, 100), (700, 100))
    await room.client(instruction(("X", 600)))
    await room.client(instruction(("Y", 400), alloc_id="J2"))
    room.take()
    await bust(room, "EA11", 700)
    report = await report_of(room)
    assert (report.alloc_id, parts(report)) == ("J2", {"Y": 100})


async def test_a_late_fill_is_the_groups_but_not_an_instructions() -> None:
    for instructions, expected in ((groups(*X_Y), {"X": 630, "Y": 420}), (None, None)):
        room = await open_room()
        await executed(room, (1000, 100), instructions=instructions)
        if instructions is None:
            await room.client(instruction(*X_Y))
        room.take()
        await room.fill(50, "LATE")
        reports = told(room)
        assert [parts(report) for report in reports] == ([expected] if expected else [])


# ---------------------------------------------------------------------------------------------- recovery


async def eventful() -> Room:
    room = await open_room()
    await executed(room, (400, 100), (600, 101), instructions=groups(*X_Y))
    await executed(room, (500, 100), cl_ord_id="B1")
    await room.client(instruction(("X", 500), orders=(AllocatedOrder("B1", "", None),)))
    await room.client(instruction(("X", 500), alloc_id="J2", orders=(AllocatedOrder("Q", "", None),)))
    await room.client(instruction(alloc_id="J3", action="cancel", ref_alloc_id="J1"))
    return room


async def test_replayed_allocations_are_the_live_ones() -> None:
    room = await eventful()
    folded = await recovery.fold(room.log)
    assert vars(folded) == vars(room.desk.state)
    assert folded.digest() == room.desk.state.digest()
    assert len(folded.allocations) == 3


async def test_what_a_client_missed_is_sent_again_the_same() -> None:
    room = await eventful()
    before = [m for m in room.gateway.sent if isinstance(m, AllocationAck | AllocationReport)]
    successor = await room.successor()
    await successor.desk.start()
    await successor.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS", sent_seq=0)])
    after = [m for m in successor.gateway.sent if isinstance(m, AllocationAck | AllocationReport)]
    assert [replace(m, poss_resend=False) for m in after] == before
    assert all(m.poss_resend for m in after)
    assert len(after) == 6


async def test_a_successor_restates_and_decides_what_waited() -> None:
    room = await open_room()
    await executed(room, (1000, 100), instructions=groups(*X_Y))
    await room.client(new_order(cl_ord_id="B1", algo="", parameters=(), quantity_e9=1000 * E9))
    await room.client(instruction(("X", 1000), orders=(AllocatedOrder("B1", "", None),)))
    successor = await room.successor()
    await successor.desk.start()
    await successor.desk.cycle([LinkUp(sent_seq=(("OMS", 10**6),)), session("OMS", sent_seq=10**6), session("VENUE")])
    await successor.fill(1000, "G1")
    answer, report = told(successor)
    assert isinstance(answer, AllocationAck)
    assert (answer.alloc_id, answer.status, parts(report)) == ("J1", "accepted", {"X": 1000})
