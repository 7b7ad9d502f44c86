"""A log that is restored as of a moment holds what was committed by then, nothing after it, and its chain holds."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from adapters.clock import WallClock
from adapters.postgres.backup import Backups
from adapters.postgres.embedded import SUPERUSER, EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.migrate import migrate
from domain import kill_host
from domain.catalogue import TOPICS
from domain.errors import ConfigError, LogError
from domain.event import Entry, Meta
from ems.bootstrap import backup


@pytest.fixture
def home() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="ems-backup-"))
    directory.chmod(0o711)  # the embedded server's account must be able to pass
    yield directory
    shutil.rmtree(directory)


async def append(dsn: str, version: int) -> None:
    meta = Meta(event_time_ns=1, actor="test", correlation=kill_host.key(), causation="test", build="test")
    event = kill_host.HostJoined(host=f"host{version}", at_ns=version)
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        await log.append([Entry(stream=kill_host.key(), expected_version=version, events=(event,), meta=meta)])


async def test_a_log_comes_back_as_of_a_moment(home: Path) -> None:
    server, backups = EmbeddedPostgres(home / "postgres"), Backups(home / "backups")
    try:
        migrate(server.start())
        dsn = server.connection(SUPERUSER, "postgres")
        streaming = backups.stream(dsn)
        try:
            await append(server.app_dsn, 0)
            begun = datetime.now(UTC)
            backups.take(dsn, begun, server.passwords_file)
            await append(server.app_dsn, 1)
            moment = datetime.now(UTC)
            await append(server.app_dsn, 2)
            _until_written(dsn)
        finally:
            streaming.terminate()
            streaming.wait(20)
    finally:
        server.stop()
    assert [copy.name for copy in backups.verify()] == [copy.name for copy in backups.copies()]
    with pytest.raises(ConfigError, match="of that moment or before"):
        backup.restore(backups.folder, home / "earlier", begun - timedelta(days=1))
    assert (await _restored(backups, home / "then", moment)) == ["host0", "host1"]
    assert (await _restored(backups, home / "now", None)) == ["host0", "host1", "host2"]
    with pytest.raises(ConfigError, match="is not empty"):
        backups.restore(home / "now", None)
    damaged = next(path for path in (backups.copies()[0] / "base").rglob("*") if path.is_file() and path.stat().st_size)
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    with pytest.raises(LogError, match="is not what it was"):
        backups.verify()


async def _restored(backups: Backups, target: Path, until: datetime | None) -> list[str]:
    """The hosts in a restored log; its chain has been walked."""
    server = backups.restore(target, until)
    try:
        async with PostgresEventLog(server.app_dsn, TOPICS, WallClock()) as log:
            head = await log.verify_chain()
            found = [str(getattr(one.event, "host", "")) for one in await log.read(kill_host.key())]
        assert head.seq == len(found)
        await append(server.app_dsn, len(found))  # it takes writes again
        return found
    finally:
        server.stop()


def _until_written(dsn: str) -> None:
    """Wait until the stream has everything that was committed."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_switch_wal()")
        wanted = connection.execute("SELECT pg_current_wal_lsn()").fetchone()
        assert wanted is not None
        deadline = time.monotonic() + 20
        behind = "SELECT count(*) FROM pg_stat_replication WHERE flush_lsn >= %s"
        while connection.execute(behind, wanted).fetchone() == (0,):
            assert time.monotonic() < deadline, "the stream is behind"
            time.sleep(0.05)
