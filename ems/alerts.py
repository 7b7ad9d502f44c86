"""What a person must look at: executions in quarantine, messages that could not be read or not be decided, gaps that a peer
filled over messages that are not in the log, and allocation reports that a client refused.

They are kept, not lost, and nothing acts on them by itself; nothing clears them either.
"""

from __future__ import annotations

from typing import NamedTuple

from domain import allocation as al
from domain import fill as fl
from domain import fix_session as fs
from domain.event import Event
from ems.desk_state import DeskState


class Alerts(NamedTuple):
    """How many of each there are in the log."""

    quarantined_fills: int = 0
    unreadable_messages: int = 0
    refused_allocations: int = 0
    lost_messages: int = 0  # gaps

    def after(self, event: Event) -> Alerts:
        """The counts when this event has happened too."""
        return Alerts(
            self.quarantined_fills + isinstance(event, fl.Quarantined),
            self.unreadable_messages + fs.is_unreadable(event),
            self.refused_allocations + (isinstance(event, al.Acknowledged) and event.status in al.REJECTED),
            self.lost_messages + fs.is_gap(event),
        )

    def sentence(self) -> str:
        """In words, "" where there is nothing to look at."""
        words = [
            f"{count} {one if count == 1 else many}"
            for count, one, many in (
                (self.quarantined_fills, "execution in quarantine", "executions in quarantine"),
                (self.unreadable_messages, "message that could not be read", "messages that could not be read"),
                (
                    self.refused_allocations,
                    "allocation report that was refused",
                    "allocation reports that were refused",
                ),
                (self.lost_messages, "gap over messages that are lost", "gaps over messages that are lost"),
            )
            if count
        ]
        return f"a person must look at {' and '.join(words)}" if words else ""


def of(state: DeskState) -> Alerts:
    """The counts of a state: a look at every fill, milliseconds for a hundred thousand."""
    return Alerts(
        sum(len(fill.quarantined) for fill in state.fills.values()),
        sum(session.unreadable for session in state.sessions.values()),
        sum(one.rejections for one in state.allocations.values()),
        sum(session.gaps for session in state.sessions.values()),
    )
