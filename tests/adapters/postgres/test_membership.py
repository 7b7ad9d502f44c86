"""Desks on one database see each other's builds, and one that may not open beside the others does not."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

import pytest

from adapters.clock import WallClock
from adapters.postgres import lease
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.lease import Membership
from domain import builds
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from tests.conftest import Database

OLD, NEW = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"


@pytest.fixture(autouse=True)
def _no_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "_GRACE_S", 0.5)


class Desk:
    """A log that a desk of a build leads, or waits to."""

    def __init__(self, database: Database, build: str, approved: tuple[str, ...] = ()) -> None:
        self.seen: list[dict[str, str]] = []
        self._approved = approved
        self._build = build
        self.log = PostgresEventLog(database.app_dsn, TOPICS, WallClock(), membership=Membership(build, self._refusal))

    async def _refusal(self, others: Mapping[str, str]) -> str:
        self.seen.append(dict(others))
        return builds.refusal(self._build, others, self._approved)


@contextlib.asynccontextmanager
async def desk(database: Database, build: str, approved: tuple[str, ...] = ()) -> AsyncIterator[Desk]:
    made = Desk(database, build, approved)
    async with made.log:
        yield made


async def test_one_that_is_alone_opens_and_its_like_stands_by(database: Database) -> None:
    async with desk(database, OLD) as first, desk(database, OLD) as second:
        assert await first.log.take_lead("one/1") == 1
        waits = asyncio.create_task(second.log.take_lead("two/2"))
        async with asyncio.timeout(10):
            while not second.seen:  # noqa: ASYNC110 (a database: there is nothing here to wait on)
                await asyncio.sleep(0.01)
        assert (first.seen, second.seen) == ([{}], [{"one/1": OLD}])
        await first.log.close()
        assert await waits == 2


async def test_another_build_is_refused_with_both_named_and_takes_no_lead(database: Database) -> None:
    async with desk(database, OLD) as first, desk(database, NEW) as second:
        assert await first.log.take_lead("one/1") == 1
        with pytest.raises(ConfigError, match=f"this is build {NEW}, and one/1, which is up, is build {OLD}"):
            await second.log.take_lead("two/2")
        await first.log.close()
        assert await second.log.take_lead("two/2") == 2, "nothing else is up any more"


async def test_an_approved_one_stands_by_and_the_stale_one_does_not_open_again(database: Database) -> None:
    async with desk(database, OLD, (NEW,)) as first, desk(database, NEW, (NEW,)) as second, desk(database, OLD, (NEW,)) as stale:
        await first.log.take_lead("one/1")
        waits = asyncio.create_task(second.log.take_lead("two/2"))
        async with asyncio.timeout(10):
            while not second.seen:  # noqa: ASYNC110 (as above)
                await asyncio.sleep(0.01)
        await first.log.close()
        assert await waits == 2
        with pytest.raises(ConfigError, match=f"this is build {OLD}, and two/2, which is up, is build {NEW}"):
            await stale.log.take_lead("three/3")


async def test_one_that_waited_for_the_lead_and_is_gone_is_not_up(database: Database) -> None:
    async with desk(database, OLD) as first, desk(database, OLD) as second:
        await first.log.take_lead("one/1")
        waits = asyncio.create_task(second.log.take_lead("two/2"))
        await asyncio.sleep(0.3)
        waits.cancel()
        await asyncio.gather(waits, return_exceptions=True)
        await first.log.close()
        async with asyncio.timeout(20), desk(database, NEW) as third:
            while True:
                with contextlib.suppress(ConfigError):
                    await third.log.take_lead("three/3")
                    break


async def test_of_two_that_open_at_once_one_is_refused(database: Database) -> None:
    async with desk(database, OLD) as first, desk(database, NEW) as second:
        opened = await asyncio.gather(
            first.log.take_lead("one/1"), second.log.take_lead("two/2"), return_exceptions=True
        )  # fmt: skip
        assert sorted(type(one).__name__ for one in opened) == ["ConfigError", "int"]
