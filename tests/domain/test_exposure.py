"""What is held, reserved, won and lost, from the events of orders and fills."""

from __future__ import annotations

from typing import Any

import pytest

from domain import child_order as co
from domain import parent_order as po
from domain.exposure_totals import Money, Row
from domain.instructions import Instructions
from domain.price_levels import PriceLevels
from domain.risk import Mark, Marked, PositionOpened, day_key
from domain.values import E9, OrdType, ScopeKind, Side, TimeInForce, stream_id
from tests.domain.orders import DAY
from tests.ems.risk_scene import Scene

FIRM = (ScopeKind.FIRM, "")
ACCOUNT = (ScopeKind.ACCOUNT, "ACC")
CHILD = co.key(po.key("OMS", DAY.trade_date, "P1"), 1)


def row(scene: Scene) -> tuple[int, int, int]:
    """Held, reserved to buy, reserved to sell, in whole units."""
    scene.state.risk.totals.settle()
    found: Row = scene.state.risk.totals.row(ACCOUNT, "ABC")
    return found.position_e9 // E9, found.buying_e9 // E9, found.selling_e9 // E9


def money(scene: Scene) -> Money:
    scene.state.risk.totals.settle()
    return scene.state.risk.totals.money(FIRM)


def replace(quantity: int, price: int) -> co.ReplaceRequested:
    return co.ReplaceRequested(
        cl_ord_id="R", quantity_e9=quantity * E9, ord_type=OrdType.LIMIT, limit_price_e9=price * E9,
        time_in_force=TimeInForce.DAY, instructions=Instructions(),
    )  # fmt: skip


def replaced(quantity: int, price: int) -> co.Replaced:
    return co.Replaced(cl_ord_id="R", orig_cl_ord_id="C", quantity_e9=quantity * E9, limit_price_e9=price * E9)


ACK = co.Acknowledged(order_id="V")
STEPS: list[tuple[list[Any], int, int]] = [
    # what happens to an order for 100 at 100 of which 30 are filled       open   its price
    ([], 70, 100),
    ([ACK, co.Doubted(reason="silence")], 70, 100),
    ([ACK, co.CancelRequested(cl_ord_id="X", reason="")], 70, 100),
    ([ACK, co.CancelRequested(cl_ord_id="X", reason=""), co.Canceled(text="")], 0, 0),
    ([ACK, co.Doubted(reason="silence"), co.ProvedUnknown(text="")], 0, 0),
    ([ACK, co.DoneForDay(text="")], 0, 0),
    ([ACK, co.Expired(text="")], 0, 0),
    ([ACK, replace(200, 102)], 170, 102),
    ([ACK, replace(50, 98)], 70, 100),
    ([ACK, replace(200, 102), co.ReplaceRefused(reason=0, text="")], 70, 100),
    ([ACK, replace(50, 98), replaced(50, 98)], 20, 98),
    (
        [ACK, replace(200, 102), co.Filled(fill=stream_id("test", "8"), exec_id="F", quantity_e9=70 * E9, price_e9=100 * E9)],
        100,
        102,
    ),
    ([ACK, replace(200, 102), co.Canceled(text="")], 0, 0),
]


@pytest.mark.parametrize(("events", "left", "price"), STEPS)
def test_what_may_still_trade_is_reserved_at_the_worst_price(events: list[Any], left: int, price: int) -> None:
    scene = Scene().marked().working(100, filled=30)
    for event in events:
        scene.apply(CHILD, event)
    assert scene.state.risk.exposure.reserved(CHILD) == (left * E9, price * E9)
    assert row(scene)[1] == left
    assert money(scene).buying_e9 == left * price * E9


def restated(now: int, price: int) -> co.FillRestated:
    return co.FillRestated(
        fill=stream_id("test", "9"), kind="correct" if now else "cancel", exec_id="B", exec_ref_id="E", quantity_e9=now * E9,
        price_e9=price * E9, previous_quantity_e9=40 * E9, previous_price_e9=110 * E9,
    )  # fmt: skip


def test_a_bust_and_a_correction_restate_what_was_made_of_it() -> None:
    scene = Scene().marked(105).working(100, filled=100).working(40, price=110, side=Side.SELL, filled=40)
    totals, sale = scene.state.risk.totals, co.key(po.key("OMS", DAY.trade_date, "P2"), 1)
    assert row(scene) == (60, 0, 0)
    assert totals.realised_e9(*FIRM, "ABC") == 400 * E9
    assert money(scene).pnl_e9 == (400 + 60 * 5) * E9
    scene.apply(sale, restated(20, 108))
    assert (row(scene), totals.realised_e9(*FIRM, "ABC")) == ((80, 0, 20), 160 * E9)
    assert money(scene).pnl_e9 == (160 + 80 * 5) * E9


def test_a_busted_fill_is_held_no_more_and_its_order_works_again() -> None:
    scene = Scene().marked(105).working(100, filled=100).working(40, price=110, side=Side.SELL, filled=40)
    scene.apply(co.key(po.key("OMS", DAY.trade_date, "P2"), 1), restated(0, 0))
    assert (row(scene), scene.state.risk.totals.realised_e9(*FIRM, "ABC")) == ((100, 0, 40), 0)


def test_the_best_of_the_day_is_kept_and_a_new_day_begins_at_nothing() -> None:
    scene = Scene().marked().working(100, filled=100).marked(110).marked(95)
    assert (money(scene).pnl_e9, money(scene).peak_e9) == (-500 * E9, 1000 * E9)
    scene.apply(day_key("2026-03-03"), Marked(trade_date="2026-03-03", marks=(Mark("ABC", 96 * E9, E9),)))
    assert (row(scene)[0], money(scene).pnl_e9, money(scene).peak_e9) == (100, 100 * E9, 100 * E9)
    opened = PositionOpened(trade_date="2026-03-03", account="ACC", instrument="ABC", quantity_e9=150 * E9)
    scene.apply(day_key("2026-03-03"), opened)
    assert (row(scene)[0], money(scene).pnl_e9, money(scene).gross_e9) == (150, 100 * E9, 150 * 96 * E9)


def test_what_cannot_be_valued_is_counted_as_such_until_it_can() -> None:
    scene = Scene().working(100, filled=100)
    assert money(scene).unrated == 1
    scene.marked(None)
    assert money(scene).unrated == 1
    scene.marked(100, rate_e9=2 * E9)
    assert (money(scene).unrated, money(scene).gross_e9) == (0, 20_000 * E9)


@pytest.mark.parametrize(("highest", "best"), [(True, [5, 7, 7, 7, 5]), (False, [5, 5, 5, 5, 5])])
def test_the_best_of_our_own_prices(highest: bool, best: list[int]) -> None:
    levels, seen = PriceLevels(highest=highest), []
    for change, price in ((levels.add, 5), (levels.add, 7), (levels.add, 7), (levels.remove, 7), (levels.remove, 7)):
        change(price)
        seen.append(levels.best_e9)
    assert seen == best
    levels.remove(5)
    assert levels.best_e9 is None
