"""Who has read the log, and what of it: written before anything is shown."""

from __future__ import annotations

from typing import ClassVar, Literal

from domain.event import Event
from domain.values import StreamId, stream_id

How = Literal["explain", "export", "search", "replay", "archive"]


class Read(Event):
    """A person was shown part of the log. The event's actor is the person; what: in their own words or the command's."""

    TOPIC: ClassVar[str] = "log.read.v1"
    how: How
    what: str
    first_seq: int
    last_seq: int
    purpose: str


EVENTS = (Read,)


def key(person: str, trade_date: str) -> StreamId:
    """The stream of what one person has read on one date."""
    return stream_id("log_read", person, trade_date)
