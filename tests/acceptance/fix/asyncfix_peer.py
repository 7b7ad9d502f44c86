"""A client on asyncfix, a FIX 4.4 engine by other people, in the place of our raw peer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from asyncfix import AsyncFIXClient, ConnectionState, FIXMessage, FMsg, FTag, Journaler
from asyncfix.protocol import FIXProtocol44

from tests.acceptance.fix.peer import HEADER
from tests.acceptance.fix.versions import VERSIONS, Fields

MEANINGLESS = "Getting SEQUENCERESET(GapFillFlag=Y) while not filling gaps"  # it warns of a gap fill that is in order


class _Complaints(logging.Handler):
    """Keeps what the library warns of."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._faults = faults

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() != MEANINGLESS:
            self._faults.append(f"asyncfix: {record.getMessage()}")


class _Client(AsyncFIXClient):
    """Logs on, and hands on what comes."""

    received: Callable[[Fields], None]

    def prepare(self, received: Callable[[Fields], None]) -> None:
        self.received = received
        self.active = asyncio.Event()

    async def on_connect(self) -> None:
        await self.send_msg(FIXMessage(FMsg.LOGON, {FTag.EncryptMethod: 0, FTag.HeartBtInt: self.heartbeat_period}))

    async def on_state_change(self, connection_state: ConnectionState) -> None:
        if connection_state == ConnectionState.ACTIVE:
            self.active.set()

    async def on_message(self, msg: FIXMessage) -> None:
        self.received({str(tag): value for tag, value in msg.tags.items() if isinstance(value, str)})


class AsyncfixPeer:
    """As `tests.acceptance.fix.peer.Peer`, for what a client needs."""

    def __init__(self, sender: str, target: str) -> None:
        self.version = VERSIONS["4.4"]
        self.sender, self._target = sender, target
        self.received: Callable[[Fields], None] = lambda message: None
        self.faults: list[str] = []
        self._out: asyncio.Queue[FIXMessage] = asyncio.Queue()
        self._sending: asyncio.Task[None] | None = None
        self._client: _Client | None = None

    async def connect(self, port: int) -> None:
        """Connect to somebody who listens, and log on."""
        log = logging.getLogger(f"asyncfix of {self.sender}")
        log.handlers, log.propagate = [_Complaints(self.faults)], False
        self._client = _Client(FIXProtocol44(), self.sender, self._target, Journaler(), "127.0.0.1", port, 10, log)
        self._client.prepare(self._take)
        await self._client.connect()
        await self._client.active.wait()
        self._sending = asyncio.create_task(self._send())

    def send(self, kind: str, fields: Fields) -> None:
        """Send an application message, in its turn."""
        header = {tag: fields[tag] for tag in HEADER if tag in fields}
        self._out.put_nowait(FIXMessage(kind, header | {tag: value for tag, value in fields.items() if tag not in header}))

    async def close(self) -> None:
        """Log out, and let go."""
        if self._client is None or self._sending is None:
            return
        self._sending.cancel()
        await self._client.disconnect(ConnectionState.DISCONNECTED_WCONN_TODAY, logout_message="")
        tasks = [self._client._aio_task_socket_read, self._client._aio_task_heartbeat]  # the library never ends them
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, self._sending, return_exceptions=True)

    async def _send(self) -> None:
        assert self._client is not None
        while True:
            await self._client.send_msg(await self._out.get())

    def _take(self, message: Fields) -> None:
        if message["35"] == "3":
            self.faults.append(f"{self.sender}: a session reject: {message}")
        else:
            self.received(message)
