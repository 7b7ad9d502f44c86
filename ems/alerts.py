"""How much a person must look at, and what: see `domain.attention`. What has been resolved counts no more."""

from __future__ import annotations

from itertools import islice
from typing import Any, NamedTuple

from domain.attention import TEXT_MAX, Alert
from domain.commands import ALERTS_MAX
from domain.quarantine import not_bookable
from domain.values import from_e9
from ems.desk_state import DeskState


class Alerts(NamedTuple):
    """How many of each are open."""

    quarantined_fills: int = 0
    unreadable_messages: int = 0
    refused_allocations: int = 0
    lost_messages: int = 0  # gaps

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
    """The counts of a state."""
    counts = state.attention.counts
    return Alerts(
        counts["quarantined fill"],
        counts["unreadable message"],
        counts["refused allocation report"],
        counts["lost messages"],
    )


def told(state: DeskState, question: dict[str, Any]) -> dict[str, Any]:
    """What a desk's status says of it: with {"alerts": true} how much, with {"attention": which} what."""
    answer: dict[str, Any] = of(state)._asdict() if question.get("alerts") else {}
    return answer | ({"attention": listed(state, str(question["attention"]))} if question.get("attention") else {})


def listed(state: DeskState, which: str) -> list[dict[str, Any]]:
    """What is open, the oldest first, as plain values for people: "fills" or, with any other word, everything else."""
    fills = which == "fills"
    found = (alert for alert in state.attention.open.values() if (alert.kind == "quarantined fill") is fills)
    return [_row(state, alert) for alert in islice(found, ALERTS_MAX)]


def _row(state: DeskState, alert: Alert) -> dict[str, Any]:
    row = {"alert": alert.id, "kind": alert.kind, "session": alert.session, "why": alert.why, "since_ns": alert.at_ns}
    if alert.kind != "quarantined fill":
        return row | {"what": alert.what}
    told = next(held.told for held in state.fills[alert.stream].quarantined if held.version == alert.version)
    return row | {
        "exec_id": told.exec_id[:TEXT_MAX],
        "restates": told.exec_ref_id[:TEXT_MAX],
        "order": told.cl_ord_id[:TEXT_MAX],
        "venue_order": told.order_id[:TEXT_MAX],
        "symbol": told.instrument[:TEXT_MAX],
        "side": told.side.value if told.side is not None else "",
        "quantity": f"{from_e9(told.quantity_e9):f}",
        "price": f"{from_e9(told.price_e9):f}",
        "only_dismissed": not_bookable(told),
    }
