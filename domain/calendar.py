"""Trading calendars: on which days a market trades, in which phases, and when exactly that is in UTC.

Hours are wall-clock times of the market's own zone and become nanoseconds UTC day by day, so a session that straddles
a change of the clocks between two days still opens at its local hour. A calendar ends at a horizon: beyond it nobody
has told us the holidays, and asking is an error rather than a guess.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final, NamedTuple, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator

from domain.errors import ReferenceDataError

NS: Final = 1_000_000_000
DAY_S: Final = 86_400
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Phase(StrEnum):
    """What a market is doing."""

    CLOSED = "closed"
    PRE_OPEN = "pre_open"
    OPENING_AUCTION = "opening_auction"
    CONTINUOUS = "continuous"
    CLOSING_AUCTION = "closing_auction"
    POST_CLOSE = "post_close"


class PhaseHours(NamedTuple):
    """A phase in seconds of the local wall clock since midnight, [begin_s, end_s)."""

    phase: Phase
    begin_s: int
    end_s: int


class PhaseSpan(NamedTuple):
    """A phase of one day in nanoseconds UTC, [begin_ns, end_ns)."""

    phase: Phase
    begin_ns: int
    end_ns: int


class Hours(BaseModel):
    """The phases of a full day in time order, valid from a date. A gap between two phases is closed (a lunch break).

    Raises:
        ReferenceDataError: phases that overlap, leave the day or have no continuous trading among them.
    """

    model_config = ConfigDict(frozen=True)

    valid_from: date
    phases: tuple[PhaseHours, ...]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if any(not 0 <= p.begin_s < p.end_s <= DAY_S for p in self.phases):
            raise ReferenceDataError("a phase must begin before it ends, within one day")
        if any(earlier.end_s > later.begin_s for earlier, later in pairwise(self.phases)):
            raise ReferenceDataError("phases must be in time order and may not overlap")
        if all(p.phase is not Phase.CONTINUOUS for p in self.phases):
            raise ReferenceDataError("a day needs a continuous phase")
        return self

    @property
    def close_s(self) -> int:
        """When continuous trading ends on a full day, seconds of the local wall clock."""
        return max(p.end_s for p in self.phases if p.phase is Phase.CONTINUOUS)

    def closing_at(self, close_s: int) -> tuple[PhaseHours, ...]:
        """The phases of a half day: cut at close_s, and what follows the close moved forward to it."""
        shift_s = self.close_s - close_s
        kept = []
        for phase, begin_s, end_s in self.phases:
            if begin_s >= self.close_s:
                kept.append(PhaseHours(phase, begin_s - shift_s, end_s - shift_s))
            elif begin_s < close_s:
                kept.append(PhaseHours(phase, begin_s, min(end_s, close_s)))
        return tuple(kept)


class HalfDay(NamedTuple):
    """A day on which continuous trading ends early, at close_s seconds of the local wall clock."""

    day: date
    close_s: int


class Calendar(BaseModel):
    """The trading days and hours of one market from first_date to last_date. Sessions do not cross local midnight.

    Raises:
        ReferenceDataError: values that contradict each other, or an unknown time zone.
    """

    model_config = ConfigDict(frozen=True)

    mic: str
    time_zone: str
    first_date: date
    last_date: date
    weekdays: frozenset[int] = frozenset(range(5))  # Monday is 0
    hours: tuple[Hours, ...]
    holidays: frozenset[date] = frozenset()
    half_days: tuple[HalfDay, ...] = ()

    _zone: ZoneInfo = PrivateAttr()
    _half: dict[date, int] = PrivateAttr()
    _spans: dict[date, tuple[PhaseSpan, ...]] = PrivateAttr(default_factory=dict)  # computed once a day asked for

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.first_date > self.last_date:
            raise ReferenceDataError(f"{self.mic}: the calendar ends before it begins")
        if any(later.valid_from <= earlier.valid_from for earlier, later in pairwise(self.hours)):
            raise ReferenceDataError(f"{self.mic}: session hours must be in date order, one set a date")
        if not self.hours or self.hours[0].valid_from > self.first_date:
            raise ReferenceDataError(f"{self.mic}: no session hours for {self.first_date}, where the calendar begins")
        if len({half.day for half in self.half_days}) != len(self.half_days):
            raise ReferenceDataError(f"{self.mic}: a half day is there twice")
        for half in self.half_days:
            self._check_half_day(half)
        return self

    def _check_half_day(self, half: HalfDay) -> None:
        hours = self._hours_on(half.day)
        opens_s = min(p.begin_s for p in hours.phases if p.phase is Phase.CONTINUOUS)
        if half.day in self.holidays:
            raise ReferenceDataError(f"{self.mic}: {half.day} is both a holiday and a half day")
        if not opens_s < half.close_s < hours.close_s:
            raise ReferenceDataError(f"{self.mic}: the half day {half.day} does not close within the session")

    def model_post_init(self, _context: object) -> None:
        """Keep what every question needs at hand. Raises ReferenceDataError for an unknown time zone."""
        try:
            self._zone = ZoneInfo(self.time_zone)
        except (OSError, ValueError, KeyError) as cause:  # an unknown name is a KeyError
            raise ReferenceDataError(f"{self.mic}: no time zone {self.time_zone!r} on this system") from cause
        self._half = {half.day: half.close_s for half in self.half_days}

    def is_trading_day(self, on: date) -> bool:
        """Whether the market trades on a local date. Raises ReferenceDataError beyond the horizon."""
        if not self.first_date <= on <= self.last_date:
            known = f"runs from {self.first_date} to {self.last_date}"
            raise ReferenceDataError(f"the calendar of {self.mic} {known}: nothing is known of {on}")
        return on.weekday() in self.weekdays and on not in self.holidays

    def is_half_day(self, on: date) -> bool:
        """Whether the market trades and closes early. Raises ReferenceDataError beyond the horizon."""
        return self.is_trading_day(on) and on in self._half

    def phases(self, on: date) -> tuple[PhaseSpan, ...]:
        """The phases of a local date in UTC, empty when it does not trade. Raises ReferenceDataError beyond the horizon."""
        if on not in self._spans:
            self._spans[on] = self._phases(on) if self.is_trading_day(on) else ()
        return self._spans[on]

    def previous_trading_day(self, on: date) -> date:
        """The last trading day before a local date. Raises ReferenceDataError where the calendar begins after it."""
        day = on - timedelta(days=1)
        while not self.is_trading_day(day):
            day -= timedelta(days=1)
        return day

    def open_close_ns(self, on: date) -> tuple[int, int]:
        """When continuous trading begins and ends on a local date (a lunch break lies between).

        Raises:
            ReferenceDataError: the date lies beyond the horizon, or the market does not trade on it.
        """
        continuous = [span for span in self.phases(on) if span.phase is Phase.CONTINUOUS]
        if not continuous:
            raise ReferenceDataError(f"{self.mic} does not trade on {on}")
        return continuous[0].begin_ns, continuous[-1].end_ns

    def next_open(self, now_ns: int) -> int:
        """When continuous trading next begins for the day, at or after now_ns.

        Raises:
            ReferenceDataError: no day opens between now_ns and the horizon.
        """
        on = self.date_at(now_ns)
        while on <= self.last_date:
            if self.is_trading_day(on) and self.open_close_ns(on)[0] >= now_ns:
                return self.open_close_ns(on)[0]
            on += timedelta(days=1)
        known = f"ends on {self.last_date}"
        raise ReferenceDataError(f"the calendar of {self.mic} {known}: no open is known after {_utc(now_ns):%F %T} UTC")

    def phase_at(self, now_ns: int) -> Phase:
        """What the market does at a moment. Raises ReferenceDataError beyond the horizon."""
        for span in self.phases(self.date_at(now_ns)):
            if span.begin_ns <= now_ns < span.end_ns:
                return span.phase
        return Phase.CLOSED

    def date_at(self, now_ns: int) -> date:
        """The market's local date at a moment."""
        return _utc(now_ns).astimezone(self._zone).date()

    def midnight_ns(self, on: date) -> int:
        """When a local date begins."""
        return self._ns(on, 0)

    def _hours_on(self, on: date) -> Hours:
        return self.hours[max(bisect_right(self.hours, on, key=lambda hours: hours.valid_from) - 1, 0)]

    def _phases(self, on: date) -> tuple[PhaseSpan, ...]:
        hours = self._hours_on(on)
        phases = hours.closing_at(self._half[on]) if on in self._half else hours.phases
        return tuple(PhaseSpan(phase, self._ns(on, begin_s), self._ns(on, end_s)) for phase, begin_s, end_s in phases)

    def _ns(self, on: date, wall_s: int) -> int:
        """Nanoseconds UTC of a wall-clock time: the zone is applied to the local time, not to midnight."""
        days, seconds = divmod(wall_s, DAY_S)
        local = datetime.combine(on + timedelta(days=days), time.min) + timedelta(seconds=seconds)
        return int(local.replace(tzinfo=self._zone).timestamp()) * NS


def _utc(now_ns: int) -> datetime:
    return _EPOCH + timedelta(seconds=now_ns // NS)
