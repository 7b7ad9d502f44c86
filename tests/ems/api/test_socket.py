"""The WebSocket: snapshots, sequenced changes, heartbeats, and whom it is closed to."""

from __future__ import annotations

import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from domain.account import Entitlement
from tests.ems.api.server import Server, Signed, hear, named, subscribe


async def test_a_snapshot_then_gapless_changes_to_the_same_end(server: Server) -> None:
    async with server.signed_in("jane", "viewer") as jane, server.watching(jane) as stream:
        empty = await subscribe(stream, "parents")
        assert (empty["n"], empty["rows"], empty["cols"][0]) == (0, [], "id")
        await server.trade()
        last, seen = 0, {}
        end = (await server.log.head()).seq
        while True:
            said = await hear(stream, "upd")
            assert said["n"] == last + 1 and said["p"] > 0
            last = said["n"]
            seen.update({row["id"]: row for row in named(said, empty["cols"])})
            if said["seq"] == end and len(seen) == 2 and list(seen.values()) == server.rows("parents"):
                break
    assert [row["status"] for row in server.rows("parents")] == ["filled", "new"]


async def test_heartbeats_say_where_the_log_is(server: Server) -> None:
    await server.trade()
    async with server.signed_in("jane", "viewer") as jane, server.watching(jane) as stream:
        beat = await hear(stream, "hb")
        assert beat["live"] is True and beat["seq"] == (await server.log.head()).seq and int(beat["t_ns"]) > 0


async def test_a_filter_narrows_what_is_told(server: Server) -> None:
    await server.trade(parents=2)
    parents = server.rows("parents")
    async with server.signed_in("jane", "viewer") as jane, server.watching(jane) as stream:
        found = await subscribe(stream, "children", filter={"parent": parents[0]["id"]})
        rows = named(found, found["cols"])
        assert rows and {row["parent"] for row in rows} == {parents[0]["id"]}
        await stream.send(json.dumps({"t": "sub", "id": 2, "topic": "children", "filter": {"nonsense": 1}}))
        assert "columns" in (await hear(stream, "err"))["text"]


@pytest.mark.parametrize("text", ["not json", "[]", '{"t":"sub"}', '{"t":"sub","id":1,"topic":"nothing"}', '{"t":"fly"}'])
async def test_nonsense_is_answered_and_the_socket_lives(server: Server, text: str) -> None:
    async with server.signed_in("jane", "viewer") as jane, server.watching(jane) as stream:
        await stream.send(text)
        assert (await hear(stream, "err"))["text"]
        assert (await subscribe(stream, "parents"))["n"] == 0


async def test_strangers_and_foreign_pages_are_refused_before_it_opens(server: Server) -> None:
    async with server.signed_in("jane", "viewer") as jane:
        nobody = Signed("nobody", "", server.client())
        for who, headers in ((nobody, {}), (jane, {"Origin": "http://evil.example"})):
            with pytest.raises(InvalidStatus):
                async with server.watching(who, **headers):
                    raise AssertionError("it opened")
        with pytest.raises(InvalidStatus):
            async with connect(f"ws://{server.host}/ws"):
                raise AssertionError("it opened")


@pytest.mark.parametrize(
    ("entitlement", "seen"),
    [
        (Entitlement("desk", "desk"), True),
        (Entitlement("client", "NOBODY"), False),
        (Entitlement("desk", "other"), False),
        (None, False),
    ],
)
async def test_a_row_that_somebody_is_not_entitled_to_never_leaves(
    server: Server, entitlement: Entitlement | None, *, seen: bool
) -> None:
    own = frozenset({entitlement} if entitlement is not None else ())
    async with server.signed_in("jane", "viewer", entitlements=own) as jane, server.watching(jane) as stream:
        for number, topic in enumerate(("parents", "children", "fills"), 1):
            assert (await subscribe(stream, topic, number))["rows"] == []
        await server.trade()
        if seen:
            assert (await hear(stream, "upd"))["rows"]
        for number, topic in enumerate(("parents", "children", "fills"), 1):
            assert bool((await subscribe(stream, topic, number))["rows"]) is seen


async def test_signing_out_closes_the_socket(server: Server) -> None:
    async with server.signed_in("jane", "viewer") as jane, server.watching(jane) as stream:
        await subscribe(stream, "parents")
        await jane.client.delete("/api/session", headers={"X-CSRF": jane.csrf})
        assert (await hear(stream, "bye"))["why"] == "signed out"
