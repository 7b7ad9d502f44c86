"""The commands of exports, archives and people on a real database: the same bytes twice, and who has read is in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeyVerifier
from domain.catalogue import TOPICS
from domain.errors import ConfigError, SubjectError
from domain.reading import Read
from ems.bench.made_day import MadeDay
from ems.bootstrap import codes, exporting, kill, sealing, subjects
from ems.config import Settings
from ems.desk_state import DeskState
from ems.sealer import Sealer
from tests.conftest import Database


def of(database: Database, home: Path) -> Settings:
    return Settings(state_directory=home, database_url=database.app_dsn, database_owner_url=database.owner_dsn)


async def made(database: Database) -> None:
    state = DeskState()
    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
        for turn in MadeDay(2, 1).turns(state):
            turn.committed(await log.append(turn.entries))


async def sealed(database: Database, settings: Settings) -> None:
    key = sealing.signer(kill.runtime_of(settings))
    async with PostgresSealedLog(database.app_dsn) as log:
        sealer = Sealer(log, key, KeyVerifier(key.public_key), [], WallClock())
        await sealer.turn()
        await sealer.close()


async def test_a_day_is_exported_twice_alike_and_both_readings_are_in_the_log(database: Database, tmp_path: Path) -> None:
    settings = of(database, tmp_path / "state")
    await made(database)
    first = await exporting.export(settings, tmp_path / "a.tar", day="2012-06-21", person="ann", purpose="exam")
    again = await exporting.export(settings, tmp_path / "b.tar", day="2012-06-21", person="bob")
    assert first.sha256 == again.sha256 and first.told()["events"] == 74
    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
        read = [(r.meta.actor, r.event.purpose) async for page in log.read_pages() for r in page if isinstance(r.event, Read)]
    assert read == [("person:ann", "exam"), ("person:bob", "")]
    with pytest.raises(ConfigError, match="no event of 1999-01-01"):
        await exporting.export(settings, tmp_path / "c.tar", day="1999-01-01", person="ann")
    with pytest.raises(ConfigError, match="nothing to archive"):
        await exporting.archive(settings, tmp_path, before="2013-01-01", person="ann")
    await sealed(database, settings)
    third = await exporting.export(settings, tmp_path / "c.tar", day="2012-06-21", person="ann")
    assert third.told()["heads"] == 1 and third.told()["sealed_to"] >= 74
    (kept,) = await exporting.archive(settings, tmp_path / "old", before="2013-01-01", person="ann")
    assert (kept.file.name, kept.told()["events"]) == ("log-2012-06-21.tar", 74)
    assert await exporting.archive(settings, tmp_path / "old", before="2013-01-01", person="ann") == []
    for path in (tmp_path / "c.tar", kept.file):
        assert (await sealing.bundle_verified(path, kill.runtime_of(settings), None, None)).ok


async def test_people_are_enrolled_shown_and_erased_by_two(database: Database, tmp_path: Path) -> None:
    settings = of(database, tmp_path / "state")
    subject = await subjects.enroll(settings, {"name": "Jane Doe"}, person="ann", reason="trader")
    assert await subjects.show(settings, subject, person="ann", purpose="exam") == {"name": "Jane Doe"}
    with pytest.raises(ConfigError, match="two different people"):
        await subjects.erase(settings, subject, ("ann", "ann"), reason="asked")
    for _ in range(2):
        told = await subjects.erase(settings, subject, ("ann", "bob"), reason="asked")
        assert told["erased"]
    with pytest.raises(SubjectError, match="was erased"):
        await subjects.show(settings, subject, person="ann", purpose="exam")
    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
        topics = [recorded.event.TOPIC async for page in log.read_pages() for recorded in page]
    assert topics == ["subject.enrolled.v1", "log.read.v1", "subject.erased.v1"]


async def test_short_codes_have_a_history(database: Database, tmp_path: Path) -> None:
    settings = of(database, tmp_path / "state")
    await codes.put(settings, "104", "client", "529900T8BM49AURSDO55", ("ann", "bob"), reason="new")
    with pytest.raises(ConfigError, match="second, different person"):
        await codes.put(settings, "105", "client", "529900T8BM49AURSDO55", ("ann", "ann"), reason="new")
    assert [one["short_code"] for one in await codes.history(settings)] == ["104"]
