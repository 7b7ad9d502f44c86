"""What a kind of order is under is kept, and looked up anew as soon as anything that it rests on says something else."""

from __future__ import annotations

from dataclasses import replace

from domain import child_order as co
from domain.risk import (
    Check,
    Mark,
    Marked,
    Outcome,
    StrategyDisabled,
    StrategyEnabled,
    check_key,
    checked_order,
    day_key,
    strategy_key,
)
from domain.risk_data import Restriction, RiskFacts
from domain.values import E9, ScopeKind, Side, stream_id
from tests.domain.orders import ABC, DAY, NOW_NS
from tests.ems.risk_scene import KNOWN, Scene, order


def outcome(scene: Scene, check: Check, facts: RiskFacts = KNOWN, **of: object) -> Outcome:
    (found,) = [v for v in scene.judged(order(), data=facts, **of).verdicts if v.check is check]
    return found.outcome


def halted(from_s: int, until_s: int) -> RiskFacts:
    return replace(KNOWN, halts=(Restriction("ABC", NOW_NS + from_s * E9, NOW_NS + until_s * E9),))


def test_a_halt_holds_from_its_beginning_to_its_end_whatever_was_kept_before() -> None:
    scene, facts = Scene().marked().limited(Check.HALT, 0, "flag"), halted(10, 20)
    seen = []
    for second in (0, 9, 10, 19, 20, 15, 5):  # a clock may go back, too
        scene.now_ns = NOW_NS + second * E9
        seen.append(outcome(scene, Check.HALT, facts) is Outcome.PASS)
    assert seen == [True, True, False, False, True, False, True]


def test_other_facts_are_asked_at_once() -> None:
    scene = Scene().marked().limited(Check.RESTRICTED, 0, "flag").limited(Check.ADV_SHARE, E9 // 100, "fraction")
    assert outcome(scene, Check.RESTRICTED) is outcome(scene, Check.ADV_SHARE) is Outcome.PASS
    listed = replace(KNOWN, restrictions=(Restriction("ABC", 0, None),), adv={"ABC": 9_999 * E9})
    assert outcome(scene, Check.RESTRICTED, listed) is outcome(scene, Check.ADV_SHARE, listed) is Outcome.HARD
    unknown = replace(KNOWN, restrictions=None, adv={})
    assert outcome(scene, Check.RESTRICTED, unknown) is outcome(scene, Check.ADV_SHARE, unknown) is Outcome.MISSING


def test_a_strategy_that_is_disabled_is_seen_and_enabled_again_too() -> None:
    scene = Scene().marked()
    assert outcome(scene, Check.STRATEGY) is Outcome.PASS
    scene.apply(strategy_key("twap"), StrategyDisabled(strategy="twap", check=Check.CHILD_SUM, text="too much"))
    assert outcome(scene, Check.STRATEGY) is Outcome.HARD
    scene.apply(strategy_key("twap"), StrategyEnabled(strategy="twap", reason="fixed"))
    assert outcome(scene, Check.STRATEGY) is Outcome.PASS


def test_another_day_and_another_table_of_ticks_and_lots_are_another_binding() -> None:
    scene = Scene().marked()
    assert {outcome(scene, check) for check in (Check.SESSION, Check.LOT)} == {Outcome.PASS}
    assert outcome(scene, Check.SESSION, day=replace(DAY, close_ns=NOW_NS)) is Outcome.HARD
    assert outcome(scene, Check.LOT, instrument=ABC.model_copy(update={"lot_e9": 7 * E9})) is Outcome.HARD
    assert outcome(scene, Check.SESSION, day=None) is Outcome.MISSING
    assert {outcome(scene, check) for check in (Check.SESSION, Check.LOT)} == {Outcome.PASS}


def test_what_is_reserved_is_the_same_whether_its_row_was_asked_for_before_or_after() -> None:
    early, late = Scene().marked(), Scene().marked()
    scope = (ScopeKind.ACCOUNT, "ACC")
    first = early.state.risk.totals.row(scope, "ABC")
    for scene in (early, late):
        scene.working(50, filled=30).working(10, price=120, side=Side.SELL)
        scene.state.risk.totals.settle()
        scene.apply(day_key(DAY.trade_date), Marked(trade_date=DAY.trade_date, marks=(Mark("ABC", 90 * E9, 2 * E9),)))
        scene.apply(next(reversed(scene.state.children)), co.Canceled(text="test"))
        scene.state.risk.totals.settle()
    second = late.state.risk.totals.row(scope, "ABC")
    assert (first.position_e9, first.buying_e9, first.selling_e9) == (30 * E9, 20 * E9, 0)
    assert (second.position_e9, second.buying_e9, second.selling_e9) == (30 * E9, 20 * E9, 0)
    for money in (scene.state.risk.totals.money(scope) for scene in (early, late)):
        assert (money.gross_e9, money.buying_e9, money.selling_e9) == (30 * 90 * 2 * E9, 20 * 100 * 2 * E9, 0)


def test_the_order_behind_a_stream_of_verdicts_is_told_from_its_id() -> None:
    one = stream_id("test", "1")
    assert checked_order(check_key(one)) == one
    assert checked_order(one) is None
