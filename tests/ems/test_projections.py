"""Rows from events: exact numbers, refused orders, what changes, and that a summary appears when an order is over."""

from __future__ import annotations

import pytest

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from domain import child_order as co
from domain import parent_order as po
from domain.catalogue import TOPICS
from domain.event import Recorded
from domain.refusal import Reason
from domain.values import Side
from ems.bench.made_day import MadeDay, events_per_parent
from ems.desk_state import DeskState
from ems.projections import Change, Projections, child_row


@pytest.fixture
async def day() -> list[Recorded]:
    """One order worked to its end, one that works."""
    log = MemoryEventLog(TOPICS, WallClock())
    for turn in MadeDay(finished=1, working=1).turns(DeskState()):
        await log.append(turn.entries)
    return [recorded async for page in log.read_pages() for recorded in page]


def fold(events: list[Recorded]) -> tuple[Projections, list[Change]]:
    rows, changes = Projections(), []
    for event in events:
        changes += rows.apply(event)
    return rows, changes


def test_rows_say_what_the_events_say(day: list[Recorded]) -> None:
    rows, _ = fold(day)
    done, working = rows.parents.values()
    assert (done["cl_ord_id"], done["symbol"], done["side"], done["algo"]) == ("ORD00000000", "AMZN", "buy", "twap")
    assert (done["quantity"], done["filled"], done["open"], done["status"]) == ("300", "300", "0", "filled")
    assert (working["filled"], working["open"], working["status"]) == ("0", "100", "new")
    assert len(rows.children) == 4 and len(rows.fills) == 6
    assert {child["status"] for child in rows.children.values() if child["parent"] == done["id"]} == {"filled"}
    assert {fill["price"] for fill in rows.fills.values()} == {"221.04"}
    assert rows.seq == len(day) == events_per_parent() + 6


def test_a_sub_penny_price_is_shown_exactly(day: list[Recorded]) -> None:
    (first,) = [r for r in day if isinstance(r.event, co.Created)][:1]
    odd = first.event.model_copy(update={"limit_price_e9": 221_040_000_001})
    state = DeskState()
    child = state.apply(first.stream, odd, first.meta, seq=1)
    assert child_row(child)["limit_px"] == "221.040000001"


def test_an_order_that_is_over_has_its_summary(day: list[Recorded]) -> None:
    rows, _ = fold(day)
    done, working = rows.parents.values()
    assert done["finished"] and done["summary"]["filled"] == 300
    assert done["summary"]["is_bps"] == pytest.approx((221.04 / 221.02 - 1) * 10_000)
    assert "summary" not in working


def test_every_event_of_an_order_changes_its_row_and_the_last_change_is_the_row(day: list[Recorded]) -> None:
    rows, changes = fold(day)
    last = {(change.table, change.row["id"]): change.row for change in changes}
    assert last == {
        **{("parents", key): row for key, row in rows.parents.items()},
        **{("children", key): row for key, row in rows.children.items()},
        **{("fills", key): row for key, row in rows.fills.items()},
    }


def test_a_refused_order_has_a_row_with_the_reason(day: list[Recorded]) -> None:
    refused = po.Rejected(
        client_session="OMS", trade_date="2012-06-21", cl_ord_id="BAD-1", order_id="X", symbol="NONE", side=Side.BUY,
        quantity_e9=0, reason=Reason.UNKNOWN_SYMBOL, text="symbol 'NONE' is not in the instrument table",
    )  # fmt: skip
    rows = Projections()
    first = day[0]
    (change,) = rows.apply(first._replace(event=refused))
    assert change.row["status"] == "rejected" and "instrument table" in change.row["text"]
    assert rows.snapshot()["parents"] == [change.row]


def test_a_snapshot_is_bounded(day: list[Recorded]) -> None:
    rows, _ = fold(day)
    snapshot = rows.snapshot(fills_max=2, children_max=1)
    assert len(snapshot["fills"]) == 2 and len(snapshot["children"]) == 1
    assert snapshot["fills"][-1] == list(rows.fills.values())[-1], "the latest"


def test_one_parent_with_all_that_belongs_to_it(day: list[Recorded]) -> None:
    rows, _ = fold(day)
    done = next(iter(rows.parents))
    found = rows.of_parent(done)
    assert found is not None
    assert len(found["children"]) == 3 and len(found["fills"]) == 6
    assert rows.of_parent("nobody") is None


def test_rows_do_not_depend_on_where_the_reader_began_to_look(day: list[Recorded]) -> None:
    whole, _ = fold(day)
    pieces = Projections()
    for event in day[:7]:
        pieces.apply(event)
    for event in day[7:]:
        pieces.apply(event)
    assert pieces.snapshot() == whole.snapshot()
