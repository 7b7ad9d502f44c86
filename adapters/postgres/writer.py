"""The writing connection: puts a prepared batch into the log in one transaction, or says exactly why not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import psycopg
from psycopg.pq.abc import PGconn

from adapters.postgres.batch import Batch, Laid, Tip
from adapters.postgres.connection import HEAD_MOVED, AsyncConnection, connect, is_loss, translate, translated
from adapters.postgres.packed_rows import ARRAY_OIDS, BIGINT, COPY_EVENTS, INSERT_EVENTS
from adapters.postgres.wire import Feed, Prepared, exchange, prepare, transact
from domain.errors import LogUnavailable
from domain.values import StreamId

INSERT_MAX: Final = 32  # events up to which one round trip with an INSERT is quicker than two with a COPY
_CLAIM: Final = b"SELECT log_claim($1, $2, $3, $4, $5)"
_CLAIM_OIDS: Final = (20, 17, 20, 17, 20)  # bigint, bytea
_END_BACKEND = "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE pid = %s AND application_name = %s"


class LostAnswer(Exception):
    """The connection was lost before the commit was answered. Internal to the log: it looks what became of it."""

    def __init__(self, laid: Laid, backend: tuple[int, str]) -> None:
        super().__init__("the answer to a commit was lost")
        self.laid = laid
        self.backend = backend  # process id and application name, to be ended before the log is read


class Writer:
    """One connection, used by one task at a time, reopened at the next use after it was lost."""

    def __init__(self, dsn: str, *, answer_timeout_s: float) -> None:
        self._dsn = dsn
        self._answer_timeout_s = answer_timeout_s
        self._connection: AsyncConnection | None = None
        self._name = ""
        self._tip: Tip | None = None  # where the head was after our last commit; another writer may have moved it

    async def commit(self, batch: Batch, recorded_time_ns: int) -> Laid:
        """Append a batch: all of it or nothing.

        The head is first assumed where our last commit left it, which is right unless another process has
        written since; then the head is locked, read, and the batch laid behind it.

        Raises:
            LostAnswer: see there.
            VersionConflict, Fenced, ChainBroken, LogUnavailable: nothing was written.
        """
        connection = await self._open()
        if self._tip is not None:
            try:
                return await self._place(connection, batch, self._tip, recorded_time_ns, sql_end="")
            except psycopg.Error as error:
                self._tip = None
                if error.sqlstate != HEAD_MOVED:
                    raise translate(error) from error
        return await self._commit_locked(connection, batch, recorded_time_ns)

    async def _commit_locked(self, connection: AsyncConnection, batch: Batch, recorded_time_ns: int) -> Laid:
        lock = f"BEGIN; SELECT seq, encode(hash, 'hex') FROM log_lock({_literal(batch.epoch)})"
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                _, head = await exchange(connection.pgconn, lock.encode())
            tip = Tip(int(head.get_value(0, 0) or b""), bytes.fromhex((head.get_value(0, 1) or b"").decode()))
            return await self._place(connection, batch, tip, recorded_time_ns, sql_end="; COMMIT")
        except psycopg.Error as error:
            if is_loss(error):
                await self.drop()
            else:
                await self._roll_back(connection)
            raise translate(error) from error
        except TimeoutError as cause:
            await self.drop()
            raise LogUnavailable("the database did not answer") from cause

    async def _roll_back(self, connection: AsyncConnection) -> None:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                await exchange(connection.pgconn, b"ROLLBACK")
        except (psycopg.Error, TimeoutError):
            await self.drop()  # a transaction ends with its connection

    async def _place(self, connection: AsyncConnection, batch: Batch, tip: Tip, recorded_time_ns: int, sql_end: str) -> Laid:
        laid = Laid(batch, tip, recorded_time_ns)
        backend = connection.pgconn.backend_pid, self._name
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                if sql_end or len(laid) > INSERT_MAX:
                    await exchange(connection.pgconn, _copying(laid, sql_end), Feed(laid.copy_data, lambda: laid.recorded))
                else:
                    await transact(connection.pgconn, _inserting(laid), lambda: laid.recorded)
        except psycopg.Error as error:
            if not is_loss(error):
                raise
            await self.drop()
            raise LostAnswer(laid, backend) from error
        except TimeoutError as cause:
            await self.drop()
            raise LostAnswer(laid, backend) from cause
        self._tip = laid.end
        return laid

    async def was_committed(self, lost: LostAnswer, *, timeout_s: float) -> bool:
        """Whether the batch whose answer was lost is in the log. Its old backend is ended first, so this is final.

        Raises:
            LogUnavailable: the database did not come back within timeout_s.
        """
        end = lost.laid.end
        try:
            async with asyncio.timeout(timeout_s):
                connection = await self._reopen_patiently()
                with translated():
                    ending = await connection.execute(_END_BACKEND, (int(timeout_s * 1000), *lost.backend))
                    if await ending.fetchone() == (False,):
                        raise LogUnavailable("the connection that a commit was lost on still runs")
                    found = await (await connection.execute("SELECT hash FROM events WHERE seq = %s", (end.seq,))).fetchone()
        except TimeoutError as cause:
            await self.drop()
            raise LogUnavailable("the database did not come back to tell whether a commit happened") from cause
        return found is not None and bytes(found[0]) == end.hash

    async def versions(self, streams: Sequence[StreamId]) -> dict[StreamId, int]:
        """The last version of each stream that has one.

        Raises:
            LogUnavailable: the connection was lost.
        """
        connection = await self._open()
        query = (
            "SELECT s.stream::text, (SELECT version FROM events e WHERE e.stream = s.stream ORDER BY version DESC LIMIT 1)"
            " FROM unnest(%s::uuid[]) AS s (stream)"
        )
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                rows: list[Any] = await (await connection.execute(query, (list(streams),))).fetchall()
        except (psycopg.Error, TimeoutError) as cause:
            await self.drop()
            raise LogUnavailable(f"versions could not be read: {cause}") from cause
        return {stream: version for stream, version in rows if version is not None}

    async def drop(self) -> None:
        """Close the connection; the next use opens another."""
        connection, self._connection, self._tip = self._connection, None, None
        if connection is not None:
            await connection.close()

    async def _open(self) -> AsyncConnection:
        if self._connection is None or self._connection.closed:
            self._connection, self._tip = await connect(self._dsn, "writer"), None
            self._name = self._connection.info.get_parameters()["application_name"]
            await self._prepare(self._connection.pgconn)
        return self._connection

    async def _prepare(self, pgconn: PGconn) -> None:
        try:
            async with asyncio.timeout(self._answer_timeout_s):
                await prepare(pgconn, b"claim", _CLAIM, _CLAIM_OIDS)
                await prepare(pgconn, b"insert", INSERT_EVENTS, ARRAY_OIDS)
        except psycopg.Error as cause:
            await self.drop()
            raise translate(cause) from cause
        except TimeoutError as cause:
            await self.drop()
            raise LogUnavailable("the database did not answer") from cause

    async def _reopen_patiently(self) -> AsyncConnection:
        pause_s = 0.02
        while True:
            try:
                return await self._open()
            except LogUnavailable:
                await asyncio.sleep(pause_s)  # the caller's timeout ends this
                pause_s = min(0.5, pause_s * 2)


def _copying(laid: Laid, sql_end: str) -> bytes:
    tip, end = laid.tip, laid.end
    claim = f"{tip.seq}, '\\x{tip.hash.hex()}', {end.seq}, '\\x{end.hash.hex()}', {_literal(laid.epoch)}"
    return f"SELECT log_claim({claim}); {COPY_EVENTS}{sql_end}".encode()


def _inserting(laid: Laid) -> list[Prepared]:
    tip, end, number = laid.tip, laid.end, BIGINT.pack
    epoch = None if laid.epoch is None else number(laid.epoch)
    claim = Prepared(b"claim", [number(tip.seq), tip.hash, number(end.seq), end.hash, epoch])
    return [claim, Prepared(b"insert", laid.arrays())]


def _literal(epoch: int | None) -> str:
    return "NULL" if epoch is None else str(int(epoch))
