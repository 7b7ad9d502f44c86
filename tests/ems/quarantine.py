"""A desk with executions in quarantine, and the person who resolves them, for tests."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from domain.commands import COMMAND, Answer, Commanded
from ems import alerts, recovery
from ems.alerts import Alerts
from tests.ems.room import Room
from tests.ems.test_alerts import console_of

FOREIGN = "FOREIGN-ORDER-01"


async def room_with_a_child(*quantities: int) -> Room:
    """A desk with one algorithm's order for 1000 and children that work."""
    room = await Room().open()
    await room.order()
    await room.plan(*(quantities or (400,)))
    await room.report("new")
    room.take()
    return room


async def ask(room: Room, command: str, **fields: Any) -> Answer:
    """A person's command and its answer."""
    answers: list[Answer] = []
    asked = {"command": command, "command_id": uuid4().hex, "actor": "person:jane", "reason": "the venue says so", **fields}
    await room.desk.cycle([Commanded(COMMAND.validate_python(asked), answers.append)])
    (answer,) = answers
    return answer


def held(room: Room) -> list[str]:
    """What the executions that are in quarantine are called, the oldest first."""
    return [row["alert"] for row in alerts.listed(room.desk.state, "fills")]


async def dismiss(room: Room, alert: str = "", **fields: Any) -> Answer:
    return await ask(room, "dismiss_fill", alert=alert or held(room)[0], **fields)


async def book(room: Room, alert: str = "", **fields: Any) -> Answer:
    order = fields.pop("cl_ord_id", "") or room.child().cl_ord_id
    return await ask(room, "book_fill", alert=alert or held(room)[0], cl_ord_id=order, **fields)


async def agree(room: Room, expected: Alerts | None = None) -> list[dict[str, Any]]:
    """A desk that folds the log and the console know what this desk knows. Returns the console's alerts."""
    state, rows = room.desk.state, await console_of(room)
    folded = await recovery.fold(room.log)
    assert folded.digest() == state.digest() == rows.state.digest()
    assert alerts.of(state)._asdict() == rows.alert_counts()
    assert expected is None or alerts.of(state) == expected
    assert list(rows.alerts) == list(state.attention.open)
    return list(rows.alerts.values())
