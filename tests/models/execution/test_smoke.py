"""The smoke test of a build: days of a seed are the same days, and what must not happen is seen when it does."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from ems.cli import app
from models.execution import smoke
from models.execution.policies import Scheduled, twap, vwap
from models.worlds.event_book import EventBook

pytestmark = pytest.mark.slow  # the market is compiled where it was not


def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the nets and the program that they plan by: what is tested here is the counting."""
    monkeypatch.setattr(smoke, "strategies", lambda world: [replace(vwap(), name="adaptive"), twap(world.intervals)])


@pytest.mark.parametrize(("over_bps", "status"), [("1000", 0), ("-1000", 1)])
def test_two_days_and_the_same_two_days(monkeypatch: pytest.MonkeyPatch, over_bps: str, status: int) -> None:
    few(monkeypatch)
    words = ["smoke", "backtest", "--days", "2", "--orders", "2", "--seed", "5", "--json", "--over-bps", over_bps]
    done = CliRunner().invoke(app, words)
    figures = json.loads(done.stdout)
    assert (done.exit_code, figures["passed"]) == (status, not status), done.output
    assert (figures["wrong"], figures["same_again"], figures["days"]) == ({}, True, 2)
    assert set(figures["is_bps"]) == {"adaptive", "twap"} and figures["filled"] > 0.8


def test_the_shipped_strategies_are_worked() -> None:
    assert [each.name for each in smoke.strategies(EventBook())] == ["adaptive", "twap", "pov", "ac"]


def test_what_must_not_happen_is_counted() -> None:
    world = EventBook()
    well = smoke.work(world, twap(world.intervals), 5, 2, "mixed")
    assert set(well.wrong.values()) == {0} and well.digest != smoke.work(world, twap(world.intervals), 6, 2, "mixed").digest
    broken = smoke.work(world, Scheduled("broken", schedule=np.full(world.intervals, np.nan)), 5, 2, "mixed")
    assert broken.wrong["no_number"] > 0
