"""What a person must look at is counted alike by the desk and by the console, and shown with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from domain.event import InboundRef
from domain.fix_session import GAP_NOTE
from domain.messages import EngineRefusal, SessionNews, Unreadable
from domain.refusal import Reason, Refusal
from domain.sending import SendStatusQuery
from ems import alerts
from ems.alerts import Alerts
from ems.client_desk import ClientDesk
from ems.projections import Projections
from tests.domain.orders import new_order
from tests.ems.room import Room

UNREADABLE = Unreadable(
    ref=InboundRef("", 0, 0), msg_type="8", ref_id="", refusal=Refusal(Reason.UNREADABLE, "LastQty (32) is no number"), raw="35=8"
)


async def console_of(room: Room) -> Projections:
    rows = Projections()
    async for page in room.log.read_pages():
        for recorded in page:
            rows.apply(recorded)
    return rows


async def check(room: Room, expected: Alerts) -> list[dict[str, Any]]:
    """The desk that lived through it, its successor and the console agree. Returns the console's rows."""
    rows = await console_of(room)
    successor = await room.successor()
    await successor.desk.start()
    assert alerts.of(room.desk.state) == alerts.of(successor.desk.state) == expected
    assert rows.alert_counts() == rows.snapshot()["alert_counts"] == expected._asdict()
    assert list(rows.alerts.values()) == rows.snapshot()["alerts"]
    return list(rows.alerts.values())


async def test_a_quiet_day_has_none() -> None:
    room = await Room().open()
    await room.order()
    await room.client(new_order(symbol="NONE", cl_ord_id="BAD"))
    assert await check(room, Alerts()) == []


async def test_an_execution_in_quarantine() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    for _ in range(2):  # told again it is the same one
        await room.fill(100, "E2", cl_ord_id="FOREIGN-ORDER-01")
    (row,) = await check(room, Alerts(quarantined_fills=1))
    assert (row["kind"], row["session"], row["why"]) == ("quarantined fill", "VENUE", "unknown_order")
    assert row["what"] == "E2: 100 at 100 for FOREIGN-ORDER-01"


async def test_messages_that_cannot_be_read_of_either_side() -> None:
    room = await Room().open()
    await room.venue(UNREADABLE)
    await room.client(UNREADABLE)
    await room.client(EngineRefusal(ref=InboundRef("", 0, 0), text="tag without a value", raw="35=D"))
    rows = await check(room, Alerts(unreadable_messages=3))
    assert [row["session"] for row in rows] == ["VENUE", "OMS", "OMS"]
    assert all("LastQty (32) is no number" in row["why"] and row["raw"] == "35=8" for row in rows[:2])


@pytest.mark.parametrize(("session", "asks"), [("OMS", False), ("VENUE", True)])
async def test_a_gap_that_a_peer_fills_over_what_is_not_in_the_log(session: str, asks: bool) -> None:
    """A venue is asked how its orders stand; of what a client will not repeat only a person can learn."""
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.report("new")
    room.take()
    note = f"{GAP_NOTE} 4 to 6, which were asked for again"
    await room.desk.cycle([SessionNews(ref=InboundRef(session, 0, 0), text=note, raw='{"from": 4, "to": 6}')])
    (row,) = await check(room, Alerts(lost_messages=1))
    assert (row["kind"], row["session"], row["why"]) == ("lost messages", session, note)
    assert bool(room.take(SendStatusQuery)) == asks


async def test_other_news_of_a_session_is_no_alert() -> None:
    room = await Room().open()
    await room.desk.cycle([SessionNews(ref=InboundRef("OMS", 0, 0), text="report not sent: gone", raw="")])
    assert await check(room, Alerts()) == []


async def test_an_input_that_could_not_be_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(self: ClientDesk, turn: Any, order: Any) -> None:
        raise KeyError("our own fault")

    room = await Room().open()
    monkeypatch.setattr(ClientDesk, "_new", breaks)
    await room.client(new_order())
    (row,) = await check(room, Alerts(unreadable_messages=1))
    assert row["session"] == "OMS" and "could not be processed (KeyError)" in row["why"]
    assert room.errors == 1, "it is ours, whoever sent the message"


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Alerts(), ""),
        (Alerts(1, 0), "a person must look at 1 execution in quarantine"),
        (Alerts(0, 0, 1), "a person must look at 1 allocation report that was refused"),
        (Alerts(0, 0, 0, 2), "a person must look at 2 gaps over messages that are lost"),
        (Alerts(2, 1), "a person must look at 2 executions in quarantine and 1 message that could not be read"),
    ],
)
def test_in_words(found: Alerts, sentence: str) -> None:
    assert found.sentence() == sentence
