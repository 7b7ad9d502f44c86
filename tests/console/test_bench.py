"""`ems bench console`, small: every part of it really happens, and what it says of a few seconds is whole."""

from __future__ import annotations

import os

import pytest

from ems.bench.console import Load, run, streamed

FIGURES = {
    "p50_ms",
    "p99_ms",
    "log_p50_ms",
    "log_p99_ms",
    "stale_rows",
    "server_cpu_pct",
    "first_load_kb",
    "rss_growth_stalled_mb",
}


def sound(figures: dict[str, float]) -> None:
    assert figures.keys() >= FIGURES
    assert figures["stale_rows"] == 0 and figures["rows_compared"] == 120 and figures["rows_painted_compared"] > 20
    assert figures["external_requests"] == 0 and figures["console_errors"] == 0
    assert figures["samples"] > 10 and 0 < figures["p50_ms"] <= figures["p99_ms"] and figures["log_p50_ms"] > figures["p50_ms"]
    assert 100 < figures["first_load_kb"] <= 350, "the budget of the first load"


def test_a_little_stream(page_is_built: None) -> None:
    sound(streamed(Load(orders=60, rate=200, seconds=1.5, stalled=3)))


@pytest.mark.skipif(
    "EMS_CONSOLE_FILLS" not in os.environ, reason="`ems bench console` itself, which the campaign runs, is the test"
)
def test_a_few_fills_over_the_real_chain(page_is_built: None) -> None:
    figures = run(Load(orders=60, rate=200, seconds=1.5, stalled=3, fills=5))
    sound(figures)
    assert figures["fills_painted"] >= 5 and figures["fill_to_paint_p50_ms"] > 0
