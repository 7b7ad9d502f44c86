"""Executions by telephone and blocks: counted once, told to the client, positions of both sides, nothing above what is asked."""

from __future__ import annotations

from typing import Any

import pytest

from domain.care import Handled
from domain.care_rules import CareTerms
from domain.exposure import ACCOUNT
from domain.fill import Recorded
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.risk import Check
from domain.sending import Outbound, ParentReport
from domain.values import E9, Side
from ems import recovery
from ems.risk_day import RiskTerms
from tests.ems.care import STAGE, CareRoom, in_hand
from tests.ems.house_room import NOBODYS
from tests.ems.risk_scene import limit
from tests.ems.room import topics

PHONE = {"broker": "JPM", "reference": "T-77", "quantity": 400, "price": 99}


def position(room: CareRoom, account: str) -> int:
    """What an account holds, by the ledgers of risk."""
    room.desk.state.risk.exposure.settle()
    return sum(ledger.amounts()[0] for ledger in room.desk.state.risk.exposure.of("ABC") if ledger.key[ACCOUNT] == account) // E9


def to_venues(messages: list[Outbound]) -> list[Outbound]:
    return [m for m in messages if not isinstance(m, ParentReport)]


async def test_a_fill_by_telephone_is_the_orders_and_told_to_its_client() -> None:
    room = await in_hand(1000)
    answer = await room.done("enter_fill", **PHONE)
    (report,) = room.take()  # and nothing else: no venue hears of it
    assert (report.session, report.exec_kind, report.last_quantity_e9, report.last_price_e9) == (
        "OMS",
        "trade",
        400 * E9,
        99 * E9,
    )
    order = room.named("A1")
    assert (order.cum_quantity_e9, order.average_price_e9, order.status) == (400 * E9, 99 * E9, OrdStatus.PARTIALLY_FILLED)
    assert (dict(order.open_e9), position(room, "ACC")) == ({}, 400)
    recorded = [r for page in [p async for p in room.log.read_pages()] for r in page if isinstance(r.event, Recorded)]
    assert [(r.event.venue_session, r.event.exec_id, r.meta.actor) for r in recorded] == [("phone:JPM", "T-77", "person:jane")]
    assert dict(answer.ids)["fill"] == recorded[0].stream
    assert room.desk.state.risk.exposure.all_reserved() == {}
    await room.folded()


async def test_it_counts_once_however_often_it_is_entered() -> None:
    room = await in_hand(1000)
    await room.done("enter_fill", **PHONE)
    before = await topics(room)
    assert (await room.ask("enter_fill", **PHONE)).text == "entered before"
    refused = await room.ask("enter_fill", **{**PHONE, "quantity": 300})
    assert not refused.ok and "as another one" in refused.text
    assert await topics(room) == before
    await room.done("enter_fill", **{**PHONE, "reference": "T-78"})
    assert room.named("A1").cum_quantity_e9 == 800 * E9


async def test_no_more_than_the_order_asks_for_unless_a_second_person_says_so() -> None:
    room = await in_hand(1000)
    await room.done("enter_fill", **{**PHONE, "quantity": 900})
    more = {**PHONE, "quantity": 200, "reference": "T-78"}
    for approver in (None, "person:jane", "client:OMS"):
        refused = await room.ask("enter_fill", **more, approver=approver)
        assert not refused.ok and "100 more than the order asks for: a second person" in refused.text
    room.take()
    answer = await room.done("enter_fill", **more, approver="person:joe")
    assert "100 more" in answer.text
    assert (room.named("A1").cum_quantity_e9, room.told()) == (1100 * E9, [("trade", 1100)])
    handled = [r.event async for page in room.log.read_pages() for r in page if isinstance(r.event, Handled)]
    assert (handled[-1].over_e9, handled[-1].approver, handled[-1].counterparty) == (100 * E9, "person:joe", "JPM")


async def test_what_is_out_may_fill_too_so_that_it_counts_as_gone() -> None:
    room = await in_hand(1000)
    await room.done("route_order", venue="BROKER1", quantity=700)
    assert "only 300 of the order is free" in (await room.ask("enter_fill", **PHONE)).text
    await room.done("enter_fill", **PHONE, approver="person:joe")
    assert room.named("A1").cum_quantity_e9 == 400 * E9


async def test_a_price_worse_than_the_clients_limit_and_a_late_fill_need_a_second_person_too() -> None:
    room = await in_hand(1000)
    assert "worse than the client's limit" in (await room.ask("enter_fill", **{**PHONE, "price": 101})).text
    await room.cancel()
    room.take()
    assert "the order is canceled" in (await room.ask("enter_fill", **PHONE)).text
    await room.done("enter_fill", **PHONE, approver="person:joe")
    assert room.told() == [("trade", 400)]
    assert (room.last().status, room.last().cum_quantity_e9) == (OrdStatus.CANCELED, 400 * E9)


async def test_a_fill_that_was_entered_is_corrected_and_taken_back() -> None:
    room = await in_hand(1000)
    await room.done("enter_fill", **PHONE)
    room.take()
    await room.done("correct_fill", broker="JPM", reference="T-77", quantity=300, price=98)
    order = room.named("A1")
    assert (order.cum_quantity_e9, order.average_price_e9, dict(order.open_e9)) == (300 * E9, 98 * E9, {})
    await room.done("correct_fill", broker="JPM", reference="T-77")
    assert (room.named("A1").cum_quantity_e9, position(room, "ACC")) == (0, 0)
    sent = room.gateway.sent
    assert to_venues(sent) == []
    assert [kind for kind, _ in room.told()] == ["trade_correct", "trade_cancel"]
    assert "taken back before" in (await room.ask("correct_fill", broker="JPM", reference="T-77")).text
    assert "is this order's" in (await room.ask("correct_fill", broker="JPM", reference="T-1")).text
    await room.folded()


async def test_a_merged_order_passes_a_fill_by_telephone_on() -> None:
    room = await in_hand(600, 400)
    orders = [room.named(f"A{n}").order_id for n in (1, 2)]
    answer = await room.done("merge_orders", orders=orders)
    await room.done("enter_fill", dict(answer.ids)["order_id"], **{**PHONE, "quantity": 500})
    assert [room.named(f"A{n}").cum_quantity_e9 // E9 for n in (1, 2)] == [300, 200]
    assert [kind for kind, _ in room.told()] == ["trade", "trade"]
    await room.done("correct_fill", dict(answer.ids)["order_id"], broker="JPM", reference="T-77")
    assert [room.named(f"A{n}").cum_quantity_e9 for n in (1, 2)] == [0, 0]
    await room.folded()


# ------------------------------------------------------------------------------------------------- blocks


async def test_the_house_takes_a_block_and_holds_the_other_side() -> None:
    room = await in_hand(1000)
    answer = await room.done("take_block", quantity=600, price=100)
    (report,) = room.take()
    assert (report.session, report.exec_kind, report.last_quantity_e9, report.last_price_e9) == (
        "OMS",
        "trade",
        600 * E9,
        100 * E9,
    )
    house = room.by_id(dict(answer.ids)["house_order_id"])
    assert (house.account, house.side, house.status, house.finished) == ("HOUSE", Side.SELL, OrdStatus.FILLED, True)
    assert (position(room, "ACC"), position(room, "HOUSE")) == (600, -600)
    assert room.named("A1").terms.quantity_e9 - room.named("A1").released_e9 == 400 * E9
    again = await room.ask("take_block", quantity=600, price=100)
    assert "400 of the order is free" in again.text
    await room.folded()


@pytest.mark.parametrize(
    ("asked", "care", "said"),
    [
        ({"quantity": 100, "price": 101}, STAGE, "worse than the client's limit"),
        ({"quantity": 1100, "price": 100}, STAGE, "1000 of the order is free"),
        ({"quantity": 100, "price": 100}, CareTerms(rules=STAGE.rules), "no account of the house"),
    ],
)
async def test_what_cannot_be_is_refused(asked: dict[str, Any], care: CareTerms, said: str) -> None:
    room = await in_hand(1000, care=care)
    before = await topics(room)
    refused = await room.ask("take_block", **asked)
    assert not refused.ok and said in refused.text
    assert await topics(room) == before


async def test_the_houses_limits_hold_for_blocks() -> None:
    own = limit(Check.POSITION, 500 * E9, "quantity", scope="account", scope_id="HOUSE")
    room = await in_hand(1000, risk=RiskTerms(limits=(own,), digest="0123456789abcdef"), risk_data=NOBODYS)
    await room.done("take_block", quantity=500, price=100)
    refused = await room.ask("take_block", quantity=100, price=100)
    assert not refused.ok and "position" in refused.text
    assert room.named("A1").cum_quantity_e9 == 500 * E9
    parents = [p for p in room.desk.state.parents.values() if isinstance(p, ParentOrder)]
    assert len(parents) == 2


async def test_a_command_that_comes_again_takes_no_second_block() -> None:
    room = await in_hand(1000)
    for _ in range(2):
        await room.done("take_block", quantity=300, price=100, command_id="same")
    assert room.named("A1").cum_quantity_e9 == 300 * E9
    folded = await recovery.fold(room.log)
    assert folded.digest() == room.desk.state.digest()
