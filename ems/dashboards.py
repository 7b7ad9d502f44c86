"""Dashboards, alert rules and the scrape job, from tables: what lies in deploy/grafana and deploy/prometheus is written by this.

A row of a dashboard is a panel: its title, its unit as Grafana names it, and PromQL with the legend of its lines. Every metric
and label in an expression must be declared in `ems.measured`: a test reads the written files and holds them to it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from domain.measures import Measure
from ems.measured import BY_NAME

_SOURCE: Final = {"type": "prometheus", "uid": "${source}"}
_COLUMNS: Final = 3
_WIDTH, _HEIGHT = 8, 7


class Panel(NamedTuple):
    """One picture. lines: legend -> PromQL."""

    title: str
    unit: str
    lines: Mapping[str, str]


class Alert(NamedTuple):
    """One rule. lasts: how long it must hold; do: what a person does about it."""

    name: str
    severity: str  # page: now, by night too; ticket: today
    lasts: str
    expr: str
    summary: str
    do: str


def _p(name: str, *quantiles: float, by: str = "") -> dict[str, str]:
    groups, legend = (f"le, {by}", f" {{{{{by}}}}}") if by else ("le", "")
    return {f"p{q * 100:g}{legend}": f"histogram_quantile({q}, sum by ({groups}) (rate({name}_bucket[1m])))" for q in quantiles}


def _rate(name: str, by: str = "") -> str:
    return f"sum by ({by}) (rate({name}[1m]))" if by else f"sum(rate({name}[1m]))"


BOARDS: Final[Mapping[str, tuple[str, tuple[Panel, ...]]]] = {
    "trading": ("EMS: trading", (
        Panel("Order in to child out", "s", _p("ems_order_to_child_seconds", 0.5, 0.99)),
        Panel("Order in to its answer", "s", _p("ems_order_to_answer_seconds", 0.5, 0.99)),
        Panel("Commit", "s", _p("ems_commit_seconds", 0.5, 0.99)),
        Panel("Events of a commit", "short", _p("ems_commit_events", 0.5, 0.99)),
        Panel("Orders a second", "ops", {"accepted": _rate("ems_orders_accepted_total"),
              "rejected": _rate("ems_orders_rejected_total"),
              "fills": _rate("ems_fills_total"), "refused by risk": _rate("ems_risk_refusals_total"),
              "children rejected by venues": _rate("ems_child_rejections_total")}),
        Panel("Messages out by kind", "ops", {"{{kind}}": _rate("ems_messages_out_total", "kind")}),
        Panel("Orders at work", "short", {"parents": "ems_working_orders", "live at venues": "ems_fix_live_orders"}),
        Panel("Drop copies a second", "ops", {"copies": _rate("ems_drop_copies_total")}),
        Panel("Kill switch", "short", {"level": "ems_kill_level", "scopes": "ems_kill_scopes", "readable": "ems_kill_readable"}),
    )),
    "planning": ("EMS: planning and quoting", (
        Panel("Plan", "s", _p("ems_plan_seconds", 0.5, 0.99, by="algo")),
        Panel("Age of the oldest plan", "s", {"oldest": "ems_plan_age_seconds"}),
        Panel("Planner", "ops", {"fallbacks": _rate("ems_plan_fallbacks_total"), "failures": _rate("ems_plan_failures_total"),
              "workers replaced": _rate("ems_planner_restarts_total")}),
        Panel("Plans that wait", "short", {"waiting": "ems_planner_waiting"}),
        Panel("Tick to quote", "s", {"p{{quantile}}": "ems_tick_to_quote_seconds"}),
        Panel("Quoter", "ops", {"datagrams": _rate("ems_quoter_datagrams_total"), "reports": _rate("ems_quoter_reports_total")}),
        Panel("Quotes at the venue", "short", {"live": "ems_quoter_live_quotes", "records to seal": "ems_quote_records_waiting"}),
        Panel("Since the loop turned", "s", {"quoter": "ems_quoter_turned_seconds"}),
        Panel("Venue sessions of the quoter", "short", {"opened": "ems_quoter_connections_total"}),
    )),
    "platform": ("EMS: platform", (
        Panel("Processes", "short", {"{{process}}": "ems_up"}),
        Panel("FIX sessions", "short", {"{{session}}": "ems_fix_session_up"}),
        Panel("FIX messages", "ops", {"in {{session}}": _rate("ems_fix_messages_in_total", "session"),
              "out {{session}}": _rate("ems_fix_messages_out_total", "session")}),
        Panel("FIX faults", "ops", {"refused": _rate("ems_fix_rejected_total"), "garbled": _rate("ems_fix_garbled_total"),
              "sequence gaps": _rate("ems_fix_sequence_gaps_total"), "not sent": _rate("ems_fix_not_sent_total"),
              "fenced": _rate("ems_fix_fenced_frames_total"), "held back": _rate("ems_fix_kill_stopped_total")}),
        Panel("The log's head and its readers", "short", {"desk": "ems_log_head_sequence", "sealed": "ems_sealed_sequence",
              "views": "ems_view_sequence", "watchdog": "ems_watchdog_sequence", "monitor": "ems_monitor_sequence"}),
        Panel("Behind the head", "short", {"views": "max(ems_log_head_sequence) - max(ems_view_sequence)",
              "sealed": "max(ems_log_head_sequence) - max(ems_sealed_sequence)",
              "watchdog": "max(ems_log_head_sequence) - max(ems_watchdog_sequence)"}),
        Panel("Memory", "bytes", {"{{process}}": "ems_process_resident_bytes"}),
        Panel("Processor", "percentunit", {"{{process}}": _rate("ems_process_cpu_seconds_total", "process")}),
        Panel("Internal errors", "short", {"{{process}}": "ems_internal_errors_total"}),
        Panel("Disk and database", "bytes", {"free": "ems_disk_free_bytes", "database": "ems_database_bytes"}),
        Panel("Clock", "s", {"offset": "ems_clock_offset_seconds", "uncertainty": "ems_clock_uncertainty_seconds"}),
        Panel("Breaks and what is missing", "short", {"breaks {{session}}": "ems_reconciliation_breaks",
              "readings missing": "ems_watchdog_metrics_missing", "triggers fired": "ems_watchdog_tripped",
              "spooled": "ems_fix_spool_frames"}),
        Panel("The monitor's alerts", "short", {"open": "ems_alerts_open", "critical": "ems_alerts_critical",
              "not taken": "ems_alerts_unsent", "unmonitored forecasts": "ems_forecasts_unmonitored"}),
        Panel("Looks of the monitor", "ops", {"looks": _rate("ems_monitor_looks_total")}),
    )),
}  # fmt: skip

_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+) \}\}")
_P99_PATH: Final = "histogram_quantile(0.99, sum by (le) (rate(ems_commit_seconds_bucket[5m])))"
ALERTS: Final = (
    Alert("ProcessDown", "page", "15s", "ems_up == 0", "{{ $labels.process }} does not answer",
          "`ems health` says what to do; `ems flight show` has its last minute"),
    Alert("MetricsAway", "page", "30s", 'absent(ems_up{process="desk"})', "nothing is scraped of this system",
          "see whether the api runs and whether the token is right; `ems health` works without both"),
    Alert("NobodyLeads", "page", "20s", "max(ems_desk_leading) < 1", "no desk decides",
          "see logs/desk.jsonl: it recovers, stands by, or cannot reach the log"),
    Alert("KillSwitchTripped", "page", "0s", "ems_kill_level > 0 or ems_kill_readable == 0", "the kill switch stops the firm",
          "`ems kill status` says by what; two people re-arm"),
    Alert("KillScopeTripped", "ticket", "0s", "ems_kill_scopes > 0", "the kill switch stops a part of the firm",
          "`ems kill status` says which"),
    Alert("SessionDown", "page", "60s", "ems_fix_session_up == 0", "FIX session {{ $labels.session }} is not logged on",
          "`ems sessions list` says why; ask the counterparty"),
    Alert("CommitsSlow", "ticket", "5m", f"{_P99_PATH} > 0.05", "the p99 of a commit is beyond 50 ms",
          "look at the database's disk, and at synchronous replicas"),
    Alert("CommitsFail", "page", "0s", "increase(ems_commit_failures_total[5m]) > 0", "the log did not take a batch",
          "the desk recovers by itself; see logs/desk.jsonl and the database's log"),
    Alert("SealingBehind", "ticket", "60s", "max(ems_log_head_sequence) - max(ems_sealed_sequence) > 10000",
          "more than 10,000 events are not sealed", "see logs/sealer.jsonl and docs/sealing.md"),
    Alert("ViewsBehind", "ticket", "60s", "max(ems_log_head_sequence) - max(ems_view_sequence) > 10000",
          "the console shows what is more than 10,000 events old", "see logs/api.jsonl"),
    Alert("PlansOld", "ticket", "60s", "ems_plan_age_seconds > 300", "an order follows a plan of more than five minutes ago",
          "look at the planners in `ems health`"),
    Alert("PlannerFallsBack", "ticket", "5m", "rate(ems_plan_fallbacks_total[5m]) > 0.1", "plans are made without the model",
          "look at the observer in `ems health`"),
    Alert("RiskRefuses", "ticket", "5m", "increase(ems_risk_refusals_total[5m]) > 20", "risk refuses many orders",
          "`ems risk limits` shows the limits; ask the client"),
    Alert("VenueRejects", "ticket", "5m", "increase(ems_child_rejections_total[5m]) > 20", "venues refuse many of our orders",
          "`ems audit explain` of one of them says why"),
    Alert("SequenceGaps", "ticket", "0s", "increase(ems_fix_sequence_gaps_total[5m]) > 0",
          "messages of {{ $labels.session }} were missing", "they have been asked for again; see docs/fix-sessions.md"),
    Alert("MessagesLost", "page", "0s", "increase(ems_wire_lost_total[5m]) > 0", "the wire journal could not keep all messages",
          "look at the gateway's disk"),
    Alert("InternalErrors", "ticket", "0s", "increase(ems_internal_errors_total[5m]) > 0", "{{ $labels.process }} had a fault",
          "see its log; the watchdog trips at ten a minute"),
    Alert("ReadingsMissing", "page", "30s", "ems_watchdog_metrics_missing > 0", "the watchdog misses readings, and suspends",
          "`ems kill status` says which"),
    Alert("MonitorStands", "ticket", "30s", "rate(ems_monitor_looks_total[1m]) == 0", "the monitor does not look",
          "see logs/monitor.jsonl; an unreachable log or a socket that hangs holds it up"),
    Alert("AlertsUnsent", "ticket", "60s", "ems_alerts_unsent > 0", "a receiver does not take the monitor's alerts",
          "`ems alerts list` shows them; `ems health` says who does not take them"),
    Alert("QuoterStands", "page", "10s", "ems_quoter_turned_seconds > 5", "the quoter's loop has not turned",
          "see logs/quoter.jsonl; the venue cancels its quotes"),
    Alert("TickToQuoteSlow", "ticket", "5m", 'ems_tick_to_quote_seconds{quantile="0.99"} > 0.0002',
          "a tick to a quote takes more than 200 us at p99", "look at the quoter's core: `ems bench quote`"),
    Alert("ClockWrong", "page", "10s", "ems_clock_excursion > 0", "the host's clock is beyond its limit",
          "`ems clock now`, and the host's chrony or PTP"),
    Alert("Breaks", "ticket", "60s", "ems_reconciliation_breaks > 0", "{{ $labels.session }} and we disagree about executions",
          "`ems reconcile breaks`"),
    Alert("DiskNearlyFull", "page", "60s", "ems_disk_free_bytes < 2e9", "less than 2 GB are free",
          "docs/retention.md says what may go; a full disk suspends, and cancels still leave"),
)  # fmt: skip


def dashboards() -> dict[str, dict[str, Any]]:
    """Grafana's JSON by file name."""
    return {f"{name}.json": _board(name, title, panels) for name, (title, panels) in BOARDS.items()}


def _board(name: str, title: str, panels: tuple[Panel, ...]) -> dict[str, Any]:
    source = {"name": "source", "type": "datasource", "query": "prometheus", "label": "Source", "current": {}, "hide": 0}
    return {
        "uid": f"ems-{name}", "title": title, "tags": ["ems"], "timezone": "utc", "schemaVersion": 39, "version": 1,
        "refresh": "5s", "time": {"from": "now-30m", "to": "now"}, "editable": False, "templating": {"list": [source]},
        "annotations": {"list": []},
        "panels": [_panel(number, panel) for number, panel in enumerate(panels)],
    }  # fmt: skip


def _panel(number: int, panel: Panel) -> dict[str, Any]:
    row, column = divmod(number, _COLUMNS)
    described = sorted({BY_NAME[name].text for expr in panel.lines.values() for name in names(expr) if name in BY_NAME})
    return {
        "id": number + 1, "type": "timeseries", "title": panel.title, "description": ". ".join(described), "datasource": _SOURCE,
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": panel.unit, "custom": {"fillOpacity": 5, "showPoints": "never"}}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + at), "datasource": _SOURCE, "expr": expr, "legendFormat": legend}
            for at, (legend, expr) in enumerate(panel.lines.items())
        ],
    }  # fmt: skip


def alert_rules() -> str:
    """Prometheus' rule file."""
    lines = ["# Written by `ems metrics write`; the table is in ems/dashboards.py.", "groups:", "  - name: ems", "    rules:"]
    for one in ALERTS:
        lines += [
            f"      - alert: {one.name}", f"        expr: {json.dumps(one.expr)}", f"        for: {one.lasts}",
            f"        labels: {{severity: {one.severity}}}", "        annotations:",
            f"          summary: {json.dumps(one.summary)}", f"          do: {json.dumps(one.do)}",
            "          runbook: docs/observability.md#alerts",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def alert_table() -> list[str]:
    """The rules for people, as lines of a Markdown table."""
    said = [(one, _LABEL.sub(r"the \1", one.summary)) for one in ALERTS]
    rows = [f"| `{one.name}` | {one.severity} | {summary} | {one.do} |" for one, summary in said]
    return ["| alert | how urgent | what has happened | what to do |", "|---|---|---|---|", *rows]


def scrape_job() -> str:
    """Prometheus' configuration: one target, which answers for every process."""
    return """# Written by `ems metrics write`. Put the host's /metrics and the token's file in place of these.
global:
  scrape_interval: 5s
  evaluation_interval: 5s
rule_files: [alerts.yml]
scrape_configs:
  - job_name: ems
    scrape_timeout: 5s
    metrics_path: /metrics
    authorization: {type: Bearer, credentials_file: /etc/ems/metrics.token}
    static_configs:
      - targets: ["127.0.0.1:8410"]
"""


def files() -> dict[str, str]:
    """Everything that is written, by its path under deploy/."""
    boards = {f"grafana/{name}": json.dumps(board, indent=1) + "\n" for name, board in dashboards().items()}
    return {**boards, "prometheus/alerts.yml": alert_rules(), "prometheus/prometheus.yml": scrape_job()}


# ------------------------------------------------------------------------------------------------ checking

_NAME: Final = re.compile(r"\bems_[a-z0-9_]+")
_SELECTED: Final = re.compile(r"\b(ems_[a-z0-9_]+)\{([^}]*)\}")
_GROUPED: Final = re.compile(r"\bby \(([^)]*)\)")
_SUFFIXES: Final = ("_bucket", "_count", "_sum")
EVERYWHERE: Final = frozenset({"process", "job", "instance", "le"})


def names(expr: str) -> list[str]:
    """The metrics that an expression asks for; of a histogram its own name."""
    return [_stem(name) for name in _NAME.findall(expr)]


def _stem(name: str) -> str:
    stem = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), name)
    return stem if stem in BY_NAME and BY_NAME[stem].kind == "histogram" else name


def wrong(expr: str) -> Iterator[str]:
    """What an expression asks for that nobody exports, and counters that are read as if they were levels."""
    asked = names(expr)
    yield from (f"no process exports {name}" for name in asked if name not in BY_NAME)
    known: list[Measure] = [BY_NAME[name] for name in asked if name in BY_NAME]
    labels = EVERYWHERE | {label for one in known for label in one.labels}
    for _, selected in _SELECTED.findall(expr):
        used = [part.partition("=")[0].strip("!~ ") for part in selected.split(",") if part]
        yield from (f"{expr}: no label {label}" for label in used if label not in labels)
    for grouped in _GROUPED.findall(expr):
        yield from (f"{expr}: no label {label.strip()}" for label in grouped.split(",") if label.strip() not in labels)
    yield from (f"{one.name} is a histogram: ask for its buckets" for one in known
                if one.kind == "histogram" and not re.search(rf"{one.name}_(bucket|count|sum)\b", expr))  # fmt: skip
