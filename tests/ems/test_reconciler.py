"""Reconciliation in real time: a break is an event with an owner and an alert, resolves itself, and survives a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain import reconciliation as rc
from domain.errors import ConfigError
from domain.reconciliation import Execution
from domain.values import E9, Side
from ems.projections import Projections
from ems.reconciler import GRACE_NS, Reconciler, Terms, decided, open_ones
from ems.venue_executions import ExecutionFile, parse
from tests.domain.orders import DAY, NOW_NS
from tests.ems.direct import working
from tests.ems.room import Room

TERMS = Terms("VENUE", DAY.trade_date)


async def reconciler(room: Room) -> Reconciler:
    """One that has read the log from the beginning."""
    found = Reconciler(TERMS, "test")
    await catch_up(found, room)
    return found


async def catch_up(found: Reconciler, room: Room) -> None:
    async for page in room.log.read_pages(after_seq=found.seq):
        for recorded in page:
            found.apply(recorded)


async def write(found: Reconciler, room: Room, now_ns: int, *, whole: bool = False) -> list[str]:
    """What is due goes into the log; the kinds of breaks that it has found."""
    entries = found.due(now_ns, whole=whole)
    if entries:
        await room.log.append(entries)
    await catch_up(found, room)
    events = [event for entry in entries for event in entry.events]
    return [event.kind if isinstance(event, rc.BreakFound) else "resolved" for event in events]


def theirs(room: Room, quantity: int = 2_000, *, exec_id: str = "E0", price: int = 100) -> Execution:
    return Execution(exec_id, room.child().cl_ord_id, "ABC", Side.BUY, quantity * E9, price * E9, NOW_NS)


async def test_what_agrees_is_no_break_however_late_the_copy_comes_within_the_grace() -> None:
    room = await working(2_000)
    found = await reconciler(room)
    assert await write(found, room, NOW_NS + GRACE_NS - 1) == []
    found.tell(theirs(room), NOW_NS + GRACE_NS - 1)
    assert await write(found, room, NOW_NS + 10 * GRACE_NS) == []
    assert found.status() == {"ours": 1, "theirs": 1, "open_breaks": 0}


async def test_a_missing_execution_is_a_break_with_an_owner_after_the_grace_and_resolves_when_it_comes() -> None:
    room = await working()
    found = await reconciler(room)
    found.tell(theirs(room), NOW_NS)
    assert await write(found, room, NOW_NS + GRACE_NS) == ["missing_here"]
    (one,) = open_ones(found.breaks.values())
    assert (one.owner, one.found.ours, one.found.theirs[:12]) == ("operations", "", "buy 2000 ABC")
    await room.fill(2_000, "E0")
    await catch_up(found, room)
    assert await write(found, room, room.clock.ns + 2 * GRACE_NS) == ["resolved"]
    assert open_ones(found.breaks.values()) == []


async def test_what_is_told_differently_is_a_break_at_once() -> None:
    room = await working(2_000)
    found = await reconciler(room)
    found.tell(theirs(room, 1_900), NOW_NS)
    assert await write(found, room, NOW_NS) == ["different"]
    found.tell(theirs(room, price=101), NOW_NS + 1)
    assert await write(found, room, NOW_NS + 1) == [], "the same break, told differently again"


async def test_a_bust_that_only_one_side_knows_is_a_break() -> None:
    room = await working(2_000)
    found = await reconciler(room)
    found.tell(theirs(room), NOW_NS)
    await room.fill(2_000, "E1", exec_kind="trade_cancel", exec_ref_id="E0")
    await catch_up(found, room)
    assert await write(found, room, NOW_NS + GRACE_NS) == ["missing_here"]
    found.tell(theirs(room, 0), NOW_NS + GRACE_NS)
    assert await write(found, room, NOW_NS + GRACE_NS) == ["resolved"]


async def test_a_restart_finds_nothing_twice_and_the_end_of_the_day_waits_for_nobody() -> None:
    room = await working(2_000)
    assert await write(await reconciler(room), room, NOW_NS, whole=True) == ["missing_there"]
    heir = await reconciler(room)
    assert await write(heir, room, NOW_NS + 10 * GRACE_NS, whole=True) == []
    assert heir.status()["open_breaks"] == 1


async def test_a_break_shows_as_an_alert_until_a_person_resolves_it() -> None:
    room = await working(2_000)
    found = await reconciler(room)
    await write(found, room, NOW_NS, whole=True)
    (one,) = open_ones(found.breaks.values())
    assigned = decided(one, person="bob", reason="hers", owner="ann", now_ns=NOW_NS)
    assert isinstance(assigned, rc.BreakAssigned) and rc.evolve(one, assigned, stream=one.id).owner == "ann"
    shown = Projections()
    async for page in room.log.read_pages():
        for recorded in page:
            shown.apply(recorded)
    assert [row["kind"] for row in shown.alerts.values()] == ["reconciliation break"]
    entry = found._entry(one.id, 1, decided(one, person="ann", reason="explained", owner="", now_ns=NOW_NS), NOW_NS)
    for recorded in await room.log.append([entry]):
        shown.apply(recorded)
        found.apply(recorded)
    assert shown.alerts == {}
    with pytest.raises(ConfigError, match="already"):
        decided(found.breaks[one.id], person="ann", reason="again", owner="", now_ns=NOW_NS)


# ------------------------------------------------------------------------------------------ the venue's file


def line(number: int, *, side: int = 1) -> dict[str, object]:
    return {
        "k": "exec", "exec_id": f"X{number}", "order_id": "1", "session": "DESK", "cl_ord_id": "C1", "symbol": "ABC",
        "side": side,
        "price_e9": 100_250_000_000, "quantity_e9": 5 * E9, "time_ns": NOW_NS, "maker": True,
    }  # fmt: skip


def test_a_venues_file_grows_as_executions_happen_and_says_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "executions.csv"
    file = ExecutionFile(path, [line(1), {"k": "order"}])
    file.tell([{"k": "order"}, line(2, side=-1)])
    told = parse("x", path.read_text())
    assert not told.whole and [row.exec_id for _, row in told.rows] == ["X1", "X2"]
    assert told.rows[1][1] == Execution("X2", "C1", "ABC", Side.SELL, 5 * E9, 100_250_000_000, NOW_NS)
    assert [row.exec_id for _, row in parse("x", path.read_text()[:-4]).rows] == ["X1"], "a line that is being written"
    file.end()
    assert parse("x", path.read_text()).whole


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        (lambda text: text.replace("exec_id", "id", 1), "names other columns"),
        (lambda text: text.replace(",5,", ",five,", 1), "line 2 is no execution"),
        (lambda text: text.replace("X2,DESK,C1,ABC,buy,5,100.25,1772463600000000000\n", ""), "cut or added to"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_one_sentence(tmp_path: Path, harm: object, why: str) -> None:
    path = tmp_path / "executions.csv"
    ExecutionFile(path, [line(1), line(2)]).end()
    with pytest.raises(ConfigError, match=why):
        parse("file", harm(path.read_text()))  # type: ignore[operator]
