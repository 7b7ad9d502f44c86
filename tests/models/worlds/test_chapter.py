"""The chapter's world is the one that was committed before anything adaptive was judged in it, and was set on TWAP alone."""

from __future__ import annotations

import numpy as np
import pytest

from models.worlds.bounds import cost_bps
from models.worlds.chapter import DIGEST, chapter_world
from models.worlds.riccati import schedule_gains


def test_the_settings_are_the_committed_ones() -> None:
    assert chapter_world().config_sha256 == DIGEST


def test_twap_costs_what_the_table_says() -> None:
    world = chapter_world()
    means = [cost_bps(world, scenario, gains=schedule_gains(np.ones(20))) for scenario in world.config.scenarios]
    assert np.mean(means) == pytest.approx(18.4, abs=0.05)
    assert np.std(means) == pytest.approx(12.1, abs=0.05)
