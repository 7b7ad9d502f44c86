"""What the desk tells who asks how it stands: what a person must look at, its limits, the orders that wait for a trader."""

from __future__ import annotations

from typing import Any

from ems import alerts, care_words, risk_desk
from ems.desk_state import DeskState


def told(state: DeskState, question: dict[str, Any], now_ns: int) -> dict[str, Any]:
    """The answer to `{"attention": which}`, `{"limits": true}` and `{"staged": true}`; how much is open in any case."""
    answer: dict[str, Any] = alerts.told(state, question)
    if question.get("limits"):
        answer["limits"] = risk_desk.told(state.risk, now_ns)
    if question.get("staged"):
        answer["staged"] = care_words.staged(state)
    return answer
