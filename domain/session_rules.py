"""When a FIX session may be logged on, by whom, and how its numbering begins again: one declaration for every session.

Pure: the moment is given. What the rules name (a password, a certificate) is read where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import ClassVar, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import ConfigDict

from domain.errors import ConfigError

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRules:
    """The rules of one session.

    Attributes:
        reset_flag: what becomes of a Logon of the peer with ResetSeqNumFlag (141=Y).
        start_time, end_time: "HH:MM:SS" of a daily window; outside it nobody is logged on, and each window's numbering
            begins at 1. Equal times: the whole day, one reset at that time. Empty: the numbering is never reset by time.
        start_day, end_day: with both, the window is a weekly one, from start_time on the one to end_time on the other.
        time_zone: whose times and days these are.
        heart_bt_int_min_s, heart_bt_int_max_s: HeartBtInt (108) that a Logon of the peer may ask for.
        username: Username (553) that a peer must give, or that we give where we connect; empty: none.
        password_env, password_file: where its Password (554) stands: the name of an environment variable, or a file.
        reconnect_max_s: an initiator whose attempts fail waits longer each time, up to so many seconds.
        refused_logons_max: after so many refused Logons in a row it stops, until a person starts it again.
        tls_certificate, tls_key, tls_ca: PEM files; tls_ca alone is enough for an initiator without a certificate.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    reset_flag: Literal["honour", "refuse"] = "honour"
    start_time: str = ""
    end_time: str = ""
    start_day: str = ""
    end_day: str = ""
    time_zone: str = "UTC"
    heart_bt_int_min_s: int = 1
    heart_bt_int_max_s: int = 3600
    username: str = ""
    password_env: str = ""
    password_file: str = ""
    reconnect_max_s: int = 10
    refused_logons_max: int = 10
    tls_certificate: str = ""
    tls_key: str = ""
    tls_ca: str = ""

    @property
    def tls(self) -> bool:
        """Is the connection encrypted by the engine itself?"""
        return bool(self.tls_certificate or self.tls_ca)

    @property
    def timed(self) -> bool:
        """Has the session a window?"""
        return bool(self.start_time)

    def check(self, where: str) -> None:
        """Raises ConfigError, in one sentence that begins with where, for rules that cannot be followed."""
        if bool(self.start_time) != bool(self.end_time) or bool(self.start_day) != bool(self.end_day):
            raise ConfigError(f"{where}: a window needs a start and an end")
        if self.start_day and not self.start_time:
            raise ConfigError(f"{where}: a weekly window needs start_time and end_time")
        for day in (self.start_day, self.end_day):
            if day and day not in DAYS:
                raise ConfigError(f"{where}: {day!r} is no day, such as monday")
        try:
            for text in (self.start_time, self.end_time):
                time.fromisoformat(text or "00:00:00")
            ZoneInfo(self.time_zone)
        except (OSError, ValueError, KeyError) as error:
            raise ConfigError(f"{where}: {error}") from error
        if not 1 <= self.heart_bt_int_min_s <= self.heart_bt_int_max_s:
            raise ConfigError(f"{where}: heartbeat intervals from {self.heart_bt_int_min_s} to {self.heart_bt_int_max_s} s")
        if bool(self.username) != bool(self.password_env or self.password_file) or (self.password_env and self.password_file):
            raise ConfigError(f"{where}: a username goes with one of password_env and password_file")
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ConfigError(f"{where}: tls_certificate and tls_key go together")
        if self.reconnect_max_s < 1 or self.refused_logons_max < 1:
            raise ConfigError(f"{where}: reconnect_max_s and refused_logons_max are at least 1")

    def window(self, now_ns: int) -> tuple[int, int] | None:
        """The window that a moment lies in, as [start, end) in UTC nanoseconds; None outside of all. Only where `timed`."""
        zone = ZoneInfo(self.time_zone)
        today = (_EPOCH + timedelta(seconds=now_ns // _NS)).astimezone(zone).date()
        begins, ends = time.fromisoformat(self.start_time), time.fromisoformat(self.end_time)
        days = (DAYS.index(self.end_day) - DAYS.index(self.start_day)) % 7 if self.start_day else 0
        if days == 0 and ends <= begins:
            days = 7 if self.start_day else 1
        for back in range(days + 8):
            first = today - timedelta(days=back)
            if self.start_day and first.weekday() != DAYS.index(self.start_day):
                continue
            start = int(datetime.combine(first, begins, zone).timestamp()) * _NS
            end = int(datetime.combine(first + timedelta(days=days), ends, zone).timestamp()) * _NS
            if start <= now_ns < end:
                return start, end
        return None


NO_RULES: Final = SessionRules()
