"""The day that a run begins with: the files that were loaded for it, and what they say to the checks before an order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import files, manifest, start_of_day
from adapters.reference.content_store import ContentStore
from domain.catalogue import TOPICS
from domain.day_load import Loaded
from domain.errors import ConfigError
from domain.ports import EventLog
from domain.risk_data import NOTHING_KNOWN, RiskFacts
from ems import opening
from ems.bootstrap.runtime import Runtime
from ems.config import Settings

_KEPT: Final = "reference"  # below the state directory: objects by checksum, and the days that are in use


def date_of(settings: Settings) -> Callable[[int], str]:
    """The trade date (ISO) of a moment, in the home time zone."""
    home = ZoneInfo(settings.home_time_zone)
    return lambda now_ns: datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).astimezone(home).date().isoformat()


def today(settings: Settings) -> date:
    """The trade date in the home time zone."""
    return datetime.fromtimestamp(WallClock().now_ns() // 1_000_000_000, UTC).astimezone(ZoneInfo(settings.home_time_zone)).date()


async def with_loaded_files(runtime: Runtime) -> Runtime:
    """The run of a LIVE desk with the files that were loaded for today; a PAPER desk takes what its configuration names.

    Raises:
        ConfigError: nothing was loaded for today.
        ReferenceDataError: what was loaded is not kept here any more, or has changed.
    """
    settings = runtime.settings
    if settings.mode != "LIVE":
        return runtime
    on = today(settings)
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log:
        found = await opening.of_day(log, on)
    if found is None:
        raise ConfigError(f"a LIVE desk does not start without its day: nothing is loaded for {on}; run ems load first")
    folder = settings.state_directory / _KEPT / f"{on}.{found.version}"
    await asyncio.to_thread(_lay_out, settings, found.loaded, folder)
    return runtime.model_copy(update={"settings": settings.model_copy(update={"instruments": folder})})


async def amended(settings: Settings, log: EventLog, within: Path | None = None) -> tuple[Path, RiskFacts] | None:
    """What was loaded for the day in place of what a LIVE desk runs with: where it lies, and what it says to the checks
    before an order. None where nothing was.

    Args:
        within: where its files are laid out, by default beside those in use; each process that looks needs a place of its own.

    Raises:
        LogError: the log does not answer.
        ReferenceDataError: what was loaded is not kept here, or has changed.
    """
    running = settings.instruments
    if settings.mode != "LIVE" or running is None:
        return None
    on, _, version = running.name.rpartition(".")
    found = await opening.of_day(log, date.fromisoformat(on))
    if found is None or found.version <= int(version):
        return None
    folder = (within or running.parent) / f"{on}.{found.version}"
    await asyncio.to_thread(_lay_out, settings, found.loaded, folder)
    return folder, await asyncio.to_thread(lambda: start_of_day.check(folder).day().facts())


def _lay_out(settings: Settings, loaded: Loaded, folder: Path) -> None:
    by_name = {file.file: file.sha256 for file in loaded.files}
    kept(settings).lay_out(by_name, folder, {manifest.NAME: manifest.text(loaded.manifest())})
    start_of_day.check(folder).day()


def kept(settings: Settings) -> ContentStore:
    """The bytes of everything that was ever loaded."""
    return ContentStore(settings.state_directory / _KEPT / "objects")


def risk_data(settings: Settings) -> RiskFacts:
    """What the checks before an order ask for: of the folder that the settings name, of the sample where they name none.

    A folder without a manifest (PAPER alone can have one) says nothing of it: everything is missing.

    Raises:
        ReferenceDataError: the files are not what their manifest says.
    """
    folder = files.SAMPLE if settings.instruments is None else settings.instruments
    if settings.mode != "LIVE" and not manifest.present(folder):
        return NOTHING_KNOWN
    return start_of_day.check(folder).day().facts()
