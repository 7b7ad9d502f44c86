"""Dashboards and alert rules ask only for what some process exports; the committed files are what the code writes."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from domain.measures import Sample
from ems import dashboards as d
from ems import told_samples
from ems.measured import BY_NAME, MEASURES

ROOT = Path(__file__).resolve().parents[2]
UNITS = {"seconds", "bytes", "total", "sequence", "events"}


def test_names_follow_the_conventions() -> None:
    assert len(BY_NAME) == len(MEASURES)
    for one in MEASURES:
        assert re.fullmatch(r"ems_[a-z][a-z0-9_]*", one.name)
        assert (one.kind == "counter") == one.name.endswith("_total"), one.name
        assert not re.search(r"_(ms|us|ns|mb|kb|gb|percent|minutes)(_|$)", one.name), f"{one.name}: base units alone"
        assert (one.kind == "histogram") == bool(one.buckets) and list(one.buckets) == sorted(one.buckets)
        assert one.text and not one.text.endswith(".")
        assert one.name.removesuffix("_total").rpartition("_")[2] in UNITS or one.kind != "histogram", one.name


def test_the_committed_files_are_those_that_are_written() -> None:
    found = {
        path.relative_to(ROOT / "deploy").as_posix()
        for part in ("grafana", "prometheus")
        for path in (ROOT / "deploy" / part).iterdir()
        if path.is_file()
    }
    assert found == set(d.files()), "ems metrics write"
    for name, text in d.files().items():
        assert (ROOT / "deploy" / name).read_text("utf-8") == text, f"{name}: write it anew by `ems metrics write`"


def expressions() -> list[tuple[str, str]]:
    """From the committed files, not from the tables: (where, PromQL)."""
    found = []
    for path in sorted((ROOT / "deploy" / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            assert panel["targets"] and panel["description"], panel["title"]
            found += [(f"{path.name}: {panel['title']}", target["expr"]) for target in panel["targets"]]
    rules = (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text()
    found += [("alerts.yml", json.loads(line.partition("expr: ")[2])) for line in rules.splitlines() if "expr: " in line]
    return found


@pytest.mark.parametrize(("where", "expr"), expressions())
def test_every_expression_asks_for_what_is_exported(where: str, expr: str) -> None:
    assert d.names(expr), where
    assert list(d.wrong(expr)) == [], where


def test_every_metric_is_on_a_dashboard_or_in_an_alert() -> None:
    asked = {name for _, expr in expressions() for name in d.names(expr)}
    left = set(BY_NAME) - asked
    assert left <= {"ems_inputs_total", "ems_events_appended_total", "ems_desk_epoch", "ems_stopped_by_kill_switch",
                    "ems_fix_spool_bytes", "ems_fix_desk_attached", "ems_sealed_heads_total", "ems_watchdog_triggers",
                    "ems_clock_known", "ems_view_following", "ems_console_connections", "ems_gather_seconds"}  # fmt: skip


def test_what_nobody_exports_is_found() -> None:
    assert list(d.wrong("rate(ems_invented_total[1m])")) == ["no process exports ems_invented_total"]
    assert list(d.wrong('ems_up{colour="red"}')) == ['ems_up{colour="red"}: no label colour']
    assert list(d.wrong("sum by (venue) (ems_up)")) == ["sum by (venue) (ems_up): no label venue"]
    assert list(d.wrong("rate(ems_commit_seconds[1m])")) == ["ems_commit_seconds is a histogram: ask for its buckets"]
    assert list(d.wrong("histogram_quantile(0.9, sum by (le) (rate(ems_commit_seconds_bucket[1m])))")) == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed: our own check has been made")
def test_promtool_agrees() -> None:
    folder = ROOT / "deploy" / "prometheus"
    for command in (
        ["promtool", "check", "rules", "alerts.yml"],
        ["promtool", "check", "config", "--syntax-only", "prometheus.yml"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


STATUS: dict[str, dict[str, object]] = {
    "desk": {"metrics": [["ems_working_orders", {}, 3.0]]},
    "gateway": {
        "sessions": {"SIM": {"up": True, "refused": 0, "garbled": 1, "resend_requests": 2, "messages_in": 3, "messages_out": 4}},
        "not_sent": 1, "fenced_frames": 0, "stopped_by_kill_switch": 0, "wire_lost": 0, "live_orders": 2, "spool_bytes": 9,
        "desk_attached": True, "spool_last": 12, "spool_acknowledged": 10,
    },
    "sealer": {"sealed": 10, "heads": 2},
    "watchdog": {"seq": 9, "triggers": 11, "metrics_missing": ["a"], "tripped": []},
    "audit_watch": {"clock": "within", "offset_ns": -1_000, "uncertainty_ns": 5_000,
                    "reconciliation": {"SIM": {"open_breaks": 1}}},
    "monitor": {"seq": 9, "looks": 4, "open": 2, "critical": 1, "unmonitored": ["DEMO"], "unsent": {"webhook a": 1}},
    "quoter": {"turned_ms": 2, "live": 1, "datagrams": 5, "reports": 6, "connections": 1, "tick_to_quote_ns": {"0.99": 90_000}},
    "quote_journal": {"journals": [{"waiting": 7}]},
    "api": {"seq": 9, "following": 1, "browsers": 0},
}  # fmt: skip


@pytest.mark.parametrize("process", list(told_samples.SAMPLES))
def test_a_status_becomes_samples_that_are_declared_for_its_process(process: str) -> None:
    found = list(told_samples.SAMPLES[process](STATUS[process]))
    for one in found:
        assert process in BY_NAME[one.name].of, one.name
        assert set(one.labels) == set(BY_NAME[one.name].labels), one.name
    declared = {one.name for one in MEASURES if process in one.of}
    assert process == "desk" or {one.name for one in found} == declared
    assert {one.name for one in told_samples.SAMPLES[process]({})} <= declared, "a process that has just begun says less"


def test_numbers_are_in_base_units_and_an_unknown_clock_has_no_offset() -> None:
    found = set(map(str, told_samples.SAMPLES["quoter"](STATUS["quoter"])))
    assert str(Sample("ems_tick_to_quote_seconds", {"quantile": "0.99"}, 90e-6)) in found
    told = {one.name for one in told_samples.audit_watch({"clock": "unknown", "offset_ns": None})}
    assert told == {"ems_clock_known", "ems_clock_excursion"}


def test_the_page_has_the_alerts() -> None:
    page = (ROOT / "docs" / "observability.md").read_text("utf-8")
    assert "\n" + "\n".join(d.alert_table()) + "\n" in page, "write it anew from ems.dashboards.alert_table()"
