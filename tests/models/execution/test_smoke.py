"""The smoke test of a build: days of a seed are the same days, and what must not happen is seen when it does."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from ems.cli import app
from models.execution import smoke
from models.execution.policies import Scheduled, twap
from models.worlds.event_book import EventBook

pytestmark = pytest.mark.slow  # the market is compiled where it was not


def test_two_days_and_the_same_two_days() -> None:
    words = ["smoke", "backtest", "--days", "2", "--orders", "2", "--seed", "5", "--json", "--ratio-max", "100"]
    done = CliRunner().invoke(app, words)
    figures = json.loads(done.stdout)
    assert (done.exit_code, figures["passed"], figures["wrong"], figures["same_again"]) == (0, True, {}, True)
    assert set(figures["is_bps"]) == {"adaptive", "twap", "pov", "ac"} and figures["filled"] > 0.8
    strict = CliRunner().invoke(app, [*words[:-1], "-100"])
    assert strict.exit_code == 1 and json.loads(strict.stdout)["digest"] == figures["digest"]


def test_what_must_not_happen_is_counted() -> None:
    world = EventBook()
    well = smoke.work(world, twap(world.intervals), 5, 2, "mixed")
    assert set(well.wrong.values()) == {0} and well.digest != smoke.work(world, twap(world.intervals), 6, 2, "mixed").digest
    broken = smoke.work(world, Scheduled("broken", schedule=np.full(world.intervals, np.nan)), 5, 2, "mixed")
    assert broken.wrong["no_number"] > 0
