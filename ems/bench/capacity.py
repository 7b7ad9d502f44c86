"""`ems capacity`: what load does to disk and memory, measured at rising multiples of today's load, and carried on by arithmetic.

Each multiple is a short `ems soak` of the whole system on this machine. What is measured is marked so; what lies beyond the last
multiple that the machine carried is arithmetic on the measured costs of one event and one order, and is marked so too.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from ems.bench import soak
from ems.bench.soak import ORDERS_A_DAY, Plan

MULTIPLES: Final = (10.0, 30.0, 100.0)
PLANNED_FOR: Final = (1, 10, 100, 1_000)
MEASURED_MINUTES: Final = 1.0
LATE_S: Final = 1.0  # a client that is further behind its pace is being held up: the machine does not carry this load
VIEW_EVENTS_MAX: Final = 5_000
RETAINED_YEARS: Final = 6
DAYS_A_YEAR: Final = 252


def main(json_output: bool, *, multiples: tuple[float, ...] = MULTIPLES, minutes: float = MEASURED_MINUTES) -> int:
    """Measure and print; the exit code: 0 when the lowest multiple was carried with every invariant."""
    figures = measure(multiples, minutes)
    if json_output:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in shown(figures)))
    return 0 if figures["measured"] and figures["measured"][0]["carried"] else 1


def measure(multiples: tuple[float, ...], minutes: float) -> dict[str, Any]:
    """Rising multiples, up to the first that is not carried; then the plan by arithmetic."""
    measured: list[dict[str, Any]] = []
    for load in multiples:
        soak.progress(f"load {load:g}")
        with tempfile.TemporaryDirectory(prefix="ems-capacity-") as home:
            figures, _ = asyncio.run(soak.run(Path(home), Plan(minutes, load, judged=False), soak.progress))
        measured.append(row(figures))
        if not measured[-1]["carried"]:
            break
    carried = [one for one in measured if one["carried"]] or measured
    return {"measured": measured, "plan": [planned(times, carried[-1]) for times in PLANNED_FOR]}


def row(figures: dict[str, Any]) -> dict[str, Any]:
    """What a multiple came to. carried: kept its pace, lost nothing, and no view fell behind."""
    lags = figures["lags"]
    orders = max(1, figures["sent"]["orders"])
    late = figures["behind_s"] > LATE_S or lags["view_events"]["last"] > VIEW_EVENTS_MAX
    return {
        "load": figures["load"], "orders_per_s": figures["orders_per_s"], "events_per_s": figures["events_per_s"],
        "events_per_order": round(figures["events"] / orders, 1), "bytes_per_event": figures["bytes_per_event"],
        "wal_bytes_per_event": figures["wal_bytes_per_event"], "behind_s": figures["behind_s"],
        "log_ms": lags.get("log_ms", {}).get("last", 0), "plan_s_p99": lags["plan_s"]["p99"],
        "kb_per_order": {name: _kb(one, figures) for name, one in figures["memory"].items()},
        "carried": not late and not figures["failed"], "why_not": figures["failed"],
    }  # fmt: skip


def _kb(memory: dict[str, float], figures: dict[str, Any]) -> float:
    """What a process keeps of each order of the day."""
    orders_per_s: float = figures["orders_per_s"]
    return round(memory["mb_per_hour"] * 1024 / 3600 / orders_per_s, 1)


def planned(times: int, one: dict[str, Any]) -> dict[str, Any]:
    """A multiple of today's load by arithmetic on what one order costs. GB are 10^9 bytes."""
    orders = times * ORDERS_A_DAY
    events = orders * one["events_per_order"]
    gb = events * one["bytes_per_event"] / 1e9
    return {
        "load": times, "orders_a_day": orders, "events_a_day": round(events), "gb_a_day": round(gb, 2),
        "wal_gb_a_day": round(events * one["wal_bytes_per_event"] / 1e9, 2),
        "tb_retained": round(gb * DAYS_A_YEAR * RETAINED_YEARS / 1e3, 2),
        "memory_gb": round(sum(max(0.0, kb) for kb in one["kb_per_order"].values()) * orders / 1e6, 2),
        "mean_events_per_s": round(events / soak.SESSION_S, 1),
    }  # fmt: skip


def shown(figures: dict[str, Any]) -> list[str]:
    """For people."""
    lines = ["measured here:"]
    for one in figures["measured"]:
        verdict = "carried" if one["carried"] else f"NOT carried: {'; '.join(one['why_not']) or 'behind its pace'}"
        rate = f"{one['orders_per_s']:g} orders and {one['events_per_s']:g} events a second"
        lines.append(f"  load {one['load']:g}: {rate}, {one['bytes_per_event']} bytes an event, {verdict}")
    lines.append("by arithmetic:")
    lines += [
        f"  load {one['load']:>5}: {one['orders_a_day']} orders, {one['gb_a_day']} GB a day (WAL {one['wal_gb_a_day']}), "
        f"{one['tb_retained']} TB in {RETAINED_YEARS} years, {one['memory_gb']} GB of memory by the evening"
        for one in figures["plan"]
    ]
    return lines
