"""Alerts: what a person must look at, and what a person has said to it."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import allocation as al
from domain import attention
from domain import fill as fl
from domain import fix_session as fs
from domain.attention import Alert
from domain.event import Event, Recorded
from ems.read_models.table import Stored, moment
from ems.read_models.topic import Column, Topic


class Alerts(Stored):
    """Open ones and resolved ones."""

    topic: ClassVar[Topic] = Topic(
        "alerts",
        "Alerts",
        (
            Column("id", "Alert", "id", 150, pin="left"),
            Column("state", "State", "status", 80),
            Column("time_ns", "Since", "time", 100),
            Column("kind", "Kind", "text", 150),
            Column("session", "Session", "text", 90),
            Column("what", "What", "text", 320),
            Column("why", "Why", "text", 240),
            Column("by", "Resolved by", "text", 90),
            Column("resolution", "What came of it", "text", 240),
            Column("resolved_ns", "Resolved", "time", 100),
            Column("raw", "Message", "text", hidden=True),
            Column("seq", "Offset", "int", 80),
        ),
        never_conflated=True,
        filters=("state", "kind", "session"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (
        fl.Quarantined, fl.Dismissed, fl.Booked, fs.MessageNoted, fs.MessageRefused, al.Acknowledged, attention.Acknowledged,
    )  # fmt: skip

    def fold(self, recorded: Recorded, after: Any) -> None:
        """Something to look at, or somebody who has."""
        event = recorded.event
        if isinstance(event, attention.Acknowledged):
            self._resolved(event.alert, recorded, event.reason, "acknowledged")
        elif isinstance(event, fl.Dismissed | fl.Booked):
            held = after.quarantined[event.number - 1]
            how = "booked" if isinstance(event, fl.Booked) else "dismissed"
            self._resolved(attention.alert_id(recorded.stream, held.version), recorded, event.reason, how)
        else:
            alert = self.world.state.attention.open.get(attention.alert_id(recorded.stream, recorded.version))
            if alert is not None:
                self.put(_row(alert, recorded))

    def _resolved(self, alert: str, recorded: Recorded, reason: str, how: str) -> None:
        before = self.render(alert) or {"id": alert}
        by = recorded.meta.actor.removeprefix("person:")
        self.put({**before, "state": how, "by": by, "resolution": reason, "resolved_ns": moment(recorded.meta.event_time_ns)})


def _row(alert: Alert, recorded: Recorded) -> dict[str, Any]:
    return {
        "id": alert.id, "state": "open", "time_ns": moment(alert.at_ns), "kind": alert.kind, "session": alert.session,
        "what": alert.what, "why": alert.why, "raw": getattr(recorded.event, "raw", ""), "seq": recorded.seq,
    }  # fmt: skip
