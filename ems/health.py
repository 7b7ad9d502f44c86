"""Health by asking: small questions over Unix sockets and HTTP, answered by the process's own loop or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from ems.peer import Peer, peer_of

ASK_TIMEOUT_S: Final = 5.0
_LINE_BYTES_MAX: Final = 1_000_000


async def ask_socket(path: Path, question: dict[str, Any], *, timeout_s: float = ASK_TIMEOUT_S) -> Any:
    """One JSON line to a Unix socket and what it answers; None where nobody answers in time."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_unix_connection(str(path), limit=_LINE_BYTES_MAX)
            try:
                writer.write(json.dumps(question).encode() + b"\n")
                await writer.drain()
                answer = json.loads(await reader.readline())
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except (OSError, ValueError, TimeoutError):
        return None
    return answer


async def ask_http(host: str, port: int, path: str = "/health", *, timeout_s: float = ASK_TIMEOUT_S) -> dict[str, Any] | None:
    """The JSON object at a local address, None where there is none."""
    try:
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
                await writer.drain()
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
        answer = json.loads(body) if b" 200 " in head.split(b"\r\n", 1)[0] else None
    except (OSError, ValueError, TimeoutError):
        return None
    return answer if isinstance(answer, dict) else None


class StatusSocket:
    """A Unix socket that answers every line: with a process's status, or, where it says so, with what became of a command.
    It runs on the process's loop, so an answer is proof that the loop turns. Only the process's own user may open it.
    """

    def __init__(
        self,
        path: Path,
        status: Callable[[dict[str, Any]], dict[str, Any]],
        command: Callable[[dict[str, Any], Peer], Awaitable[dict[str, Any]]] | None = None,
    ) -> None:
        self._path = path
        self._status = status
        self._command = command
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; a socket file that a dead process left is replaced."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path))
        self._path.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and remove the file."""
        if self._server is not None:
            self._server.close()
        self._path.unlink(missing_ok=True)

    async def _answer(self, line: bytes, peer: Peer) -> dict[str, Any]:
        try:
            question = json.loads(line)
        except ValueError:
            return {"error": "a question is one JSON object on one line"}
        if self._command is not None and isinstance(question, dict) and "command" in question:
            return await self._command(question, peer)
        return self._status(question if isinstance(question, dict) else {})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            peer = peer_of(writer.get_extra_info("socket").fileno())
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line, peer)).encode() + b"\n")
                await writer.drain()
        writer.close()
