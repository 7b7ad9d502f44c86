"""Commands: who may, what is wrong beside which field, and that a key is never a second act."""

from __future__ import annotations

from typing import Any

from domain import access
from domain.account import Entitlement
from ems.voucher import is_vouched
from tests.ems.api.server import KEY, Server

ORDER: dict[str, Any] = {"client": "OMS", "symbol": "MSFT", "side": "buy", "quantity": "100", "price": "10.25", "algo": "vwap"}


async def test_a_verb_reaches_the_desk_vouched_for_under_the_persons_name(server: Server) -> None:
    await server.trade()
    row = server.rows("parents")[-1]
    async with server.signed_in("jane", "trader") as jane:
        answer = await jane.command("pause", rows=[row["id"]], reason="news")
    assert answer.status_code == 202
    assert answer.json()["results"] == [{"row": row["id"], "ok": True, "text": "done"}]
    (asked,) = server.asked
    voucher = asked.pop("voucher")
    assert asked.pop("socket") == "desk"
    assert is_vouched(KEY, asked, voucher)
    assert (asked["actor"], asked["command"], asked["act"], asked["order_id"]) == (
        "person:jane", "steer_order", "pause", row["order_id"],
    )  # fmt: skip


async def test_the_same_key_has_the_same_answer_and_another_body_is_refused(server: Server) -> None:
    async with server.signed_in("jane", "trader") as jane:
        first = await jane.command("enter_order", fields=ORDER)
        server.answer = {"ok": False, "text": "never"}
        assert (await jane.command("enter_order", fields=ORDER)).json() == first.json()
        assert (await jane.command("enter_order", fields=ORDER | {"quantity": "200"})).status_code == 409
    assert len(server.asked) == 1
    assert (server.asked[0]["quantity_e9"], server.asked[0]["limit_price_e9"]) == (100_000_000_000, 10_250_000_000)


async def test_a_desk_that_is_away_leaves_the_command_in_doubt_until_the_same_key_asks_again(server: Server) -> None:
    server.answer = None
    async with server.signed_in("jane", "trader") as jane:
        away = await jane.command("enter_order", fields=ORDER)
        assert away.status_code == 503
        server.answer = {"ok": True, "text": "entered", "order_id": "17"}
        there = await jane.command("enter_order", fields=ORDER)
    assert there.status_code == 202 and there.json()["results"][0]["order_id"] == "17"
    first, second = server.asked
    assert first["command_id"] == second["command_id"], "the desk knows it again"


async def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_asked(server: Server) -> None:
    async with server.signed_in("jane", "trader") as jane:
        wrong = {"quantity": "-1", "price": "ten", "side": "hold", "colour": "red"}
        answer = await jane.command("enter_order", fields=ORDER | wrong)
        assert answer.status_code == 422
        assert {one["field"] for one in answer.json()["errors"]} == set(wrong)
        rows = await jane.command("pause", reason="why")
        assert [one["field"] for one in rows.json()["errors"]] == ["rows"]
        reason = await jane.command("pause", rows=["x"])
        assert [one["field"] for one in reason.json()["errors"]] == ["reason"]
    assert server.asked == []


async def test_a_role_without_the_verb_is_refused_and_it_is_an_event(server: Server) -> None:
    async with server.signed_in("vera", "viewer") as vera:
        answer = await vera.command("enter_order", fields=ORDER)
        assert answer.status_code == 403
        assert (await vera.client.get("/api/catalogue")).json()["verbs"] == []
    (refused,) = await server.events(access.Refused)
    assert (refused.event.user, refused.event.what) == ("vera", "enter_order")
    assert server.asked == []


async def test_an_order_that_somebody_is_not_entitled_to_cannot_be_touched(server: Server) -> None:
    await server.trade()
    row = server.rows("parents")[-1]
    own = frozenset({Entitlement("client", "NOBODY")})
    async with server.signed_in("jane", "trader", entitlements=own) as jane:
        assert (await jane.command("pause", rows=[row["id"]], reason="why")).status_code == 403
    assert server.asked == []


async def test_the_catalogue_tells_a_trader_what_there_is(server: Server) -> None:
    async with server.signed_in("jane", "trader") as jane:
        told = (await jane.client.get("/api/catalogue")).json()
    topics, verbs = ({one[name]: one for one in told[kind]} for kind, name in (("topics", "name"), ("verbs", "verb")))
    assert {"parents", "children", "fills", "alerts"} <= topics.keys()
    assert set(topics["parents"]["verbs"]) <= verbs.keys()
    assert topics["parents"]["link"] == {"topic": "children", "column": "parent"}
    assert verbs["urgency"]["fields"][0]["choices"] == ["low", "normal", "high"]
    assert all(set(screen["topics"]) <= topics.keys() for screen in told["screens"])
