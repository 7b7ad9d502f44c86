"""What one person has asked for and a second must agree to."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import approval
from domain.approval import Approval
from domain.event import Event, Recorded
from ems.read_models.table import Stored, World, moment
from ems.read_models.topic import Column, Topic


class Approvals(Stored):
    """Open questions, and what became of the others."""

    keep: ClassVar[int] = 2_000
    topic: ClassVar[Topic] = Topic(
        "approvals",
        "Approvals",
        (
            Column("id", "Question", "id", 150, pin="left"),
            Column("state", "State", "status", 90),
            Column("verb", "What", "text", 140),
            Column("rows", "On", "list", 200),
            Column("fields", "With", "text", 300),
            Column("by", "Asked by", "text", 100),
            Column("reason", "Reason", "text", 240),
            Column("asked_ns", "Asked", "time", 100),
            Column("expires_ns", "Expires", "time", 100),
            Column("ended_by", "Answered by", "text", 100),
            Column("text", "What became of it", "text", 240),
        ),
        never_conflated=True,
        filters=("state", "verb"),
    )
    events: ClassVar[tuple[type[Event], ...]] = approval.EVENTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.questions: dict[str, Approval] = {}

    def fold(self, recorded: Recorded, after: Any) -> None:
        """Asked, or answered."""
        event: Any = recorded.event
        if isinstance(event, approval.Asked):
            self.questions[event.approval] = Approval(event, recorded.meta.actor, recorded.meta.event_time_ns)
        elif (before := self.questions.get(event.approval)) is not None:
            self.questions[event.approval] = before._replace(ended=event, ended_by=recorded.meta.actor)
        self._show(event.approval)

    def tick(self, now_ns: int) -> None:
        """A question that nobody has answered expires."""
        for key, row in list(self._made.items()):
            if row["state"] == "open" and int(row["expires_ns"]) <= now_ns:
                self._show(key)

    def _show(self, key: str) -> None:
        found = self.questions.get(key)
        if found is None:
            return
        asked, ended = found.asked, found.ended
        state = ended.outcome if ended is not None else "open" if found.open(self.world.now_ns) else "expired"
        self.put({
            "id": key, "state": state, "verb": asked.verb, "rows": list(asked.rows), "fields": asked.fields,
            "by": found.by.removeprefix("person:"), "reason": asked.reason, "asked_ns": moment(found.at_ns),
            "expires_ns": moment(asked.expires_ns), "ended_by": found.ended_by.removeprefix("person:") or None,
            "text": ended.text if ended is not None else None,
        })  # fmt: skip
