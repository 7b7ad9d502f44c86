"""The tables: what a made day leaves in them, that they agree with the state, and that another fold gives the same."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from domain.event import Recorded
from domain.parent_order import ParentOrder
from domain.values import E9, from_e9
from ems.bench.made_day import MadeDay
from ems.desk_state import DeskState
from ems.read_models.ladder import levels
from ems.read_models.models import FOLDED, ReadModels
from ems.read_models.table import decimal


async def day(finished: int = 3) -> list[Recorded]:
    log = MemoryEventLog(TOPICS, WallClock())
    for turn in MadeDay(finished=finished, working=2).turns(DeskState()):
        await log.append(turn.entries)
    return [recorded async for page in log.read_pages() for recorded in page]


def rows(models: ReadModels, topic: str) -> list[dict[str, object]]:
    table = models.tables[topic]
    return [row for key in table.ids() if (row := table.named(key)) is not None]


async def test_orders_children_and_fills_add_up() -> None:
    models = ReadModels("desk", FOLDED)
    for recorded in await day():
        models.apply(recorded)
    parents, children, fills = (rows(models, topic) for topic in ("parents", "children", "fills"))
    for parent in parents:
        own = [Decimal(str(fill["quantity"])) for fill in fills if fill["parent"] == parent["id"]]
        assert Decimal(str(parent["filled"])) == sum(own)
        assert parent["children"] == sum(child["parent"] == parent["id"] for child in children)
        assert (parent["client"], parent["desk"]) == ("OMS", "desk")
    assert [row["status"] for row in parents].count("filled") == 3 == len(rows(models, "tca"))
    for row in rows(models, "tca"):
        (parent,) = [parent for parent in parents if parent["id"] == row["id"]]
        assert row["filled"] == parent["filled"] and row["avg_px"] == parent["avg_px"]


async def test_a_row_that_is_looked_at_on_the_way_ends_as_one_that_is_not() -> None:
    events = await day()
    looked, not_looked = ReadModels("desk", FOLDED), ReadModels("desk", FOLDED)
    for recorded in events:
        not_looked.apply(recorded)
        for table in looked.apply(recorded):
            for key in table.take():
                table.encoded(key)
    for topic, table in looked.tables.items():
        assert rows(looked, topic) == rows(not_looked, topic)
        assert {key: table.row(key) for key in table.ids()} == {key: not_looked.tables[topic].row(key) for key in table.ids()}


async def test_the_schedule_moves_on_with_the_clock_alone() -> None:
    models = ReadModels("desk", FOLDED)
    for recorded in await day(finished=0):
        models.apply(recorded)
    working = [one for one in models.world.state.parents.values() if isinstance(one, ParentOrder) and one.schedule is not None]
    assert working
    begin = sorted({piece.start_ns for parent in working if parent.schedule is not None for piece in parent.schedule.slices})
    for now_ns in begin:
        models.tick(now_ns)
        for parent in working:
            assert parent.schedule is not None
            row = models.tables["parents"].named(parent.id)
            target = min(100.0, 100 * parent.schedule.target_e9(now_ns) / parent.terms.quantity_e9)
            assert row is not None and row["done"][1] == round(target, 2)


async def test_the_ladder_is_the_touch_and_our_own_levels() -> None:
    models = ReadModels("desk", FOLDED)
    for recorded in await day():
        models.apply(recorded)
    live = list(models.world.state.live_children())
    assert live
    symbol, side = live[0].instrument, live[0].side.value
    found = levels({symbol: [1 * E9, 100 * E9, 2 * E9, None, None]}, live)
    own = [row for row in found if row["orders"]]
    assert sum(Decimal(row["own"]) for row in own) == from_e9(sum(child.leaves_e9 for child in live))
    assert {row["side"] for row in own} == {side}
    touch = {row["side"]: (row["price"], row["size"]) for row in found if row["touch"]}
    assert touch == {"buy": ("1", "100"), "sell": ("2", None)}


@given(st.integers(-(2**70), 2**70))
def test_decimal_text_is_exact(value_e9: int) -> None:
    text = decimal(value_e9)
    assert text is not None and Decimal(text) == from_e9(value_e9) and "e" not in text.lower()
