"""Backups of a run's log: taken beside the running system, restored into a directory of its own and proved there."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from pathlib import Path

from adapters.clock import WallClock
from adapters.postgres.backup import Backups
from adapters.postgres.embedded import SUPERUSER, EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.ports import Head
from ems.bootstrap.runtime import Runtime
from ems.config import Settings


def take(settings: Settings, folder: Path, dsn: str = "") -> Path:
    """A whole copy now. Raises ConfigError, LogError."""
    found, passwords = _source(settings, dsn)
    return Backups(folder).take(found, datetime.now(UTC), passwords)


def stream(settings: Settings, folder: Path, dsn: str = "") -> int:
    """Write down what the log's server writes until SIGTERM or SIGINT; the program's exit status."""
    found, _ = _source(settings, dsn)
    process = Backups(folder).stream(found)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: process.terminate())
    return 0 if process.wait() in (0, -signal.SIGTERM, -signal.SIGINT) else 1


def verify(folder: Path) -> list[str]:
    """The names of the copies, all of which are what their manifests say. Raises ConfigError, LogError."""
    return [copy.name for copy in Backups(folder).verify()]


def restore(folder: Path, state: Path, until: datetime | None) -> Head:
    """Restore into a state directory, walk the whole chain there, stop the server again; where the log ends.

    Raises:
        ConfigError: the directory is in use, or there is no backup of that moment.
        ChainBroken: the restored log is not whole.
        LogUnavailable: the server did not come up.
    """
    server = Backups(folder).restore(state / "postgres", until)
    try:
        return asyncio.run(_walked(server.app_dsn))
    finally:
        server.stop()


async def _walked(dsn: str) -> Head:
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        return await log.verify_chain()


def _source(settings: Settings, dsn: str) -> tuple[str, Path | None]:
    """Whom to copy: a connection string that may replicate, and the passwords of an embedded server."""
    if dsn:
        return dsn, None
    runtime = Runtime(settings=settings)
    if runtime.embedded is None:
        raise ConfigError("a server of your own needs --dsn, of a role that may replicate")
    if not runtime.embedded.exists() or not (server := EmbeddedPostgres(runtime.embedded)).alive():
        raise ConfigError("the embedded database does not run: ems up, or ems demo")
    return server.connection(SUPERUSER, "postgres"), server.passwords_file
