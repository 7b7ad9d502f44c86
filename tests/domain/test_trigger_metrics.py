"""What the triggers measure: one unit below, on and beyond a limit on positions; losses by scope; rates, percentiles, ranks."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kill_scope import FIRM, Scope
from domain.limits import LimitRetired, key
from domain.risk import Check
from domain.trigger_metrics import (
    ErrorRate,
    Figure,
    daily_pnl,
    drawdown,
    information_coefficient,
    position_breaches,
    tick_to_quote_p99_ms,
)
from domain.values import E9, ScopeKind, Side
from tests.domain.orders import DAY
from tests.ems.risk_scene import Scene

ACCOUNT = Scope(ScopeKind.ACCOUNT, "ACC")
HELD = 500


def breaches(scene: Scene) -> dict[Scope, Figure]:
    return position_breaches(scene.state.risk, "desk", scene.now_ns)


def held(side: Side = Side.BUY) -> Scene:
    """500 held, and 400 more on their way, which do not count."""
    return Scene().marked(100).working(900, filled=HELD, side=side)


# -------------------------------------------------------------------------------------------- positions


@pytest.mark.parametrize("side", list(Side)[:2])
@pytest.mark.parametrize(("limit_e9", "beyond"), [(HELD * E9 + 1, 0), (HELD * E9, 0), (HELD * E9 - 1, 1)])
@pytest.mark.parametrize(("unit", "scale"), [("quantity", 1), ("money", 100)])
def test_a_position_one_unit_below_on_and_beyond_its_limit(side: Side, limit_e9: int, beyond: int, unit: str, scale: int) -> None:
    scene = held(side).limited(Check.POSITION, limit_e9 * scale, unit, scope=ScopeKind.ACCOUNT, scope_id="*")
    (found,) = breaches(scene).items()
    assert (found[0], found[1].value) == (ACCOUNT, beyond)
    assert not beyond or f"ABC: {HELD * scale} {unit} held" in found[1].text


def test_each_scope_has_its_own_limit_and_what_is_its_own_overrides_what_each_has() -> None:
    scene = held().limited(Check.POSITION, 1 * E9, "quantity", scope=ScopeKind.ACCOUNT, scope_id="*")
    scene.limited(Check.POSITION, 600 * E9, "quantity", scope=ScopeKind.ACCOUNT, scope_id="ACC")
    scene.limited(Check.POSITION, 100 * E9, "quantity")
    scene.limited(Check.POSITION, 100 * E9, "quantity", scope=ScopeKind.INSTRUMENT, scope_id="ABC")
    found = breaches(scene)
    assert {scope.text: figure.value for scope, figure in found.items()} == {"account:ACC": 0, "firm": 1, "instrument:ABC": 1}


def test_a_soft_limit_may_be_overridden_and_is_no_breach() -> None:
    assert breaches(held().limited(Check.POSITION, 1, "quantity", level="soft")) == {}


def test_a_limit_that_is_not_in_force_is_none() -> None:
    scene = held()
    assert breaches(scene.limited(Check.POSITION, 1, "quantity", from_ns=scene.now_ns + 1)) == {}
    scene.now_ns += 1
    assert breaches(scene)[FIRM].value == 1
    gone = LimitRetired(
        check=Check.POSITION, scope=ScopeKind.FIRM, scope_id="", applies="any", level="hard", approver="person:mary", reason="x"
    )
    scene.apply(key(Check.POSITION, ScopeKind.FIRM, "", "any", "hard"), gone)
    assert breaches(scene) == {}


def test_a_money_limit_without_a_price_cannot_be_reckoned() -> None:
    scene = Scene().working(900, filled=HELD).limited(Check.POSITION, E9, "money")
    assert breaches(scene) == {FIRM: Figure(None, "ABC has no price or no exchange rate")}
    scene.limited(Check.POSITION, 1, "quantity", applies="parent")
    assert breaches(scene)[FIRM].value == 1, "a breach that is seen counts, whatever cannot be reckoned beside it"
    flat = Scene().working(900).limited(Check.POSITION, E9, "money")
    assert breaches(flat)[FIRM].value == 0, "of nothing the price does not matter"


def test_without_limits_on_positions_there_is_nothing_to_breach() -> None:
    assert breaches(held().limited(Check.MAX_QUANTITY, 1, "quantity")) == {}


# ----------------------------------------------------------------------------------------------- losses


def test_profit_and_loss_and_its_fall_from_the_best_of_the_day() -> None:
    scene = held()
    risk = scene.state.risk
    for price, pnl, fall in ((100, 0, 0), (103, 1_500, 0), (101, 500, -1_000), (98, -1_000, -2_500), (104, 2_000, 0)):
        scene.marked(price)
        risk.totals.settle()
        for scope in (FIRM, Scope(ScopeKind.DESK, "desk"), ACCOUNT, Scope(ScopeKind.STRATEGY, "vwap")):
            if scope.kind is not ScopeKind.STRATEGY:
                assert daily_pnl(risk, scope, DAY.trade_date).value == pnl * E9
                assert drawdown(risk, scope, DAY.trade_date).value == fall * E9
            else:
                assert daily_pnl(risk, Scope(ScopeKind.STRATEGY, "none"), DAY.trade_date).value == 0
    assert daily_pnl(risk, FIRM, "2099-01-01") == Figure(0), "that day has no mark yet: nothing is won or lost"
    assert drawdown(risk, FIRM, "2099-01-01") == Figure(0)


def test_a_day_that_only_loses_falls_from_nothing() -> None:
    scene = held().marked(99)
    scene.state.risk.totals.settle()
    assert drawdown(scene.state.risk, FIRM, DAY.trade_date).value == -HELD * E9


def test_what_has_no_price_has_no_profit_and_loss() -> None:
    scene = Scene().working(900, filled=HELD)
    scene.state.risk.totals.settle()
    for figure in (daily_pnl(scene.state.risk, FIRM, DAY.trade_date), drawdown(scene.state.risk, FIRM, DAY.trade_date)):
        assert figure == Figure(None, "an instrument in it has no price or no exchange rate")


# ---------------------------------------------------------------------------------------------- errors


def test_errors_in_the_last_minute() -> None:
    rate = ErrorRate()
    rate.see("desk", 40, 0)
    assert rate.within_a_minute(0) == 0, "of what was before it nothing is known"
    rate.see("desk", 43, 10 * E9)
    rate.see("gateway", 0, 10 * E9)
    rate.see("gateway", 2, 30 * E9)
    assert rate.within_a_minute(30 * E9) == 5
    assert rate.within_a_minute(70 * E9 - 1) == 5
    assert rate.within_a_minute(70 * E9) == 2
    assert rate.within_a_minute(90 * E9) == 0


def test_a_total_that_fell_began_anew() -> None:
    rate = ErrorRate()
    rate.see("desk", 40, 0)
    rate.see("desk", 3, E9)
    assert rate.within_a_minute(E9) == 3


# --------------------------------------------------------------------------------- latencies and forecasts


def test_the_99th_percentile_is_of_the_last_thousand_ticks() -> None:
    assert tick_to_quote_p99_ms([1] * 999) is None
    latencies = [10**9, *[1_000_000] * 990, *[7_000_000] * 10]
    assert tick_to_quote_p99_ms(latencies) == 1.0, "ten of a thousand are above it"
    assert tick_to_quote_p99_ms([*latencies, 7_000_000]) == 7.0


def test_the_information_coefficient_is_a_rank_correlation() -> None:
    forecasts = [float(n) for n in range(200)]
    assert information_coefficient(forecasts, [n**3 for n in forecasts]) == pytest.approx(1)
    assert information_coefficient(forecasts, [-(n**3) for n in forecasts]) == pytest.approx(-1)
    assert information_coefficient([1, 2, 2, 4], [1, 3, 2, 4]) == pytest.approx(
        0.9486832980505138
    )  # by hand: 4.5 / sqrt(4.5 * 5)


def test_where_nothing_varies_or_is_no_number_there_is_no_correlation() -> None:
    assert information_coefficient([1.0] * 100, [float(n) for n in range(100)]) is None
    assert information_coefficient([math.nan, 1.0], [1.0, 2.0]) is None
    assert information_coefficient([1.0, 2.0], [1.0]) is None
    assert information_coefficient([], []) is None


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=60))
def test_it_lies_between_minus_one_and_one_and_turns_with_its_sign(pairs: list[tuple[float, float]]) -> None:
    forecasts, outcomes = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    found = information_coefficient(forecasts, outcomes)
    if found is not None:
        assert abs(found) <= 1 + 1e-9
        assert information_coefficient([-one for one in forecasts], outcomes) == pytest.approx(-found)
