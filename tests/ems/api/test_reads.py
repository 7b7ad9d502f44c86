"""What is read beside the socket: one order in full, files, the audit search, layouts, the past."""

from __future__ import annotations

import csv
import io
import json

import pytest

from domain import access
from domain.account import Entitlement
from ems.api import replay
from ems.api.read_routes import _cell
from ems.bench.made_day import MadeDay
from ems.desk_state import DeskState
from tests.ems.api.server import Server, hear, subscribe

NOBODYS = frozenset({Entitlement("client", "NOBODY")})


async def test_an_order_in_full_with_the_cause_of_every_event(server: Server) -> None:
    await server.trade()
    row = server.rows("parents")[0]
    async with server.signed_in("jane", "viewer") as jane:
        found = (await jane.client.get(f"/api/orders/{row['order_id']}")).json()
        assert found["order"] == row and found == (await jane.client.get(f"/api/orders/{row['id']}")).json()
        topics = [event["topic"] for event in found["events"]]
        assert topics.count("fill.recorded.v1") == 6 and topics.count("child_order.created.v1") == 3
        assert all(event["cause"] and event["actor"] for event in found["events"])
        assert [event["seq"] for event in found["events"]] == sorted({event["seq"] for event in found["events"]})
        assert len(found["children"]) == 3 and len(found["fills"]) == 6 and found["plans"]
        child = found["children"][0]
        reason = (await jane.client.get(f"/api/orders/{row['id']}/why/{child['cl_ord_id']}")).json()
        assert reason["child"] == child and reason["plan"]["number"] >= 1 and reason["plan"]["seq"] < reason["created"]["seq"]
        planned = (await jane.client.get(f"/api/orders/{row['id']}/schedule")).json()
        assert planned["actual"][-1][1] == row["filled"] and planned["slices"] and planned["replans"]
        assert [float(low) <= float(high) for _, low, high in planned["bounds"]] == [True] * len(planned["slices"])
        other = server.rows("parents")[1]
        assert (await jane.client.get(f"/api/orders/{other['id']}/why/{child['id']}")).status_code == 404


async def test_an_order_of_somebody_elses_is_not_there(server: Server) -> None:
    await server.trade()
    row = server.rows("parents")[0]
    async with server.signed_in("jane", "viewer", entitlements=NOBODYS) as jane:
        for path in ("", "/schedule", "/why/x"):
            assert (await jane.client.get(f"/api/orders/{row['id']}{path}")).status_code == 404
        answer = await jane.client.get("/api/export/parents.csv")
        assert answer.text.count("\n") == 1, "its head alone"
    assert len(await server.events(access.Refused)) == 3


async def test_a_table_as_a_file_is_a_read_that_is_logged(server: Server) -> None:
    await server.trade()
    async with server.signed_in("jane", "viewer") as jane:
        answer = await jane.client.get("/api/export/fills.csv", params={"filter": json.dumps({"side": "buy"})})
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == len(server.rows("fills")) and rows[0]["price"] == server.rows("fills")[0]["price"]
        assert (await jane.client.get("/api/export/fills.csv", params={"filter": "nonsense"})).status_code == 422
        assert (await jane.client.get("/api/export/accounts.csv")).status_code == 404
    (read,) = await server.events(access.LogRead)
    assert read.event.rows == len(rows)


@pytest.mark.parametrize(("value", "cell"), [("=1+1", "'=1+1"), ("-5.5", "-5.5"), ("@x", "'@x"), ("MSFT", "MSFT"), (7, 7)])
def test_a_text_that_a_spreadsheet_would_run_is_marked(value: object, cell: object) -> None:
    assert _cell(value) == cell


async def test_the_audit_search_is_for_auditors_and_is_itself_in_the_log(server: Server) -> None:
    await server.trade()
    async with server.signed_in("ada", "auditor") as ada, server.signed_in("jane", "trader") as jane:
        assert (await jane.client.get("/api/log")).status_code == 403
        found = (await ada.client.get("/api/log", params={"q": "fill.recorded", "limit": 3})).json()
        assert [event["topic"] for event in found["events"]] == ["fill.recorded.v1"] * 3
        more = (await ada.client.get("/api/log", params={"q": "fill.recorded", "from": found["next"]})).json()
        assert [event["topic"] for event in more["events"]] == ["fill.recorded.v1"] * 3 + ["access.log_read.v1"]
        assert more["next"] is None
        assert (await ada.client.get("/api/catalogue")).json()["verbs"] == [], "everything to read and nothing to do"
    assert [one.event.rows for one in await server.events(access.LogRead)] == [3, 4]


async def test_layouts_are_a_persons_own(server: Server) -> None:
    async with server.signed_in("jane", "viewer") as jane, server.signed_in("omar", "viewer") as omar:
        headers = {"X-CSRF": jane.csrf}
        saved = await jane.client.put("/api/layouts/mine", json={"body": {"columns": [1, 2]}}, headers=headers)
        assert saved.status_code == 200
        assert (await jane.client.get("/api/layouts/mine")).json() == {"body": {"columns": [1, 2]}}
        assert (await omar.client.get("/api/layouts/mine")).status_code == 404
        assert (await jane.client.get("/api/layouts")).json() == ["mine"]
        huge = await jane.client.put("/api/layouts/mine", json={"body": "x" * 300_000}, headers=headers)
        assert huge.status_code == 413
        await jane.client.put("/api/layouts/mine", json={"body": None}, headers=headers)
        assert (await jane.client.get("/api/layouts")).json() == []


async def test_the_past_is_what_was_live_then(server: Server) -> None:
    entries = [turn.entries for turn in MadeDay(finished=2, working=1).turns(DeskState())]
    half = len(entries) // 2
    for batch in entries[:half]:
        await server.log.append(batch)
    await server.caught_up()
    end = (await server.log.head()).seq
    then = {topic: server.rows(topic) for topic in ("children", "fills")}
    for batch in entries[half:]:
        await server.log.append(batch)
    await server.caught_up()
    assert {topic: server.rows(topic) for topic in then} != then
    models = await replay.at(server.log, "desk", end)
    for topic, rows in then.items():
        table = models.tables[topic]
        assert [table.named(key) for key in table.ids()] == rows


async def test_a_socket_looks_at_the_past_moves_and_plays_it(server: Server) -> None:
    await server.trade()
    end = (await server.log.head()).seq
    async with server.signed_in("jane", "viewer") as jane, server.watching(jane) as stream:
        span = (await jane.client.get("/api/replay/span")).json()
        assert (span["first_seq"], span["marks"][0]["what"]) == (1, "parent_order.accepted")
        begin = await subscribe(stream, "fills", at=5)
        assert (begin["seq"], begin["rows"]) == (5, [])
        await stream.send(json.dumps({"t": "seek", "at": end}))
        moved = await hear(stream, "snap", id=1)
        assert moved["seq"] == end and len(moved["rows"]) == 6
        await stream.send(json.dumps({"t": "seek", "at": 1}))
        assert (await hear(stream, "snap", id=1))["rows"] == []
        await stream.send(json.dumps({"t": "play", "speed": 100}))
        played = 0
        while played < 6:
            played += len((await hear(stream, "upd", id=1))["rows"])
        await stream.send(json.dumps({"t": "pause"}))
        await stream.send(json.dumps({"t": "play", "speed": "fast"}))
        assert "speed" in (await hear(stream, "err"))["text"]
        await stream.send(json.dumps({"t": "sub", "id": 9, "topic": "accounts", "at": 1}))
        assert "past" in (await hear(stream, "err"))["text"]


async def test_two_moments_side_by_side(server: Server) -> None:
    await server.trade()
    end = (await server.log.head()).seq
    async with server.signed_in("jane", "viewer") as jane:
        found = (await jane.client.get("/api/diff", params={"topic": "parents", "from": 0, "to": end})).json()
        assert len(found["added"]) == 2 and found["removed"] == []
        none = (await jane.client.get("/api/diff", params={"topic": "parents", "from": end, "to": end})).json()
        assert (none["added"], none["changed"]) == ([], [])
        assert (await jane.client.get("/api/diff", params={"topic": "sessions", "from": 0, "to": 1})).status_code == 422
        assert (await jane.client.get("/api/diff", params={"topic": "accounts", "from": 0, "to": 1})).status_code == 404


async def test_a_ticket_is_judged_by_the_desk_and_priced(server: Server) -> None:
    known = {"adv_e9": 10**15, "spread_bps": 2.0, "volatility_bps": 5.0, "verdicts": [], "notional": "1025", "touch": None}
    server.answer = {"ok": True, "text": "it would be taken", "pretrade": json.dumps(known)}
    fields = {"client": "OMS", "symbol": "MSFT", "side": "buy", "quantity": "100", "price": "10.25"}
    async with server.signed_in("jane", "trader") as jane:
        headers = {"X-CSRF": jane.csrf}
        found = (await jane.client.post("/api/pretrade", json={"fields": fields}, headers=headers)).json()
        assert found["errors"] == [] and found["notional"] == "1025" and found["adv_pct"] == 0.01
        assert len(found["curve"]) == 8 and found["curve"][0][2] < found["curve"][0][1] < found["curve"][0][3]
        assert server.asked[0]["check_only"] is True
        server.answer = {"ok": False, "text": "off the tick", "reason": "price_off_tick"}
        off = (await jane.client.post("/api/pretrade", json={"fields": fields}, headers=headers)).json()
        assert off["errors"] == [{"field": "price", "text": "off the tick"}] and len(off["missing"]) == 3
        bad = (await jane.client.post("/api/pretrade", json={"fields": fields | {"quantity": "0"}}, headers=headers)).json()
        assert bad["errors"] == [{"field": "quantity", "text": "a number above 0"}] and len(server.asked) == 2
