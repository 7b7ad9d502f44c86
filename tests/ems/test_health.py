"""Asking: an answer, or None, never an exception and never a wait without end."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from ems.health import StatusSocket, ask_http, ask_socket

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def test_a_status_socket_answers_every_line_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "desk.sock"
    path.touch()  # left by a process that died
    asked: list[int] = []
    status = StatusSocket(path, lambda question: {"asked": len(asked), **question})
    await status.start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert await ask_socket(path, {}) == {"asked": 0}
    asked.append(1)
    assert await ask_socket(path, {"alerts": True}) == {"asked": 1, "alerts": True}, "a status may depend on the question"
    await status.close()
    assert not path.exists()
    assert await ask_socket(path, {}) is None


def saying(text: bytes) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(text)
        await writer.drain()
        writer.close()

    return serve


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()
    writer.close()


@asynccontextmanager
async def unix(path: Path, serve: Serve) -> AsyncIterator[None]:
    async with await asyncio.start_unix_server(serve, str(path)):
        yield


async def test_nobody_nonsense_and_silence_are_none(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert await ask_socket(path, {}) is None
    for text in (b"", b"nonsense\n", b'{"half": '):
        async with unix(path, saying(text)):
            assert await ask_socket(path, {}) is None
    async with unix(path, silent):
        assert await ask_socket(path, {}, timeout_s=0.05) is None


async def asked_over_http(serve: Serve, timeout_s: float = 5.0) -> object:
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await ask_http("127.0.0.1", port, timeout_s=timeout_s)


async def test_http() -> None:
    assert await asked_over_http(saying(b'HTTP/1.1 200 OK\r\n\r\n{"status": "ok"}')) == {"status": "ok"}
    assert await asked_over_http(saying(b'HTTP/1.1 503 Busy\r\n\r\n{"status": "ok"}')) is None
    assert await asked_over_http(saying(b"HTTP/1.1 200 OK\r\n\r\nnot json")) is None
    assert await asked_over_http(saying(b"HTTP/1.1 200 OK\r\n\r\n[1]")) is None
    assert await asked_over_http(silent, timeout_s=0.05) is None
