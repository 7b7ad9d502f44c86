"""The kill switch as the log tells it: what was tripped, suspended, re-armed and resumed, by whom and why.

One stream for the deployment. The latch is set before the log is written (`domain.kill_latch`); what may leave in which state
is one table (`domain.kill_table`). A trip needs nobody's approval; arming again needs two people and a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.kill_latch import Slot, Source
from domain.kill_refusal import KillReason, KillRefusal
from domain.kill_scope import Scope, read
from domain.kill_table import Level
from domain.revise import revise
from domain.values import StreamId, short_id, stream_id

REQUEST_VALID_NS: Final = 3_600_000_000_000  # how long the first person's word waits for the second's
LevelName = Literal["soft", "hard", "panic"]
SourceName = Literal["log", "feed", "metric", "warm_up", "disk", "drill", "watchdog"]

# ---------------------------------------------------------------------------------------------- events


class Tripped(Event):
    """A level was set. The latch had it before this was written; the actor stands in the event's metadata."""

    TOPIC: ClassVar[str] = "kill_switch.tripped.v1"
    scope: str
    level: LevelName
    trip: str  # 16 hexadecimal digits
    reason: str
    at_ns: int


class Suspended(Event):
    TOPIC: ClassVar[str] = "kill_switch.suspended.v1"
    scope: str
    source: SourceName
    reason: str
    at_ns: int


class Cleared(Event):
    """What was missing is there again, and what was in doubt is reconciled."""

    TOPIC: ClassVar[str] = "kill_switch.cleared.v1"
    scope: str
    source: SourceName
    at_ns: int


class RearmRequested(Event):
    TOPIC: ClassVar[str] = "kill_switch.rearm_requested.v1"
    scope: str
    trip: str
    person: str
    reason: str
    at_ns: int


class Rearmed(Event):
    """Two different people want it. Orders of before stay paused."""

    TOPIC: ClassVar[str] = "kill_switch.rearmed.v1"
    scope: str
    trip: str
    persons: tuple[str, str]
    reason: str
    at_ns: int


class Resumed(Event):
    """A person lets the orders of before work again."""

    TOPIC: ClassVar[str] = "kill_switch.resumed.v1"
    scope: str
    person: str
    reason: str
    at_ns: int


class OrderProof(BaseModel):
    """What became of one order that was live at a trip. None and "": not known.

    Attributes:
        filled_anyway_e9: executed after the trip.
        status: by the venue's own word, "in_doubt" where it owes it.
        flattens: is it the trip's own, sent to flatten a house position?
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    cl_ord_id: str
    venue_session: str
    cancel_sent_ns: int | None = None
    ended_ns: int | None = None
    filled_anyway_e9: int | None = None
    status: str = ""
    flattens: bool = False


class Unflattened(BaseModel):
    """A house position that a PANIC has not brought to zero, and why. position_e9: None where it is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str
    instrument: str
    position_e9: int | None
    why: str


class Reported(Event):
    """The proof of flat: what a trip found, what it did, and what the venues said of it.

    Attributes:
        open_orders: how many the venues, asked, still have; None where one has not answered for all of them.
        residual: position by account and instrument where it is known.
        complete: did every order end by its venue's word, and is every house position of a PANIC flat?
        flattening: of a PANIC: what became of house positions, in words.
        unflattened: those that are not flat.
    """

    TOPIC: ClassVar[str] = "kill_switch.reported.v1"
    scope: str
    trip: str
    level: LevelName
    actor: str
    reason: str
    tripped_ns: int
    live_at_trip: int
    orders: tuple[OrderProof, ...]
    last_sent_ns: int | None
    last_acknowledged_ns: int | None
    open_orders: int | None
    residual: tuple[tuple[str, str, int], ...] = ()
    complete: bool
    at_ns: int
    flattening: str = ""
    unflattened: tuple[Unflattened, ...] = ()


EVENTS = (Tripped, Suspended, Cleared, RearmRequested, Rearmed, Resumed, Reported)

# ----------------------------------------------------------------------------------------------- state


class Request(NamedTuple):
    """The first person's word."""

    person: str
    at_ns: int


class Switch(NamedTuple):
    """One scope."""

    scope: Scope
    level: Level = Level.ARMED
    trip: str = ""
    reason: str = ""
    actor: str = ""
    tripped_ns: int = 0
    suspended: frozenset[str] = frozenset()
    request: Request | None = None
    paused_before_ns: int = 0
    reported: bool = False  # is there a complete proof of its last trip?

    @property
    def slot(self) -> Slot:
        """As the latch holds it. A suspension is of a process that runs: it is not carried over."""
        trip = int(self.trip, 16) if self.level else 0
        return Slot(self.scope, self.level, Source(0), trip, self.tripped_ns if self.level else 0, self.paused_before_ns)


class KillSwitches(NamedTuple):
    """All of them."""

    version: int
    switches: Mapping[Scope, Switch]

    def of(self, scope: Scope) -> Switch:
        """A scope's switch; armed where nothing was ever said of it."""
        return self.switches.get(scope) or Switch(scope)

    def slots(self) -> tuple[Slot, ...]:
        """What a standby's latch begins with."""
        return tuple(switch.slot for switch in self.switches.values() if switch.slot.matters)


NOTHING: Final = KillSwitches(0, {})


def key() -> StreamId:
    """The one stream."""
    return stream_id("kill_switch")


def trip_id(scope: Scope, level: Level, at_ns: int, actor: str) -> str:
    """The name of a trip: 16 hexadecimal digits, the first 0 to 7, so that it is a positive signed number too."""
    return f"{int(short_id(stream_id('trip', scope.text, level.name, str(at_ns), actor), 16), 16) >> 1:016x}"


# ---------------------------------------------------------------------------------------------- decide


def rearm(state: KillSwitches, scope: Scope, *, person: str, reason: str, at_ns: int) -> RearmRequested | Rearmed | KillRefusal:
    """One authenticated person wants a scope armed. The first asks, a second, different one arms."""
    switch = state.of(scope)
    if not switch.level:
        return KillRefusal(KillReason.NOT_TRIPPED, f"{scope.text} is not tripped")
    if not reason.strip():
        return KillRefusal(KillReason.REASON_MISSING, "arming again needs a reason")
    said = switch.request
    if said is None or at_ns - said.at_ns > REQUEST_VALID_NS:
        return RearmRequested(scope=scope.text, trip=switch.trip, person=person, reason=reason, at_ns=at_ns)
    if said.person == person:
        return KillRefusal(
            KillReason.SECOND_PERSON_NEEDED, f"{person} has asked for it already: a second, different person must agree"
        )
    return Rearmed(scope=scope.text, trip=switch.trip, persons=(said.person, person), reason=reason, at_ns=at_ns)


def resume(state: KillSwitches, scope: Scope, *, person: str, reason: str, at_ns: int) -> Resumed | KillRefusal:
    """A person lets the orders that a trip paused work again."""
    switch = state.of(scope)
    if switch.level:
        return KillRefusal(KillReason.STILL_TRIPPED, f"{scope.text} is at {switch.level.name}: it is re-armed first")
    if not switch.paused_before_ns:
        return KillRefusal(KillReason.NOT_TRIPPED, f"nothing of {scope.text} is paused")
    return Resumed(scope=scope.text, person=person, reason=reason, at_ns=at_ns)


# ---------------------------------------------------------------------------------------------- evolve


def fold(events: Iterable[tuple[Event, str]]) -> KillSwitches:
    """The state from (event, actor) in order."""
    state = NOTHING
    for event, actor in events:
        state = evolve(state, event, actor=actor)
    return state


def evolve(state: KillSwitches, event: Event, *, actor: str) -> KillSwitches:
    """Fold one event."""
    assert isinstance(event, EVENTS), event.TOPIC
    scope = read(event.scope)
    switches = {**state.switches, scope: _evolved(state.of(scope), event, actor)}
    return KillSwitches(state.version + 1, switches)


def _evolved(switch: Switch, event: Event, actor: str) -> Switch:
    match event:
        case Tripped() if Level[event.level.upper()] >= switch.level:
            return revise(
                switch,
                level=Level[event.level.upper()],
                trip=event.trip,
                reason=event.reason,
                actor=actor,
                tripped_ns=event.at_ns,
                request=None,  # whoever agreed did not know of this
                reported=False,
            )
        case Suspended():
            return revise(switch, suspended=switch.suspended | {event.source})
        case Cleared():
            return revise(switch, suspended=switch.suspended - {event.source})
        case RearmRequested() if event.trip == switch.trip:
            return revise(switch, request=Request(event.person, event.at_ns))
        case Rearmed() if event.trip == switch.trip:
            return revise(switch, level=Level.ARMED, request=None, paused_before_ns=event.at_ns)
        case Resumed():
            return revise(switch, paused_before_ns=0)
        case Reported() if event.trip == switch.trip:
            return revise(switch, reported=switch.reported or event.complete)
        case _:  # of a trip that another has overtaken, or below the level in force
            return switch
