"""The rules by which a recorded tape and our orders share one book, one test a rule."""

from __future__ import annotations

from typing import Any

from domain.ports_market import ORDER_ID_MIN, Execution, VenueOrder
from domain.tape import FLAG_BY_LEVEL, FLAG_HALF_TICK, FLAG_QUEUE, FLAG_UNCOVERED, Kind, empty_tape, tape_of
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow

OURS = ORDER_ID_MIN + 1


class Scene:
    """A market and a short way to tell it what the tape says."""

    def __init__(self) -> None:
        self.market = ContinuousMarket(RecordedFlow(empty_tape()), window=200, capacity=64)

    def tape(self, kind: Kind, order_id: int, side: int, price: int, size: int, flags: int = 0) -> list[tuple[int, int, int]]:
        return _short(self.market.apply(tape_of([(5, 5, order_id, price, size, 0, flags, kind, side)])))

    def own(self, side: int, price: int, size: int, order_id: int = OURS) -> list[tuple[int, int, int]]:
        return _short(self.market.submit(VenueOrder(order_id, side, size, price), 5).executions)

    def count(self, name: str) -> int:
        return self.market.counters()[name]


def _short(executions: list[Execution]) -> list[tuple[int, int, int]]:
    return [(e.order_id - ORDER_ID_MIN, e.price_ticks, e.quantity_lots) for e in executions]


def scene(*events: tuple[Any, ...]) -> Scene:
    s = Scene()
    for event in events:
        s.tape(*event)
    return s


def test_our_order_waits_behind_what_was_displayed_before_it() -> None:
    s = scene((Kind.ADD, 1, 1, 100, 10))
    s.own(1, 100, 5)
    s.tape(Kind.ADD, 2, 1, 100, 10)
    assert s.tape(Kind.EXECUTE, 1, 1, 100, 10) == [], "the order ahead was executed"
    assert s.tape(Kind.EXECUTE, 2, 1, 100, 3) == [(1, 100, 3)], "we are ahead of order 2"
    assert s.tape(Kind.EXECUTE, 2, 1, 100, 7) == [(1, 100, 2)]
    assert s.count("displaced_lots") == 5
    assert s.market.top().bid_lots == 0, "the recorded order left as recorded"
    assert s.market.top().volume_lots == 20, "volume is what was recorded: our fills were part of it"


def test_a_cancel_ahead_moves_us_up_one_behind_does_not() -> None:
    s = scene((Kind.ADD, 1, -1, 100, 10))
    s.own(-1, 100, 5)
    s.tape(Kind.ADD, 2, -1, 100, 10)
    s.tape(Kind.CANCEL, 2, -1, 100, 4)
    assert s.tape(Kind.EXECUTE, 1, -1, 100, 1) == []
    s.tape(Kind.CANCEL, 1, -1, 100, 9)
    assert s.tape(Kind.EXECUTE, 2, -1, 100, 6) == [(1, 100, 5)]


def test_a_recorded_execution_reaches_our_better_price_first() -> None:
    s = scene((Kind.ADD, 1, 1, 100, 10))
    s.own(1, 101, 4)
    assert s.tape(Kind.EXECUTE, 1, 1, 100, 10) == [(1, 101, 4)]
    top = s.market.top()
    assert top.volume_lots == 10 and top.notional_half_ticks == 2 * (4 * 101 + 6 * 100)


def test_recorded_orders_that_cross_ours_trade_at_our_price() -> None:
    s = scene((Kind.ADD, 1, 1, 100, 10))
    s.own(1, 105, 4)
    assert s.tape(Kind.ADD, 2, -1, 103, 10) == [(1, 105, 4)]
    top = s.market.top()
    assert (top.bid_ticks, top.ask_ticks, top.ask_lots) == (100, 103, 6)
    s.tape(Kind.CANCEL, 2, -1, 103, 10)
    assert s.count("taken_short_lots") == 4, "of the recorded cancel, four lots had been traded with us"
    assert s.market.top().ask_lots == 0


def test_what_we_take_is_gone_until_the_tape_replaces_it() -> None:
    s = scene((Kind.ADD, 1, -1, 100, 10), (Kind.ADD, 2, -1, 101, 10))
    assert s.own(1, 100, 7) == [(1, 100, 7)]
    assert s.market.top().ask_lots == 3
    s.tape(Kind.EXECUTE, 1, -1, 100, 5)
    assert s.count("taken_short_lots") == 2
    assert (s.market.top().ask_ticks, s.market.top().ask_lots) == (101, 10)
    s.tape(Kind.EXECUTE, 1, -1, 100, 5)
    assert s.count("taken_short_lots") == 7 and s.count("unknown") == 0, "a ghost is known to the end"
    s.tape(Kind.EXECUTE, 1, -1, 100, 1)
    assert s.count("unknown") == 1
    s.tape(Kind.ADD, 3, -1, 100, 2)
    assert (s.market.top().ask_ticks, s.market.top().ask_lots) == (100, 2)


def test_levels_grow_behind_us_and_shrink_from_the_young_end() -> None:
    s = scene((Kind.LEVEL, 0, 1, 100, 10))
    s.own(1, 100, 5)
    s.tape(Kind.LEVEL, 0, 1, 100, 30)
    s.tape(Kind.LEVEL, 0, 1, 100, 12)
    assert s.market.top().bid_lots == 17
    assert s.tape(Kind.TRADE, 0, 1, 100, 12, FLAG_QUEUE) == [(1, 100, 2)], "ten were ahead of us"
    assert s.tape(Kind.TRADE, 0, 1, 100, 5, FLAG_QUEUE) == [(1, 100, 3)]
    assert s.market.top().bid_lots == 0


def test_an_uncovered_level_stands_ahead_of_us() -> None:
    s = Scene()
    s.own(1, 100, 5)
    s.tape(Kind.LEVEL, 0, 1, 100, 10, FLAG_UNCOVERED)
    assert s.tape(Kind.TRADE, 0, 1, 100, 10, FLAG_QUEUE) == []
    assert s.tape(Kind.TRADE, 0, 1, 100, 10, FLAG_QUEUE) == [(1, 100, 5)]


def test_a_level_that_crosses_us_trades_and_shows_the_rest() -> None:
    s = Scene()
    s.own(-1, 100, 5)
    assert s.tape(Kind.LEVEL, 0, 1, 102, 8) == [(1, 100, 5)]
    assert (s.market.top().bid_ticks, s.market.top().bid_lots, s.market.top().ask_lots) == (102, 3, 0)
    s.tape(Kind.LEVEL, 0, 1, 102, 8)
    assert s.market.top().bid_lots == 3, "an unchanged level replaces nothing"
    s.tape(Kind.LEVEL, 0, 1, 102, 9)
    assert s.market.top().bid_lots == 4


def test_hidden_executions_fill_better_prices_and_undisplayed_queues_only() -> None:
    s = scene((Kind.ADD, 1, 1, 100, 10))
    s.own(1, 100, 5)
    assert s.tape(Kind.TRADE, 0, 1, 100, 9) == [], "display stands ahead of us"
    assert s.tape(Kind.TRADE, 0, 1, 99, 3) == [(1, 100, 3)], "the print was worse than our price"
    s.own(1, 101, 4, OURS + 1)
    assert s.tape(Kind.TRADE, 0, 1, 101, 9, FLAG_HALF_TICK) == [], "101.5 is better than our 101"
    assert s.tape(Kind.TRADE, 0, 1, 101, 1) == [(2, 101, 1)]
    assert s.market.top().last_half_ticks == 202


def test_a_half_tick_print_counts_exactly() -> None:
    s = Scene()
    s.tape(Kind.TRADE, 0, -1, 100, 3, FLAG_HALF_TICK)
    assert (s.market.top().last_half_ticks, s.market.top().notional_half_ticks) == (201, 603)


def test_an_unknown_id_comes_out_of_the_nameless_display() -> None:
    s = scene((Kind.LEVEL, 0, -1, 100, 10))
    s.tape(Kind.EXECUTE, 77, -1, 100, 4)
    assert s.market.top().ask_lots == 6 and s.count("unknown") == 0
    s.tape(Kind.CANCEL, 78, -1, 120, 4)
    assert s.count("unknown") == 1
    s.tape(Kind.ADD, 5, -1, 110, 4)
    s.tape(Kind.CANCEL, 79, -1, 110, 3)
    assert s.market.book.levels["qty"][0, 1, 110] == 4 and s.count("unknown") == 2, "nobody else pays for a wrong id"
    s.tape(Kind.CANCEL, 79, -1, 110, 3, FLAG_BY_LEVEL)
    assert s.market.book.levels["qty"][0, 1, 110] == 1 and s.count("unknown") == 2, "unless the level's total is certain"


def test_modify_keeps_or_loses_the_place() -> None:
    s = scene((Kind.ADD, 1, 1, 100, 10))
    s.own(1, 100, 5)
    s.tape(Kind.MODIFY, 1, 0, 100, 6)
    assert s.tape(Kind.EXECUTE, 1, 1, 100, 1) == []
    s.tape(Kind.MODIFY, 1, 0, 100, 9)
    assert s.tape(Kind.EXECUTE, 1, 1, 100, 1) == [(1, 100, 1)]


def test_clear_and_status() -> None:
    s = scene((Kind.ADD, 1, 1, 100, 10), (Kind.LEVEL, 0, -1, 110, 10))
    s.own(1, 99, 5)
    s.tape(Kind.CLEAR, 0, 0, 0, 0)
    top = s.market.top()
    assert (top.bid_ticks, top.bid_lots, top.ask_lots) == (99, 5, 0)
    s.tape(Kind.STATUS, 0, 0, 0, 1)
    assert s.market.halted
