"""Fixtures that every test may use: one embedded Postgres for the run, and a fresh migrated database for each test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from adapters.postgres.embedded import APP, DATABASE, OWNER, SUPERUSER, EmbeddedPostgres
from adapters.postgres.migrate import migrate

_numbers = itertools.count(1)
TOGETHER = "tests/console/"  # files that share one running system, and of whose browsers one at a time is enough


@dataclass(frozen=True)
class Database:
    """Connection strings of one database, by role."""

    server: EmbeddedPostgres
    name: str

    @property
    def owner_dsn(self) -> str:
        """May change the schema."""
        return self.server.connection(OWNER, self.name)

    @property
    def app_dsn(self) -> str:
        """May read and append."""
        return self.server.connection(APP, self.name)

    @property
    def superuser_dsn(self) -> str:
        """May do anything: for tests that act as the server's administrator or as an intruder."""
        return self.server.connection(SUPERUSER, self.name)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[EmbeddedPostgres]:
    """A real server of this run's own, with a migrated database to copy. Not for tests that stop or kill it."""
    directory = Path(tempfile.mkdtemp(prefix="ems-test-postgres-"))
    server = EmbeddedPostgres(directory)
    try:
        migrate(server.start())
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


@pytest.fixture
def database(postgres_server: EmbeddedPostgres) -> Iterator[Database]:
    """A fresh, migrated database."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER {}").format(*map(sql.Identifier, (name, DATABASE, OWNER)))
        )
        yield Database(postgres_server, name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def postgres_dsn(database: Database) -> str:
    """The owner's connection string of a fresh, migrated database."""
    return database.owner_dsn


@pytest.fixture
def app_dsn(database: Database) -> str:
    """The application's connection string of a fresh, migrated database."""
    return database.app_dsn


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Files go to workers one by one, except those that belong together."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return TOGETHER if nodeid.startswith(TOGETHER) else str(super()._split_scope(nodeid))

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None
