"""Every verb: what it asks of the desk is a command that the desk understands, and what needs two people needs two sign-ins."""

from __future__ import annotations

from typing import Any

import pytest

from domain import access, approval
from domain import kill_switch as ks
from domain.commands import COMMAND
from domain.kill_table import Level
from ems.api.catalogue import Catalogue
from ems.api.verb import Act, Verb
from ems.read_models.models import TABLES
from ems.read_models.topic import ROLES
from tests.ems.api.server import PASSWORD, Server, subscribe

CATALOGUE = Catalogue(table.topic for table in TABLES)
LIMIT = {
    "check": "max_quantity", "scope": "client", "scope_id": "OMS", "applies": "any", "level": "hard", "value": "5000",
    "unit": "quantity", "reason": "smaller",
}  # fmt: skip
FIELDS: dict[str, dict[str, Any]] = {
    "enter_order": {"client": "OMS", "symbol": "MSFT", "side": "buy", "quantity": "100", "price": "10.25"},
    "urgency": {"urgency": "high"},
    "switch": {"algo": "pov", "parameters": ["ParticipationRate=20"]},
    "place": {"quantity": "10", "price": "9.99"},
    "amend": {"quantity": "90", "price": "10.5", "end": "1763640000000000000", "parameters": ["MaxParticipation=20"]},
    "book": {"cl_ord_id": "ABC", "overfill": True},
    "set_limit": LIMIT,
    "override": {"for_ns": "600000000000"},
    "reassign": {"to": "joe"},
    "reassign_staged": {"to": "joe"},
    "split": {"slices": ["300 vwap", "200 pov ParticipationRate=10", "400 direct@BROKER1"]},
    "route": {"venue": "BROKER1", "quantity": "400"},
    "merge": {"others": ["18", "19"]},
    "enter_fill": {"broker": "JPM", "reference": "T-77", "quantity": "400", "price": "99.5"},
    "enter_fill_over": {"broker": "JPM", "reference": "T-77", "quantity": "400", "price": "99.5"},
    "correct_fill": {"broker": "JPM", "reference": "T-77"},
    "take_block": {"quantity": "400", "price": "99.5"},
    "open_wheel": {"wheel": "main", "seed": "one", "arms": ["A=0.5,vwap", "B=0.5,pov,ParticipationRate=10"]},
    "reweigh_wheel": {"weights": ["A=0.4", "B=0.6"]},
}
ROW = {
    "order_id": "17", "check": "max_quantity", "scope": "firm", "applies": "any", "level": "hard", "client": "OMS",
    "cl_ord_id": "C1", "wheel": "main",
}  # fmt: skip
BY_DESK = [verb for verb in CATALOGUE.verbs.values() if verb.do.__qualname__.startswith("by_desk")]


class FakePorts:
    """Keeps what is asked of the desk."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def arms(self, _: str) -> list[str]:
        return ["A", "B"]

    async def desk(self, command: dict[str, Any], *, actor: str, command_id: str, approver: str | None) -> None:
        second = {"approver": f"person:{approver}"} if approver else {}
        self.asked.append({"actor": actor, "command_id": command_id, **command, **second})


@pytest.mark.parametrize("verb", BY_DESK, ids=lambda verb: verb.verb)
async def test_what_a_verb_asks_of_the_desk_is_a_command(verb: Verb) -> None:
    reason = {"reason": "why"} if any(one.name == "reason" for one in verb.fields) else {}
    fields, wrong = verb.read(reason | FIELDS.get(verb.verb, {}))
    assert wrong == {}
    ports: Any = FakePorts()
    act = Act("jane", "A1", ROW, fields, "why", "C-1", ports, "omar" if verb.second_person else None)
    assert verb.check is None or await verb.check(act) == {}
    await verb.do(act)
    command = COMMAND.validate_python(ports.asked[0])
    assert command.actor == "person:jane"
    assert getattr(command, "approver", None) == ("person:omar" if verb.second_person else None)


def test_topics_verbs_and_screens_name_only_what_there_is() -> None:
    for topic in CATALOGUE.topics.values():
        assert all(topic.has(column) for column in (*topic.filters, *(column for _, column in topic.scoped)))
        assert topic.link is None or CATALOGUE.topics[topic.link[0]].has(topic.link[1])
    for verb in CATALOGUE.verbs.values():
        assert verb.roles and verb.roles <= set(ROLES) and "auditor" not in verb.roles
        assert not verb.topic or all(CATALOGUE.topics[verb.topic].has(column) for column in verb.when)
    assert {one for screen in CATALOGUE.screens for one in screen.topics} <= CATALOGUE.topics.keys()
    keys = [screen.key for screen in CATALOGUE.screens]
    assert len(keys) == len(set(keys))


async def test_a_limit_needs_two_people_who_have_signed_in_apart(server: Server) -> None:
    async with server.signed_in("ann", "risk") as ann, server.signed_in("bob", "risk") as bob:
        first = (await ann.command("set_limit", fields=LIMIT)).json()["results"][0]
        assert first["pending"] == "approval" and server.asked == []
        await server.caught_up()
        (row,) = server.rows("approvals")
        assert (row["state"], row["by"], row["verb"]) == ("open", "ann", "set_limit")
        own = (await ann.command("approve", key="another-key", rows=[row["id"]])).json()["results"][0]
        assert own == {"row": row["id"], "ok": False, "text": "a second, different person must agree"}
        agreed = (await bob.command("approve", rows=[row["id"]])).json()["results"][0]
        assert agreed["ok"] is True
        (asked,) = server.asked
        assert (asked["command"], asked["actor"], asked["approver"]) == ("set_limit", "person:ann", "person:bob")
        await server.caught_up()
        assert server.rows("approvals")[0]["state"] == "approved"
        again = (await bob.command("approve", key="third-key", rows=[row["id"]])).json()["results"][0]
        assert again["ok"] is False and len(server.asked) == 1
    assert [one.event.outcome for one in await server.events(approval.Ended)] == ["approved"]


async def test_who_declines_ends_the_question(server: Server) -> None:
    async with server.signed_in("ann", "risk") as ann, server.signed_in("bob", "risk") as bob:
        await ann.command("set_limit", fields=LIMIT)
        await server.caught_up()
        (row,) = server.rows("approvals")
        assert (await bob.command("decline", rows=[row["id"]], reason="no")).json()["results"][0]["ok"]
        await server.caught_up()
        late = (await bob.command("approve", key="another-key", rows=[row["id"]])).json()["results"][0]
        assert late["text"] == "it is declined already" and server.asked == []


async def test_kill_and_arm_again_with_two_people(server: Server) -> None:
    async with server.signed_in("ann", "risk") as ann, server.signed_in("bob", "risk") as bob, server.watching(ann) as stream:
        scope = {"kind": "client", "id": "OMS", "reason": "a runaway"}
        assert (await ann.command("kill_hard", fields=scope)).json()["results"][0]["ok"]
        assert [slot.level for slot in server.kill.slots()] == [Level.HARD]
        await server.caught_up()
        shown = await subscribe(stream, "kills")
        assert ["client:OMS", "hard"] in [row[:2] for row in shown["rows"]]
        await ann.command("kill_rearm", key="second-key", rows=["client:OMS"], reason="found it")
        await server.caught_up()
        (row,) = server.rows("approvals")
        armed = (await bob.command("approve", rows=[row["id"]])).json()["results"][0]
        assert armed["ok"], armed
        assert [slot.level for slot in server.kill.slots()] == [Level.ARMED]
        await server.caught_up()
        work = (await ann.command("kill_resume", key="third-key", rows=["client:OMS"], reason="go on")).json()
        assert work["results"][0]["ok"], work
    assert (await server.events(ks.Rearmed))[0].event.persons == ("ann", "bob")


async def test_a_scope_that_is_none_is_refused_beside_its_field(server: Server) -> None:
    async with server.signed_in("ann", "risk") as ann:
        answer = await ann.command("kill_hard", fields={"kind": "client", "reason": "which?"})
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "id"
        assert server.kill.slots() == ()
        drilled = await ann.command("kill_drill", key="another-key")
        assert drilled.json()["results"][0]["ok"], drilled.text


async def test_an_administrator_makes_accounts_and_tokens_and_nobody_changes_their_own(server: Server) -> None:
    async with server.signed_in("root", "admin") as root:
        made = {"user": "jane", "name": "Jane", "password": PASSWORD, "roles": ["trader"], "entitlements": ["client:OMS"]}
        assert (await root.command("account_make", fields=made | {"roles": ["king"]})).status_code == 422
        assert (await root.command("account_make", fields=made)).json()["results"][0]["ok"]
        own = await root.command("account_roles", key="key-two-of-this", rows=["root"], fields={"roles": ["risk"]})
        assert own.json()["results"][0]["ok"] is False
        asked = {"name": "bot", "account": "jane", "roles": ["trader", "admin"], "days": "7"}
        token = await root.command("token_make", key="key-three-of-this", fields=asked)
        secret = token.json()["results"][0]["secret"]
        again = await root.command("token_make", key="key-three-of-this", fields=asked)
        assert "secret" not in again.json()["results"][0], "it is shown once"
    async with server.client(headers={"Authorization": f"Bearer {secret}"}) as machine:
        assert (await machine.get("/api/session")).json()["roles"] == ["trader"], "no more than its account has"
        entered = {"fields": FIELDS["enter_order"]}
        answer = await machine.post("/api/commands/enter_order", json=entered, headers={"Idempotency-Key": "of-a-machine"})
        assert answer.status_code == 202 and server.asked[0]["actor"] == "person:jane"
    changed = await server.events(access.AccountChanged)
    assert [one.event.act for one in changed] == ["made", "token_made"]
    assert PASSWORD not in repr(server.log.rows) and secret not in repr(server.log.rows)


async def test_changed_rights_end_the_sessions_that_had_the_old_ones(server: Server) -> None:
    await server.hire("jane", "trader")
    async with server.signed_in("jane") as jane, server.signed_in("root", "admin") as root:
        assert (await jane.client.get("/api/session")).status_code == 200
        await root.command("account_disable", rows=["jane"])
        assert (await jane.client.get("/api/session")).status_code == 401
