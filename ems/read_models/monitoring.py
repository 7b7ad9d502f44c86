"""What the monitor has raised: open ones and those that are well again."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import monitoring as mo
from domain.event import Event, Recorded
from domain.monitoring import MonitorAlert
from domain.values import StreamId
from ems.read_models.table import Stored, World, moment
from ems.read_models.topic import Column, Topic


class Monitoring(Stored):
    """One row for each kind and subject, as it was raised last."""

    topic: ClassVar[Topic] = Topic(
        "monitoring",
        "Monitoring",
        (
            Column("id", "Alert", "id", 150, pin="left"),
            Column("state", "State", "status", 110),
            Column("severity", "Severity", "status", 80),
            Column("kind", "Kind", "text", 150),
            Column("subject", "About", "text", 120),
            Column("since_ns", "Since", "time", 100),
            Column("why", "Why", "text", 360),
            Column("by", "Seen by", "text", 90),
            Column("reason", "What comes of it", "text", 240),
            Column("ended_ns", "Well again", "time", 100),
            Column("times", "Raised", "int", 70),
        ),
        filters=("state", "kind", "severity"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (mo.Raised, mo.Acknowledged, mo.Cleared, mo.Sent)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._alerts: dict[StreamId, MonitorAlert] = {}

    def fold(self, recorded: Recorded, after: Any) -> None:
        """One event of an alert."""
        state = mo.evolve(self._alerts.get(recorded.stream), recorded.event, stream=recorded.stream)
        self._alerts[recorded.stream] = state
        if isinstance(recorded.event, mo.Sent):
            return
        raised = state.raised
        self.put({
            "id": state.name, "state": "cleared" if not state.open else "acknowledged" if state.person else "open",
            "severity": raised.severity, "kind": raised.kind, "subject": raised.subject, "since_ns": moment(raised.at_ns),
            "why": raised.text, "by": state.person or None, "reason": state.reason or None,
            "ended_ns": moment(state.ended_ns) if not state.open else None, "times": state.times,
        })  # fmt: skip
