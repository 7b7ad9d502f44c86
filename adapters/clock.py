"""Clocks: the wall's, and one that plays a recorded or simulated day at a speed."""

from __future__ import annotations

import time
from dataclasses import dataclass


class WallClock:
    """UTC from the system, carried on by the monotonic clock: a step of the system's time moves no event backward."""

    def __init__(self) -> None:
        self._origin_ns = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC."""
        return self._origin_ns + time.monotonic_ns()


@dataclass(frozen=True, slots=True)
class TapeTime:
    """Which moment of a tape is played at which moment of the wall. All processes of one run share one.

    Attributes:
        start_ns: the tape's time at the origin.
        origin_ns: wall time, nanoseconds since 1970 UTC.
        speed: seconds of tape in one second of wall.
    """

    start_ns: int
    origin_ns: int
    speed: float


class TapeClock:
    """The tape's time. Two processes with the same TapeTime read the same clock, however late one of them starts."""

    def __init__(self, tape: TapeTime) -> None:
        self._tape = tape
        self._wall = WallClock()

    def now_ns(self) -> int:
        """Nanoseconds since 1970 UTC of the tape; stands at its start until the origin."""
        elapsed_ns = max(0, self._wall.now_ns() - self._tape.origin_ns)
        return self._tape.start_ns + int(elapsed_ns * self._tape.speed)
