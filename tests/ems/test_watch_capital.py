"""The capital that losses are measured against: as it was loaded for the day, and as it is loaded again while it runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import write
from domain.catalogue import TOPICS
from domain.kill_scope import FIRM, Scope
from domain.triggers import Metric, Trigger
from domain.values import E9
from ems.bootstrap import day as days
from ems.bootstrap.load import Wish, load_day
from ems.bootstrap.running_day import RunningDay
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.watchdog import restating
from ems.config import Settings
from ems.watchdog import Watchdog
from tests.conftest import Database


class Restated:
    """What a watchdog is told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[dict[Scope, int]] = asyncio.Queue()
        self.triggers: tuple[Trigger, ...] = ()

    def restate(self, capital_e9: dict[Scope, int], triggers: tuple[Trigger, ...]) -> None:
        self.triggers = triggers
        self.told.put_nowait(capital_e9)


@pytest.fixture
def settings(tmp_path: Path, database: Database) -> Settings:
    return Settings(
        mode="LIVE", state_directory=tmp_path / "state", database_url=database.app_dsn, database_owner_url=database.owner_dsn
    )


async def load_again(settings: Settings, folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))
    write.write_manifest(folder, {"trade_date": days.today(settings)}, "")
    amend = Wish(folder, amend=True, person="john", reason="late news")
    assert (await asyncio.to_thread(load_day, settings, amend, lambda _: None)).problems == ()


async def test_a_watchdog_that_runs_measures_against_the_capital_that_was_loaded_since(
    settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "day"
    write.write_sample(folder, days.today(settings))
    await asyncio.to_thread(load_day, settings, Wish(folder, person="jane"), lambda _: None)
    started = (await days.with_loaded_files(Runtime(settings=settings, app_dsn=settings.database_url))).settings
    dog, own = Restated(), started.state_directory / "watchdog"
    async with PostgresEventLog(settings.database_url, TOPICS, WallClock()) as log:
        task = asyncio.create_task(restating(cast(Watchdog, dog), RunningDay(started, own), started, log, every_s=0.01))
        await load_again(settings, folder, "positions.csv", "HOUSE,AMZN,1000", "HOUSE,AMZN,2000")
        await load_again(settings, folder, "capital.csv", "firm,,USD,50000000", "firm,,USD,30000000")
        assert (await asyncio.wait_for(dog.told.get(), 30))[FIRM] == 30_000_000 * E9, "positions alone are no news"
        task.cancel()
    assert {trigger.scope for trigger in dog.triggers if trigger.metric is Metric.DAILY_PNL} > {FIRM}
    third = f"{days.today(settings)}.3"
    assert (own / third).exists() and not (started.state_directory / "reference" / third).exists(), (
        "the desk's place is the desk's"
    )
