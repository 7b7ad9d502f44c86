"""`ems audit export`: the bundle of a configuration's log, and who has read it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from ems.access import note_reading
from ems.bootstrap import kill, sealing
from ems.bootstrap.build import build_digest
from ems.bootstrap.bundle import Exported, archive_part, export_day
from ems.bootstrap.database import log_to_append
from ems.config import Settings
from ems.exports.archive import parts
from ems.exports.day import find_day


async def export(settings: Settings, to: Path, *, day: str, person: str, purpose: str = "") -> Exported:
    """`ems audit export`: the bundle of a configuration's log, after it is written into the log who reads it.

    Raises:
        ConfigError: nothing was ever recorded, or nothing happened on that day.
        ExportError: the file cannot be written.
        SealError: there is no key to sign with.
        LogError: the log cannot be read, or does not continue itself.
    """
    zone = ZoneInfo(settings.home_time_zone)
    runtime = kill.runtime_of(settings)
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            await find_day(log, day, zone)  # nothing is read for a day that is not there
            what = f"the bundle of {day}"
            await note_reading(
                log, WallClock(), zone, person=person, how="export", what=what, build=build_digest(), purpose=purpose
            )
            async with PostgresSealedLog(dsn) as sealed:
                heads = [head async for head in sealed.heads()]
            return await export_day(
                log, to, day=day, zone=zone, settings=settings.reporting, signer=sealing.signer(runtime), heads=heads
            )


async def archive(settings: Settings, to: Path, *, before: str, person: str) -> list[Exported]:
    """`ems audit archive`: every sealed day before a date into a directory, each as an archive with its proofs.

    A file that is there is left as it is. Nothing is taken out of the log.

    Raises:
        ConfigError: nothing of before is sealed.
        ExportError: a file cannot be written.
        SealError: there is no key to sign with.
        LogError: the log cannot be read, or does not continue itself.
    """
    zone = ZoneInfo(settings.home_time_zone)
    signer = sealing.signer(kill.runtime_of(settings))
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log, PostgresSealedLog(dsn) as sealed:
            heads = [head async for head in sealed.heads()]
            found = await parts(log, before, zone, heads[-1].size if heads else 0)
            if not found:
                raise ConfigError(f"no day before {before} is sealed: there is nothing to archive")
            what = f"archive of {found[0].day} to {found[-1].day}"
            span = (found[0].span.first, found[-1].span.last)
            await note_reading(
                log, WallClock(), zone, person=person, how="archive", what=what, build=build_digest(), span=span
            )  # fmt: skip
            await asyncio.to_thread(to.mkdir, parents=True, exist_ok=True)
            wanted = [(part, to / f"log-{part.day}.tar") for part in found]
            return [
                await archive_part(log, part, path, zone=zone, signer=signer, heads=heads)
                for part, path in wanted
                if not await asyncio.to_thread(path.exists)
            ]
