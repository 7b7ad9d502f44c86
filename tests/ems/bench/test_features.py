"""`ems bench features`: a small run has every figure, and says which tape it was."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ems.bench import features
from models.hot_clock import clock_cost_ns

KEYS = "ofi_p99_us qi_p99_us vpin_p99_us spread_p99_us arrival_p99_us slope_p99_us all_p99_us".split()


def test_a_small_run_gives_every_figure_also_without_the_recorded_day(tmp_path: Path) -> None:
    result = features.run(tmp_path / "none.zip", records=8_000)
    assert result["tape"] == "generated" and result["records"] == 8_000
    assert all(np.isfinite(result[key]) and result[key] >= 0 for key in KEYS)
    assert result["with_book_p99_us"] > result["all_p50_us"] > 0


@pytest.mark.needs_data
def test_the_recorded_day_is_taken_where_it_is() -> None:
    if not features.SAMPLE.exists():
        pytest.skip(f"recorded market data is not here: {features.SAMPLE.name}")
    tape, name = features.day(features.SAMPLE)
    assert name == features.SAMPLE.stem and tape.size > 150_000


def test_a_reading_of_the_clock_costs_something() -> None:
    assert 0 < clock_cost_ns() < 10_000
