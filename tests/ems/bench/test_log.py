"""The log's bench leaves behind what it claims, and says so when it does not."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from ems.bench import log as bench
from ems.bench import log_sealing


@pytest.mark.slow
async def test_the_bench_prints_what_is_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROUNDS": 1, "EVENTS_A_ROUND": 1280, "LIBRARY_EVENTS_A_ROUND": 64, "LONE_COMMITS": 10}.items():
        monkeypatch.setattr(bench, name, value)
    monkeypatch.setattr(log_sealing, "EVENTS_A_ROUND", 640)
    monkeypatch.setattr(log_sealing, "PAIRS", 1)
    with tempfile.TemporaryDirectory(prefix="ems-test-bench-") as directory:
        figures = await bench.measure(Path(directory))
    assert figures["rows"] == 2 * 1280 + 2 * 640 + 2 * 10
    assert figures["sealed_events"] == figures["rows"]
    assert figures["sealed_eps_ratio"] > 0 and figures["sealed_p99_ratio"] > 0
    assert figures["synchronous_commit"] == figures["full_page_writes"] == "on"
    assert figures["group_commit_eps"] > 0 and figures["library_eps"] > 0
    assert figures["copy_eps"] > 0
    assert 0 < figures["p50_ms"] <= figures["p99_ms"]
    assert figures["batch_events"] > 1
