"""Connections to the event log's database, and the one place where the driver's errors become ours."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg

from domain.errors import ChainBroken, EmsError, Fenced, LogError, LogUnavailable, VersionConflict

HEAD_MOVED: Final = "EMS02"
CHANNEL: Final = "ems_log"  # notified with the new head's sequence number at every commit
_FENCED: Final = "EMS01"
_REFUSED: Final = "EMS03"
_STREAM_VERSION: Final = "events_stream_version_key"
_LIVENESS: Final = {"keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3, "tcp_user_timeout": 10_000}

AsyncConnection = psycopg.AsyncConnection[tuple[Any, ...]]


def named(dsn: str, purpose: str) -> str:
    """A connection string whose connections carry a name of their own, so that a lost one can be found and ended."""
    return psycopg.conninfo.make_conninfo(dsn, application_name=f"ems-{purpose}-{secrets.token_hex(8)}", **_LIVENESS)


async def connect(dsn: str, purpose: str, *, timeout_s: float = 10.0) -> AsyncConnection:
    """A connection in autocommit mode.

    Raises:
        LogUnavailable: the database cannot be reached.
    """
    with translated():
        return await psycopg.AsyncConnection.connect(named(dsn, purpose), autocommit=True, connect_timeout=max(2, int(timeout_s)))


def translate(error: psycopg.Error) -> EmsError:
    """The error of ours that a driver's error means."""
    text = str(error).strip().split("\n")[0]
    if error.sqlstate == _FENCED:
        return Fenced(text)
    if error.sqlstate == _REFUSED or error.sqlstate == HEAD_MOVED:
        return ChainBroken(text)
    if isinstance(error, psycopg.errors.UniqueViolation):
        if error.diag.constraint_name == _STREAM_VERSION:
            return VersionConflict(f"a stream has moved on: {error.diag.message_detail}")
        return ChainBroken(f"the log already has an event where its head says it ends: {error.diag.message_detail}")
    if isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return LogUnavailable(text)
    return LogError(text)


def is_loss(error: psycopg.Error) -> bool:
    """Whether an error means that the connection is gone, so that the fate of a commit under way is unknown."""
    state = error.sqlstate
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and (
        state is None or state.startswith(("08", "57P"))
    )


@contextmanager
def translated() -> Iterator[None]:
    """Run driver calls; what they raise comes out as our errors."""
    try:
        yield
    except psycopg.Error as cause:
        raise translate(cause) from cause
