"""A FIX session on one trade date: what came in that changed no order, and the numbers that must survive a crash.

Every inbound application message causes at least one event, on an order's stream or here; its sequence number
stands in that event's metadata, so the highest one in the log is the durable inbound watermark.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.refusal import Reason
from domain.revise import revise
from domain.values import StreamId, stream_id


class LoggedOn(Event):
    TOPIC: ClassVar[str] = "fix_session.logged_on.v1"
    session: str
    role: str
    reset_epoch: int


class LoggedOut(Event):
    TOPIC: ClassVar[str] = "fix_session.logged_out.v1"
    session: str
    role: str
    reason: str


class MessageNoted(Event):
    """A message that changed nothing: a repeat, a status query, news of what was already known."""

    TOPIC: ClassVar[str] = "fix_session.message_noted.v1"
    session: str
    note: str
    raw: str


class MessageRefused(Event):
    """A message that was refused and belongs to no order. answer: how the desk tells the sender."""

    TOPIC: ClassVar[str] = "fix_session.message_refused.v1"
    session: str
    msg_type: str
    ref_id: str  # the ClOrdID it carried, "" where none could be read
    orig_ref_id: str
    answer: Literal["none", "business_reject", "cancel_reject"]  # none: the engine has answered, or it is itself a refusal
    reason: Reason
    text: str
    raw: str


class OutboundReserved(Event):
    """Outbound sequence numbers up to this one may be in use: a standby starts above it."""

    TOPIC: ClassVar[str] = "fix_session.outbound_reserved.v1"
    session: str
    reset_epoch: int
    up_to: int


SessionAct = Literal["stop", "start", "restart", "add", "change", "remove", "fail"]


class Operated(Event):
    """A person acted on the session or on its group's gateway. fail: what was written before could not be done."""

    TOPIC: ClassVar[str] = "fix_session.operated.v1"
    session: str
    group: str
    act: SessionAct
    reason: str


EVENTS = (LoggedOn, LoggedOut, MessageNoted, MessageRefused, OutboundReserved, Operated)
UNREADABLE_NOTE: Final = "unreadable message from the venue"  # what such a note begins with
GAP_NOTE: Final = "the peer will not repeat messages"


def is_gap(event: Event) -> bool:
    """Is this about messages that were asked for again, are not in the log, and will not come?"""
    return isinstance(event, MessageNoted) and event.note.startswith(GAP_NOTE)


def is_unreadable(event: Event) -> bool:
    """Is this about a message that nobody could read, or that could not be decided and was set aside?"""
    match event:
        case MessageRefused():
            return event.reason is Reason.UNREADABLE
        case MessageNoted():
            return event.note.startswith(UNREADABLE_NOTE)
        case _:
            return False


class FixSession(NamedTuple):
    id: StreamId
    version: int
    session: str
    up: bool = False
    refused: int = 0
    reset_epoch: int = 0
    reserved_up_to: int = 0


def key(session: str, trade_date: str) -> StreamId:
    """The stream of one session on one trade date."""
    return stream_id("fix_session", session, trade_date)


def evolve(state: FixSession | None, event: Event, *, stream: StreamId, at_ns: int) -> FixSession:
    """Fold one event."""
    if state is None:
        state = FixSession(id=stream, version=0, session=getattr(event, "session", ""))
    state = revise(state, version=state.version + 1)
    match event:
        case LoggedOn():
            return revise(state, up=True, reset_epoch=event.reset_epoch)
        case LoggedOut():
            return revise(state, up=False)
        case MessageRefused():
            return revise(state, refused=state.refused + 1)
        case OutboundReserved():
            return revise(state, reset_epoch=event.reset_epoch, reserved_up_to=event.up_to)
        case _:
            return state
