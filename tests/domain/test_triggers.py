"""The kill switch's triggers: one unit inside, on and beyond each threshold; what is missing suspends and never more."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.trigger_table import BY_METRIC
from domain.triggers import Clear, Metric, Sample, Suspend, Trip, held
from domain.values import E9, ScopeKind
from tests.domain.triggering import CAPITAL_E9, DESK, NOW, Latch, trigger

# ------------------------------------------------------------------------------------------- thresholds

P99_UNIT, IC_UNIT = math.ulp(5.0), math.ulp(1e-300)
EDGES = [
    (Metric.DAILY_PNL, -CAPITAL_E9 * 2 // 100, -1, Level.HARD),
    (Metric.DRAWDOWN, -CAPITAL_E9 * 5 // 100, -1, Level.PANIC),
    (Metric.POSITION, 0, 1, Level.PANIC),
    (Metric.INTERNAL_ERRORS, 10, 1, Level.HARD),
    (Metric.TICK_TO_QUOTE, 5.0, P99_UNIT, Level.SOFT),
    (Metric.INFORMATION_COEFFICIENT, 0.0, -IC_UNIT, Level.SOFT),
]


def test_every_trigger_has_its_edge_here() -> None:
    assert {edge[0] for edge in EDGES} == set(Metric) == set(BY_METRIC)


@pytest.mark.parametrize(("metric", "threshold", "unit", "level"), EDGES, ids=[edge[0] for edge in EDGES])
def test_one_unit_inside_and_on_the_threshold_it_does_not_trip_and_one_beyond_it_does(
    metric: Metric, threshold: float, unit: float, level: Level
) -> None:
    latch = Latch(trigger(metric))
    assert latch.look(threshold - unit) == []
    assert latch.look(threshold) == []
    assert latch.level() is Level.ARMED
    (tripped,) = latch.look(threshold + unit)
    assert isinstance(tripped, Trip)
    assert (tripped.scope, tripped.level) == (FIRM, level)
    assert tripped.reason.startswith(f"{metric}: ")
    assert latch.look(threshold + unit) == [], "it has tripped"


def test_a_zero_threshold_trips_on_the_side_that_it_says() -> None:
    """The sketch in the specification took the side from the sign of the threshold: at 0.0 it never fired."""
    latch = Latch(trigger(Metric.INFORMATION_COEFFICIENT))
    assert latch.look(0.5) == []
    assert latch.look(-0.001) != []


def test_the_highest_level_of_a_scope_wins_and_says_all_of_it() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL), trigger(Metric.DRAWDOWN), trigger(Metric.INTERNAL_ERRORS, DESK))
    found = latch.look(-CAPITAL_E9 * 6 // 100, -CAPITAL_E9 * 6 // 100, 11)
    assert [(a.scope, a.level) for a in found if isinstance(a, Trip)] == [(FIRM, Level.PANIC), (DESK, Level.HARD)]
    assert isinstance(found[0], Trip)
    assert "daily_pnl: -6 %" in found[0].reason and "drawdown: -6 %" in found[0].reason
    latch.rearm()
    assert latch.look(-CAPITAL_E9 * 6 // 100, -CAPITAL_E9 * 6 // 100, 11) == [], "two people have seen both"


def test_a_scope_that_is_at_a_higher_level_already_hears_of_a_lower_one_when_it_is_armed_again() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.slots[FIRM] = Slot(FIRM, Level.PANIC, trip=7)
    assert latch.look(-CAPITAL_E9 * 3 // 100) == []
    latch.rearm()
    assert [type(a) for a in latch.look(-CAPITAL_E9 * 3 // 100)] == [Trip]


# ------------------------------------------------------------------------------------------- hysteresis


def pct(share: float) -> int:
    return round(CAPITAL_E9 * share / 100)


def test_armed_again_it_trips_anew_a_step_beyond_the_worst_that_was_seen() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    assert latch.look(pct(-2.1)) != []
    assert latch.look(pct(-3.0)) == []
    latch.rearm()
    assert latch.look(pct(-2.9)) == []
    assert latch.look(pct(-3.0)) == []
    assert latch.look(pct(-3.5) + 1) == []
    assert [type(a) for a in latch.look(pct(-3.5))] == [Trip]


def test_armed_again_it_trips_anew_at_the_threshold_once_it_has_been_back_inside_by_a_step() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.look(pct(-2.1))
    latch.rearm()
    assert latch.look(pct(-1.51)) == []
    assert latch.look(pct(-2.1)) == [], "it trembles about the threshold"
    assert latch.look(pct(-1.5)) == []
    assert [type(a) for a in latch.look(pct(-2.0) - 1)] == [Trip]


def test_a_watchdog_that_is_started_anew_knows_its_trips_in_force() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.slots[FIRM] = Slot(FIRM, Level.HARD, trip=7)
    latch.standings = dict(held(latch.triggers, {FIRM: "daily_pnl: -2.1 %"}))
    assert latch.look(pct(-2.3)) == []
    latch.rearm()
    assert latch.look(pct(-2.3)) == []
    assert [type(a) for a in latch.look(pct(-2.8))] == [Trip]


def test_what_somebody_else_tripped_is_no_trip_of_its_own() -> None:
    assert held([trigger(Metric.DAILY_PNL)], {FIRM: "drawdown: -6 %"}) == {}


# -------------------------------------------------------------------------------------- what is missing

MISSING: dict[str, Callable[[int], Sample | None]] = {
    "missing": lambda _: None,
    "not known": lambda now_ns: Sample(None, now_ns, 10_000, CAPITAL_E9),
    "not a number": lambda now_ns: Sample(math.nan, now_ns, 10_000, CAPITAL_E9),
    "endless": lambda now_ns: Sample(-math.inf, now_ns, 10_000, CAPITAL_E9),
    "old": lambda now_ns: Sample(-(10**30), now_ns - 61 * E9, 10_000, CAPITAL_E9),
    "of the future": lambda now_ns: Sample(-(10**30), now_ns + 190 * E9, 10_000, CAPITAL_E9),
}


@pytest.mark.parametrize("metric", list(Metric))
@pytest.mark.parametrize("bad_at", MISSING.values(), ids=MISSING.keys())
def test_a_required_metric_that_is_bad_suspends_and_clears_by_itself(
    metric: Metric, bad_at: Callable[[int], Sample | None]
) -> None:
    latch = Latch(trigger(metric))
    good, bad = 0, bad_at(NOW)  # 0 is inside every threshold or on it
    (suspended,) = latch.look(bad)
    assert suspended == Suspend(FIRM, Source.METRIC, suspended.reason)  # type: ignore[union-attr]
    assert latch.level() is Level.SUSPENDED
    assert latch.look(bad) == [], "said once"
    assert latch.look(good) == []
    assert latch.look(good, wait_s=1.9) == [], "not back for long enough"
    assert latch.look(good, wait_s=0.1) == [Clear(FIRM, Source.METRIC)]
    assert latch.level() is Level.ARMED


def test_one_that_comes_and_goes_stays_suspended() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.look(None)
    for _ in range(5):
        assert latch.look(0, wait_s=1.9) == []
        assert latch.look(None) == []
    assert latch.level() is Level.SUSPENDED


def test_one_that_is_not_required_may_be_missing_and_is_judged_where_it_is_there() -> None:
    latch = Latch(trigger(Metric.TICK_TO_QUOTE, required=False))
    assert latch.look(None) == []
    assert latch.look(math.nan) == []
    assert [type(a) for a in latch.look(6.0)] == [Trip]


def test_age_is_good_up_to_its_most() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    assert latch.look(latch.sample(0, age_s=9.8)) == []  # 10 s old when it is looked at
    (suspended,) = latch.look(latch.sample(0, age_s=9.800000001))
    assert isinstance(suspended, Suspend) and "10.0 s old" in suspended.reason


def test_no_stated_capital_is_a_bad_metric() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    for capital_e9 in (None, 0, -1):
        latch.slots.clear()
        latch.standings.clear()
        (suspended,) = latch.look(Sample(-(10**30), latch.now_ns, 1, capital_e9))
        assert suspended == Suspend(FIRM, Source.METRIC, "daily_pnl: no capital is stated")


@pytest.mark.parametrize(("metric", "enough"), [(Metric.TICK_TO_QUOTE, 1_000), (Metric.INFORMATION_COEFFICIENT, 100)])
def test_before_it_is_warm_a_required_metric_suspends_and_is_not_judged(metric: Metric, enough: int) -> None:
    latch = Latch(trigger(metric))
    awful = 99.0 if metric is Metric.TICK_TO_QUOTE else -0.9
    (suspended,) = latch.look(latch.sample(awful, size=enough - 1))
    assert isinstance(suspended, Suspend) and suspended.source is Source.WARM_UP
    assert [type(a) for a in latch.look(latch.sample(awful, size=enough))] == [Trip]
    assert [type(a) for a in latch.look(latch.sample(awful, size=enough), wait_s=2)] == [Clear]


def test_what_never_came_is_waited_for_while_processes_start() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.began_ns = latch.now_ns
    assert latch.look(None, wait_s=20) == []
    assert [type(a) for a in latch.look(None)] == [Suspend]


def test_a_watchdog_that_is_started_anew_takes_over_what_it_suspended() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.slots[FIRM] = Slot(FIRM, suspended=Source.METRIC | Source.LOG)
    gone = Scope(ScopeKind.ACCOUNT, "GONE")
    latch.slots[gone] = Slot(gone, suspended=Source.WARM_UP)
    assert latch.look(0) == [Clear(gone, Source.WARM_UP)], "of what nothing is measured any more"
    assert latch.look(0, wait_s=2) == [Clear(FIRM, Source.METRIC)]
    assert latch.slots[FIRM].suspended is Source.LOG, "others' sources are theirs"


def test_two_metrics_that_are_missing_suspend_a_scope_once_and_it_clears_with_the_last() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL), trigger(Metric.DRAWDOWN))
    (suspended,) = latch.look(None, None)
    assert isinstance(suspended, Suspend)
    assert suspended.reason == "daily_pnl: it is missing; drawdown: it is missing"
    assert latch.look(0, None) == []
    assert latch.look(0, None, wait_s=3) == []
    assert latch.look(0, 0) == []
    assert latch.look(0, 0, wait_s=2) == [Clear(FIRM, Source.METRIC)]


def test_a_scope_that_has_tripped_keeps_its_level_while_a_metric_is_missing() -> None:
    latch = Latch(trigger(Metric.DAILY_PNL))
    latch.look(pct(-2.1))
    latch.look(None)
    assert latch.slots[FIRM].level is Level.HARD
    latch.look(0)
    latch.look(0, wait_s=2)
    assert (latch.slots[FIRM].level, latch.slots[FIRM].suspended) == (Level.HARD, Source(0))


BAD = st.sampled_from(list(MISSING.values()))
CAPITALS = st.sampled_from([None, 0, -1])


@given(
    st.lists(st.tuples(*[BAD for _ in Metric]), min_size=1, max_size=20),
    st.lists(st.floats(0.1, 100), min_size=20, max_size=20),
    CAPITALS,
    st.booleans(),
)
def test_no_sequence_of_missing_data_goes_beyond_suspended(
    looks: Iterable[tuple[Callable[[int], Sample | None], ...]], waits_s: list[float], capital_e9: int | None, required: bool
) -> None:
    """However old, however wrong, in whatever order: nothing trips, and nothing flattens."""
    latch = Latch(*(trigger(metric, required=required) for metric in Metric))
    for look, wait_s in zip(looks, waits_s, strict=False):
        bad = [bad_at(latch.now_ns) for bad_at in look]
        actions = latch.look(*bad, wait_s=wait_s)
        assert not [action for action in actions if isinstance(action, Trip)]
        assert latch.level() <= Level.SUSPENDED
        capitalless = Sample(-(10**30), latch.now_ns, 1, capital_e9)
        latch.look(capitalless, capitalless, *bad[2:])
        assert latch.level() <= Level.SUSPENDED
    assert latch.level() is (Level.SUSPENDED if required else Level.ARMED)
