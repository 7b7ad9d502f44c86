"""What a host must know of the others, from the log they share: who leads, and what the kill switch was told elsewhere.

It runs in the watchdog's process. It writes who leads where the host's gateways look before they send and log on
(`domain.lead`), sets the host's latch for every trip of another host, and tells the log that it has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from domain import kill_host, kill_switch
from domain.errors import LatchUnreadable, LogError
from domain.event import Entry, Event, Meta
from domain.kill_latch import Slot
from domain.kill_scope import Scope, read
from domain.kill_switch import Switch
from domain.lead import Lead, Leader
from domain.ports import Clock, EventLog, KillLatch

_log = structlog.get_logger("host")
EVERY_S: Final = 0.1
ACTOR: Final = "system:host"


class LeadLog(EventLog, Protocol):
    """A log that knows who leads."""

    async def led_by(self) -> Leader:
        """Who leads, or did so last. Raises LogUnavailable."""
        ...


class HostWatch:
    """One for a host that is one of several.

    Args:
        host: its name.
        tell: where the host's processes read who leads.
        build: digest of the code that acts.
    """

    def __init__(
        self, host: str, log: LeadLog, tell: Callable[[Lead], None], latch: KillLatch, clock: Clock, *, build: str
    ) -> None:
        self._host, self._build = host, build
        self._log, self._tell, self._latch, self._clock = log, tell, latch, clock
        self._answered = False  # has the log this host's name?
        self._switches = kill_switch.NOTHING  # as the log has them, up to where this has read

    async def run(self) -> None:
        """Look until cancelled. While the log is away what is known of it stays."""
        away = ""
        while True:
            try:
                await self.look()
                away = ""
            except (LogError, LatchUnreadable) as error:  # a latch that cannot be read stops everybody on this host
                if str(error) != away:
                    _log.warning("cannot follow the other hosts", error=str(error))
                away = str(error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Once. Raises LogError, LatchUnreadable."""
        leader = await self._log.led_by()
        self._tell(Lead(leader.epoch, leader.host == self._host))
        recorded = await self._log.read(kill_switch.key(), after_version=self._switches.version)
        state, touched = self._switches, dict[Scope, None]()
        for one in recorded:
            state = kill_switch.evolve(state, one.event, actor=one.meta.actor)
            touched[read(getattr(one.event, "scope"))] = None  # noqa: B009 (every event of this stream has one)
        for scope in touched:
            self._follow(state.of(scope))
        if touched or not self._answered:
            await self._answer([s for s in state.switches.values() if s.level])
        self._switches, self._answered = state, True

    def _follow(self, switch: Switch) -> None:
        """Have the latch as the log's last word has it. What this host was told and the log not yet is another trip: it stays."""
        before, after = self._latch.change(switch.scope, lambda slot: followed(slot, switch))
        if before != after:
            _log.warning("told by the log", scope=switch.scope.text, level=after.effective.name)

    async def _answer(self, in_force: list[Switch]) -> None:
        """Tell the log that this host is there, and which of the trips in force its latch holds."""
        events = [one.event for one in await self._log.read(kill_host.key())]
        hosts = kill_host.fold(events)
        held = {f"{slot.trip:016x}" for slot in self._latch.slots() if slot.level}
        at_ns = self._clock.now_ns()
        owed: list[Event] = []
        if self._host not in hosts.trips:
            owed.append(kill_host.HostJoined(host=self._host, at_ns=at_ns))
        owed += [
            kill_host.Acknowledged(host=self._host, scope=switch.scope.text, trip=switch.trip, at_ns=at_ns)
            for switch in in_force
            if switch.trip in held and switch.trip not in hosts.trips.get(self._host, ())
        ]
        if owed:
            meta = Meta(event_time_ns=at_ns, actor=ACTOR, correlation=kill_host.key(), causation="kill switch", build=self._build)
            entry = Entry(stream=kill_host.key(), expected_version=hosts.version, events=tuple(owed), meta=meta)
            await self._log.append([entry])  # another host in between: looked at again, for nothing is noted as done


def followed(slot: Slot, switch: Switch) -> Slot:
    """A slot of the latch after what the log says of its scope."""
    trip = int(switch.trip or "0", 16)
    if switch.level:
        return slot if slot.trip == trip else slot.tripped(switch.level, trip, switch.tripped_ns)
    slot = slot.rearmed(trip, switch.paused_before_ns) if trip and slot.level else slot
    return slot.resumed() if not slot.level and not switch.paused_before_ns else slot
