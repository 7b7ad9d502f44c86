"""Append-only is held by the database itself: what the application's role, the owner and an intruder may not do."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.migrate import migrate
from domain.catalogue import TOPICS
from domain.child_order import Canceled
from domain.errors import ChainBroken, LogUnavailable
from domain.event import Entry, Meta
from domain.ports import Clock
from domain.values import stream_id
from tests.conftest import Database

A = stream_id("child", "a")
META = Meta(5, "system:desk", A, "timer", "0ddba11")
_ticks = itertools.count(1)


class StepClock:
    def now_ns(self) -> int:
        return next(_ticks)


CLOCK: Clock = StepClock()


@pytest.fixture
async def stored(database: Database) -> Database:
    """A database with three events."""
    async with PostgresEventLog(database.app_dsn, TOPICS, CLOCK) as log:
        await log.append([Entry(A, 0, tuple(Canceled(text=text) for text in "abc"), META)])
    return database


FORBIDDEN = [
    "UPDATE events SET state = ''",
    "DELETE FROM events",
    "TRUNCATE events",
    "UPDATE log_head SET seq = 9",
    "DELETE FROM log_head",
    "DROP TABLE events",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    "CREATE TABLE mine (n int)",
    "SET session_replication_role = replica",
    "INSERT INTO alembic_version VALUES ('9999')",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
async def test_the_application_may_only_append(stored: Database, statement: str) -> None:
    with psycopg.connect(stored.app_dsn) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    ["UPDATE events SET state = ''", "DELETE FROM events", "TRUNCATE events", "DELETE FROM log_head", "TRUNCATE log_head"],
)
@pytest.mark.parametrize("replica", [False, True], ids=["plain", "triggers-off"])
async def test_nobody_changes_or_removes_events_without_taking_the_schema_apart(
    stored: Database, statement: str, replica: bool
) -> None:
    with psycopg.connect(stored.superuser_dsn if replica else stored.owner_dsn) as connection:
        if replica:
            connection.execute("SET session_replication_role = replica")
        with pytest.raises(psycopg.DatabaseError, match="only appended to"):
            connection.execute(statement.encode())


@pytest.mark.parametrize("change", ["seq = seq - 1", "epoch = epoch - 1", "hash = decode(repeat('11', 32), 'hex')"])
async def test_the_head_only_moves_forward(stored: Database, change: str) -> None:
    with psycopg.connect(stored.owner_dsn) as connection, pytest.raises(psycopg.DatabaseError, match="only moves forward"):
        connection.execute(f"UPDATE log_head SET {change}".encode())


@pytest.mark.parametrize("seq", [3, 4, 5])
async def test_no_event_gets_in_beside_the_head(stored: Database, seq: int) -> None:
    row = (seq, A, 9, "child_order.canceled.v1", 1, b"{}", bytes(32), bytes(32))
    with psycopg.connect(stored.app_dsn) as connection, pytest.raises(psycopg.DatabaseError):
        connection.execute("INSERT INTO events VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
    async with PostgresEventLog(stored.app_dsn, TOPICS, CLOCK) as log:
        assert (await log.verify_chain()).seq == 3


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            "UPDATE events SET state = replace(encode(state, 'escape'), 'b', 'x')::bytea WHERE seq = 2",
            "event 2 is not what was recorded",
        ),
        ("UPDATE events SET recorded_time_ns = recorded_time_ns + 1 WHERE seq = 1", "event 1 is not what was recorded"),
        ("UPDATE events SET version = 7 WHERE seq = 3", "event 3 is not what was recorded"),
        ("DELETE FROM events WHERE seq = 2", "after event 1 comes event 3"),
        ("DELETE FROM events WHERE seq = 3", "ends at event 2, but its head is event 3"),
        ("UPDATE events SET prev_hash = decode(repeat('11', 32), 'hex') WHERE seq = 3", "event 3 does not continue event 2"),
    ],
)
async def test_what_a_superuser_changes_all_the_same_is_found(stored: Database, change: str, found: str) -> None:
    with psycopg.connect(stored.superuser_dsn) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER ALL")
        connection.execute(change.encode())
    async with PostgresEventLog(stored.app_dsn, TOPICS, CLOCK) as log:
        with pytest.raises(ChainBroken, match=found):
            await log.verify_chain()


def test_migrating_again_changes_nothing(stored: Database) -> None:
    assert migrate(stored.owner_dsn) == migrate(stored.owner_dsn)
    with psycopg.connect(stored.app_dsn) as connection:
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (3,)


def test_a_database_that_is_not_there_is_said_to_be(database: Database) -> None:
    with pytest.raises(LogUnavailable):
        migrate(database.server.connection("ems_owner", "nowhere"))
