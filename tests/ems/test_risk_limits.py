"""Limits: whose applies when, and that no one person changes one."""

from __future__ import annotations

from typing import Any

import pytest

from domain import limits as li
from domain.commands import RetireLimit, SetLimit
from domain.instructions import Instructions, Party
from domain.refusal import Reason
from domain.risk import Check, Outcome, Subject
from domain.sending import ParentReport
from domain.values import E9, ScopeKind
from ems.risk_day import RiskTerms
from tests.domain.orders import NOW_NS
from tests.ems.risk_scene import SCOPES, Scene, limit, order
from tests.ems.room import Room
from tests.ems.test_risk import commanded, limited

Facts = dict[str, Any]
C = Check
ACCOUNT: Facts = {"scope": ScopeKind.ACCOUNT, "scope_id": "*"}


def test_a_limit_of_its_own_overrides_that_of_each_and_begins_when_it_says() -> None:
    scene = Scene().marked().limited(C.MAX_QUANTITY, 50 * E9, "quantity", **ACCOUNT)
    assert scene.verdict(C.MAX_QUANTITY, order()).outcome is Outcome.HARD
    own = {"scope": ScopeKind.ACCOUNT, "scope_id": "ACC"}
    scene.limited(C.MAX_QUANTITY, 100 * E9, "quantity", from_ns=NOW_NS + 1, until_ns=NOW_NS + 3, **own)
    assert scene.verdict(C.MAX_QUANTITY, order()).outcome is Outcome.HARD
    scene.now_ns = NOW_NS + 2
    verdict = scene.verdict(C.MAX_QUANTITY, order())
    assert (verdict.outcome, verdict.scope, verdict.limit_version) == (Outcome.PASS, "account:ACC", 1)
    scene.now_ns = NOW_NS + 3
    assert scene.verdict(C.MAX_QUANTITY, order()).outcome is Outcome.HARD


@pytest.mark.parametrize(
    ("changes", "actor", "said"),
    [
        ({"approver": "person:jane"}, "person:jane", "another person"),
        ({"approver": ""}, "person:jane", "needs an approver"),
        ({"reason": " "}, "person:jane", "and a reason"),
        ({"value_e9": -1}, "person:jane", "not negative"),
        ({"unit": "money"}, "person:jane", "in quantity, not in money"),
        ({"window_ns": 1}, "person:jane", "has no window"),
        ({"scope_id": "X"}, "person:jane", "has no id"),
        ({"until_ns": 0}, "person:jane", "ends after it begins"),
        ({"check": C.LOT}, "person:jane", "always judged"),
    ],
)
def test_a_limit_that_cannot_be_is_refused(changes: Facts, actor: str, said: str) -> None:
    asked = limit(C.MAX_QUANTITY, 1, "quantity").model_copy(update=changes)
    decided = li.set_limit(li.LimitBook(), li.Asked(asked, actor))
    assert not isinstance(decided, tuple)
    assert decided.reason is Reason.BAD_LIMIT and said in decided.text


def test_a_limit_is_set_once_and_retired_once() -> None:
    book, event = li.LimitBook(), limit(C.MAX_QUANTITY, 1, "quantity")
    assert li.set_limit(book, li.Asked(event, "person:jane")) == (event,)
    book.apply(li.key_of(event), event)
    assert li.set_limit(book, li.Asked(event, "person:jane")) == ()
    gone = li.LimitRetired(
        check=C.MAX_QUANTITY, scope=ScopeKind.FIRM, scope_id="", applies="any", level="hard", approver="person:mary", reason="r"
    )
    assert li.retire(book, gone, "person:jane") == (gone,)
    book.apply(li.key_of(gone), gone)
    assert not isinstance(li.retire(book, gone, "person:jane"), tuple)
    assert book.applicable(Subject.CHILD, SCOPES, NOW_NS) == ()


async def test_a_limit_is_set_by_two_and_retired_by_two() -> None:
    room = await limited().open()
    fields = {"command_id": "C", "actor": "person:jane", "reason": "mandate", "scope": ScopeKind.ACCOUNT, "scope_id": "ACC"}
    wanted = SetLimit(**fields, approver="person:mary", value_e9=10 * E9, check=C.MAX_QUANTITY, unit="quantity")
    assert not (await commanded(room, wanted.model_copy(update={"approver": "person:jane"}))).ok
    assert (await commanded(room, wanted)).ok
    await room.client_order("A1", quantity_e9=1000 * E9)
    assert room.take(ParentReport)[-1].text == "risk: max quantity of account:ACC: 1000 against 10"
    gone = RetireLimit(**fields, approver="person:mary", check=Check.MAX_QUANTITY)
    assert (await commanded(room, gone)).ok and not (await commanded(room, gone)).ok
    await room.client_order("A2", quantity_e9=1000 * E9)
    assert room.parent().cl_ord_id == "A2"


async def test_two_people_who_say_the_same_one_after_the_other_set_and_retire_a_limit() -> None:
    room = await limited().open()
    fields: Facts = {"command_id": "1", "reason": "mandate", "check": C.MAX_QUANTITY, "scope": ScopeKind.FIRM}
    jane, omar = ({**fields, "actor": f"person:{name}"} for name in ("jane", "omar"))
    rule = {"value_e9": 10 * E9, "unit": "quantity"}
    first = await commanded(room, SetLimit(**jane, **rule))
    assert (first.ok, first.text) == (True, "proposed: it holds when a second person has said the same within an hour")
    again = await commanded(room, SetLimit(**jane, **rule))
    assert (again.ok, again.text) == (
        False, "person:jane has proposed it already: a second, different person must say the same"
    )  # fmt: skip
    assert in_force(room) == [], "one person's word is none"
    assert (await commanded(room, SetLimit(**omar, **{**rule, "value_e9": 11 * E9}))).text.startswith("proposed")
    assert in_force(room) == [], "another value is another proposal, in place of the first"
    room.clock.ns += 3600 * E9
    assert (await commanded(room, SetLimit(**jane, **{**rule, "value_e9": 11 * E9}))).text.startswith("proposed"), "too late"
    room = await restarted(room)
    assert (await commanded(room, SetLimit(**omar, **{**rule, "value_e9": 11 * E9}))).text == "the limit is in force"
    assert in_force(room) == [11]
    (limit,) = room.desk.state.risk.limits.limits.values()
    content = limit.versions[-1][1]
    assert content is not None and content.approver == "person:omar"
    (written,) = [one for one in await room.log.read(limit.id) if isinstance(one.event, li.LimitSet)]
    assert written.meta.actor == "person:jane", "who has proposed it asks for it"
    assert (await commanded(room, SetLimit(**jane, **{**rule, "value_e9": 11 * E9}))).text == "the limit says so already"
    for who, text in ((omar, "proposed: it holds"), (jane, "the limit is no more")):
        assert (await commanded(room, RetireLimit(**who))).text.startswith(text)
    assert in_force(room) == [] and room.desk.state.risk.proposals == {}
    refused = await commanded(room, SetLimit(**jane, value_e9=1, unit="money"))
    assert (refused.ok, refused.text) == (False, "max_quantity is in quantity, not in money")


def test_a_hard_and_a_soft_limit_of_one_rate_count_an_order_once() -> None:
    scene = Scene().marked()
    for level, count, window_ns in (("soft", 3, 60 * E9), ("hard", 5, 120 * E9)):
        scene.limited(Check.MESSAGE_RATE, count * E9, "count", level=level, window_ns=window_ns)
    scene.passed(order(), 100).passed(order(), 50)
    found = [v for v in scene.judged(order()).verdicts if v.check is Check.MESSAGE_RATE]
    assert sorted((v.observed or 0) // E9 for v in found) == [2, 3]  # one and two before it, by how far each looks back


def in_force(room: Room) -> list[int]:
    found = [limit.in_force(room.clock.ns) for limit in room.desk.state.risk.limits.limits.values()]
    return [one[1].value_e9 // E9 for one in found if one is not None]


async def restarted(room: Room, *limits: li.LimitSet) -> Room:
    """The next desk, under a configuration that says this."""
    room._risk["risk"] = RiskTerms(limits=limits, digest="another")
    return await (await room.successor()).open()


async def test_a_persons_limit_outlives_a_restart_until_the_configuration_says_something_new() -> None:
    configured = limit(C.MAX_QUANTITY, 1000 * E9, "quantity")
    room = await limited(configured).open()
    fields = {"command_id": "C", "actor": "person:jane", "reason": "mandate", "scope": ScopeKind.FIRM, "check": C.MAX_QUANTITY}
    assert (await commanded(room, SetLimit(**fields, approver="person:mary", value_e9=10 * E9, unit="quantity"))).ok
    room = await restarted(room, configured)
    assert in_force(room) == [10]
    room = await restarted(room, configured.model_copy(update={"value_e9": 500 * E9}))
    assert in_force(room) == [500]
    assert (await commanded(room, RetireLimit(**fields, approver="person:mary"))).ok
    assert in_force(room) == []
    room = await restarted(room, configured.model_copy(update={"value_e9": 500 * E9}))
    assert in_force(room) == [500], "what is to go for good goes from the configuration"
    room = await restarted(room)
    assert in_force(room) == []
    room = await restarted(room, configured.model_copy(update={"value_e9": 500 * E9}))
    assert in_force(room) == [500]


async def test_a_limit_of_a_trader_is_of_the_decision_maker_that_the_client_names() -> None:
    room = await limited(limit(C.MAX_QUANTITY, 10 * E9, "quantity", scope=ScopeKind.TRADER, scope_id="DEC")).open()
    named = Instructions(parties=(Party(party_id="DEC", source="D", role=122),))
    await room.client_order("A1", quantity_e9=1000 * E9, instructions=named)
    assert room.take(ParentReport)[-1].text == "risk: max quantity of trader:DEC: 1000 against 10"
    await room.client_order("A2", quantity_e9=10 * E9, instructions=named)
    assert room.desk.state.risk.exposure.trader(room.parent().id) == "DEC"
    await room.client_order("A3", quantity_e9=1000 * E9)
    assert (room.parent().cl_ord_id, room.desk.state.risk.exposure.trader(room.parent().id)) == ("A3", "")
