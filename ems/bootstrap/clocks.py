"""What was measured of clocks, as the log has it."""

from __future__ import annotations

from typing import Any, Final

from adapters.clock import WallClock
from adapters.clock_sources import read_clock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.clock_reading import Measured
from ems.bootstrap.database import log_of
from ems.config import Settings
from ems.exports.formats import utc, utc_day

_UNREAD: Final = tuple(cls for topic in TOPICS if (cls := TOPICS[topic]) is not Measured)


def here() -> dict[str, Any]:
    """What whoever disciplines this host's clock says now."""
    return read_clock()._asdict()


async def measurements(settings: Settings, day: str = "") -> list[dict[str, Any]]:
    """Every measurement of a day (UTC), of all days by default, in the order of the log. Raises ConfigError, LogError."""
    found = []
    with log_of(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            async for page in log.read_facts(unread=_UNREAD):
                for seq, _, _, (event, _) in page:
                    if isinstance(event, Measured) and day in ("", utc_day(event.at_ns)):
                        found.append({"seq": seq, "time": utc(event.at_ns), **event.model_dump(mode="json")})
    return found
