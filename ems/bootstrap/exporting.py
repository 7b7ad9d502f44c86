"""`ems audit export`: the bundle of a configuration's log, and who has read it."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from domain.catalogue import TOPICS
from ems.access import note_reading
from ems.bootstrap import kill, sealing
from ems.bootstrap.build import build_digest
from ems.bootstrap.bundle import Exported, export_day
from ems.bootstrap.database import log_to_append
from ems.config import Settings
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
