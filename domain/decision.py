"""A decision of an algorithm: what it saw, what it chose, and enough to choose it again."""

from __future__ import annotations

import hashlib
from typing import ClassVar, NamedTuple

from domain.basket import BasketRequest, BasketSchedule
from domain.event import Event
from domain.schedule import PlanRequest, Schedule
from domain.values import StreamId, stream_id


class Planned(Event):
    """A schedule made by a planner. The output is a fact: replay uses it, re-running it is a separate check."""

    TOPIC: ClassVar[str] = "decision.planned.v1"
    request: PlanRequest
    request_sha256: str
    schedule: Schedule


class Failed(Event):
    """A planner gave no schedule; what was used instead is the parent's business."""

    TOPIC: ClassVar[str] = "decision.failed.v1"
    request: PlanRequest
    request_sha256: str
    error: str


class BasketPlanned(Event):
    """Orders of a list planned together. Each has a decision of its own beside it, whose schedule names this one."""

    TOPIC: ClassVar[str] = "decision.basket_planned.v1"
    request: BasketRequest
    request_sha256: str
    plan: BasketSchedule


EVENTS = (Planned, Failed, BasketPlanned)


class Decision(NamedTuple):
    """A decision stream holds one event."""

    id: StreamId
    version: int
    parent: str
    plan_number: int


def key(parent: str, plan_number: int) -> StreamId:
    """The stream of a parent's n-th plan."""
    return stream_id("decision", parent, str(plan_number))


def basket_key(request: BasketRequest) -> StreamId:
    """The stream of a joint plan: of its request, for orders come and go between two of them."""
    return stream_id("decision", request.basket, request_sha256(request))


def evolve(state: Decision | None, event: Event, *, stream: StreamId, at_ns: int) -> Decision:
    """Fold one event."""
    assert state is None
    assert isinstance(event, EVENTS)
    return Decision(id=stream, version=1, parent=event.request.parent, plan_number=event.request.plan_number)


def request_sha256(request: PlanRequest | BasketRequest) -> str:
    """Digest of a planner's whole input, over its JSON."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()


def is_digest_of(digest: str, request: PlanRequest | BasketRequest) -> bool:
    """Is it, by today's fields or by those that the request had when it was stored? What was added since is not set in it."""
    stored = hashlib.sha256(request.model_dump_json(exclude_unset=True).encode()).hexdigest()
    return digest in (stored, request_sha256(request))
