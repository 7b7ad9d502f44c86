"""A door to the database that can keep the answers to commits back, so that a leader can be stopped between commit and send."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

_WRITER: Final = b"ems-writer-"


class Proxy:
    """Listens on a loopback port for one host's processes and passes bytes to the server's Unix socket and back.

    Connections come without TLS, so that what they are can be read from their first bytes.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._marker = b""
        self._open = asyncio.Event()
        self._open.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def hold(self, marker: bytes) -> None:
        """From the next commit on that holds these bytes, what the server says to writers waits here."""
        self._marker = marker

    @property
    def holds(self) -> bool:
        """Has such a commit passed?"""
        return not self._open.is_set()

    def release(self) -> None:
        self._marker = b""
        self._open.set()

    async def close(self) -> None:
        self.release()
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            theirs, to_server = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            writer.transport.abort()
            return
        try:
            first = await reader.read(65536)
            to_server.write(first)
            writes = _WRITER in first
            ways = [
                asyncio.create_task(_copy(reader, to_server, self._seen if writes else _nothing)),
                asyncio.create_task(_copy(theirs, writer, self._passes if writes else _nothing)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        finally:
            writer.transport.abort()
            to_server.transport.abort()
            self._tasks.discard(task)

    async def _passes(self, _: bytes) -> None:
        await self._open.wait()

    async def _seen(self, data: bytes) -> None:
        if self._marker and self._marker in data:
            self._open.clear()


async def _nothing(data: bytes) -> None:
    """Before bytes that are of no concern are passed on."""


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, before: Callable[[bytes], Awaitable[None]]) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            await before(data)
            writer.write(data)
            await writer.drain()
