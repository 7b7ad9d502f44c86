"""The hosts that a firm-wide stop must reach: who they are, and which trips each has set its own latch for.

One stream for the deployment. A host joins by itself when its watchdog first runs; a person takes one away that is no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from domain import kill_switch
from domain.event import Event
from domain.values import StreamId, stream_id


class HostJoined(Event):
    TOPIC: ClassVar[str] = "kill_host.joined.v1"
    host: str
    at_ns: int


class HostLeft(Event):
    """A person says that the host is no more: nobody waits for its word."""

    TOPIC: ClassVar[str] = "kill_host.left.v1"
    host: str
    reason: str
    at_ns: int


class Acknowledged(Event):
    """The host's latch holds the trip: nothing that it stops leaves from there."""

    TOPIC: ClassVar[str] = "kill_host.acknowledged.v1"
    host: str
    scope: str
    trip: str
    at_ns: int


EVENTS = (HostJoined, HostLeft, Acknowledged)
ABOUT_STOPS = (*kill_switch.EVENTS, *EVENTS)


class KillHosts(NamedTuple):
    """The hosts that there are, with the trips that each has acknowledged."""

    version: int
    trips: Mapping[str, frozenset[str]]

    def silent(self, trip: str) -> list[str]:
        """The hosts that have not acknowledged a trip."""
        return sorted(host for host, trips in self.trips.items() if trip not in trips)


NOBODY = KillHosts(0, {})


def key() -> StreamId:
    """The one stream."""
    return stream_id("kill_host")


def fold(events: Iterable[Event]) -> KillHosts:
    """The state from its events in order."""
    state = NOBODY
    for event in events:
        state = evolve(state, event)
    return state


def evolve(state: KillHosts, event: Event) -> KillHosts:
    """Fold one event."""
    trips = dict(state.trips)
    match event:
        case HostJoined():
            trips.setdefault(event.host, frozenset())
        case HostLeft():
            trips.pop(event.host, None)
        case Acknowledged():
            trips[event.host] = trips.get(event.host, frozenset()) | {event.trip}
    return KillHosts(state.version + 1, trips)
