"""A whole commit in one network round trip, or in two where it has a COPY.

psycopg's cursors send one statement at a time and cannot COPY in their pipeline mode, which costs a round
trip and a wake-up for each of BEGIN, claim, COPY, COMMIT. Several statements in one simple-protocol message
are one transaction, committed with the last of them, so the claim and the COPY need no BEGIN and no COMMIT; but the
server must have said that it copies before it is sent the data. Prepared statements up to a Sync are one transaction
too, and all of it is sent at once.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)


@dataclass(frozen=True, slots=True)
class Feed:
    """The data of a COPY, and work for this process; both are done while the server is busy with its part."""

    data: Callable[[], bytes]
    meanwhile: Callable[[], object]


async def exchange(pgconn: PGconn, sql: bytes, feed: Feed | None = None) -> list[PGresult]:
    """Send statements, feed the COPY among them, and return every other statement's result.

    The connection must be psycopg's own, non-blocking, and used by nobody else meanwhile.

    Raises:
        psycopg.OperationalError: the connection was lost; whether a commit happened is unknown.
        psycopg.Error: a statement failed; its transaction was rolled back.
    """
    pgconn.send_query(sql)
    await _flush(pgconn)
    return await _results(pgconn, feed)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement that the connection has prepared, with its parameters in binary form."""

    name: bytes
    parameters: Sequence[bytes | None]


async def prepare(pgconn: PGconn, name: bytes, sql: bytes, oids: Sequence[int]) -> None:
    """Prepare a statement on a connection. Raises as `exchange`."""
    pgconn.send_prepare(name, sql, oids)
    await _flush(pgconn)
    await _results(pgconn)


async def transact(pgconn: PGconn, statements: Sequence[Prepared], meanwhile: Callable[[], object]) -> None:
    """Run prepared statements as one transaction, sent whole; `meanwhile` is called while the server is busy with it.

    The connection must be as for `exchange`. Raises as that.
    """
    pgconn.enter_pipeline_mode()
    for statement in statements:
        pgconn.send_query_prepared(statement.name, statement.parameters, [1] * len(statement.parameters), 1)
    pgconn.pipeline_sync()
    await _flush(pgconn)
    meanwhile()
    failure: PGresult | None = None
    while (result := await _result(pgconn)) is None or result.status != ExecStatus.PIPELINE_SYNC:
        if pgconn.status != ConnStatus.OK:
            raise psycopg.OperationalError(pgconn.get_error_message())
        if result is not None and result.status in _FAILED:
            failure = failure or result
    pgconn.exit_pipeline_mode()
    if failure is not None:
        raise psycopg.errors.error_from_result(failure)


async def _results(pgconn: PGconn, feed: Feed | None = None) -> list[PGresult]:
    data = feed.data() if feed is not None else b""
    results: list[PGresult] = []
    failure: PGresult | None = None
    while (result := await _result(pgconn)) is not None:
        if result.status == ExecStatus.COPY_IN:
            pgconn.put_copy_data(data)
            pgconn.put_copy_end()
            await _flush(pgconn)
            if feed is not None:
                feed.meanwhile()
        elif result.status in _FAILED:
            failure = failure or result
        else:
            results.append(result)
    if pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError(pgconn.get_error_message())
    if failure is not None:
        raise psycopg.errors.error_from_result(failure)
    return results


async def _result(pgconn: PGconn) -> PGresult | None:
    while pgconn.is_busy():
        await _ready(pgconn.socket, write=False)
        pgconn.consume_input()
    return pgconn.get_result()


async def _flush(pgconn: PGconn) -> None:
    while pgconn.flush():
        await _ready(pgconn.socket, write=True)
        pgconn.consume_input()  # the server may be blocked on what it wants to tell us


async def _ready(socket: int, *, write: bool) -> None:
    """Wait until the socket can be read (or, with write, read or written)."""
    loop = asyncio.get_running_loop()
    waiter: Future[None] = loop.create_future()
    loop.add_reader(socket, _wake, waiter)
    if write:
        loop.add_writer(socket, _wake, waiter)
    try:
        await waiter
    finally:
        loop.remove_reader(socket)
        if write:
            loop.remove_writer(socket)


def _wake(waiter: Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
