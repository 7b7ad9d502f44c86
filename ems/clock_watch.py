"""The host's clock, looked at each second and written down: at the start, by interval, and at once when its state changes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from domain.clock_reading import Measured, Reading, key, measured
from domain.event import Meta
from domain.ports import Clock, EventLog
from ems.access import append_next
from ems.exports.formats import utc_day

ACTOR: Final = "system:clock"
LOOK_S: Final = 1.0  # an excursion is written and told within five seconds: one look, one commit, one reader's turn


class ClockWatch:
    """One for a host.

    Args:
        read: asks whoever disciplines the clock; may take a second, so it runs on a thread.
        limit_ns: what offset and uncertainty together may be; 0: none.
        every_ns: how often it is written down although nothing has changed.
    """

    def __init__(
        self, log: EventLog, clock: Clock, read: Callable[[], Reading], *, host: str, build: str, limit_ns: int, every_ns: int
    ) -> None:  # fmt: skip
        self._log, self._clock, self._read = log, clock, read
        self._host, self._build, self._limit_ns, self._every_ns = host, build, limit_ns, every_ns
        self.last: Measured | None = None

    async def run(self) -> None:
        """Look until cancelled. Raises LogError: what is measured must be in the log, or its process starts anew."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> Measured:
        """Once: measure, judge, and write it where that is due."""
        reading = await asyncio.to_thread(self._read)
        now_ns, last = self._clock.now_ns(), self.last
        found = measured(reading, host=self._host, limit_ns=self._limit_ns, at_ns=now_ns)
        if last is None or found.state != last.state or found.source != last.source or now_ns - last.at_ns >= self._every_ns:
            stream = key(self._host, utc_day(now_ns))
            await append_next(self._log, stream, found, Meta(now_ns, ACTOR, stream, "timer", self._build))
            self.last = found
        return found

    def status(self) -> dict[str, Any]:
        """For health: what was written last."""
        last = self.last
        if last is None:
            return {"clock": "not measured yet"}
        told: dict[str, Any] = {"clock": last.state, "source": last.source, "offset_ns": last.offset_ns}
        return told | {"uncertainty_ns": last.uncertainty_ns, "limit_ns": last.limit_ns}
