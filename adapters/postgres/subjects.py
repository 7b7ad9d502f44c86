"""What is kept of subjects, as ciphertext."""

from __future__ import annotations

import psycopg

from adapters.postgres.connection import translated


def put(dsn: str, subject: str, sealed: bytes) -> None:
    """Keep this in place of what there was. Raises LogUnavailable, LogError."""
    with translated(), psycopg.connect(dsn, connect_timeout=10) as connection:
        connection.execute(
            "INSERT INTO subjects (subject, sealed) VALUES (%s, %s) ON CONFLICT (subject) DO UPDATE SET sealed = excluded.sealed",
            (subject, sealed),
        )


def get(dsn: str, subject: str) -> bytes | None:
    """What is kept, None where nothing is. Raises LogUnavailable, LogError."""
    with translated(), psycopg.connect(dsn, connect_timeout=10) as connection:
        row = connection.execute("SELECT sealed FROM subjects WHERE subject = %s", (subject,)).fetchone()
    return None if row is None else bytes(row[0])
