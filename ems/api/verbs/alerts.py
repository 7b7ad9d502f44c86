"""What people say to alerts, and what they make of executions in quarantine."""

from __future__ import annotations

from typing import Any, Final

from ems.api.ports import Outcome
from ems.api.verb import REASON, Act, Field, Verb, by_desk
from ems.read_models.topic import Role

WHO: Final[frozenset[Role]] = frozenset({"trader", "risk", "operator"})
_QUARANTINED: Final = {"state": "open", "kind": "quarantined fill"}


def _acknowledge(act: Act) -> dict[str, Any]:
    return {"command": "acknowledge_alerts", "alerts": [act.row_id], "reason": act.reason}


def _dismiss(act: Act) -> dict[str, Any]:
    return {"command": "dismiss_fill", "alert": act.row_id, "reason": act.reason}


def _book(act: Act) -> dict[str, Any]:
    fields = act.fields
    asked = {"alert": act.row_id, "cl_ord_id": fields["cl_ord_id"], "overfill": bool(fields["overfill"])}
    return {"command": "book_fill", **asked, "reason": act.reason}


async def _seen(act: Act) -> Outcome:
    """The monitor writes it, whose streams they are."""
    command = {"command": "acknowledge", "alerts": [act.row_id], "reason": act.reason}
    return await act.ports.vouched("monitor", command, actor=f"person:{act.person}", command_id=act.command_id)


VERBS: Final = (
    Verb("acknowledge", "Acknowledge", by_desk(_acknowledge), WHO, "k", "alerts", {"state": "open"}, (REASON,), bulk=True),
    Verb("dismiss", "Dismiss the execution", by_desk(_dismiss), WHO, "d", "alerts", _QUARANTINED, (REASON,), danger=True,
         confirm="count"),
    Verb("book", "Book the execution", by_desk(_book), WHO, "b", "alerts", _QUARANTINED,
         (Field("cl_ord_id", "To the child order with ClOrdID", "text"),
          Field("overfill", "Although it is more than was ordered", "flag", required=False, default=False), REASON),
         danger=True, confirm="count"),
    Verb("monitoring_seen", "Acknowledge", _seen, WHO, "g", "monitoring", {"state": "open"}, (REASON,), bulk=True),
)  # fmt: skip
