"""The log as the `eventsourcing` library sees it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from eventsourcing.persistence import InfrastructureFactory

from adapters.postgres.recorder import LogFactory, LogRecorder
from tests.conftest import Database


def environment(dsn: str) -> dict[str, str]:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    return {
        "PERSISTENCE_MODULE": "adapters.postgres.recorder",
        "POSTGRES_DBNAME": str(parts["dbname"]),
        "POSTGRES_HOST": str(parts["host"]),
        "POSTGRES_PORT": str(parts["port"]),
        "POSTGRES_USER": str(parts["user"]),
        "POSTGRES_PASSWORD": str(parts["password"]),
    }


@pytest.fixture
def factory(database: Database) -> Iterator[LogFactory]:
    factory = InfrastructureFactory.construct(environment(database.app_dsn))
    assert isinstance(factory, LogFactory)
    with factory:
        yield factory


@pytest.fixture
def recorder(factory: LogFactory) -> LogRecorder:
    return factory.application_recorder()
