"""What a person must look at: executions in quarantine, messages that could not be read or not be decided, gaps that a peer
filled over messages that are not in the log, and allocation reports that a client refused.

Each is open until a person has resolved it: an execution by `domain.quarantine`, any other by saying what came of it. That
is the one event of a stream of its own, so it is said once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar, Final, Literal, NamedTuple

from domain import allocation as al
from domain import fill as fl
from domain import fix_session as fs
from domain.event import Event
from domain.values import StreamId, event_id, from_e9, short_id, stream_id

AlertKind = Literal[
    "quarantined fill", "unreadable message", "lost messages", "refused allocation report", "reconciliation break",
    "clock excursion",
]  # fmt: skip
TEXT_MAX: Final = 200  # of what strangers wrote, in an alert; all of it is in the event


class Acknowledged(Event):
    """A person has looked at an alert and says what came of it."""

    TOPIC: ClassVar[str] = "alert.acknowledged.v1"
    alert: str
    kind: AlertKind
    session: str
    reason: str


EVENTS = (Acknowledged,)


class Alert(NamedTuple):
    """One thing that nobody has looked at yet. stream and version: of the event that tells of it."""

    id: str
    kind: AlertKind
    session: str
    what: str
    why: str
    at_ns: int
    stream: StreamId
    version: int


@dataclass(slots=True)
class Attention:
    """Everything that is open, in the order of the log. Nothing is in it that events did not put there."""

    open: dict[str, Alert] = field(default_factory=dict)
    counts: Counter[AlertKind] = field(default_factory=Counter)

    def apply(self, stream: StreamId, version: int, event: Event, at_ns: int, *, session: str = "") -> None:
        """Fold one event of a stream that is at this version with it; session: where the event does not say it."""
        if (alert := alert_of(stream, version, event, at_ns, session=session)) is not None:
            self.open[alert.id] = alert
            self.counts[alert.kind] += 1

    def close(self, alert: str) -> None:
        """A person has resolved one."""
        self.counts[self.open.pop(alert).kind] -= 1


def alert_id(stream: StreamId, version: int) -> str:
    """What people call an alert: of the event that tells of it."""
    return short_id(event_id(stream, version), 16)


def key(alert: str) -> StreamId:
    """The stream of what a person says to an alert."""
    return stream_id("alert", alert)


def alert_of(stream: StreamId, version: int, event: Event, at_ns: int, *, session: str = "") -> Alert | None:
    """What a person must look at because of an event, None for any other."""
    kind: AlertKind
    what = why = ""
    if type(event) is fl.Quarantined:  # not isinstance: of pydantic classes it is answered by a Python function
        kind, session, what, why = "quarantined fill", event.venue_session, _told(event), event.reason
    elif type(event) is al.Acknowledged:
        if event.status not in al.REJECTED:
            return None
        kind, what, why = "refused allocation report", f"report {event.number}: {event.status}", event.text
    elif type(event) is fs.MessageNoted and (fs.is_gap(event) or fs.is_unreadable(event)):
        kind = "lost messages" if fs.is_gap(event) else "unreadable message"
        session, why = event.session, event.note
    elif type(event) is fs.MessageRefused and fs.is_unreadable(event):
        kind, session = "unreadable message", event.session
        what, why = f"{event.msg_type} {event.ref_id}".strip(), event.text
    else:
        return None
    return Alert(alert_id(stream, version), kind, session, what[:TEXT_MAX], why[:TEXT_MAX], at_ns, stream, version)


def _told(event: fl.Quarantined) -> str:
    about = f", {_RESTATES[event.kind]} of {event.exec_ref_id}" if event.kind in _RESTATES else ""
    return f"{event.exec_id}{about}: {from_e9(event.quantity_e9):f} at {from_e9(event.price_e9):f} for {event.cl_ord_id}"


_RESTATES: Final = {"cancel": "a bust", "correct": "a correction"}
