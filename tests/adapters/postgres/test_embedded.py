"""The embedded server is started, judged and stopped by what it answers, whatever state it was left in."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from adapters.postgres.embedded import APP, OWNER, SUPERUSER, EmbeddedPostgres


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="ems-test-embedded-"))
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def server(directory: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(directory)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    return psutil.Process(int((server._data / "postmaster.pid").read_text().split()[0]))


def test_it_answers_after_start_and_not_after_stop(directory: Path) -> None:
    server = EmbeddedPostgres(directory)
    assert not server.alive()
    with psycopg.connect(server.start()) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("ems_owner", "ems")
    assert server.alive()
    server.stop()
    assert not server.alive()
    server.stop()


def test_starting_twice_is_starting_once(server: EmbeddedPostgres, directory: Path) -> None:
    before = postmaster(server).pid
    assert EmbeddedPostgres(directory).start() == server.dsn
    assert postmaster(server).pid == before


def test_durability_is_on(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.app_dsn) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}".encode()).fetchone() == ("on",)


@pytest.mark.parametrize("role", [SUPERUSER, OWNER, APP])
def test_nobody_gets_in_without_the_password(server: EmbeddedPostgres, role: str) -> None:
    wrong = psycopg.conninfo.make_conninfo(server.connection(role), password="guess")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(wrong)


def test_a_pg_hba_that_trusts_everyone_is_rewritten(server: EmbeddedPostgres) -> None:
    server.stop()
    (server._data / "pg_hba.conf").write_text("local all all trust\n")
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(psycopg.conninfo.make_conninfo(server.dsn, password="guess"))


def test_passwords_and_data_are_closed_to_others_and_parents_are_left_alone(server: EmbeddedPostgres, directory: Path) -> None:
    assert stat.S_IMODE((server.home / "passwords.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(server._data.stat().st_mode) == 0o700
    parent = directory / "closed"
    parent.mkdir(mode=0o700)
    unreachable = EmbeddedPostgres(parent / "inner" / "server")
    assert stat.S_IMODE(parent.stat().st_mode) == 0o700
    unreachable.home.rmdir()  # for root it is elsewhere


def test_a_killed_postmaster_with_a_busy_backend_is_replaced(server: EmbeddedPostgres) -> None:
    connection = psycopg.connect(server.dsn, autocommit=True)
    connection.execute("CREATE TABLE kept (n int)")
    connection.execute("INSERT INTO kept VALUES (1)")
    backend = psutil.Process(connection.info.backend_pid)
    connection.pgconn.send_query(b"DO $$ BEGIN LOOP END LOOP; END $$")  # never looks whether its postmaster lives
    old = postmaster(server)
    old.kill()
    assert backend.is_running()
    server.start()
    assert not backend.is_running() or backend.status() == psutil.STATUS_ZOMBIE
    connection.close()
    with psycopg.connect(server.dsn) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
        connection.execute("DROP TABLE kept")


def test_a_pid_file_that_names_a_stranger_does_not_mislead(server: EmbeddedPostgres) -> None:
    pid_file = server._data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert not server.alive()
    server.start()
    assert server.alive()


def test_further_databases_are_the_owners(server: EmbeddedPostgres) -> None:
    dsn = server.ensure_database("registry")
    assert server.ensure_database("registry") == dsn
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE t (n int)")
