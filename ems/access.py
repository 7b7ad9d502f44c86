"""Access to the log is itself logged: whoever is shown part of it is written into it first."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

from domain.errors import VersionConflict
from domain.event import Entry, Event, Meta
from domain.ports import Clock, EventLog
from domain.reading import How, Read, key
from domain.values import StreamId
from ems.exports.formats import local_date

_ATTEMPTS: Final = 5


async def append_next(log: EventLog, stream: StreamId, event: Event, meta: Meta) -> None:
    """Add one event to a stream of many writers, wherever its end is by then. Raises LogError."""
    for attempt in range(_ATTEMPTS):
        try:
            await log.append([Entry(stream, len(await log.read(stream)), (event,), meta)])
            return
        except VersionConflict:
            if attempt == _ATTEMPTS - 1:
                raise


async def note_reading(
    log: EventLog, clock: Clock, zone: ZoneInfo, *, person: str, how: How, what: str, build: str, purpose: str = "",
    span: tuple[int, int] = (0, 0),
) -> None:  # fmt: skip
    """Write who reads what, before it is shown.

    Args:
        clock: the wall's: people read on their own day, whatever day is played.
        span: the first and last event, (0, 0) where that is not known beforehand.

    Raises:
        LogError: it could not be written; then nothing is to be shown either.
    """
    now_ns = clock.now_ns()
    stream = key(person, local_date(now_ns, zone))
    read = Read(how=how, what=what, first_seq=span[0], last_seq=span[1], purpose=purpose)
    await append_next(log, stream, read, Meta(now_ns, f"person:{person}", stream, f"command:{how}", build))
