"""Which mode a database belongs to: said once by the first desk that starts on it."""

from __future__ import annotations

import psycopg

from adapters.postgres.connection import translated
from domain.errors import ConfigError


def claim_mode(dsn: str, mode: str) -> None:
    """Make sure that a database is for this mode, and for ever if it had none.

    Args:
        dsn: connection string of the role that appends.
        mode: PAPER or LIVE.

    Raises:
        ConfigError: the database belongs to the other mode.
        LogUnavailable: the database cannot be reached.
    """
    with translated(), psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute("INSERT INTO deployment (mode) VALUES (%s) ON CONFLICT DO NOTHING", (mode,))
        row = connection.execute("SELECT mode FROM deployment").fetchone()
    if row is None or row[0] != mode:
        found = "nothing" if row is None else row[0]
        raise ConfigError(f"the database belongs to {found}, but the configuration says mode {mode}")


def answers(dsn: str) -> bool:
    """Whether the database accepts a connection and a query now."""
    try:
        with psycopg.connect(dsn, connect_timeout=3) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True
