"""The demo's terminal: the order, its progress against the schedule, its children, its last fills."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ems.bootstrap.runtime import Runtime
from ems.cli.demo_settings import DemoOptions
from ems.projections import Projections

BAR_WIDTH = 50
LAST = 6


class Screen:
    """What `rich.live.Live` draws; `show` gives it the latest rows."""

    def __init__(self, options: DemoOptions, runtime: Runtime, url: str) -> None:
        self._options = options
        self._clock = runtime.clock()
        self._url = url
        self._rows = Projections()
        self._parent: dict[str, Any] | None = None

    def show(self, rows: Projections, parent: dict[str, Any] | None) -> None:
        """From now on draw these."""
        self._rows, self._parent = rows, parent

    def __rich__(self) -> RenderableType:
        options, now_ns = self._options, self._clock.now_ns()
        title = f"{options.side} {options.quantity} {options.symbol}, {options.algo} over {options.minutes:g} min"
        parts: list[RenderableType] = [Text(f"{_time(now_ns)} UTC, {options.speed:g} times as fast as the wall", style="dim")]
        if self._parent is not None:
            parts += [_progress(self._parent, now_ns), self._plans(), self._children(), self._fills()]
        parts.append(Text(self._url, style="dim"))
        return Panel(Group(*parts), title=title, expand=False)

    def _plans(self) -> Table:
        table = _table("planned at", "why", "by", "instead, because")
        for plan in list(self._rows.plans.get(self._parent["id"] if self._parent else "", ()))[-LAST:][::-1]:
            table.add_row(_time(int(plan["time_ns"])), plan["reason"], plan["planner"], plan["fallback"][:60])
        return table

    def _children(self) -> Table:
        table = _table("child", "tactic", "quantity", "limit", "filled", "status")
        mine = [c for c in self._rows.children.values() if self._parent and c["parent"] == self._parent["id"]]
        for child in mine[-LAST:][::-1]:
            table.add_row(*(str(child[k] or "") for k in ("cl_ord_id", "tactic", "quantity", "limit_px", "filled", "status")))
        return table

    def _fills(self) -> Table:
        table = _table("fill at", "execution", "quantity", "price")
        for fill in list(self._rows.fills.values())[-LAST:][::-1]:
            table.add_row(_time(int(fill["time_ns"])), fill["exec_id"], fill["quantity"], fill["price"])
        return table


def summary_panel(figures: dict[str, Any]) -> Panel:
    """The demo's result."""
    table = Table.grid(padding=(0, 2))
    ledger = "agrees" if figures["venue_ledger_agrees"] else "DISAGREES"
    for name, value in (
        ("filled", f"{figures['filled']} of {figures['quantity']}" + (f" ({figures['reason']})" if figures["reason"] else "")),
        ("average price", _number(figures["avg_px"], 4)),
        ("arrival price", _number(figures["arrival_px"], 4)),
        ("shortfall", _number(figures["is_bps"], 2, " bps")),
        ("slippage to VWAP", _number(figures["vwap_slippage_bps"], 2, " bps")),
        ("plans", ", ".join(f"{count} {why}" for why, count in figures["plans_by_reason"].items())),
        ("plans fallen back", str(figures["plans_fallen_back"])),
        *_beside(figures["twap"]),
        ("fill rate", _number((figures["fill_rate"] or 0) * 100, 1, " %")),
        ("children, fills", f"{figures['children']}, {figures['fills']}"),
        ("events", str(figures["events"])),
        ("venue's ledger", f"{ledger}: {figures['venue_filled']} executed there"),
    ):
        table.add_row(Text(name, style="dim"), value)
    return Panel(table, title=f"{figures['side']} {figures['symbol']} {figures['status']}", expand=False)


def _beside(found: dict[str, Any] | None) -> list[tuple[str, str]]:
    """The schedule beside TWAP's, both traded the same way."""
    if found is None:
        return []
    costs = [_number(found[name], 2, " bps") for name in ("same_tactic_bps", "twap_bps")]
    return [("this schedule, TWAP's", f"{costs[0]}, {costs[1]} ({found['how']})")]


def _progress(row: dict[str, Any], now_ns: int) -> Table:
    """Two bars: what is filled, and where the plan says it should be."""
    quantity = Decimal(row["quantity"])
    due = _due(row, now_ns)
    table = Table.grid(padding=(0, 1))
    average = f"at {row['avg_px']}" if row.get("avg_px") else ""
    table.add_row("filled", _bar(Decimal(row["filled"]) / quantity, "green"), f"{row['filled']} {average}")
    if due is not None:
        table.add_row("planned", _bar(min(Decimal(1), due / quantity), "blue"), str(due))
    table.add_row("status", str(row["status"]), str(row["text"]))
    return table


def _due(row: dict[str, Any], now_ns: int) -> Decimal | None:
    schedule = row.get("schedule")
    if not schedule:
        return None
    begun = (Decimal(quantity) for start_ns, _, quantity in schedule["slices"] if int(start_ns) <= now_ns)
    return Decimal(schedule["filled"]) + sum(begun, Decimal())


def _bar(share: Decimal, style: str) -> Text:
    full = int(share * BAR_WIDTH)
    return Text("█" * full, style=style) + Text("░" * (BAR_WIDTH - full), style="dim")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 1))
    for column in columns:
        table.add_column(column, justify="right" if column in ("quantity", "price", "limit", "filled") else "left")
    return table


def _time(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%H:%M:%S}"


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return "-" if value is None else f"{value:.{digits}f}{unit}"
