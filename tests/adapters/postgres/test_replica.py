"""The log on two servers: a commit is answered when the replica has it, and its loss is a reconnect away from the new primary."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from adapters.clock import WallClock
from adapters.postgres.backup import _give, _run
from adapters.postgres.embedded import APP, SUPERUSER, EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.migrate import migrate
from domain import kill_host
from domain.catalogue import TOPICS
from domain.errors import LogUnavailable
from domain.event import Entry, Meta


@pytest.fixture
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="ems-replica-"))
    directory.chmod(0o711)  # the embedded server's account must be able to pass
    yield directory
    shutil.rmtree(directory)


def entry(version: int) -> Entry:
    meta = Meta(event_time_ns=1, actor="test", correlation=kill_host.key(), causation="test", build="test")
    event = kill_host.HostJoined(host=f"host{version}", at_ns=version)
    return Entry(stream=kill_host.key(), expected_version=version, events=(event,), meta=meta)


def replica_of(primary: EmbeddedPostgres, directory: Path) -> EmbeddedPostgres:
    """A second server that follows the first."""
    replica = EmbeddedPostgres(directory)
    dsn = make_conninfo(primary.connection(SUPERUSER, "postgres"), application_name="replica")
    data = replica.passwords_file.with_name("data")
    _run("pg_basebackup", "-d", dsn, "-D", data, "-X", "stream", "-c", "fast", "-R")
    shutil.copyfile(primary.passwords_file, replica.passwords_file)
    (data.parent / "archive").mkdir()
    _give(data.parent)
    replica.start()
    return replica


def either(*servers: EmbeddedPostgres) -> str:
    """A connection string that finds whichever of them takes writes."""
    hosts = ",".join(str(conninfo_to_dict(server.app_dsn)["host"]) for server in servers)
    return make_conninfo(servers[0].connection(APP), host=hosts, target_session_attrs="read-write")


async def test_what_was_answered_survives_the_loss_of_the_primary(home: Path) -> None:
    primary = EmbeddedPostgres(home / "one")
    migrate(primary.start())
    replica = replica_of(primary, home / "two")
    try:
        with psycopg.connect(primary.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'replica'")
            connection.execute("SELECT pg_reload_conf()")
        async with PostgresEventLog(either(replica, primary), TOPICS, WallClock(), readback_timeout_s=1) as log:
            epoch = await log.take_lead("desk/alpha:1")
            for version in range(5):
                await log.append([entry(version)], epoch=epoch)
            primary._end_processes(signal.SIGKILL)
            with pytest.raises(LogUnavailable):
                await log.append([entry(5)], epoch=epoch)
            with psycopg.connect(replica.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
                connection.execute("SELECT pg_reload_conf(), pg_promote()")
            async with asyncio.timeout(30):
                assert await log.take_lead("desk/alpha:1") == epoch + 1
            assert [one.version for one in await log.read(kill_host.key())] == [1, 2, 3, 4, 5]
            await log.append([entry(5)], epoch=epoch + 1)
            assert (await log.verify_chain()).seq == 6
    finally:
        replica.stop()
        primary.stop()
