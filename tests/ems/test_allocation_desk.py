"""Allocation instructions at the desk: each answered with its code and a sentence, and reported where it is accepted."""

from __future__ import annotations

from typing import Any

import pytest

from domain.allocation_messages import AllocatedOrder, AllocationAck, AllocationReport, AllocationReportAck
from domain.allocation_terms import ALLOC_REJ_CODE, Misfit, Share
from domain.event import InboundRef
from domain.values import E9, Side
from ems import alerts
from tests.domain.orders import DAY, new_order
from tests.ems.allocations import X_Y, executed, instruction, open_room, parts, told
from tests.ems.room import topics


async def test_an_instruction_is_accepted_and_reported() -> None:
    room = await open_room()
    await executed(room, (500, 100), (500, 101))
    room.take()
    await room.client(instruction(("X", 600), ("Y", 400), average_price_e9=100_500_000_000))
    answer, report = told(room)
    assert isinstance(answer, AllocationAck)
    assert (answer.alloc_id, answer.status, answer.trade_date) == ("J1", "accepted", DAY.trade_date)
    assert parts(report) == {"X": 600, "Y": 400}
    assert isinstance(report, AllocationReport)
    assert (report.pre_trade, report.alloc_id, report.action) == (False, "J1", "new")
    assert (await topics(room))[-2:] == ["allocation.accepted", "allocation.reported"]


async def test_what_the_client_says_to_a_report_is_written_once_and_a_refusal_is_for_a_person() -> None:
    room = await open_room()
    await executed(room, (500, 100), (500, 101))
    await room.client(instruction(("X", 600), ("Y", 400), average_price_e9=100_500_000_000))
    report = told(room)[-1]
    room.take()
    said = {"alloc_id": "J1", "report_id": report.report_id, "status": "received", "reject_code": None, "text": ""}
    rejected = {"status": "block_reject", "reject_code": 2, "text": "not our price"}
    written = len(await topics(room))
    for changes in ({}, {}, {"report_id": "NOBODYS"}, rejected):
        fields: dict[str, Any] = {**said, **changes}
        await room.client(AllocationReportAck(ref=InboundRef("OMS", 0, 0), **fields))
    after = (await topics(room))[written:]
    known, note = "allocation.acknowledged", "fix_session.message_noted"
    assert after == [known, note, note, known]
    (allocation,) = room.desk.state.allocations.values()
    assert (allocation.said[1].status, allocation.said[1].text) == ("block_reject", "not our price")
    assert alerts.of(room.desk.state).refused_allocations == 1
    assert room.take() == [], "it is answered by a person"


@pytest.mark.parametrize(
    ("report", "alloc_id", "trade_date", "known"),
    [
        ("its own", "", DAY.trade_date, True),
        ("J1", "J1", DAY.trade_date, True),
        ("J1", "J1", "2020-01-01", False),
        ("J1", "J1", "", False),
        ("J2", "J2", DAY.trade_date, False),
    ],
)
async def test_an_answer_may_name_the_report_or_the_allocation(report: str, alloc_id: str, trade_date: str, known: bool) -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    await room.client(instruction(("X", 600), ("Y", 400), average_price_e9=100 * E9))
    said = {"report_id": told(room)[-1].report_id if report == "its own" else report, "alloc_id": alloc_id}
    ack = AllocationReportAck(
        ref=InboundRef("OMS", 0, 9), **said, trade_date=trade_date, status="accepted", reject_code=None, text=""
    )  # fmt: skip
    await room.client(ack)
    assert (await topics(room))[-1] == ("allocation.acknowledged" if known else "fix_session.message_noted")


async def test_an_acknowledgement_of_another_sessions_report_changes_nothing() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    await room.client(instruction(("X", 600), ("Y", 400), average_price_e9=100 * E9))
    report = told(room)[-1]
    ack = AllocationReportAck(
        ref=InboundRef("OMS2", 0, 9), alloc_id="J1", report_id=report.report_id, status="accepted", reject_code=None, text=""
    )
    await room.desk.cycle([ack])
    assert (await topics(room))[-1] == "fix_session.message_noted"


async def test_an_instruction_for_an_order_that_works_waits_for_its_end() -> None:
    room = await open_room()
    await room.client(new_order(algo="", parameters=(), quantity_e9=1000 * E9))
    await room.report("new")
    await room.fill(500)
    room.take()
    await room.client(instruction(("X", 600), ("Y", 400), alloc_type=2, average_price_e9=0))
    (received,) = told(room)
    assert isinstance(received, AllocationAck)
    assert (received.status, received.alloc_id) == ("received", "J1")
    await room.fill(500, "E2", price=101)
    answer, report = told(room)
    assert isinstance(answer, AllocationAck)
    assert answer.status == "accepted"
    assert parts(report) == {"X": 600, "Y": 400}


async def test_an_instruction_that_waited_is_refused_where_less_was_done() -> None:
    room = await open_room()
    await room.client(new_order(algo="", parameters=(), quantity_e9=1000 * E9))
    await room.report("new")
    await room.client(instruction(("X", 600), ("Y", 400), alloc_type=2, average_price_e9=0))
    await room.fill(500)
    room.take()
    await room.report("canceled", cum_quantity_e9=500 * E9, leaves_quantity_e9=0)
    (answer,) = told(room)
    assert isinstance(answer, AllocationAck)
    assert (answer.status, answer.misfit) == ("block_reject", Misfit.WRONG_QUANTITY)
    assert answer.text == "Quantity (53) is 1000, 500 is executed and not allocated"
    await room.client(instruction(("X", 500), alloc_id="J2", average_price_e9=100 * E9))
    assert [type(m) for m in told(room)] == [AllocationAck, AllocationReport]


@pytest.mark.parametrize(
    ("shares", "changes", "code", "said"),
    [
        ((("X", 1100),), {}, 1, "Quantity (53) is 1100, 1000 is executed and not allocated"),
        (X_Y, {"side": Side.SELL}, 11, "Side (54) is sell, order"),
        (X_Y, {"side": None}, 11, "Side (54) is not 1 (buy) or 2 (sell)"),
        (X_Y, {"symbol": "XYZ"}, 11, "Symbol (55) is XYZ"),
        (X_Y, {"currency": "EUR"}, 11, "Currency (15) is EUR, ABC trades in USD"),
        (X_Y, {"orders": (AllocatedOrder("A9", "", None),)}, 12, "has the ClOrdID A9"),
        (X_Y, {"orders": (AllocatedOrder("", "0123456789ABCDEF", None),)}, 5, "has the OrderID 0123456789ABCDEF"),
        (X_Y, {"orders": ()}, 12, "no order is named"),
        (X_Y, {"orders": (AllocatedOrder("A1", "", None),) * 2}, 11, "named twice"),
        (X_Y, {"trade_date": "2026-03-03"}, 12, "on 2026-03-03 has the ClOrdID A1"),
        (X_Y, {"average_price_e9": 100_100_000_000}, 2, "AvgPx (6) is 100.1, the average price of what is executed is 100"),
        (X_Y, {"average_price_e9": 0}, 2, "AvgPx (6) is 0"),
        (X_Y, {"quantity_e9": 900 * E9}, 8, "the AllocQty (80) add up to 1000, Quantity (53) is 900"),
        ((("X", 600), ("Y", None)), {"quantity_e9": 1000 * E9}, 8, "the AllocQty (80) add up to 600"),
        ((("X", None), ("Y", None)), {"quantity_e9": 1000 * E9}, 8, "AllocQty (80) of account X is missing"),
        ((), {"quantity_e9": 1000 * E9}, 8, "no account is named"),
        (X_Y, {"quantity_e9": 0}, 1, "Quantity (53) must be positive"),
        (X_Y, {"alloc_type": 5}, 7, "AllocType (626) 5 is not"),
        (X_Y, {"orders": (AllocatedOrder("A1", "", 900 * E9),)}, 1, "the OrderBookingQty (800) add up to 900"),
        (X_Y, {"orders": (AllocatedOrder("A1", "", 2000 * E9),)}, 1, "OrderBookingQty (800) is 2000"),
        (X_Y, {"action": "replace", "ref_alloc_id": "J9"}, 7, "has the AllocID 'J9'"),
        (X_Y, {"action": "cancel", "ref_alloc_id": ""}, 7, "has the AllocID ''"),
    ],
)
async def test_what_does_not_fit_is_refused_with_its_code_and_a_sentence(
    shares: tuple[tuple[str, int | None], ...], changes: dict[str, Any], code: int, said: str
) -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    room.take()
    await room.client(instruction(*shares, **changes))
    (answer,) = told(room)
    assert isinstance(answer, AllocationAck)
    assert answer.status == "block_reject"
    assert answer.misfit is not None
    assert (ALLOC_REJ_CODE[answer.misfit], said in answer.text) == (code, True), answer.text
    assert (await topics(room))[-1] == "allocation.refused"
    await room.client(instruction(*X_Y, alloc_id="J2"))
    assert [type(m) for m in told(room)] == [AllocationAck, AllocationReport], "it is nobody's: a good one is accepted"


async def test_accounts_are_refused_by_name() -> None:
    room = await open_room(accounts=frozenset({"X", "Y"}))
    await executed(room, (1000, 100))
    room.take()
    await room.client(instruction(("X", 600), ("Z", 300), ("Y", 100)))
    (answer,) = told(room)
    assert isinstance(answer, AllocationAck)
    assert (answer.status, answer.misfit) == ("account_reject", Misfit.UNKNOWN_ACCOUNT)
    assert [(fault.account, fault.individual_id) for fault in answer.accounts] == [("Z", "IZ")]


async def test_an_account_with_another_price_is_refused_by_name() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    room.take()
    shares = (
        Share(account="X", quantity_e9=600 * E9, price_e9=100 * E9),
        Share(account="Y", quantity_e9=400 * E9, price_e9=99 * E9),
    )
    await room.client(instruction(*X_Y, shares=shares))
    (answer,) = told(room)
    assert isinstance(answer, AllocationAck)
    assert (answer.status, [fault.account for fault in answer.accounts]) == ("account_reject", ["Y"])
    assert answer.accounts[0].text == "AllocPrice (366) of account Y is 99, the average price of what is executed is 100"


async def test_another_sessions_order_is_unknown_whether_by_its_own_id_or_ours() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    order_id = room.parent().order_id
    for number, named in enumerate((AllocatedOrder("A1", "", None), AllocatedOrder("A1", order_id, None))):
        request = instruction(*X_Y, alloc_id=f"K{number}", orders=(named,))
        room.take()
        await room.desk.cycle([room.numbered(request, "OMS2")])
        (answer,) = told(room)
        assert isinstance(answer, AllocationAck)
        assert (answer.session, answer.status) == ("OMS2", "block_reject")
        assert answer.misfit in (Misfit.UNKNOWN_CL_ORD_ID, Misfit.UNKNOWN_ORDER_ID)


async def test_an_alloc_id_is_used_once_and_a_possible_resend_is_answered_again() -> None:
    room = await open_room()
    await executed(room, (1000, 100))
    await room.client(instruction(*X_Y))
    room.take()
    await room.client(instruction(*X_Y))
    (answer,) = told(room)
    assert isinstance(answer, AllocationAck)
    assert (answer.status, answer.misfit) == ("block_reject", Misfit.OTHER)
    assert answer.text == "AllocID J1 was used before in this session for 2026-03-02"
    await room.client(instruction(*X_Y, poss_resend=True))
    (again,) = told(room)
    assert isinstance(again, AllocationAck)
    assert (again.status, again.poss_resend) == ("accepted", True)
    assert (await topics(room))[-1] == "fix_session.message_noted"


@pytest.mark.parametrize(("tolerance", "status"), [(0, "block_reject"), (E9 // 10, "accepted")])
async def test_a_price_may_differ_by_its_decimals_and_the_tolerance_agreed(tolerance: int, status: str) -> None:
    room = await open_room(price_tolerance_e9=tolerance)
    await executed(room, (500, 100), (250, 101))  # 100.3333...
    for number, (price_e9, decimals, expected) in enumerate(
        [
            (100_400_000_000, 4, status),
            (100_333_300_000, 4, "accepted"),
            (100_330_000_000, 2, "accepted"),
            (100_330_000_000, None, status),  # two decimals where four are agreed
        ]
    ):
        room.take()
        changes = {"average_price_e9": price_e9, "price_decimals": decimals, "alloc_id": f"J{number}"}
        await room.client(instruction(("X", 750), **changes))
        answer, *reports = told(room)
        assert isinstance(answer, AllocationAck)
        assert answer.status == expected, (price_e9, decimals)
        if reports:
            await room.client(instruction(("X", 750), alloc_id=f"C{number}", action="cancel", ref_alloc_id=f"J{number}"))


async def test_what_rounding_the_price_does_is_said() -> None:
    room = await open_room()
    await executed(room, (500, 100), (250, 101))
    await room.client(instruction(("X", 450), ("Y", 300), average_price_e9=100_330_000_000, price_decimals=2))
    report = told(room)[-1]
    assert isinstance(report, AllocationReport)
    assert report.average_price_e9 == 100_330_000_000
    assert report.text == "quantity x price is 2.5 less than executed: AvgPx has 2 decimals"
    assert (report.gross_e9, report.net_money_e9) == (75_250 * E9, 75_247_500_000_000)
