"""What waits for a client that does not read is a set of rows: it is told the last state of each, and memory does not grow."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any, ClassVar

from domain.account import Account
from ems.api.entitled import Sieve, sieve
from ems.api.stream import QUEUE_MAX, Subscription
from ems.read_models.table import Stored, World
from ems.read_models.topic import Column, Topic
from tests.ems.api.server import Server, hear
from tests.waiting import until

COLUMNS = (Column("id", "Id", "id"), Column("value", "Value", "int"), Column("client", "Client"))
ANYBODY = Sieve(())


class Rows(Stored):
    topic: ClassVar[Topic] = Topic("rows", "Rows", COLUMNS, scoped=(("client", "client"),))


class Each(Stored):
    topic: ClassVar[Topic] = Topic("each", "Each", COLUMNS, never_conflated=True)


def put(table: Stored, watching: list[Subscription], value: int, rows: int = 100) -> None:
    """A row has changed and everybody is noted."""
    table.put({"id": f"r{value % rows}", "value": value, "client": "A" if value % 2 else "B"})
    changed = table.take()
    for one in watching:
        one.note(changed)


def values(message: bytes) -> Iterator[int]:
    said: dict[str, Any] = json.loads(message)
    return (row[1] for row in said["rows"])


def test_a_thousand_changes_of_a_row_wait_as_one() -> None:
    table = Rows(World())
    stalled = [Subscription(number, table, ANYBODY) for number in range(10)]
    for one in stalled:
        one.snapshot(0)
    for value in range(40_000):
        put(table, stalled, value)
    assert [one.size for one in stalled] == [100] * 10
    assert sorted(values(stalled[0].take(1))) == list(range(39_900, 40_000)), "the last state of each row"
    assert not stalled[0].waiting


def test_what_is_never_conflated_is_told_whole_or_the_gap_is() -> None:
    table = Each(World())
    reads, stalls = Subscription(1, table, ANYBODY), Subscription(2, table, ANYBODY)
    told: list[int] = []
    for value in range(QUEUE_MAX * 3):
        put(table, [reads, stalls], value, rows=3)
        if value % 1000 == 999:
            told += values(reads.take(1))
    assert told == list(range(QUEUE_MAX * 3)), "every state of every row, in order"
    assert stalls.size == 0 and json.loads(stalls.take(1)) == {"t": "gap", "id": 2}
    assert len(list(values(stalls.snapshot(1)))) == 3 and not stalls.waiting


def test_a_row_that_leaves_the_filter_is_taken_back_and_one_never_shown_is_not_named() -> None:
    table = Rows(World())
    only = Subscription(1, table, sieve(Account("x", "x", frozenset()), Each.topic, {"client": "A"}))
    table.put({"id": "r1", "value": 1, "client": "A"})
    table.put({"id": "r2", "value": 2, "client": "B"})
    table.take()
    assert list(values(only.snapshot(0))) == [1]
    for key in ("r1", "r2"):
        table.drop(key)
    only.note(table.take())
    assert json.loads(only.take(1))["del"] == ["r1"], "r2 is none of this client's business"


async def test_ten_clients_that_do_not_read_hold_what_they_hold(server: Server) -> None:
    """Over real sockets with small buffers: the loop goes on, and what waits for each is bounded by the rows."""
    async with server.signed_in("jane", "viewer") as jane:
        cookie = "; ".join(f"{name}={value}" for name, value in jane.client.cookies.items())
        stalled = [_deaf(server.host, cookie) for _ in range(10)]
        try:
            await until(lambda: len(server.parts.connections) == 10)
            for one in stalled:
                one.sendall(_masked(json.dumps({"t": "sub", "id": 1, "topic": "commands"}).encode()))
            await until(lambda: len(server.feed._watching["commands"]) == 10)
            table = server.feed.models.tables["commands"]
            assert isinstance(table, Stored)
            server.feed.asking.pop("commands")
            for step in range(300):
                for number in range(50):
                    row = {"command_id": f"c{number}", "user": "jane", "text": f"{step} " + "x" * 400, "asked_ns": str(step)}
                    table.put(row)
                server.feed.tell([table])
                await asyncio.sleep(0)
            waiting = [one.size for one in server.feed._watching["commands"]]
            assert all(size <= 50 for size in waiting), waiting
            async with server.watching(jane) as reads:
                assert (await hear(reads, "hb"))["live"], "nobody else waits for them"
        finally:
            for one in stalled:
                one.close()


def _deaf(host: str, cookie: str) -> socket.socket:
    """A WebSocket whose owner never reads."""
    name, _, port = host.partition(":")
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(True)
    made.connect((name, int(port)))
    head = (
        f"GET /ws HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nCookie: {cookie}\r\nOrigin: http://{host}\r\n\r\n"
    )
    made.sendall(head.encode())
    return made


def _masked(payload: bytes) -> bytes:
    """A text frame as a browser sends it (RFC 6455, 5.2), masked with zeros."""
    assert len(payload) < 126
    return bytes([0x81, 0x80 | len(payload)]) + b"\0\0\0\0" + payload
