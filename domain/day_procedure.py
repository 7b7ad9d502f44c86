"""The start and the end of a trade date as ordered steps: which are done, by whom, with what result. Pure.

One stream for each date and procedure. A step that is done is not done again; one that has failed is tried again when the
procedure is run again, and nothing behind it is begun before it is done.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import StreamId, stream_id

Part = Literal["start", "end"]


class Step(StrEnum):
    """What is done, in this order: the first four open a day, the others close it."""

    CALENDAR = "calendar"  # does the market trade, and until when
    YESTERDAY = "yesterday"  # the last trading day was ended
    FILES = "files"  # ems load has opened the day
    CARRIED = "carried"  # orders of before, and what corporate actions make of them
    CLOSED = "closed"  # the market has closed, and close_grace_s is over
    ORDERS = "orders"  # what was for the day has ended, what is carried is done for the day
    BREAKS = "breaks"  # nothing is open between venues and the log
    SEALED = "sealed"  # a signed head vouches for the day's last event, and the whole chain verifies
    ARCHIVED = "archived"  # the sealed days lie in archives with their proofs
    BUNDLED = "bundled"  # the examiner's bundle of the day is written


STEPS: Final[dict[Part, tuple[Step, ...]]] = {
    "start": (Step.CALENDAR, Step.YESTERDAY, Step.FILES, Step.CARRIED),
    "end": (Step.CLOSED, Step.ORDERS, Step.BREAKS, Step.SEALED, Step.ARCHIVED, Step.BUNDLED),
}


class StepDone(Event):
    """A step was found done, or was done now."""

    TOPIC: ClassVar[str] = "day.step_done.v1"
    trade_date: str
    part: Part
    step: Step
    result: str
    person: str
    at_ns: int


class StepFailed(Event):
    """A step could not be done; the procedure stands before it."""

    TOPIC: ClassVar[str] = "day.step_failed.v1"
    trade_date: str
    part: Part
    step: Step
    why: str
    person: str
    at_ns: int


class StepWaived(Event):
    """A person says that the day goes on without a step, and why."""

    TOPIC: ClassVar[str] = "day.step_waived.v1"
    trade_date: str
    part: Part
    step: Step
    reason: str
    person: str
    at_ns: int


EVENTS: Final = (StepDone, StepFailed, StepWaived)
Word = StepDone | StepFailed | StepWaived


class DayProcedure(NamedTuple):
    """Where a procedure stands. told: the last word on each step that anything was said of."""

    version: int = 0
    told: tuple[tuple[Step, Word], ...] = ()

    def of(self, step: Step) -> Word | None:
        """The last word on a step."""
        return dict(self.told).get(step)

    def over(self, step: Step) -> bool:
        """Is nothing left to do for it?"""
        return isinstance(self.of(step), StepDone | StepWaived)


def key(trade_date: str, part: Part) -> StreamId:
    """The stream of a date's start or end."""
    return stream_id("day_procedure", trade_date, part)


def evolve(state: DayProcedure, event: Event) -> DayProcedure:
    """Fold one event."""
    assert isinstance(event, Word), event.TOPIC
    return DayProcedure(state.version + 1, tuple({**dict(state.told), event.step: event}.items()))


def fold(events: Iterable[Event]) -> DayProcedure:
    """The state from its events."""
    state = DayProcedure()
    for event in events:
        state = evolve(state, event)
    return state


def next_step(state: DayProcedure, part: Part) -> Step | None:
    """The first step that is not over; None when all are."""
    return next((step for step in STEPS[part] if not state.over(step)), None)
