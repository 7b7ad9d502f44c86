"""A person resolves what is in quarantine, and says what came of other alerts: once, with a reason, for good."""

from __future__ import annotations

from typing import Any

import pytest

from domain import fill as fl
from domain import quarantine as qu
from domain.event import InboundRef
from domain.fix_session import GAP_NOTE
from domain.messages import SessionNews
from domain.order_life import OrdStatus
from domain.sending import ParentReport
from domain.values import E9, Side, TimeInForce
from ems import alerts
from ems.alerts import Alerts
from tests.ems.direct import opened, working
from tests.ems.quarantine import FOREIGN, agree, ask, book, dismiss, held, room_with_a_child
from tests.ems.room import Room, session, topics
from tests.ems.test_alerts import UNREADABLE, console_of


async def test_a_booked_execution_is_a_fill_of_its_order() -> None:
    room = await room_with_a_child()
    await room.fill(100, "E7", price=98, cl_ord_id=FOREIGN)
    assert room.parent().cum_quantity_e9 == 0
    room.take()
    answer = await book(room)
    child, parent = room.child(), room.parent()
    assert (answer.ok, answer.text) == (True, f"E7 of VENUE is booked to {child.cl_ord_id}")
    assert (child.status, child.cum_quantity_e9, child.notional_e18) == (OrdStatus.PARTIALLY_FILLED, 100 * E9, 9_800 * E9 * E9)
    assert (parent.cum_quantity_e9, parent.average_price_e9) == (100 * E9, 98 * E9)
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.last_quantity_e9, report.last_price_e9) == ("trade", 100 * E9, 98 * E9)
    totals = room.desk.state.risk.totals
    totals.settle()
    assert [ledger.amounts()[0] for ledger in room.desk.state.risk.exposure.of("ABC")] == [100 * E9]
    assert (await topics(room))[-4:] == ["fill.booked", "fill.recorded", "child_order.filled", "parent_order.filled"]
    last = [r.meta async for page in room.log.read_pages() for r in page][-1]
    assert last.actor == "person:jane" and last.causation.startswith("command:")
    assert held(room) == await agree(room, Alerts()) == []
    await agree(room)


@pytest.mark.parametrize("words", [{"cl_ord_id": FOREIGN}, {}], ids=["as it was told", "with the order's own id"])
@pytest.mark.parametrize("restart", [False, True])
async def test_the_venue_tells_a_booked_execution_again(words: dict[str, Any], restart: bool) -> None:
    room = await room_with_a_child()
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    await book(room)
    if restart:
        room = await (await room.successor()).open()
    await room.fill(100, "E7", **words)
    assert room.parent().cum_quantity_e9 == 100 * E9
    assert held(room) == []
    assert (await topics(room)).count("fill.recorded") == 1


async def test_a_booked_execution_can_be_taken_back_by_its_venue() -> None:
    room = await room_with_a_child()
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    await book(room)
    await room.fill(0, "B1", exec_kind="trade_cancel", exec_ref_id="E7", cl_ord_id=FOREIGN)
    assert (room.parent().cum_quantity_e9, held(room)) == (0, [])
    await agree(room)


async def test_a_dismissed_execution_counts_for_nothing_however_often_it_is_told() -> None:
    room = await room_with_a_child()
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    (alert,) = held(room)
    assert (await dismiss(room)).ok
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    room = await (await room.successor()).open()
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    assert (room.parent().cum_quantity_e9, held(room)) == (0, [])
    for again in (await dismiss(room, alert), await book(room, alert)):
        assert (again.ok, dict(again.ids)) == (False, {"reason": "already_resolved"})
    assert await agree(room, Alerts()) == []
    await agree(room)


KINDS: list[tuple[dict[str, Any], str]] = [
    ({"exec_id": "E1", "last_quantity_e9": 70 * E9}, "conflict"),
    ({"cl_ord_id": FOREIGN}, "unknown_order"),
    ({"side": Side.SELL}, "wrong_side"),
    ({"last_quantity_e9": 0}, "not_positive"),
    ({"exec_kind": "trade_cancel", "exec_ref_id": "NEVER"}, "restated"),
    ({"exec_kind": "trade_correct", "exec_ref_id": "NEVER"}, "restated"),
]


@pytest.mark.parametrize(("changes", "reason"), KINDS)
@pytest.mark.parametrize("how", ["dismissed", "booked"])
async def test_every_kind_is_resolved_as_the_table_says(changes: dict[str, Any], reason: Any, how: str) -> None:
    room = await room_with_a_child()
    await room.fill(50, "E1")
    await room.fill(70, **{"exec_id": "E2", **changes})
    (row,) = alerts.listed(room.desk.state, "fills")
    assert (row["why"], row["session"], row["only_dismissed"]) == (reason, "VENUE", qu.NOT_BOOKED[reason])
    answer = await (dismiss(room) if how == "dismissed" else book(room))
    may = how == "dismissed" or not qu.NOT_BOOKED[reason]
    assert answer.ok is may and (may or dict(answer.ids) == {"reason": "only_dismissed"})
    filled = 120 if how == "booked" and may else 50
    assert room.parent().cum_quantity_e9 == room.child().cum_quantity_e9 == filled * E9
    assert bool(held(room)) is not may
    await agree(room, Alerts(quarantined_fills=not may))
    await agree(room)


async def test_an_overfill_is_booked_only_when_it_is_said() -> None:
    room = await room_with_a_child()
    await room.fill(400, "E1")
    await room.fill(50, "E2", cl_ord_id=FOREIGN)
    refused = await book(room)
    assert (refused.ok, dict(refused.ids)) == (False, {"reason": "overfill"}) and "50 more" in refused.text
    assert room.parent().cum_quantity_e9 == 400 * E9
    answer = await book(room, overfill=True)
    assert answer.ok and answer.text.endswith("50 more than its quantity")
    assert (room.child().status, room.child().cum_quantity_e9) == (OrdStatus.FILLED, 450 * E9)
    assert (room.parent().cum_quantity_e9, held(room)) == (450 * E9, [])
    await agree(room)


async def test_a_bust_of_an_exec_id_that_was_used_twice_takes_back_that_of_its_order() -> None:
    room = await room_with_a_child(200, 200)
    await room.wait(61)
    await room.report("new", number=2)
    await room.fill(50, "E1")
    await room.fill(70, "E1", number=2)
    assert (await book(room, cl_ord_id=room.child(2).cl_ord_id)).ok
    assert (room.child(1).cum_quantity_e9, room.child(2).cum_quantity_e9) == (50 * E9, 70 * E9)
    await room.fill(0, "B0", exec_kind="trade_cancel", exec_ref_id="E1", cl_ord_id=FOREIGN)
    assert alerts.listed(room.desk.state, "fills")[0]["restates"] == "E1", "of which of the two? A person must say"
    await room.fill(0, "B1", number=2, exec_kind="trade_cancel", exec_ref_id="E1")
    assert (room.child(1).cum_quantity_e9, room.child(2).cum_quantity_e9) == (50 * E9, 0)
    await agree(room)


async def test_one_execution_told_in_two_wordings_is_booked_to_its_order_once() -> None:
    room = await room_with_a_child()
    await room.fill(50, "E1")
    await room.fill(70, "E1", cl_ord_id=f"{room.child().cl_ord_id}R1")
    await room.fill(70, "E1", cl_ord_id=FOREIGN)
    assert [(await book(room)).ok, dict((await book(room)).ids)] == [True, {"reason": "already_recorded"}]
    assert (room.parent().cum_quantity_e9, len(held(room))) == (120 * E9, 1)


async def test_a_bust_that_contradicts_another_is_never_booked_as_an_execution() -> None:
    room = await room_with_a_child()
    await room.fill(50, "E1")
    for bust in ("B1", "B2"):
        await room.fill(50, bust, exec_kind="trade_cancel", exec_ref_id="E1")
    (row,) = alerts.listed(room.desk.state, "fills")
    assert (row["exec_id"], row["why"]) == ("B2", "conflict")
    assert dict((await book(room)).ids) == {"reason": "only_dismissed"}
    assert room.parent().cum_quantity_e9 == 0


async def test_a_first_execution_that_is_booked_acknowledges_a_direct_order_and_fills_it() -> None:
    room = await opened()
    await room.fill(10_000, "E7", cl_ord_id=FOREIGN)
    room.take()
    assert (await book(room)).ok
    assert [r.exec_kind for r in room.take(ParentReport)] == ["new", "trade"]
    assert room.parent().finished
    await agree(room)


async def test_what_is_booked_to_a_carried_order_is_kept_under_the_date_of_the_execution() -> None:
    room = await working(time_in_force=TimeInForce.GTC)
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    answer = await book(room)
    assert dict(answer.ids)["fill"] == fl.key("VENUE", "2026-03-02", "E7")
    await room.fill(100, "E7")
    assert room.parent().cum_quantity_e9 == 100 * E9


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("dismiss_fill", {"alert": "0000"}, "not_open"),
    ("book_fill", {"alert": "0000", "cl_ord_id": "X"}, "not_open"),
    ("book_fill", {"cl_ord_id": "NOBODYS-ORDER-01"}, "unknown_order"),
    ("dismiss_fill", {"actor": "system:desk"}, "not_a_person"),
    ("dismiss_fill", {"reason": " "}, "reason_missing"),
    ("acknowledge_alerts", {"alerts": ["0000"]}, "not_open"),
]


@pytest.mark.parametrize(("command", "fields", "refused"), REFUSED)
async def test_what_cannot_be_is_refused_and_writes_nothing(command: str, fields: dict[str, Any], refused: str) -> None:
    room = await room_with_a_child()
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    before = room.desk.state.digest()
    alert = {} if command == "acknowledge_alerts" else {"alert": held(room)[0]}
    answer = await ask(room, command, **{**alert, **fields})
    assert (answer.ok, dict(answer.ids)) == (False, {"reason": refused})
    assert room.desk.state.digest() == before


# ------------------------------------------------------------------------------------------- other alerts


async def alarmed() -> Room:
    """An unreadable message, a gap, and an execution in quarantine."""
    room = await room_with_a_child()
    await room.venue(UNREADABLE)
    note = f"{GAP_NOTE} 4 to 6, which were asked for again"
    await room.desk.cycle([SessionNews(ref=InboundRef("OMS", 0, 0), text=note, raw="")])
    await room.fill(100, "E7", cl_ord_id=FOREIGN)
    return room


async def test_an_alert_is_acknowledged_once_and_shows_no_more() -> None:
    room = await alarmed()
    rows = await agree(room, Alerts(1, 1, 0, 1))
    unreadable, gap, execution = (row["id"] for row in rows)
    assert [row["alert"] for row in alerts.listed(room.desk.state, "others")] == [unreadable, gap]
    for wrong in ([unreadable, execution], [unreadable, "0000"]):
        assert not (await ask(room, "acknowledge_alerts", alerts=wrong)).ok
    assert await agree(room, Alerts(1, 1, 0, 1)) == rows, "all of them or none"
    assert not (await dismiss(room, unreadable)).ok
    assert (await ask(room, "acknowledge_alerts", alerts=[unreadable, gap, unreadable], reason="their test")).ok
    assert [row["id"] for row in await agree(room, Alerts(quarantined_fills=1))] == [execution]
    assert not (await ask(room, "acknowledge_alerts", alerts=[gap])).ok
    said = [r async for page in room.log.read_pages() for r in page if r.event.TOPIC == "alert.acknowledged.v1"]
    assert [(r.event.alert, r.event.reason, r.meta.actor, r.version) for r in said] == [  # type: ignore[attr-defined]
        (unreadable, "their test", "person:jane", 1), (gap, "their test", "person:jane", 1),
    ]  # fmt: skip
    await agree(room)


async def test_what_is_open_is_part_of_what_a_desk_knows() -> None:
    state = (await alarmed()).desk.state
    before = state.digest()
    state.attention.close(alerts.listed(state, "others")[0]["alert"])
    assert state.digest() != before


async def test_the_console_is_told_that_a_row_is_gone() -> None:
    room = await alarmed()
    rows = await console_of(room)
    known = len(rows.alerts)
    last = rows.seq
    await dismiss(room)
    changes = [c async for page in room.log.read_pages(after_seq=last) for r in page for c in rows.apply(r)]
    assert [(c.table, c.row["resolved"]) for c in changes] == [("alerts", True)]
    assert changes[0].row["id"] not in rows.alerts and len(rows.alerts) == known - 1


async def test_what_is_acknowledged_stays_so_for_the_next_desk() -> None:
    room = await alarmed()
    names = [row["alert"] for row in alerts.listed(room.desk.state, "others")]
    await ask(room, "acknowledge_alerts", alerts=names)
    room = await (await room.successor()).open()
    await room.desk.cycle([session("OMS", up=False), session("OMS")])
    await room.venue(UNREADABLE)
    assert len(await agree(room, Alerts(1, 1))) == 2, "another one is another alert"
