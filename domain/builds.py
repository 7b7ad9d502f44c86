"""Builds that may run beside another: Knight lost its money by one server of eight that had not got the new code.

Every process of the firm that decides or sends is of one build, or of one that two people have approved to be mixed, for a
while: a rolling upgrade. Who opens later is judged; what runs alone mixes with nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, NamedTuple

from domain.event import Event
from domain.kill_refusal import KillReason, KillRefusal
from domain.values import StreamId, stream_id

HOURS_MAX: Final = 7 * 24
_HOUR_NS: Final = 3_600_000_000_000


class BuildApproved(Event):
    """A person approves that a build opens beside others. Two different people make it so."""

    TOPIC: ClassVar[str] = "build.approved.v1"
    digest: str
    person: str
    reason: str
    at_ns: int
    until_ns: int


EVENTS = (BuildApproved,)


class Approvals(NamedTuple):
    """By build, who has approved it and until when."""

    version: int
    persons: Mapping[str, Mapping[str, int]]

    def approved(self, now_ns: int) -> frozenset[str]:
        """Builds that may open beside others now."""
        return frozenset(digest for digest, by in self.persons.items() if sum(until > now_ns for until in by.values()) >= 2)


NOTHING: Final = Approvals(0, {})


def key() -> StreamId:
    """The one stream."""
    return stream_id("builds")


def fold(events: Iterable[Event]) -> Approvals:
    """The state from its events in order; a person's later word replaces the earlier."""
    state = NOTHING
    for event in events:
        assert isinstance(event, BuildApproved), event.TOPIC
        by = {**state.persons.get(event.digest, {}), event.person: event.until_ns}
        state = Approvals(state.version + 1, {**state.persons, event.digest: by})
    return state


def approve(state: Approvals, digest: str, *, person: str, reason: str, hours: int, at_ns: int) -> BuildApproved | KillRefusal:
    """One authenticated person's word for a build."""
    if not reason.strip():
        return KillRefusal(KillReason.REASON_MISSING, "to mix builds needs a reason")
    if not 1 <= hours <= HOURS_MAX:
        return KillRefusal(KillReason.REASON_MISSING, f"for 1 to {HOURS_MAX} hours")
    if state.persons.get(digest, {}).get(person, 0) > at_ns and digest not in state.approved(at_ns):
        return KillRefusal(
            KillReason.SECOND_PERSON_NEEDED, f"{person} has approved {digest} already: a second, different person must agree"
        )
    return BuildApproved(digest=digest, person=person, reason=reason, at_ns=at_ns, until_ns=at_ns + hours * _HOUR_NS)


def refusal(build: str, beside: Mapping[str, str], approved: Iterable[str]) -> str:
    """Why a process of a build may not open beside others, by name; "" if it may."""
    other = next(((name, digest) for name, digest in sorted(beside.items()) if digest != build), None)
    if other is None or build in approved:
        return ""
    name, digest = other
    return (
        f"this is build {build}, and {name}, which is up, is build {digest}: builds are mixed only when two people have "
        f"approved {build} (ems build approve)"
    )
