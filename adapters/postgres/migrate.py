"""Brings a database's schema up to date: `ems migrate` and every start call this."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from domain.errors import LogError, LogUnavailable

SCRIPTS = Path(__file__).resolve().parents[2] / "migrations"
_LOCK = 0x454D53_4D4947  # any number that nothing else locks


def migrate(dsn: str) -> str:
    """Run the migrations that this database has not had yet; nothing when it is up to date.

    Args:
        dsn: connection string of the role that owns the schema.

    Returns:
        The revision that the database is at.

    Raises:
        LogUnavailable: the database cannot be reached.
        LogError: a migration failed; none of it was kept.
    """
    engine = create_engine("postgresql+psycopg://", creator=lambda: _connect(dsn), poolclass=NullPool)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")  # two at once: the second finds it done
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one())
    except (DBAPIError, psycopg.Error) as cause:
        raise LogError(f"the migration failed: {cause}") from cause
    finally:
        engine.dispose()


def _connect(dsn: str) -> psycopg.Connection[Any]:
    try:
        return psycopg.connect(dsn, connect_timeout=10)
    except psycopg.OperationalError as cause:
        raise LogUnavailable(f"the database cannot be reached: {cause}") from cause
