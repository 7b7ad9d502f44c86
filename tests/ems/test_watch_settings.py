"""The [watchdog] table: safe as it stands, stricter by a word, and not looser where money is real."""

from __future__ import annotations

import re

import pytest

from domain.errors import ConfigError
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.triggers import Metric
from domain.values import E9, ScopeKind
from ems.bootstrap.day import risk_data
from ems.bootstrap.watchdog import capital
from ems.config import check
from ems.watch_settings import WatchSettings

ACCOUNT = Scope(ScopeKind.ACCOUNT, "FUND-7")
LIVE = {
    "mode": "LIVE",
    "sessions": [
        {"name": "V", "role": "venue", "kind": "initiator", "sender_comp_id": "A", "target_comp_id": "B", "port": 1,
         "environment": "LIVE"}
    ],
}  # fmt: skip


def test_as_it_stands_everything_is_watched_that_is_stated() -> None:
    watch = WatchSettings()
    assert watch.beat_max_ns == 3 * E9
    found = {(t.metric.value, t.scope.text): (t.level, t.required) for t in watch.triggers("desk", [ACCOUNT, FIRM], live=False)}
    assert found == {
        ("daily_pnl", "firm"): (Level.HARD, True),
        ("daily_pnl", "account:FUND-7"): (Level.HARD, True),
        ("drawdown", "firm"): (Level.PANIC, True),
        ("drawdown", "account:FUND-7"): (Level.PANIC, True),
        ("internal_errors", "desk:desk"): (Level.HARD, True),
    }


def test_the_firm_of_a_live_desk_is_watched_whether_its_capital_is_stated_or_not() -> None:
    found = {(t.metric.value, t.scope.text) for t in WatchSettings().triggers("desk", [], live=True)}
    assert found == {("daily_pnl", "firm"), ("drawdown", "firm"), ("internal_errors", "desk:desk")}


def test_quoters_and_models_add_theirs_once_for_each_strategy() -> None:
    watch = WatchSettings(quoters=("mm",), models={"a": ("mm", "adaptive"), "b": ("adaptive",)})
    found = [(t.metric.value, t.scope.id) for t in watch.triggers("desk", [], live=False)][1:]
    assert found == [("tick_to_quote", "mm"), ("information_coefficient", "mm"), ("information_coefficient", "adaptive")]


def test_a_threshold_of_ones_own() -> None:
    watch = WatchSettings(thresholds={Metric.DAILY_PNL: -0.01})
    assert watch.trigger(Metric.DAILY_PNL, FIRM).threshold_e9 == -10_000_000
    assert watch.trigger(Metric.DRAWDOWN, FIRM).threshold_e9 == -50_000_000


def test_disabled_nobody_requires_a_beat() -> None:
    assert WatchSettings(enabled=False).beat_max_ns == 0


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"enabled": False}, "a LIVE desk does not start without its watchdog"),
        ({"thresholds": {"daily_pnl": -0.03}}, "watchdog: daily_pnl trips below -0.02, and -0.03 is looser"),
        ({"thresholds": {"internal_errors": 11}}, "watchdog: internal_errors trips above 10, and 11 is looser"),
    ],
)
def test_a_live_desk_is_not_watched_less_than_the_table_says(table: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(told)):
        check({**LIVE, "watchdog": table}, name="test")
    assert check({"watchdog": table}, name="test").mode == "PAPER"
    assert check({**LIVE, "watchdog": {"thresholds": {"daily_pnl": -0.01, "internal_errors": 5}}}, name="test").mode == "LIVE"


@pytest.mark.parametrize(
    "table",
    [
        {"beat_max_s": 0},
        {"thresholds": {"daily_pnl": float("nan")}},
        {"thresholds": {"mood": 1}},
        {"never": 1},
    ],
)
def test_what_cannot_be_meant_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        check({"watchdog": table}, name="test")


def test_capital_is_that_of_the_scopes_of_this_desk() -> None:
    facts = risk_data(check({}, name="test"))
    assert capital("desk", facts)[Scope(ScopeKind.DESK, "desk")] == 20_000_000 * E9
    assert capital("desk", facts)[FIRM] == 50_000_000 * E9
    assert set(capital("desk", facts)) - set(capital("other", facts)) == {Scope(ScopeKind.DESK, "desk")}
