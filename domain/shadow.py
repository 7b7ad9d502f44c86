"""What a version that decides nothing would have decided, beside the champion's plan of the same order.

A stream of its own for each version and plan: an order's streams and the champion's decisions know nothing of it.
"""

from __future__ import annotations

from typing import ClassVar

from domain.event import Event
from domain.schedule import Schedule
from domain.values import StreamId, stream_id


class Planned(Event):
    """The schedule that a version would have made. What it was asked is the request of the champion's decision, with the
    version's own state in place of the champion's.

    request_sha256: of the champion's decision. hidden: as `domain.observation` has it. behind_ns: how long behind the request the
    plan was there.
    """

    TOPIC: ClassVar[str] = "shadow.planned.v1"
    digest: str
    parent: str
    plan_number: int
    request_sha256: str
    hidden: str
    schedule: Schedule
    behind_ns: int


class Missed(Event):
    """It made no plan, or too late for one that would have been followed."""

    TOPIC: ClassVar[str] = "shadow.missed.v1"
    digest: str
    parent: str
    plan_number: int
    request_sha256: str
    why: str
    behind_ns: int


EVENTS = (Planned, Missed)


def key(digest: str, parent: str, plan_number: int) -> StreamId:
    """The stream of what a version says to a parent's n-th plan."""
    return stream_id("shadow", digest, parent, str(plan_number))
