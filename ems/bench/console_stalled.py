"""Clients that ask the console for everything and then never read: what a browser in a sleeping laptop is to the server."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from websockets.asyncio.client import ClientConnection, connect

from ems.bench.console_room import Room

ROOM_BYTES: Final = 4_096  # of the socket's receiving buffer: the server is held up soon


@asynccontextmanager
async def stalled(room: Room, count: int, topics: Sequence[str], cookie: str) -> AsyncIterator[list[ClientConnection]]:
    """So many clients, each subscribed to these topics and reading nothing from then on."""
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(_client(room, topics, cookie)) for _ in range(count)]
        yield clients


@asynccontextmanager
async def _client(room: Room, topics: Sequence[str], cookie: str) -> AsyncIterator[ClientConnection]:
    console = room.runtime.settings.console
    with socket.socket() as plug:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM_BYTES)
        plug.connect((console.host, console.port))
        plug.setblocking(False)
        client = await connect(
            f"ws://{console.host}:{console.port}/ws", sock=plug, origin=room.url, additional_headers={"Cookie": cookie},  # type: ignore[arg-type]
            max_queue=1, compression=None, ping_interval=None, close_timeout=0.1, max_size=None,
        )  # fmt: skip
        try:
            for number, topic in enumerate(topics, 1):
                await client.send(json.dumps({"t": "sub", "id": number, "topic": topic}))
            yield client
        finally:
            client.transport.abort()
