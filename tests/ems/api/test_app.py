"""The console's server over real sockets, on the in-memory log: pages, reads, the WebSocket, and everything it refuses."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import uvicorn
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from ems.api.app import Facts, make_app
from ems.api.auth import COOKIE, Access
from ems.api.stream import Feed
from ems.bench.made_day import MadeDay
from ems.desk_state import DeskState
from tests.waiting import until

TOKEN = "the-token-of-this-test"


class Console:
    """A server on a port of its own, and the log that it follows."""

    def __init__(self) -> None:
        self.log = MemoryEventLog(TOPICS, WallClock())
        self.feed = Feed(self.log)
        self.access = Access(TOKEN)
        app = make_app(self.feed, self.access, Facts("PAPER", "test", {"kind": "wall"}, ("127.0.0.1",)))
        self.server = uvicorn.Server(uvicorn.Config(app, log_config=None, server_header=False, timeout_graceful_shutdown=1))
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"
        self.cookie = {COOKIE: self.access.cookie_value}

    async def __aenter__(self) -> Console:
        self.task = asyncio.create_task(self.server.serve([self.socket]))
        await until(lambda: self.server.started)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.task

    async def trade(self, parents: int = 1) -> None:
        """Put a made day into the log and wait until the rows have it."""
        for turn in MadeDay(finished=parents, working=1).turns(DeskState()):
            await self.log.append(turn.entries)
        await self.caught_up()

    async def caught_up(self) -> None:
        seq = (await self.log.head()).seq
        await until(lambda: self.feed.rows.seq >= seq)

    def client(self, **options: Any) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://{self.host}", **options)

    def socket_url(self) -> str:
        return f"ws://{self.host}/ws"

    def socket_headers(self, **changes: str) -> dict[str, str]:
        return {"Cookie": f"{COOKIE}={self.access.cookie_value}", "Origin": f"http://{self.host}", **changes}


@pytest.fixture
async def console() -> AsyncIterator[Console]:
    async with Console() as running:
        yield running


@pytest.mark.parametrize(
    "path", ["/", "/static/console.js", "/api/parents", "/api/facts", "/api/fills", "/api/alerts", "/nowhere", "/?token=wrong"]
)
async def test_without_the_token_everything_is_401(console: Console, path: str) -> None:
    async with console.client() as client:
        answer = await client.get(path)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_the_token_becomes_a_cookie_that_no_script_can_read_and_leaves_the_address(console: Console) -> None:
    async with console.client() as client:
        first = await client.get("/", params={"token": TOKEN})
        assert first.status_code == 303 and first.headers["location"] == "/"
        cookie = first.headers["set-cookie"].lower()
        assert "httponly" in cookie and "samesite=strict" in cookie and TOKEN not in cookie
        page = await client.get("/")
        assert page.status_code == 200 and "<title>EMS console</title>" in page.text
        for name in ("console.js", "console.css"):
            assert f"/static/{name}" in page.text
            assert (await client.get(f"/static/{name}")).status_code == 200
        again = await client.get("/", params={"token": TOKEN})
        assert again.status_code == 303, "also a second use of the address does not leave the token in it"


async def test_every_answer_carries_the_security_headers(console: Console) -> None:
    async with console.client() as client:
        answers = [await client.get("/"), await client.get("/health")]
    async with console.client(cookies=console.cookie) as client:
        answers.append(await client.get("/"))
    for answer in answers:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "server" not in answer.headers


async def test_the_page_needs_nothing_that_its_policy_forbids(console: Console) -> None:
    async with console.client(cookies=console.cookie) as client:
        page = (await client.get("/")).text
    assert "<style" not in page and " style=" not in page and " onclick" not in page
    assert page.count("<script") == page.count('<script src="/static/')


async def test_health_is_open_and_says_only_that_it_lives(console: Console) -> None:
    await console.trade()
    async with console.client() as client:
        answer = await client.get("/health")
    assert answer.json() == {"status": "ok", "seq": console.feed.rows.seq, "following": True}


async def test_a_foreign_host_name_is_refused(console: Console) -> None:
    async with console.client(cookies=console.cookie) as client:
        answer = await client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400


async def test_reads(console: Console) -> None:
    await console.trade()
    async with console.client(headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        parents = (await client.get("/api/parents")).json()
        assert [parent["status"] for parent in parents] == ["filled", "new"]
        one = (await client.get(f"/api/parents/{parents[0]['id']}")).json()
        assert len(one["children"]) == 3 and len(one["fills"]) == 6
        assert (await client.get("/api/parents/nobody")).status_code == 404
        assert len((await client.get("/api/children")).json()) == 4
        assert len((await client.get("/api/fills", params={"limit": 2})).json()) == 2
        assert (await client.get("/api/fills", params={"limit": 0})).status_code == 422
        assert (await client.get("/static/../app.py")).status_code == 404
        assert (await client.get("/api/facts")).json() == {"mode": "PAPER", "name": "test", "clock": {"kind": "wall"}}


async def test_the_socket_sends_a_snapshot_then_what_changes_to_the_same_end(console: Console) -> None:
    await console.trade()
    async with connect(console.socket_url(), additional_headers=console.socket_headers()) as stream:
        first = json.loads(await stream.recv())
        assert first["type"] == "snapshot" and first["live"] and first["facts"]["mode"] == "PAPER"
        seen = {table: {row["id"]: row for row in first[table]} for table in ("parents", "children", "fills")}
        assert len(seen["parents"]) == 2
        state = DeskState()
        async for page in console.log.read_pages():
            for recorded in page:
                state.apply(recorded.stream, recorded.event, recorded.meta, seq=recorded.seq)
        (working,) = [state.parents[stream] for stream in state.working]
        await cancel(console, state, working.id)
        while True:
            delta = json.loads(await asyncio.wait_for(stream.recv(), 10))
            assert delta["type"] == "delta"
            for table, rows in seen.items():
                rows.update({row["id"]: row for row in delta.get(table, [])})
            if delta["seq"] == (await console.log.head()).seq:
                break
    assert seen["parents"] == console.feed.rows.parents
    assert seen["parents"][str(working.id)]["status"] == "pending_cancel"


async def test_what_a_person_must_look_at_is_told_at_once_with_its_count(console: Console) -> None:
    async with connect(console.socket_url(), additional_headers=console.socket_headers()) as stream:
        first = json.loads(await stream.recv())
        nothing = {"quarantined_fills": 0, "unreadable_messages": 0, "refused_allocations": 0, "lost_messages": 0}
        assert (first["alerts"], first["alert_counts"]) == ([], nothing)
        await quarantine(console)
        delta = json.loads(await asyncio.wait_for(stream.recv(), 10))
    assert delta["alert_counts"] == {**nothing, "quarantined_fills": 1}
    assert [row["why"] for row in delta["alerts"]] == ["conflict"]
    async with console.client(cookies=console.cookie) as client:
        assert (await client.get("/api/alerts")).json() == delta["alerts"]


async def quarantine(console: Console) -> None:
    """An execution that contradicts an earlier one, as the desk would record it."""
    from domain import fill
    from ems.turn import Turn

    turn = Turn(state=DeskState(), now_ns=1, build="test")
    event = fill.Quarantined(
        venue_session="V",
        trade_date="2026-03-02",
        exec_id="E1",
        cl_ord_id="C1",
        quantity_e9=1,
        price_e9=1,
        reason="conflict",
        raw="",
    )
    key = fill.key("V", "2026-03-02", "E1")
    turn.begin(actor="venue:V", causation="fix:V/0/1")
    turn.apply(key, event, correlation=key)
    await console.log.append(turn.entries)


async def cancel(console: Console, state: DeskState, parent: Any) -> None:
    """A client's cancel, as the desk would record it."""
    from domain import parent_order as po
    from ems.turn import Turn

    turn = Turn(state=state, now_ns=1, build="test")
    turn.parent(parent, po.CancelRequested(cl_ord_id="C1"))
    await console.log.append(turn.entries)


@pytest.mark.parametrize(
    "changes", [{"Cookie": "x=y"}, {"Cookie": f"{COOKIE}=guess"}, {"Origin": "http://evil.example"}, {"Origin": "null"}]
)
async def test_the_socket_refuses_strangers_and_foreign_pages(console: Console, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(console.socket_url(), additional_headers=console.socket_headers(**changes)).__aenter__()
    assert refused.value.response.status_code == 403


async def test_a_client_that_goes_is_forgotten(console: Console) -> None:
    async with connect(console.socket_url(), additional_headers=console.socket_headers()) as stream:
        await stream.recv()
        assert len(console.feed._clients) == 1
    await until(lambda: not console.feed._clients)
