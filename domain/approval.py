"""What one person asks for and a second must agree to: asked, then ended, once, on a stream of its own."""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import StreamId, stream_id

VALID_NS: Final = 3_600_000_000_000  # how long the first person's word waits for the second's


class Asked(Event):
    """The event's actor asks. fields: what was typed, as JSON."""

    TOPIC: ClassVar[str] = "approval.asked.v1"
    approval: str
    verb: str
    rows: tuple[str, ...]
    fields: str
    reason: str
    expires_ns: int


class Ended(Event):
    """The event's actor agreed and it was done, or would not, or took the question back. text: what became of it."""

    TOPIC: ClassVar[str] = "approval.ended.v1"
    approval: str
    outcome: Literal["approved", "declined", "failed"]
    text: str


EVENTS = (Asked, Ended)


class Approval(NamedTuple):
    """One question."""

    asked: Asked
    by: str  # the actor
    at_ns: int
    ended: Ended | None = None
    ended_by: str = ""

    def open(self, now_ns: int) -> bool:
        """May somebody still agree?"""
        return self.ended is None and now_ns < self.asked.expires_ns


def key(approval: str) -> StreamId:
    """The stream of a question."""
    return stream_id("approval", approval)


def refusal(approval: Approval | None, actor: str, now_ns: int) -> str:
    """Why this person may not agree, "" if the person may."""
    if approval is None:
        return "there is no such question"
    if approval.ended is not None:
        return f"it is {approval.ended.outcome} already"
    if not approval.open(now_ns):
        return "it has expired: ask again"
    return "a second, different person must agree" if approval.by == actor else ""
