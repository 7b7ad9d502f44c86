"""The database of a run: the embedded server kept alive, migrations, and the mode that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from adapters.disk import DiskReserve
from adapters.postgres.deployment import claim_mode
from adapters.postgres.embedded import EmbeddedPostgres
from domain.disk import MB
from domain.errors import ConfigError, EmsError
from ems import ending, lifeline
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.preflight import state_lock

_log = structlog.get_logger("postgres")
CHECK_EVERY_S = 0.5


def open_database(runtime: Runtime) -> Runtime:
    """Start the embedded server or reach the named one, bring its schema up to date, check its mode.

    Returns:
        The runtime with its connection strings.

    Raises:
        ConfigError: the database belongs to another mode.
        LogUnavailable, LogError: it cannot be reached or migrated.
    """
    from adapters.postgres.migrate import migrate  # heavy, and readers of a log need none of it

    if runtime.embedded is not None:
        server = EmbeddedPostgres(runtime.embedded)
        owner_dsn = server.start()
        app_dsn = server.app_dsn
    else:
        app_dsn = runtime.settings.database_url
        owner_dsn = runtime.settings.database_owner_url or app_dsn
    revision = migrate(owner_dsn)
    claim_mode(app_dsn, runtime.settings.mode)
    _log.info("database ready", revision=revision, embedded=runtime.embedded is not None)
    return runtime.model_copy(update={"app_dsn": app_dsn, "owner_dsn": owner_dsn})


def close_database(runtime: Runtime) -> None:
    """Stop the embedded server; nothing for a database that is somebody else's."""
    if runtime.embedded is not None and runtime.embedded.exists():
        EmbeddedPostgres(runtime.embedded).stop()


def run_keeper(runtime_file: Path) -> int:
    """The process that keeps the embedded server alive until it is told to stop, or the supervisor is gone.

    The server is judged by connecting to it. One that does not answer is ended whole, down to its last backend, and
    started again on the same data.
    """
    runtime = Runtime.load(runtime_file)
    if runtime.embedded is None:
        raise ConfigError("the database is not an embedded one: there is nothing to keep")
    server = EmbeddedPostgres(runtime.embedded)
    stop = ending.on_signals()
    lifeline.watch()
    server.start()
    reserve = DiskReserve(server.home, runtime.settings.disk.reserve_mb * MB)
    reserve.watch()
    _log.info("postgres runs")
    while not stop.wait(CHECK_EVERY_S):
        _revive(server)
    server.stop()
    _log.info("postgres stopped")
    return 0


def _revive(server: EmbeddedPostgres) -> None:
    if server.alive():
        return
    _log.warning("postgres does not answer; starting it again")
    try:
        server.start()
    except EmsError as error:
        _log.error("postgres does not start", error=str(error))
    else:
        _log.info("postgres is back")


@contextmanager
def log_of(settings: Settings) -> Iterator[str]:
    """A connection string to read a configuration's log with, whether its system runs or not.

    Raises:
        ConfigError: nothing was ever recorded under this configuration.
        LogUnavailable: the database cannot be reached.
    """
    runtime = Runtime(settings=settings)
    if runtime.embedded is None:
        yield settings.database_url
        return
    if not runtime.embedded.exists():
        raise ConfigError(f"nothing is recorded in {settings.state_directory} yet: ems up or ems demo begins a log")
    server = EmbeddedPostgres(runtime.embedded)
    runs = server.alive()
    if not runs:
        server.start()
    try:
        yield server.app_dsn
    finally:
        if not runs:
            server.stop()


@contextmanager
def log_to_append(settings: Settings) -> Iterator[str]:
    """A connection string to append with: to the log of the running system, or else the database is opened for a while.

    Raises:
        ConfigError: the state directory is in use by what is not a running system, or the database belongs to another mode.
        LogUnavailable, LogError: the database cannot be reached or migrated.
    """
    runtime = Runtime(settings=settings)
    if runtime.embedded is None:
        yield open_database(runtime).app_dsn
    elif runtime.embedded.exists() and (server := EmbeddedPostgres(runtime.embedded)).alive():
        claim_mode(server.app_dsn, settings.mode)
        yield server.app_dsn
    else:
        with state_lock(settings.state_directory):
            try:
                yield open_database(runtime).app_dsn
            finally:
                close_database(runtime)
