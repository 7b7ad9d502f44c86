"""A fill: one execution at one venue, under the key that the venue gave it, counted once.

The stream is (venue session, trade date, ExecID): the same execution told twice collides by construction. What a person
may do about one in quarantine is in `domain.quarantine`.
"""

from __future__ import annotations

from typing import ClassVar, Literal, NamedTuple

from domain.event import Event
from domain.revise import revise
from domain.values import Side, StreamId, event_id, short_id, stream_id


class Recorded(Event):
    """The execution as the venue told it first."""

    TOPIC: ClassVar[str] = "fill.recorded.v1"
    venue_session: str
    trade_date: str
    exec_id: str
    cl_ord_id: str
    child: StreamId
    parent: StreamId
    instrument: str
    side: Side
    quantity_e9: int
    price_e9: int
    venue_time_ns: int


HeldBecause = Literal["unknown_order", "conflict", "wrong_side", "not_positive", "restated"]


class Quarantined(Event):
    """An execution that fits nothing we know, or differs from what the same key said before: a person decides."""

    TOPIC: ClassVar[str] = "fill.quarantined.v1"
    venue_session: str
    trade_date: str
    exec_id: str
    cl_ord_id: str
    quantity_e9: int
    price_e9: int
    reason: HeldBecause
    raw: str
    order_id: str = ""  # the venue's
    instrument: str = ""
    side: Side | None = None
    kind: Literal["", "trade", "cancel", "correct"] = ""  # an execution, or the bust or correction of one; "": not written then
    exec_ref_id: str = ""  # of a bust or correction: what it is about
    venue_time_ns: int = 0  # TransactTime (60), 0: not told


class Dismissed(Event):
    """A person says that a quarantined execution is none of ours, or a repeat: it counts for nothing."""

    TOPIC: ClassVar[str] = "fill.dismissed.v1"
    number: int  # of the quarantined execution among those of its stream, from 1
    reason: str


class Booked(Event):
    """A person says which order a quarantined execution is of. The execution's own record follows, on its own stream where
    the ExecID is another's already.
    """

    TOPIC: ClassVar[str] = "fill.booked.v1"
    number: int  # as in Dismissed
    fill: StreamId  # where it is recorded
    child: StreamId
    parent: StreamId
    over_e9: int  # how much more than its order's or its parent's quantity is filled with it: said, and booked all the same
    reason: str


class Restated(Event):
    """The venue took the execution back or corrected it. What was known before stays written; this is what is true now."""

    TOPIC: ClassVar[str] = "fill.restated.v1"
    venue_session: str
    kind: Literal["cancel", "correct"]
    exec_id: str  # of the bust or correction
    exec_ref_id: str  # of the execution, or of its last correction: the chain
    quantity_e9: int  # of the whole execution from now on, 0 for a bust
    price_e9: int
    venue_time_ns: int


EVENTS = (Recorded, Quarantined, Dismissed, Booked, Restated)


class Held(NamedTuple):
    """One quarantined execution, and what a person has made of it."""

    told: Quarantined
    version: int  # of the event that put it there
    at_ns: int
    resolved: Literal["", "dismissed", "booked"] = ""

    def says(self, cl_ord_id: str, quantity_e9: int, price_e9: int, side: Side | None) -> bool:
        """Is this it, word for word? One on the wrong side is not the same on the other."""
        told = self.told
        turned = told.reason == "wrong_side" and side is not None and side != told.side
        return (told.cl_ord_id, told.quantity_e9, told.price_e9) == (cl_ord_id, quantity_e9, price_e9) and not turned


class Fill(NamedTuple):
    """What one execution has said so far. exec_ids: its own, then those of its corrections."""

    id: StreamId
    version: int
    content: tuple[str, int, int] | None  # ClOrdID, quantity, price of the recorded execution
    quarantined: tuple[Held, ...] = ()
    child: StreamId | None = None
    quantity_e9: int = 0  # as it is now
    price_e9: int = 0
    exec_ids: tuple[str, ...] = ()
    busted: bool = False
    at_ns: int = 0  # when it was recorded
    also: tuple[StreamId, ...] = ()  # executions that a person has booked from here and that are recorded elsewhere


def told_as(fill: StreamId, number: int) -> str:
    """ExecID (17) under which a client is told of an execution (number 0), and of its n-th bust or correction."""
    return short_id(event_id(fill, number) if number else fill, 20)


def key(venue_session: str, trade_date: str, exec_id: str) -> StreamId:
    """The stream of an execution."""
    return stream_id("fill", venue_session, trade_date, exec_id)


def booked_key(quarantine: StreamId, number: int) -> StreamId:
    """The stream of an execution that a person booked although another has its ExecID: once for each in quarantine."""
    return stream_id("fill", quarantine, str(number))


def passed_key(fill: StreamId, order: StreamId) -> StreamId:
    """What an order that is in a merged one has of an execution: it has no stream, its client is told of it under this."""
    return stream_id("fill", fill, order)


def seen(state: Fill | None, cl_ord_id: str, quantity_e9: int, price_e9: int, side: Side | None = None) -> bool:
    """Is this the same execution told again, word for word?"""
    if state is None:
        return False
    if (cl_ord_id, quantity_e9, price_e9) == state.content:
        return True
    return any(held.says(cl_ord_id, quantity_e9, price_e9, side) for held in state.quarantined)


def evolve(state: Fill | None, event: Event, *, stream: StreamId, at_ns: int) -> Fill:
    """Fold one event."""
    if type(event) is Recorded:  # not isinstance: of pydantic classes it is answered by a Python function
        return _recorded(state, event, stream, at_ns)
    if type(event) is Quarantined:
        if state is None:
            return Fill(stream, 1, None, (Held(event, 1, at_ns),))
        version = state.version + 1
        return revise(state, version=version, quarantined=(*state.quarantined, Held(event, version, at_ns)))
    assert state is not None, event.TOPIC
    if type(event) is Dismissed:
        return revise(state, version=state.version + 1, quarantined=_resolved(state, event.number, "dismissed"))
    if type(event) is Booked:
        also = state.also if event.fill == stream else (*state.also, event.fill)
        return revise(state, version=state.version + 1, quarantined=_resolved(state, event.number, "booked"), also=also)
    assert type(event) is Restated, event.TOPIC
    return revise(
        state,
        version=state.version + 1,
        quantity_e9=event.quantity_e9,
        price_e9=event.price_e9,
        exec_ids=(*state.exec_ids, event.exec_id),
        busted=event.kind == "cancel",
    )


def _recorded(state: Fill | None, event: Recorded, stream: StreamId, at_ns: int) -> Fill:
    """The execution itself: the first event of its stream, or, booked by a person, behind what was quarantined."""
    content = (event.cl_ord_id, event.quantity_e9, event.price_e9)
    fill = Fill(stream, 1, content, (), event.child, event.quantity_e9, event.price_e9, (event.exec_id,), False, at_ns)
    if state is None:
        return fill
    assert state.content is None
    return revise(fill, version=state.version + 1, quarantined=state.quarantined, also=state.also)


def _resolved(state: Fill, number: int, how: Literal["dismissed", "booked"]) -> tuple[Held, ...]:
    held = list(state.quarantined)
    assert not held[number - 1].resolved
    held[number - 1] = revise(held[number - 1], resolved=how)
    return tuple(held)
