"""The log as it is stored, and its sealed heads: `domain.ports_sealing.SealedLog` on Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any, Final, Self

import psycopg

from adapters.postgres.connection import AsyncConnection, connect, translate, translated
from domain.errors import ChainBroken, LogUnavailable
from domain.ports_sealing import FROM_THE_FIRST, End
from domain.sealing import SignedHead
from domain.stored_page import NO_ROWS, StoredPage

PAGE_ROWS: Final = 2000
_LOCK: Final = 0x454D53_5345  # whoever holds it seals
_READ: Final = {"streams": "uuid_send(stream)", "topics": "convert_to(topic, 'UTF8')", "times_ns": "recorded_time_ns"}
_NAMES: Final = {"seqs": "seq", "versions": "version", "states": "state", "prev_hashes": "prev_hash", "hashes": "hash"} | _READ
_ARRAYS: Final = ", ".join(f"array_agg({_NAMES[name]})" for name in StoredPage._fields)
_ROWS: Final = "seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash FROM events"
_PAGE: Final = f"SELECT {_ARRAYS} FROM (SELECT {_ROWS} WHERE seq > %s AND seq <= %s ORDER BY seq LIMIT {PAGE_ROWS}) AS page"
_STRAYS: Final = (
    f"SELECT {_ARRAYS} FROM (SELECT {_ROWS} WHERE seq < 1 OR seq > (SELECT max(seq) FROM log_head) "
    f"ORDER BY seq LIMIT {PAGE_ROWS}) AS page"
)
_END: Final = "SELECT seq, hash FROM log_head"
_HASHES: Final = "SELECT array_agg(hash ORDER BY seq) FROM events WHERE seq > %s AND seq <= %s"
_TILES: Final = "SELECT root FROM sealed_tiles WHERE number >= %s AND number < %s ORDER BY number"
_HEAD_COLUMNS: Final = ", ".join(SignedHead._fields)
_LAST: Final = f"SELECT {_HEAD_COLUMNS} FROM sealed_heads ORDER BY number DESC LIMIT 1"
_HEAD_OF: Final = f"SELECT {_HEAD_COLUMNS} FROM sealed_heads WHERE size >= %s ORDER BY size LIMIT 1"
_HEADS: Final = f"SELECT {_HEAD_COLUMNS} FROM sealed_heads WHERE number > %s ORDER BY number LIMIT {PAGE_ROWS}"
_PUT: Final = f"INSERT INTO sealed_heads ({_HEAD_COLUMNS}) VALUES ({', '.join(['%s'] * len(SignedHead._fields))})"
_PUT_TILES: Final = (
    "INSERT INTO sealed_tiles SELECT %s + place - 1, root FROM unnest(%s::bytea[]) WITH ORDINALITY AS full_now (root, place)"
)
_GAPS: Final = (
    "SELECT stream::text, missing FROM (SELECT stream, version, lag(version, 1, 0) OVER (PARTITION BY stream ORDER BY version) "
    "AS before FROM events) AS followed "
    "CROSS JOIN LATERAL generate_series(before + 1, least(version - 1, before + 100)) AS missing LIMIT 1000"
)


class PostgresSealedLog:
    """Of one database, on one connection of its own: reads of several tasks wait for each other."""

    start = FROM_THE_FIRST
    whole = True
    behind: Sequence[bytes] = ()

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: AsyncConnection | None = None
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection, and with it let another seal."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def take(self) -> bool:
        """Become the one sealer, until closed or the connection is lost; False while another is."""
        ((taken,),) = await self._query("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
        return bool(taken)

    async def end(self) -> End:
        """Its end now."""
        rows = await self._query(_END, ())
        if not rows:
            raise ChainBroken("the log has no head: the row that says where it ends was deleted")
        return End(rows[0][0], bytes(rows[0][1]))

    async def pages(self, after_seq: int, until_seq: int) -> AsyncGenerator[StoredPage, None]:
        """Its rows in order; the next page is fetched while this one is worked on."""
        following = asyncio.create_task(self._page(after_seq, until_seq))
        try:
            while page := await following:
                full = len(page.seqs) == PAGE_ROWS
                if full:
                    following = asyncio.create_task(self._page(page.seqs[-1], until_seq))
                    await asyncio.sleep(0)  # the request leaves before the page is worked on
                yield page
                if not full:
                    return
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _page(self, after_seq: int, until_seq: int) -> StoredPage | None:
        (columns,) = await self._query(_PAGE, (after_seq, until_seq))
        return None if columns[0] is None else StoredPage(*columns)

    async def strays(self) -> StoredPage:
        """Rows before the first or behind the last event."""
        (columns,) = await self._query(_STRAYS, ())
        return NO_ROWS if columns[0] is None else StoredPage(*columns)

    async def version_gaps(self) -> list[tuple[str, int]]:
        """Streams and versions that are missing between others of their stream; 1,000 at most."""
        return [(stream, version) for stream, version in await self._query(_GAPS, ())]

    async def heads(self, after_number: int = 0) -> AsyncGenerator[SignedHead, None]:
        """The sealed heads in order."""
        while found := await self._query(_HEADS, (after_number,)):
            for row in found:
                yield SignedHead(*row)
            after_number = found[-1][0]

    async def last_head(self) -> SignedHead | None:
        """The last head that was put."""
        found = await self._query(_LAST, ())
        return SignedHead(*found[0]) if found else None

    async def head_of(self, seq: int) -> SignedHead | None:
        """The first head that vouches for an event."""
        found = await self._query(_HEAD_OF, (seq,))
        return SignedHead(*found[0]) if found else None

    async def tiles(self, first: int, last: int) -> list[bytes]:
        """The roots of tiles."""
        return [row[0] for row in await self._query(_TILES, (first, last))]

    async def hashes(self, first: int, last: int) -> list[bytes]:
        """The chain hashes of the events first + 1 to last."""
        ((found,),) = await self._query(_HASHES, (first, last))
        return found or []

    async def put(self, head: SignedHead, tiles: Sequence[bytes], first_tile: int) -> None:
        """Store a head and its new tiles in one transaction."""
        async with self._one_at_a_time:
            connection = await self._connected()
            with translated():
                async with connection.transaction():
                    if tiles:
                        await connection.execute(_PUT_TILES, (first_tile, list(tiles)))
                    await connection.execute(_PUT, tuple(head))

    async def _connected(self) -> AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection = await connect(self._dsn, "sealed")
        return self._connection

    async def _query(self, query: str, parameters: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        async with self._one_at_a_time:
            connection = await self._connected()
            try:
                async with connection.cursor(binary=True) as cursor:
                    await cursor.execute(query, parameters)
                    return await cursor.fetchall()
            except psycopg.Error as cause:
                error = translate(cause)
                if isinstance(error, LogUnavailable):
                    await connection.close()
                raise error from cause
