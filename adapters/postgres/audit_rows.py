"""Stored rows for the audit: by stream, by the beginning of an id, by number, by time, by what their bytes hold.

Everything but the last goes by a unique index, so that it takes the same on a log of any length.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import aclosing
from typing import Any, Final, Self

from adapters.postgres.connection import AsyncConnection, connect, translated
from adapters.postgres.packed_rows import COLUMNS
from adapters.postgres.reader import PAGE, read_head, read_pages_of
from domain.ports import Head
from domain.stored import StoredRow
from domain.values import StreamId

_ROWS: Final = f"SELECT {COLUMNS.replace('stream', 'stream::text')} FROM events"
_STREAMS: Final = f"{_ROWS} WHERE stream = ANY(%s::uuid[]) AND seq <= %s ORDER BY seq"
_LAST: Final = f"{_ROWS} WHERE stream = %s::uuid AND seq <= %s ORDER BY version DESC LIMIT 1"
_BEGINNING: Final = "SELECT DISTINCT stream::text FROM events WHERE stream >= %s::uuid AND stream <= %s::uuid ORDER BY 1"
_MENTIONING: Final = f"{_ROWS} WHERE position(%s::bytea IN state) > 0 AND seq <= %s ORDER BY seq LIMIT %s"
_BY_SEQ: Final = f"{_ROWS} WHERE seq = ANY(%s) ORDER BY seq"
_TIME: Final = "SELECT recorded_time_ns FROM events WHERE seq = %s"


class PostgresRows:
    """`ems.audit.source.Source` of a database, on one connection."""

    name = "database"

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def head(self) -> Head:
        """The end of the log."""
        return await read_head(await self._connected())

    async def streams(self, ids: Collection[StreamId], until_seq: int) -> list[StoredRow]:
        """The events of some streams up to a sequence number, in the order of the log."""
        return await self._rows(_STREAMS, (list(ids), until_seq))

    async def last_of(self, stream: StreamId, until_seq: int) -> StoredRow | None:
        """The last event of a stream up to a sequence number."""
        found = await self._rows(_LAST, (stream, until_seq))
        return found[0] if found else None

    async def beginning(self, digits: str) -> list[StreamId]:
        """Streams whose id begins with these hexadecimal digits."""
        found = await self._fetch(_BEGINNING, (digits.ljust(32, "0"), digits.ljust(32, "f")))
        return [StreamId(row[0]) for row in found]

    async def mentioning(self, text: bytes, until_seq: int, limit: int) -> list[StoredRow]:
        """The first events whose stored bytes hold a text."""
        return await self._rows(_MENTIONING, (text, until_seq, limit))

    async def rows(self, seqs: Collection[int]) -> list[StoredRow]:
        """The events with these numbers that there are, in order."""
        return await self._rows(_BY_SEQ, (list(seqs),))

    async def recorded_by(self, time_ns: int) -> int:
        """How many events had been recorded up to a moment: found by halves, for times rise with the numbers."""
        low, high = 0, (await self.head()).seq
        while low < high:
            middle = (low + high + 1) // 2
            (row,) = await self._fetch(_TIME, (middle,))
            low, high = (middle, high) if row[0] <= time_ns else (low, middle - 1)
        return low

    async def pages(self, after_seq: int, until_seq: int) -> AsyncIterator[tuple[list[Any], ...]]:
        """Every event in order, in columns; the next page is fetched while this one is worked on."""
        async with (
            await connect(self._dsn, "audit") as connection,
            aclosing(read_pages_of(connection, PAGE, after_seq, until_seq)) as pages,
        ):
            async for columns in pages:
                yield columns

    async def _rows(self, query: str, parameters: tuple[Any, ...]) -> list[StoredRow]:
        return [StoredRow._make(row) for row in await self._fetch(query, parameters)]

    async def _fetch(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        connection = await self._connected()
        with translated():
            async with connection.cursor(binary=True) as cursor:
                await cursor.execute(query, parameters)
                return await cursor.fetchall()

    async def _connected(self) -> AsyncConnection:
        if self._connection is None:
            self._connection = await connect(self._dsn, "audit")
        return self._connection
