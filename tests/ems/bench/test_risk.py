"""The risk bench measures what it says: every strict limit is judged, as many work as it says, and a refusal is a failure."""

from __future__ import annotations

import pytest

from domain.risk import Check
from ems.bench import risk
from ems.bench.risk_hot import hot_us


def test_the_strict_limits_are_those_that_the_written_configuration_shows() -> None:
    limits = risk.strict().limits
    assert {limit.check for limit in limits} >= {Check.PRICE_COLLAR, Check.LIST_VALUE, Check.DRAWDOWN, Check.SHORT_SALE}
    assert len(limits) == 27


def test_a_small_run_gives_every_figure() -> None:
    figures = risk.run(checks=120, warm=10)
    assert min(figures[key] for key in ("p50_us_100", "p50_us_10000", "p99_us", "hot_us")) > 0
    assert figures["instruments"] == 1_000


def test_a_turn_without_all_verdicts_is_found() -> None:
    settings = risk.strict()
    day = risk.Day(5, risk.RiskSettings(limits=settings.limits[:3]))
    turn, _ = day.quote(day.parents[0])
    with pytest.raises(AssertionError):
        risk._verify(turn, settings)


def test_the_hot_path_is_verified_against_a_slow_reading_of_its_rules() -> None:
    assert hot_us() > 0
