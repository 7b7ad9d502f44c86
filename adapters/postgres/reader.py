"""Reading the log: one stream, everything, what comes next, and the proof that nothing was altered."""

from __future__ import annotations

import asyncio
from asyncio import Lock, Task
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, suppress
from typing import Any, Final

import psycopg
from psycopg import sql

from adapters.postgres.connection import CHANNEL, AsyncConnection, connect, translated
from adapters.postgres.packed_rows import COLUMNS
from domain.errors import LogUnavailable
from domain.event import GENESIS_HASH, EventClasses, Fact, Recorded, Topics
from domain.lead import Leader
from domain.ports import Head
from domain.stored import ChainWalk, Decoder, StoredRow
from domain.values import StreamId

PAGE_ROWS: Final = 2000
_TEXT: Final = {"stream": "stream::text"}
_PROBE_INTERVAL_S: Final = 5.0


def _as_columns(condition: str, columns: str = COLUMNS) -> str:
    """A query for events as one row of arrays, one for each column, all in the order of the condition.

    A message per event costs the driver three times as much, most of it in wake-ups: it looks for more after every few.
    """
    arrays = ", ".join(f"array_agg({_TEXT.get(column, column)})" for column in columns.split(", "))
    return f"SELECT {arrays} FROM (SELECT {columns} FROM events WHERE {condition}) AS page"


_STREAM = _as_columns("stream = %s::uuid AND version > %s ORDER BY version")
_NEXT = f"seq > %s AND seq <= %s ORDER BY seq LIMIT {PAGE_ROWS}"
PAGE = _as_columns(_NEXT)
_FACTS = _as_columns(_NEXT, "seq, stream, recorded_time_ns, topic, state")
_HEAD = "SELECT seq, hash, epoch FROM log_head"
_LEADER = "SELECT epoch, leader FROM log_head"
_NOT_MIGRATED: Final = "the log has no head: its database has not been migrated"
_SEQ_MAX: Final = 2**63 - 1

Rows = list[tuple[Any, ...]]
Columns = tuple[list[Any], ...]
_NO_EVENTS: Final[Columns] = tuple([] for _ in COLUMNS.split(", "))


class Reader:
    """Reads on connections of its own, so that reading never waits for writing.

    The log is read in pages by sequence number. Sequence numbers are gapless and appear in order, so pages are
    exactly what one long cursor would give, without holding a transaction open as long as the reader takes.
    """

    def __init__(self, dsn: str, topics: Topics) -> None:
        self._dsn = dsn
        self._decoder = Decoder(topics)
        self._connection: AsyncConnection | None = None
        self._one_at_a_time = Lock()

    async def close(self) -> None:
        """Close the shared connection; iterators under way keep and close their own."""
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def read(self, stream: StreamId, after_version: int) -> list[Recorded]:
        """The events of one stream in order."""
        return list(self._decoder.recorded(zip(*_columns(await self._query(_STREAM, (stream, after_version))), strict=True)))

    async def head(self) -> Head:
        """The end of the log."""
        return _head(await self._query(_HEAD, ()))

    async def led_by(self) -> Leader:
        """Who leads."""
        found = await self._query(_LEADER, ())
        if not found:
            raise LogUnavailable(_NOT_MIGRATED)
        return Leader(*found[0])

    async def read_pages(self, after_seq: int, until_seq: int | None) -> AsyncIterator[Iterator[Recorded]]:
        """Every event in order; the next page is fetched while this one is worked on."""
        async with (
            await connect(self._dsn, "reader") as connection,
            aclosing(read_pages_of(connection, PAGE, after_seq, until_seq)) as pages,
        ):
            async for columns in pages:
                yield self._decoder.recorded(zip(*columns, strict=True))

    async def read_rows(self, after_seq: int, until_seq: int | None) -> AsyncIterator[Iterator[StoredRow]]:
        """Every row as it is stored; nothing is decoded."""
        async with (
            await connect(self._dsn, "reader") as connection,
            aclosing(read_pages_of(connection, PAGE, after_seq, until_seq)) as pages,
        ):
            async for columns in pages:
                yield map(StoredRow._make, zip(*columns, strict=True))

    async def read_facts(self, after_seq: int, until_seq: int | None, unread: EventClasses) -> AsyncIterator[Iterator[Fact]]:
        """As read_pages, with no more of each event than a fold takes."""
        async with (
            await connect(self._dsn, "reader") as connection,
            aclosing(read_pages_of(connection, _FACTS, after_seq, until_seq)) as pages,
        ):
            async for seqs, streams, times_ns, topics, states in pages:
                yield zip(seqs, streams, times_ns, self._decoder.contents(topics, states, unread), strict=True)

    async def subscribe(self, after_seq: int, unread: EventClasses, every_s: float) -> AsyncIterator[Recorded]:
        """As read_pages, event by event, then waits for more: until something is committed, or for every_s."""
        async with await connect(self._dsn, "subscription") as connection:
            if not every_s:
                with translated():
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
            while True:  # listening before reading: a commit that the reading misses has notified by then
                columns = _columns(await _fetch(connection, PAGE, (after_seq, _SEQ_MAX)))
                for recorded in self._decoder.recorded(zip(*columns, strict=True), unread):
                    yield recorded
                    after_seq = recorded.seq
                if len(columns[0]) < PAGE_ROWS:
                    await (asyncio.sleep(every_s) if every_s else _notified(connection))

    async def verify_chain(self, after_seq: int) -> Head:
        """Walk the stored rows up to the head as it is now, checking every link.

        Raises:
            ChainBroken: with the sequence number of the first row that is missing, altered or out of place.
        """
        async with await connect(self._dsn, "verify") as connection:
            head = await read_head(connection)
            before = await _fetch(connection, "SELECT hash FROM events WHERE seq = %s", (after_seq,))
            walk = ChainWalk(after_seq, before[0][0] if before else GENESIS_HASH)
            async with aclosing(read_pages_of(connection, PAGE, after_seq, head.seq)) as pages:
                async for columns in pages:
                    for row in zip(*columns, strict=True):
                        walk.check(row)
        walk.finish(head.seq, head.hash)
        return head

    async def _query(self, query: str, parameters: tuple[Any, ...]) -> Rows:
        async with self._one_at_a_time:
            kept = self._connection
            if kept is not None and not kept.closed:
                with suppress(LogUnavailable):  # it may have died while idle, with a server that is back since: ask anew
                    return await _fetch(kept, query, parameters)
            self._connection = await connect(self._dsn, "reader")
            return await _fetch(self._connection, query, parameters)


async def read_head(connection: AsyncConnection) -> Head:
    """The end of the log. Raises LogUnavailable."""
    return _head(await _fetch(connection, _HEAD, ()))


async def read_pages_of(
    connection: AsyncConnection, query: str, after_seq: int, until_seq: int | None
) -> AsyncGenerator[Columns, None]:
    """Pages of a query by columns, in order; the next page is fetched while this one is worked on."""
    until = _SEQ_MAX if until_seq is None else until_seq
    following: Task[Rows] | None = asyncio.create_task(_fetch(connection, query, (after_seq, until)))
    try:
        while following is not None:
            columns, following = _columns(await following), None
            if not columns[0]:
                return
            if len(seqs := columns[0]) == PAGE_ROWS:
                following = asyncio.create_task(_fetch(connection, query, (seqs[-1], until)))
                await asyncio.sleep(0)  # the request leaves before the page is worked on
            yield columns
    finally:
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def _columns(found: Rows) -> Columns:
    """The events of one row of arrays, a list for each column; of no events it is nulls."""
    (columns,) = found
    return _NO_EVENTS if columns[0] is None else columns


async def _fetch(connection: AsyncConnection, query: str, parameters: tuple[Any, ...]) -> Rows:
    try:
        async with connection.cursor(binary=True) as cursor:
            await cursor.execute(query, parameters)
            return await cursor.fetchall()
    except (psycopg.OperationalError, psycopg.InterfaceError) as cause:
        await connection.close()
        raise LogUnavailable(str(cause).strip()) from cause


async def _notified(connection: AsyncConnection) -> None:
    """Wait until something was committed. Now and then look without being told: a dead peer is noticed so."""
    with translated():
        async for _ in connection.notifies(timeout=_PROBE_INTERVAL_S, stop_after=1):
            return


def _head(rows: Rows) -> Head:
    if not rows:
        raise LogUnavailable(_NOT_MIGRATED)
    seq, hash_, epoch = rows[0]
    return Head(seq, bytes(hash_), epoch)
