"""A fill: one execution at one venue, under the key that the venue gave it, counted once.

The stream is (venue session, trade date, ExecID): the same execution told twice collides by construction.
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


class Quarantined(Event):
    """An execution that fits nothing we know, or differs from what the same key said before: a person decides."""

    TOPIC: ClassVar[str] = "fill.quarantined.v1"
    venue_session: str
    trade_date: str
    exec_id: str
    cl_ord_id: str
    quantity_e9: int
    price_e9: int
    reason: Literal["unknown_order", "conflict", "wrong_side", "not_positive", "restated"]
    raw: str
    order_id: str = ""  # the venue's
    instrument: str = ""
    side: Side | None = None


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


EVENTS = (Recorded, Quarantined, Restated)


class Fill(NamedTuple):
    """What one execution has said so far. exec_ids: its own, then those of its corrections."""

    id: StreamId
    version: int
    content: tuple[str, int, int] | None  # ClOrdID, quantity, price of the recorded execution
    quarantined: tuple[tuple[str, int, int], ...] = ()
    child: StreamId | None = None
    quantity_e9: int = 0  # as it is now
    price_e9: int = 0
    exec_ids: tuple[str, ...] = ()
    busted: bool = False
    at_ns: int = 0  # when it was recorded


def told_as(fill: StreamId, number: int) -> str:
    """ExecID (17) under which a client is told of an execution (number 0), and of its n-th bust or correction."""
    return short_id(event_id(fill, number) if number else fill, 20)


def key(venue_session: str, trade_date: str, exec_id: str) -> StreamId:
    """The stream of an execution."""
    return stream_id("fill", venue_session, trade_date, exec_id)


def seen(state: Fill | None, cl_ord_id: str, quantity_e9: int, price_e9: int) -> bool:
    """Is this the same execution told again, word for word?"""
    if state is None:
        return False
    content = (cl_ord_id, quantity_e9, price_e9)
    return content == state.content or content in state.quarantined


def evolve(state: Fill | None, event: Event, *, stream: StreamId, at_ns: int) -> Fill:
    """Fold one event."""
    if type(event) is Restated:  # not isinstance: of pydantic classes it is answered by a Python function
        assert state is not None
        return revise(
            state,
            version=state.version + 1,
            quantity_e9=event.quantity_e9,
            price_e9=event.price_e9,
            exec_ids=(*state.exec_ids, event.exec_id),
            busted=event.kind == "cancel",
        )
    assert type(event) is Recorded or type(event) is Quarantined, event.TOPIC
    content = (event.cl_ord_id, event.quantity_e9, event.price_e9)
    if type(event) is Recorded:
        assert state is None
        return Fill(stream, 1, content, (), event.child, event.quantity_e9, event.price_e9, (event.exec_id,), False, at_ns)
    if state is None:
        return Fill(id=stream, version=1, content=None, quarantined=(content,))
    return revise(state, version=state.version + 1, quarantined=(*state.quarantined, content))
