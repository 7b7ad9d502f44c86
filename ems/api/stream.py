"""From the log to browsers: one follower folds events into rows, and every client gets what changed since its last look.

A client that is slow sees fewer steps of the same row, never a queue that grows: what waits for it is a set of rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import structlog

from domain.errors import LogUnavailable
from domain.ports import EventLog
from ems.projections import Change, Projections

_log = structlog.get_logger("api")
RETRY_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0)


class Client:
    """What one browser has not been told yet."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], dict[str, Any]] = {}
        self._some = asyncio.Event()

    def note(self, changes: list[Change]) -> None:
        """Rows have changed; a later state of a row replaces an earlier one."""
        for change in changes:
            self._rows[change.table, change.row["id"]] = change.row
        self._some.set()

    async def take(self) -> dict[str, list[dict[str, Any]]]:
        """Wait until something has changed, then everything that has, by table."""
        await self._some.wait()
        self._some.clear()
        rows, self._rows = self._rows, {}
        tables: dict[str, list[dict[str, Any]]] = {}
        for (table, _), row in rows.items():
            tables.setdefault(table, []).append(row)
        return tables


class Feed:
    """The read models and those who watch them."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self.rows = Projections()
        self.following = False  # whether the log is being read now
        self._clients: set[Client] = set()

    async def run(self) -> None:
        """Follow the log until cancelled; a database that goes away is waited for, and no event is skipped."""
        attempt = 0
        while True:
            try:
                await self._log.head()
                self.following, attempt = True, 0
                async for recorded in self._log.subscribe(after_seq=self.rows.seq):
                    changes = self.rows.apply(recorded)
                    for client in self._clients:
                        client.note(changes)
            except LogUnavailable as error:
                _log.warning("the log is not there", error=str(error))
            self._stalled()
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
            attempt += 1

    def join(self) -> tuple[Client, dict[str, Any]]:
        """A new client and the snapshot that its changes follow on."""
        client = Client()
        self._clients.add(client)
        return client, self.rows.snapshot()

    def leave(self, client: Client) -> None:
        """The client has gone."""
        self._clients.discard(client)

    def _stalled(self) -> None:
        self.following = False
        for client in self._clients:
            client.note([])  # wakes it, so that the browser is told that what it shows is old


async def messages(feed: Feed, client: Client, *, pause_s: float) -> AsyncIterator[dict[str, Any]]:
    """What a client is sent after the snapshot: changed rows, at most one message in pause_s."""
    while True:
        tables = await client.take()
        counts = feed.rows.alert_counts()
        yield {"type": "delta", "seq": feed.rows.seq, "live": feed.following, "alert_counts": counts, **tables}
        await asyncio.sleep(pause_s)
