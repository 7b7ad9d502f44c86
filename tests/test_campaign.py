"""The campaign's verdicts: a bar met, a bar missed, a figure that is not there."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from tests.in_ci import load


@pytest.fixture(scope="module")
def campaign() -> ModuleType:
    return load("campaign")


FAILED = ("postgres", "stopped_leader", "desk")
GOOD = {
    "log": {
        "group_commit_eps": 40_000, "library_eps": 2_000, "copy_eps": 130_000, "p99_ms": 10,
        "synchronous_commit": "on", "full_page_writes": "on", "sealed_eps_ratio": 0.9, "sealed_p99_ratio": 1.2,
    },
    "fix": {
        "p50_us": 2_600, "echo_p50_us": 200, "commit_p50_us": 500, "orders_per_s": 3_000, "echo_per_s": 10_000,
        "child_out_p50_us": 4_000, "child_out_p99_us": 9_000,
    },
    "replay": {
        "events": 1_000_000, "events_per_s": 100_000, "rss_mb": 999, "digest_equal": 1, "restart_s": 2.5,
        "verify_ratio": 0.85, "explain_ms": 1_000,
    },
    "tape": {"decode_eps": 20_000_000, "book_eps": 5_000_000, "p99_us": 0.5, "itchfeed_eps": 160_000, "meatpy_eps": None},
    "risk": {"p50_us_100": 20, "p50_us_10000": 30, "p99_us": 60, "hot_us": 0.5},
    "console": {
        "p50_ms": 40, "p99_ms": 90, "fill_to_paint_p50_ms": 60, "stale_rows": 0, "server_cpu_pct": 10, "rss_growth_mb": 2,
        "rss_growth_stalled_mb": 12, "first_load_kb": 350, "external_requests": 0, "console_errors": 0,
    },
    "features": {
        "ofi_p99_us": 1, "qi_p99_us": 1, "vpin_p99_us": 5, "spread_p99_us": 1, "arrival_p99_us": 1, "slope_p99_us": 10,
        "all_p99_us": 1,
    },
}  # fmt: skip
# One change to a good run each; every one misses exactly one bar.
SPOILED = [
    ("log", "library_eps", 2_001),
    ("log", "copy_eps", 140_000),
    ("log", "p99_ms", 10.1),
    ("log", "sealed_eps_ratio", 0.89),
    ("log", "sealed_p99_ratio", 1.21),
    ("replay", "verify_ratio", 0.84),
    ("replay", "explain_ms", 1_001),
    ("tape", "decode_eps", 19_999_999),
    ("tape", "book_eps", 4_999_999),
    ("tape", "p99_us", 0.51),
    ("tape", "p99_us", None),
    ("risk", "p99_us", 60.1),
    ("risk", "p50_us_10000", 30.1),
    ("risk", "hot_us", 0.51),
    ("log", "synchronous_commit", "off"),
    ("log", "full_page_writes", False),
    ("fix", "p50_us", 2_601),
    ("fix", "orders_per_s", 2_999),
    ("replay", "events", 999_999),
    ("replay", "events_per_s", 99_999),
    ("replay", "rss_mb", 1_000),
    ("replay", "digest_equal", 0),
    ("console", "p50_ms", 40.1),
    ("console", "p99_ms", 90.1),
    ("console", "fill_to_paint_p50_ms", 60.1),
    ("console", "stale_rows", 1),
    ("console", "server_cpu_pct", 10.1),
    ("console", "rss_growth_stalled_mb", 12.1),
    ("console", "first_load_kb", 351),
    ("console", "external_requests", 1),
    ("console", "console_errors", 1),
    ("features", "slope_p99_us", 10.1),
    ("features", "qi_p99_us", 1.01),
    ("features", "all_p99_us", 1.01),
]


def verdicts(campaign: ModuleType, subject: str, figures: dict[str, object]) -> list[bool | None]:
    return [campaign.judge(subject, bar, figures).met for bar in campaign.BENCHES[subject]]


@pytest.mark.parametrize("subject", GOOD)
def test_figures_on_the_bar_meet_it(campaign: ModuleType, subject: str) -> None:
    assert False not in verdicts(campaign, subject, GOOD[subject])


@pytest.mark.parametrize(("subject", "key", "value"), SPOILED)
def test_a_figure_beyond_its_bar_misses_that_bar(campaign: ModuleType, subject: str, key: str, value: object) -> None:
    assert verdicts(campaign, subject, GOOD[subject] | {key: value}).count(False) == 1


def test_a_figure_that_is_missing_misses_its_bars(campaign: ModuleType) -> None:
    without = {key: value for key, value in GOOD["log"].items() if key != "group_commit_eps"}
    assert verdicts(campaign, "log", without) == [False, False, True, True, True, True]


def test_what_a_long_test_printed_is_judged(campaign: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(campaign, "KEPT", tmp_path)
    figures = {"resumed_s": {"postgres": 9, "stopped_leader": 10, "desk": 10.1}, "led": dict.fromkeys(FAILED, "alpha")}
    (tmp_path / "failover.log").write_text(f"captured\n{json.dumps(figures)}\n1 passed\n")
    rows = [campaign.judge("failover", bar, campaign.printed("failover")) for bar in campaign.PRINTED["failover"]]
    assert [row.met for row in rows] == [True, True, False]
    (tmp_path / "failover.log").write_text("1 failed\n")
    rows = [campaign.judge("failover", bar, campaign.printed("failover")) for bar in campaign.PRINTED["failover"]]
    assert [row.met for row in rows] == [False, False, False]
