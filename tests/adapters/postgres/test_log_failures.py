"""What the log says when the database fails in the middle: never a guess, and nothing twice."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing

import psycopg
import pytest

from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.child_order import Canceled
from domain.errors import Fenced, LogUnavailable, VersionConflict
from domain.event import Entry, Meta
from domain.values import stream_id
from tests.conftest import Database

A, B = stream_id("child", "a"), stream_id("child", "b")
META = Meta(5, "system:desk", A, "timer", "0ddba11")


class StepClock:
    def __init__(self) -> None:
        self._ticks = itertools.count(1)

    def now_ns(self) -> int:
        return next(self._ticks)


def entry(expected_version: int, stream: object = A, text: str = "") -> Entry:
    return Entry(stream, expected_version, (Canceled(text=text),), META)  # type: ignore[arg-type]


@pytest.fixture
async def log(database: Database) -> AsyncIterator[PostgresEventLog]:
    async with PostgresEventLog(database.app_dsn, TOPICS, StepClock()) as log:
        yield log


@pytest.fixture
async def administrator(database: Database) -> AsyncIterator[psycopg.AsyncConnection]:
    async with await psycopg.AsyncConnection.connect(database.superuser_dsn, autocommit=True) as connection:
        yield connection


async def end_connections(administrator: psycopg.AsyncConnection, purpose: str) -> int:
    ended = await administrator.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE %s", (f"ems-{purpose}-%",)
    )
    return len(await ended.fetchall())


async def until_waiting(administrator: psycopg.AsyncConnection, purpose: str) -> None:
    """Return once a connection of that purpose waits for a lock."""
    query = "SELECT 1 FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'"
    async with asyncio.timeout(10):
        while not await (await administrator.execute(query, (f"ems-{purpose}-%",))).fetchall():  # noqa: ASYNC110, none to await
            await asyncio.sleep(0.005)


async def test_a_connection_lost_between_appends_is_replaced(
    log: PostgresEventLog, administrator: psycopg.AsyncConnection
) -> None:
    await log.append([entry(0)])
    assert await end_connections(administrator, "writer") == 1
    (appended,) = await log.append([entry(1)])
    assert appended.seq == 2
    assert (await log.verify_chain()).seq == 2


async def test_a_commit_that_never_happened_is_made_again(
    database: Database, log: PostgresEventLog, administrator: psycopg.AsyncConnection
) -> None:
    await log.append([entry(0)])
    async with await psycopg.AsyncConnection.connect(database.owner_dsn) as holder:
        await holder.execute("SELECT * FROM log_head FOR UPDATE")
        append = asyncio.create_task(log.append([entry(1)]))
        await until_waiting(administrator, "writer")
        await end_connections(administrator, "writer")
    (appended,) = await append
    assert appended.seq == 2
    assert [e.version for e in await log.read(A)] == [1, 2]


@pytest.mark.parametrize("copied", [False, True])
async def test_a_commit_whose_answer_was_lost_is_read_back(
    log: PostgresEventLog, monkeypatch: pytest.MonkeyPatch, copied: bool
) -> None:
    await log.append([entry(0)])
    import adapters.postgres.writer as writer

    if copied:
        monkeypatch.setattr(writer, "INSERT_MAX", 0)
    answered = writer.exchange if copied else writer.transact
    lost: list[object] = []

    async def lose_answer(pgconn: object, said: object, more: object = None) -> object:
        result = await answered(pgconn, said, more)  # type: ignore[operator]
        if more is not None and not lost:
            lost.append(said)
            raise psycopg.OperationalError("server closed the connection unexpectedly")
        return result

    monkeypatch.setattr(writer, answered.__name__, lose_answer)
    (appended,) = await log.append([entry(1, text="once")])
    assert lost
    assert appended.seq == 2
    assert [e.event for e in await log.read(A)] == [Canceled(text=""), Canceled(text="once")]
    assert (await log.append([entry(2)]))[0].seq == 3
    assert (await log.verify_chain()).seq == 3


async def test_a_database_that_is_gone_is_unavailable_for_everyone_who_waits() -> None:
    nowhere = "host=/nonexistent user=ems_app dbname=ems"
    async with PostgresEventLog(nowhere, TOPICS, StepClock()) as log:
        results = await asyncio.gather(log.append([entry(0)]), log.append([entry(1)]), log.head(), return_exceptions=True)
    assert [type(result) for result in results] == [LogUnavailable] * 3


async def test_what_waits_behind_a_commit_of_unknown_fate_is_not_appended(
    database: Database, administrator: psycopg.AsyncConnection
) -> None:
    async with PostgresEventLog(
        database.app_dsn, TOPICS, StepClock(), answer_timeout_s=0.3, readback_timeout_s=0.3
    ) as log, await psycopg.AsyncConnection.connect(database.owner_dsn) as holder:  # fmt: skip
        await holder.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        first = asyncio.create_task(log.append([entry(0)]))
        await until_waiting(administrator, "writer")
        second = asyncio.create_task(log.append([entry(0, B)]))
        results = await asyncio.gather(first, second, return_exceptions=True)
        assert [type(result) for result in results] == [LogUnavailable] * 2
        await holder.rollback()
        assert [e.version for e in await log.read(B)] == []
        appended = await log.append([entry(0, B)])
        assert appended[0].seq == 1
        assert (await log.verify_chain()).seq == 1


async def test_two_logs_write_one_chain(database: Database, log: PostgresEventLog) -> None:
    async with PostgresEventLog(database.app_dsn, TOPICS, StepClock()) as other:

        async def write(log: PostgresEventLog, name: str) -> None:
            for version in range(30):
                await log.append([entry(version, stream_id("s", name))])

        await asyncio.gather(write(log, "a"), write(log, "b"), write(other, "c"), write(other, "d"))
        assert (await other.verify_chain()).seq == 120
        await log.append([entry(30, stream_id("s", "c"))])
        with pytest.raises(VersionConflict):
            await other.append([entry(30, stream_id("s", "c"))])


async def test_a_caller_that_gives_up_does_not_stop_the_others(
    database: Database, log: PostgresEventLog, administrator: psycopg.AsyncConnection
) -> None:
    async with await psycopg.AsyncConnection.connect(database.owner_dsn) as holder:
        await holder.execute("SELECT * FROM log_head FOR UPDATE")
        gives_up = asyncio.create_task(log.append([entry(0)]))
        await until_waiting(administrator, "writer")
        waits = asyncio.create_task(log.append([entry(0, B)]))
        gives_up.cancel()
    await waits
    assert [len(await log.read(stream)) for stream in (A, B)] == [1, 1]


async def test_the_standby_waits_and_then_leads_and_the_old_leader_is_fenced(
    database: Database, log: PostgresEventLog, administrator: psycopg.AsyncConnection
) -> None:
    first = await log.take_lead("desk-1")
    async with PostgresEventLog(database.app_dsn, TOPICS, StepClock()) as standby:
        waits = asyncio.create_task(standby.take_lead("desk-2"))
        await until_waiting(administrator, "lease")
        assert not waits.done()
        await log.append([entry(0)], epoch=first)
        query = "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l WHERE locktype = 'advisory' AND granted"
        await administrator.execute(query)
        async with asyncio.timeout(10):
            await log.lead_lost.wait()
            second = await waits
        assert second == first + 1
        assert not standby.lead_lost.is_set()
        with pytest.raises(Fenced):
            await log.append([entry(1)], epoch=first)
        assert (await standby.append([entry(1)], epoch=second))[0].seq == 2


async def test_a_desk_that_stops_hands_the_lead_over(database: Database, administrator: psycopg.AsyncConnection) -> None:
    async with PostgresEventLog(database.app_dsn, TOPICS, StepClock()) as standby:
        async with PostgresEventLog(database.app_dsn, TOPICS, StepClock()) as leader:
            assert await leader.take_lead("desk-1") == 1
            waits = asyncio.create_task(standby.take_lead("desk-2"))
            await until_waiting(administrator, "lease")
        async with asyncio.timeout(10):
            assert await waits == 2


async def test_a_subscription_says_that_the_database_went(log: PostgresEventLog, administrator: psycopg.AsyncConnection) -> None:
    await log.append([entry(0)])
    async with aclosing(log.subscribe()) as events:  # type: ignore[type-var]
        assert (await anext(events)).seq == 1
        following = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0)
        await end_connections(administrator, "subscription")
        with pytest.raises(LogUnavailable):
            await following


async def test_a_reading_connection_that_died_while_idle_is_replaced(
    log: PostgresEventLog, administrator: psycopg.AsyncConnection
) -> None:
    await log.append([entry(0)])
    assert len(await log.read(A)) == 1
    assert await end_connections(administrator, "reader") == 1
    assert len(await log.read(A)) == 1
