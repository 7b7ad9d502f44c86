"""Staged orders: what their client is told, and what a trader does about them; each an event by a named person with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from domain.care import Handled, Staged
from domain.care_rules import STAGED, CareRule, CareTerms
from domain.kill_scope import FIRM
from domain.kill_table import Level
from domain.order_life import OrdStatus
from domain.risk import Check
from domain.risk_data import RiskFacts
from domain.sending import ParentReport
from domain.values import E9, Algo
from ems.risk_day import RiskTerms
from tests.domain.orders import replace_order
from tests.ems.care import STAGE, CareRoom, in_hand, opened
from tests.ems.house_room import NOBODYS
from tests.ems.risk_scene import limit
from tests.ems.room import market, topics

DONE = CareTerms(rules=STAGE.rules, pull_back="done_for_day")


async def written(room: CareRoom) -> list[Handled]:
    return [r.event async for page in room.log.read_pages() for r in page if isinstance(r.event, Handled)]


async def test_without_a_rule_nothing_changes() -> None:
    room = await opened(CareTerms())
    order = await room.order()
    assert (order.status, order.staged, room.told()) == (OrdStatus.NEW, False, [("new", 0)])


async def test_a_staged_order_is_pending_new_for_its_client_and_nothing_leaves() -> None:
    room = await opened()
    order = await room.order()
    (report,) = [m for m in room.take() if isinstance(m, ParentReport)]
    assert (report.exec_kind, report.ord_status, report.text) == ("pending_new", OrdStatus.PENDING_NEW, STAGED)
    assert (report.leaves_quantity_e9, report.cum_quantity_e9) == (1000 * E9, 0)
    for _ in range(5):
        await room.wait(60, market())
    assert (room.sent(), room.planners.asked) == ([], [])
    assert order.care.rule == "all"
    await room.folded()


@pytest.mark.parametrize(
    ("algo", "parameters", "wanted"),
    [("", (), Algo.TWAP), ("manual", (), Algo.MANUAL), ("pov", (("ParticipationRate", "10"),), Algo.POV)],
)
async def test_a_trader_takes_an_order_as_sent_by_hand_or_by_another_algorithm(
    algo: str, parameters: tuple[Any, ...], wanted: Algo
) -> None:
    room = await opened()
    await room.order()
    room.take()
    await room.done("accept_order", algo=algo, parameters=parameters)
    order = room.parent()
    assert (order.terms.algo, order.status, room.told()) == (wanted, OrdStatus.NEW, [("new", 0)])
    assert (order.terms.limit_price_e9, order.terms.quantity_e9) == (100 * E9, 1000 * E9)
    assert order.steering.mode == ("by_hand" if algo == "manual" else "algo")
    if algo != "manual":
        assert room.planners.asked[-1].algo is wanted
    again = await room.ask("accept_order")
    assert not again.ok and "does not wait" in again.text
    await room.folded()


@pytest.mark.parametrize("algo", ["", "manual", "twap"])
async def test_so_does_a_direct_one(algo: str) -> None:
    room = await opened()
    await room.client_order("D1")
    room.take()
    await room.done("accept_order", algo=algo)
    if algo:
        assert (room.told(), room.parent().direct) == ([("new", 0)], False)
        await room.client(replace_order(orig_cl_ord_id="D1", algo="", parameters=(), quantity_e9=1500 * E9))
        assert (room.parent().terms.quantity_e9, room.parent().terms.algo.value) == (1500 * E9, algo)
    else:
        assert room.sent() == [("new", "VENUE", 1000)]
        await room.report("new")
        assert room.told() == [("new", 0)]


async def test_a_trader_turns_an_order_down_and_its_client_is_told_why() -> None:
    room = await opened()
    await room.order()
    room.take()
    await room.done("reject_order", reason="no such size in this name")
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.text) == ("rejected", OrdStatus.REJECTED, "no such size in this name")
    assert room.parent().finished
    assert "pull it back" in (await room.ask("reject_order")).text


async def test_whose_an_order_is() -> None:
    room = await in_hand()
    await room.done("claim_order")
    for command, more in (("steer_order", {"act": "pause"}), ("pull_back", {}), ("claim_order", {})):
        refused = await room.ask(command, actor="person:joe", **more)
        assert not refused.ok and "is jane's" in refused.text
    assert "jane's already" in (await room.ask("claim_order")).text
    await room.done("reassign_order", actor="person:joe", to="joe")
    await room.done("steer_order", actor="person:joe", act="pause")
    assert [(e.act, e.owner) for e in await written(room)] == [
        ("accept", ""), ("claim", "person:jane"), ("reassign", "person:joe"),
    ]  # fmt: skip
    assert room.told() == []
    await room.folded()


@pytest.mark.parametrize(("care", "kind"), [(STAGE, "canceled"), (DONE, "done_for_day")])
async def test_what_is_pulled_back_goes_to_its_client_once_nothing_of_it_is_out(care: CareTerms, kind: str) -> None:
    room = await opened(care)
    await room.order()
    await room.done("accept_order")
    await room.plan(100)
    await room.report("new")
    room.take()
    await room.done("pull_back", reason="the desk is too busy")
    assert room.sent() == [("cancel", "VENUE", 100)]
    await room.fill(30)
    await room.report("canceled")
    reports = room.take(ParentReport)
    assert [(r.exec_kind, r.cum_quantity_e9 // E9) for r in reports] == [("trade", 30), (kind, 30)]
    assert (reports[-1].leaves_quantity_e9, "the desk is too busy" in reports[-1].text) == (0, True)
    assert room.parent().finished
    assert "the order is" in (await room.ask("pull_back")).text
    await room.folded()


@pytest.mark.parametrize(("care", "kind"), [(STAGE, "canceled"), (DONE, "done_for_day")])
async def test_a_staged_order_can_be_given_back_too(care: CareTerms, kind: str) -> None:
    room = await opened(care)
    await room.order()
    room.take()
    await room.done("pull_back")
    assert room.told() == [(kind, 0)]


async def test_a_direct_order_goes_back_when_its_venue_has_let_it_go() -> None:
    room = await opened()
    await room.client_order("D1")
    await room.done("accept_order")
    await room.report("new")
    room.take()
    await room.done("pull_back")
    assert room.sent() == [("cancel", "VENUE", 1000)]
    await room.report("canceled")
    assert room.told()[-1] == ("canceled", 0)


async def test_its_client_cancels_replaces_and_asks_about_an_order_that_waits() -> None:
    room = await opened()
    await room.order()
    await room.client(replace_order(quantity_e9=2000 * E9))
    assert (room.parent().status, room.parent().terms.quantity_e9) == (OrdStatus.PENDING_NEW, 2000 * E9)
    room.take()
    await room.cancel("A3", "A2")
    assert room.told() == [("canceled", 0)]


async def test_an_order_that_nobody_takes_expires_at_the_close() -> None:
    room = await opened()
    await room.order()
    room.take()
    await room.wait(361 * 60)
    assert room.told() == [("expired", 0)]


async def test_the_kill_switch_lets_nobody_take_an_order() -> None:
    room = await opened()
    await room.order()
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.SOFT, 9, room.clock.ns))
    refused = await room.ask("accept_order")
    assert not refused.ok and "kill switch" in refused.text
    assert (await room.ask("reject_order")).ok


async def test_where_permissions_are_loaded_a_row_has_to_allow_it() -> None:
    rows = frozenset({("OMS", "*", "*", "*"), ("person:jane", "twap", "ABC", "*")})
    room = await opened(risk_data=RiskFacts(permissions=rows))
    await room.order()
    assert "by manual" in (await room.ask("accept_order", algo="manual")).text
    assert (await room.ask("accept_order")).ok


async def test_a_command_that_comes_again_is_done_once() -> None:
    room = await opened()
    await room.order()
    for said in ("the order is worked", "done before"):
        assert (await room.ask("accept_order", command_id="same")).text == said
    assert len(await written(room)) == 1


async def test_what_cannot_be_is_refused_by_name_and_changes_nothing() -> None:
    room = await opened()
    await room.order()
    before = await topics(room)
    for command, more, said in (
        ("steer_order", {"act": "pause"}, "waits"),
        ("split_order", {"slices": [{"quantity_e9": E9, "algo": "twap"}]}, "accept it first"),
        ("enter_fill", {"broker": "JPM", "reference": "1", "quantity": 10, "price": 100}, "accept it first"),
        ("accept_order", {"algo": "guess"}, "none of"),
        ("accept_order", {"actor": "client:OMS"}, "not a person"),
        ("accept_order", {"order_id": "NOPE"}, "no order has the OrderID NOPE"),
    ):
        refused = await room.ask(command, **more)
        assert not refused.ok and said in refused.text, refused.text
    assert await topics(room) == before


async def test_a_crash_at_any_moment_leaves_an_order_staged_or_taken() -> None:
    room = await opened()
    await room.order()
    after = await room.successor()
    await after.open()
    assert (after.parent().staged, after.parent().care.rule) == (True, "all")
    staged = [r.event async for page in room.log.read_pages() for r in page if isinstance(r.event, Staged)]
    assert len(staged) == 1


RULES = (
    CareRule(name="large", quantity_min_e9=500 * E9),
    CareRule(name="vip works", handling="work", account="VIP"),
    CareRule(name="money", notional_min_e9=20_000 * E9),
    CareRule(name="direct", algo="direct"),
    CareRule(name="manual", manual=True),
)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({}, "large"),
        ({"quantity_e9": 100 * E9}, ""),
        ({"quantity_e9": 300 * E9}, "money"),
        ({"quantity_e9": 300 * E9, "account": "VIP"}, ""),
        ({"quantity_e9": 100 * E9, "algo": "", "parameters": ()}, "direct"),
    ],
)
async def test_the_first_rule_that_fits_decides(changes: dict[str, Any], rule: str) -> None:
    room = await opened(CareTerms(rules=RULES))
    assert (await room.order(**changes)).care.rule == rule


@pytest.mark.parametrize(("reserve", "status"), [(True, OrdStatus.REJECTED), (False, OrdStatus.PENDING_NEW)])
async def test_what_waits_counts_as_open_where_that_is_agreed(reserve: bool, status: OrdStatus) -> None:
    terms = RiskTerms(limits=(limit(Check.POSITION, 1500 * E9, "quantity"),), digest="0123456789abcdef")
    room = await opened(CareTerms(rules=STAGE.rules, reserve=reserve), risk=terms, risk_data=NOBODYS)
    await room.order()
    room.take()
    await room.order(cl_ord_id="A2")
    (report,) = room.take(ParentReport)
    assert report.ord_status is status
    await room.client(replace_order(cl_ord_id="A3", quantity_e9=1200 * E9))  # what is held for it counts once
    assert room.named("A3").terms.quantity_e9 == 1200 * E9
    await room.done("accept_order", room.named("A3"), algo="manual")
    await room.order(cl_ord_id="A4")
    assert room.named("A4").status is OrdStatus.PENDING_NEW  # what is taken reserves what it sends out, like any order
    await room.folded()
