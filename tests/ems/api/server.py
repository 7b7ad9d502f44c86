"""A console's server over real sockets, on the in-memory log and accounts, with a desk that a test plays."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import uvicorn
from argon2 import PasswordHasher
from websockets.asyncio.client import ClientConnection, connect

from adapters.clock import WallClock
from adapters.memory.accounts import MemoryAccounts
from adapters.memory.event_log import MemoryEventLog
from adapters.memory.latch import MemoryLatch
from domain.account import ALL, Account, Entitlement
from domain.catalogue import TOPICS
from domain.event import Recorded
from ems.api.app import make_app
from ems.api.asked_rows import asking
from ems.api.auth import Gate
from ems.api.catalogue import Catalogue
from ems.api.commands import Commands
from ems.api.parts import Facts, Parts
from ems.api.ports import Ports
from ems.api.records import Records
from ems.api.stream import Feed
from ems.bench.made_day import MadeDay
from ems.desk_state import DeskState
from ems.kill import KillService
from ems.kill_pending import PendingFile
from tests.waiting import until

PASSWORD = "a long enough password"
HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)  # as weak as it gets: tests sign in a lot
KEY = b"k" * 32
EVERY_DESK = frozenset({Entitlement("desk", ALL)})


class Signed(NamedTuple):
    """Somebody who is signed in."""

    user: str
    csrf: str
    client: httpx.AsyncClient

    async def command(self, verb: str, *, key: str = "key-of-this-test", **body: Any) -> httpx.Response:
        """A verb."""
        headers = {"X-CSRF": self.csrf, "Idempotency-Key": key}
        return await self.client.post(f"/api/commands/{verb}", json=body, headers=headers)


class Server:
    """A server on a port of its own, the log that it follows, and what it asked the desk."""

    def __init__(self, home: Path) -> None:
        self.log = MemoryEventLog(TOPICS, WallClock())
        self.accounts = MemoryAccounts()
        self.asked: list[dict[str, Any]] = []
        self.answer: Any = {"ok": True, "text": "done"}
        clock = WallClock()
        self.feed = Feed(self.log, clock, "desk")
        records = Records(self.log, clock, build="test")
        self.kill = kill = KillService(MemoryLatch(), PendingFile(home / "pending.jsonl"), clock, build="test", log=self.log)
        self.gate = Gate(self.accounts, records, clock, HASHER)
        ports = Ports(self._ask, KEY, self.log, clock, self.gate, kill, self._gateways, 1, self.feed.arms, "test")
        catalogue = Catalogue(table.topic for table in self.feed.models.tables.values())
        commands = Commands(catalogue, self.feed, ports)
        self.feed.asking.update(asking(self.accounts))
        facts = Facts("PAPER", "desk", {"kind": "wall"}, ("127.0.0.1",))
        self.parts = Parts(self.feed, self.gate, ports, catalogue, commands, facts)
        config = uvicorn.Config(make_app(self.parts), log_config=None, server_header=False, timeout_graceful_shutdown=1)
        self.server = uvicorn.Server(config)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self.socket.getsockname()[1]}"

    async def _ask(self, name: str, question: dict[str, Any]) -> Any:
        self.asked.append(question | {"socket": name})
        return self.answer(question) if callable(self.answer) else self.answer

    async def _gateways(self) -> list[dict[str, Any]]:
        return [{"scopes": [[slot.scope.text] for slot in self.kill.slots()], "trips": {}}]

    async def __aenter__(self) -> Server:
        self.task = asyncio.create_task(self.server.serve([self.socket]))
        await until(lambda: self.server.started)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.should_exit = True
        await self.task

    # ------------------------------------------------------------------------------------------- log

    async def trade(self, parents: int = 1) -> None:
        """Put a made day into the log and wait until the tables have it."""
        for turn in MadeDay(finished=parents, working=1).turns(DeskState()):
            await self.log.append(turn.entries)
        await self.caught_up()

    async def caught_up(self) -> None:
        """Until the tables have everything."""
        seq = (await self.log.head()).seq
        await until(lambda: self.feed.models.seq >= seq)

    async def events(self, kind: type) -> list[Recorded]:
        """Those of a kind in the log."""
        return [recorded async for page in self.log.read_pages() for recorded in page if isinstance(recorded.event, kind)]

    def rows(self, topic: str) -> list[dict[str, Any]]:
        """A table as it is now, whoever asks."""
        table = self.feed.models.tables[topic]
        return [row for key in table.ids() if (row := table.named(key)) is not None]

    # ---------------------------------------------------------------------------------------- people

    async def hire(self, user: str, *roles: str, entitlements: frozenset[Entitlement] = EVERY_DESK) -> None:
        """An account."""
        hashed = HASHER.hash(PASSWORD)
        await self.accounts.put(Account(user, user.title(), frozenset(roles), entitlements, hashed))

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A browser that has no cookie yet."""
        return httpx.AsyncClient(base_url=f"http://{self.host}", **options)

    @asynccontextmanager
    async def signed_in(self, user: str, *roles: str, entitlements: frozenset[Entitlement] = EVERY_DESK) -> AsyncIterator[Signed]:
        """Somebody with an account, signed in; the account is made where roles are named."""
        if roles:
            await self.hire(user, *roles, entitlements=entitlements)
        async with self.client() as client:
            answer = await client.post("/api/session", json={"user": user, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            yield Signed(user, answer.json()["csrf"], client)

    @asynccontextmanager
    async def watching(self, who: Signed, **headers: str) -> AsyncIterator[ClientConnection]:
        """A WebSocket of somebody's."""
        cookie = "; ".join(f"{name}={value}" for name, value in who.client.cookies.items())
        given: Mapping[str, str] = {"Cookie": cookie, "Origin": f"http://{self.host}", **headers}
        async with connect(f"ws://{self.host}/ws", additional_headers=given, max_size=None) as stream:
            yield stream


async def hear(stream: ClientConnection, kind: str = "", **wanted: Any) -> dict[str, Any]:
    """The next message of a kind."""
    while True:
        said: dict[str, Any] = json.loads(await asyncio.wait_for(stream.recv(), 10))
        if kind in ("", said["t"]) and all(said.get(name) == value for name, value in wanted.items()):
            return said


async def subscribe(stream: ClientConnection, topic: str, number: int = 1, **more: Any) -> dict[str, Any]:
    """The snapshot."""
    await stream.send(json.dumps({"t": "sub", "id": number, "topic": topic, **more}))
    return await hear(stream, "snap", id=number)


def named(message: Mapping[str, Any], cols: list[str]) -> list[dict[str, Any]]:
    """Rows by column."""
    return [dict(zip(cols, row, strict=True)) for row in message["rows"]]
