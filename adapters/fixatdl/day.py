"""Times of day on a local clock: the bounds and constants of FIXatdl, and the UTC times of the wire."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from adapters.fixatdl.types import time_of_day, value_of
from domain.errors import NumberError
from domain.values import E9
from domain.wire_parameter import FixType


@dataclass(frozen=True, slots=True)
class Day:
    """The day that an order is written on, and the zone of the times that name none."""

    date: date
    zone: ZoneInfo | None = None

    def local_ns(self, fix_type: FixType, text: str, zone: tzinfo) -> int:
        """The time of day that a wire value shows on a clock in a zone. Raises NumberError."""
        if fix_type is FixType.UTC_TIMESTAMP:
            seconds, rest_ns = divmod(int(value_of(fix_type, text)), E9)
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
        elif fix_type is FixType.UTC_TIME_ONLY:
            seconds, rest_ns = divmod(int(value_of(fix_type, text)), E9)
            moment = datetime(self.date.year, self.date.month, self.date.day, tzinfo=UTC) + timedelta(seconds=seconds)
        else:  # a time with an offset is bounded as it is written
            return time_of_day(text.partition("-")[2] if fix_type is FixType.TZ_TIMESTAMP else text)[0]
        try:
            local = moment.astimezone(zone)
        except OverflowError as cause:
            raise NumberError(f"{text!r} is beyond the calendar") from cause
        return ((local.hour * 60 + local.minute) * 60 + local.second) * E9 + rest_ns

    def wire(self, fix_type: FixType, text: str, zone: tzinfo) -> str:
        """A local time of day as the wire wants it today: the text of a constant. Raises NumberError."""
        time_ns, own = time_of_day(text)
        seconds, fraction = divmod(time_ns, E9)
        midnight = datetime(self.date.year, self.date.month, self.date.day)  # noqa: DTZ001  the zone follows
        local = (midnight + timedelta(seconds=seconds)).replace(tzinfo=own or zone)
        moment = local if fix_type in (FixType.TZ_TIMESTAMP, FixType.TZ_TIME_ONLY) else local.astimezone(UTC)
        said = moment.strftime("%Y%m%d-%H:%M:%S" if fix_type in (FixType.UTC_TIMESTAMP, FixType.TZ_TIMESTAMP) else "%H:%M:%S")
        if fraction:
            said += f".{fraction:09d}".rstrip("0")
        return said + (f"{moment:%z}"[:3] + ":" + f"{moment:%z}"[3:] if moment is local else "")
