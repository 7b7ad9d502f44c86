"""What the monitor raises: an alert is open for a kind and a subject, or it is not. Read top-down: events, state, decide.

One stream for each (kind, subject), so that two alerts of one thing cannot be: the second would be at a version that is taken.
What was sent to whom is in it too, so that what nobody has taken yet is known after every crash, and is sent again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import StreamId, short_id, stream_id

Severity = Literal["warning", "critical"]


class Raised(Event):
    """A finding is beyond its threshold, or what should tell of it is missing. text: for people, with figure and threshold."""

    TOPIC: ClassVar[str] = "monitoring.raised.v1"
    kind: str
    subject: str
    severity: Severity
    text: str
    at_ns: int


class Acknowledged(Event):
    """A person has seen it. It stays open until what it is about is well."""

    TOPIC: ClassVar[str] = "monitoring.acknowledged.v1"
    person: str
    reason: str
    at_ns: int


class Cleared(Event):
    """It is well again."""

    TOPIC: ClassVar[str] = "monitoring.cleared.v1"
    text: str
    at_ns: int


class Sent(Event):
    """A receiver has taken what the stream said at a version."""

    TOPIC: ClassVar[str] = "monitoring.sent.v1"
    receiver: str
    version_sent: int
    at_ns: int


EVENTS = (Raised, Acknowledged, Cleared, Sent)


class MonitorAlert(NamedTuple):
    """An alert's stream as it stands.

    Attributes:
        told: the version of the last event that a receiver must hear of.
        sent: by receiver, the version that it has taken.
        times: how often it was raised.
    """

    id: StreamId
    version: int
    raised: Raised
    open: bool = True
    person: str = ""
    reason: str = ""
    ended_ns: int = 0
    told: int = 1
    sent: Mapping[str, int] = {}
    times: int = 1

    @property
    def name(self) -> str:
        """What people call it."""
        return short_id(self.id, 16)


class Finding(NamedTuple):
    """What is not well now."""

    kind: str
    subject: str
    severity: Severity
    text: str


def key(kind: str, subject: str) -> StreamId:
    """The stream of a kind of alert about a subject."""
    return stream_id("monitoring", kind, subject)


def evolve(state: MonitorAlert | None, event: Event, *, stream: StreamId) -> MonitorAlert:
    """Fold one event."""
    if isinstance(event, Raised):
        if state is None:
            return MonitorAlert(stream, 1, event)
        version = state.version + 1
        return MonitorAlert(stream, version, event, told=version, sent=state.sent, times=state.times + 1)
    assert state is not None, event.TOPIC
    version = state.version + 1
    if isinstance(event, Sent):
        return state._replace(version=version, sent={**state.sent, event.receiver: event.version_sent})
    if isinstance(event, Acknowledged):
        return state._replace(version=version, person=event.person, reason=event.reason, told=version)
    assert isinstance(event, Cleared), event.TOPIC
    return state._replace(version=version, open=False, ended_ns=event.at_ns, told=version)


def due(state: MonitorAlert, receivers: Iterable[str]) -> list[str]:
    """The receivers that have yet to hear of what it says now."""
    return [name for name in receivers if state.sent.get(name, 0) < state.told]


CLEAR_AFTER_NS: Final = 10_000_000_000


class Standings:
    """Which findings last, between two looks. Raised at once where it is new; cleared when it has been away for `clear_after_ns`,
    so that what comes and goes is one alert.
    """

    def __init__(self, clear_after_ns: int = CLEAR_AFTER_NS) -> None:
        self._clear_after_ns = clear_after_ns
        self._gone_ns: dict[StreamId, int] = {}

    def decide(
        self, alerts: Mapping[StreamId, MonitorAlert], findings: Iterable[Finding], now_ns: int, *, clears: bool = True
    ) -> list[tuple[StreamId, Raised | Cleared]]:
        """What is to be written now. A finding that is graver than its open alert raises it anew.

        clears: can what is not found be taken for well? Not while whoever looks still waits for others to start.
        """
        found: list[tuple[StreamId, Raised | Cleared]] = []
        here: set[StreamId] = set()
        for finding in findings:
            stream = key(finding.kind, finding.subject)
            if stream in here:
                continue
            here.add(stream)
            self._gone_ns.pop(stream, None)
            state = alerts.get(stream)
            graver = state is not None and state.raised.severity == "warning" and finding.severity == "critical"
            if state is None or not state.open or graver:
                found.append((stream, Raised(**finding._asdict(), at_ns=now_ns)))
        for stream, state in alerts.items():
            if clears and state.open and stream not in here:
                since_ns = self._gone_ns.setdefault(stream, now_ns)
                if now_ns - since_ns >= self._clear_after_ns:
                    del self._gone_ns[stream]
                    text = f"well again; it was: {state.raised.text}"
                    found.append((stream, Cleared(text=text, at_ns=now_ns)))
        return found
