"""Personal data: unreadable without its key wherever it lies, while the log proves itself; and what an auditor may do."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from adapters.clock import WallClock
from adapters.postgres import subjects
from adapters.postgres.embedded import AUDITOR
from adapters.postgres.event_log import PostgresEventLog
from adapters.subject_keys import SubjectKeys
from domain.catalogue import TOPICS
from domain.erasure import Enrolled, Erased, key, subject_id
from domain.errors import SubjectError
from domain.event import Entry, Event, Meta
from tests.conftest import Database

ONE, OTHER = subject_id(b"1" * 32), subject_id(b"2" * 32)
SECRET = b'{"name":"Jane Doe"}'


async def put(log: PostgresEventLog, *events: Event) -> None:
    stream = key(ONE)
    version = len(await log.read(stream))
    await log.append([Entry(stream, version, events, Meta(1, "person:ann", stream, "command:test", "b"))])


async def test_erasing_a_key_makes_the_data_unreadable_in_every_copy_and_all_proofs_still_hold(
    database: Database, tmp_path: Path
) -> None:
    keys = SubjectKeys(tmp_path / "keys")
    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
        keys.make(ONE)
        await put(log, Enrolled(subject=ONE, person="ann", reason="trader", at_ns=1))
        subjects.put(database.app_dsn, ONE, keys.seal(ONE, SECRET))
        backup = subjects.get(database.app_dsn, ONE)
        assert backup is not None and keys.open(ONE, backup) == SECRET and b"Jane" not in backup
        before = await log.verify_chain()
        await put(log, Erased(subject=ONE, persons=("ann", "bob"), reason="asked", at_ns=2))
        keys.destroy(ONE)
        for copy in (backup, subjects.get(database.app_dsn, ONE)):
            assert copy is not None
            with pytest.raises(SubjectError, match="it was erased"):
                keys.open(ONE, copy)
        after = await log.verify_chain()
        assert after.seq == before.seq + 1
        stored = [row.state async for page in log.read_rows() for row in page]
    assert b"Jane" not in b"".join(stored)
    assert list((tmp_path / "keys").iterdir()) == []
    keys.destroy(ONE)  # again: nothing is left to destroy


def test_a_key_is_its_subjects_alone(tmp_path: Path) -> None:
    keys = SubjectKeys(tmp_path / "keys")
    keys.make(ONE)
    keys.make(OTHER)
    sealed = keys.seal(ONE, SECRET)
    assert keys.seal(ONE, SECRET) != sealed, "each time another nonce"
    for wrong in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:12] + sealed[13:]):
        with pytest.raises(SubjectError, match="not what was put there"):
            keys.open(ONE, wrong)
    with pytest.raises(SubjectError, match="not what was put there"):
        keys.open(OTHER, sealed)
    with pytest.raises(SubjectError, match="no key can be made"):
        keys.make(ONE)
    with pytest.raises(SubjectError, match="is no subject"):
        keys.has("../etc")
    made = [tmp_path / "keys", tmp_path / "keys" / f"{ONE}.key"]
    assert [path.stat().st_mode & 0o077 for path in made] == [0, 0]


def test_an_auditor_reads_the_log_and_nothing_else(database: Database) -> None:
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute(f"SET ROLE {AUDITOR}")
        assert connection.execute("SELECT count(*) FROM events").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM sealed_heads").fetchone() == (0,)
        for refused in (
            "INSERT INTO events SELECT * FROM events", "UPDATE events SET topic = ''", "DELETE FROM events", "TRUNCATE events",
            "SELECT * FROM subjects", "CREATE TABLE mine (a int)", "SELECT log_lead('me')", "DROP TABLE events",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(refused)


def test_the_application_changes_no_event_but_may_replace_what_is_kept_of_a_person(database: Database) -> None:
    sealed = bytes(40)
    subjects.put(database.app_dsn, ONE, sealed)
    subjects.put(database.app_dsn, ONE, sealed + b"1")
    assert subjects.get(database.app_dsn, ONE) == sealed + b"1" and subjects.get(database.app_dsn, OTHER) is None
    with psycopg.connect(database.app_dsn, autocommit=True) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM subjects")
