"""The leader's lease: an advisory lock on a connection of its own, and the epoch that it raises."""

from __future__ import annotations

import asyncio
from asyncio import Task
from typing import Final

import psycopg

from adapters.postgres.connection import AsyncConnection, connect, translated
from domain.errors import LogUnavailable

_LOCK: Final = 0x454D53_4C454144  # one leader for each database
_PROBE_INTERVAL_S: Final = 1.0
_PROBE_TIMEOUT_S: Final = 3.0


class Lease:
    """Who holds the lock leads. The lock ends with its connection, so the connection is watched."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection | None = None
        self._watch: Task[None] | None = None
        self.lost = asyncio.Event()

    async def take(self, leader: str) -> int:
        """Wait for the lock, raise the epoch, return it.

        Args:
            leader: name of the desk, for the log's head.

        Raises:
            LogUnavailable: the connection was lost while waiting.
        """
        await self.release()  # a desk that comes back leads anew, which also fences its own commit of unknown fate
        connection = await connect(self._dsn, "lease")
        try:
            with translated():
                await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
                row = await (await connection.execute("SELECT log_lead(%s)", (leader,))).fetchone()
        except BaseException:
            await connection.close()
            raise
        if row is None:
            raise LogUnavailable("the log has no head")
        self.lost.clear()
        self._connection = connection
        self._watch = asyncio.create_task(self._watch_connection(connection))
        return int(row[0])

    async def release(self) -> None:
        """Give the lead up, if it is held: the next desk in line takes it at once."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
            self._watch = None
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def _watch_connection(self, connection: AsyncConnection) -> None:
        """Set `lost` as soon as the connection ends or does not answer."""
        try:
            while True:
                async for _ in connection.notifies(timeout=_PROBE_INTERVAL_S):  # ends early with the connection
                    continue
                async with asyncio.timeout(_PROBE_TIMEOUT_S):
                    await connection.execute("SELECT 1")
        except (psycopg.Error, TimeoutError):
            self.lost.set()
            await connection.close()
