"""The report as one HTML page that stands by itself, pictures included. Pure."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ems.tca import groups, told
from ems.tca.costs import HORIZONS_S, Costs
from ems.tca.parts import bps, money_e9

NOTHING: Final = "-"
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2933; --faint: #d5dbe1; --page: #ffffff; --warn: #b3261e }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --faint: #3e4c59; --page: #12181f; --warn: #ff8a80 } }
body { background: var(--page); color: var(--ink); font: 14px system-ui, sans-serif; margin: 1.5rem auto; max-width: 1100px }
table { border-collapse: collapse; margin: .5rem 0 1.5rem } th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--faint) }
td { text-align: right; font-variant-numeric: tabular-nums } th, td:first-child { text-align: left }
img { max-width: 100%; background: #ffffff } .missing { color: var(--warn) } h2 { margin-top: 2rem }
"""


def page(title: str, now: Sequence[Costs], then: Sequence[Costs | None], pictures: Mapping[str, bytes]) -> str:
    """The whole page.

    Args:
        pictures: PNG files by their caption.
    """
    name = f"Transaction costs: {title}"
    parts = [f"<h1>{html.escape(name)}</h1>", "<p>Positive is a cost, for buys and sells alike.</p>"]
    if len(now) > 1:
        parts += [_day(now)]
    for caption, content in pictures.items():
        uri = base64.b64encode(content).decode()
        parts.append(f'<h2>{html.escape(caption)}</h2><img alt="{html.escape(caption)}" src="data:image/png;base64,{uri}">')
    parts += [_order(one, before) for one, before in zip(now, then, strict=True)]
    head = f'<meta charset="utf-8"><title>{html.escape(name)}</title><style>{_STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """An HTML table of text; None is a dash, a float has two decimals."""
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(shown(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def shown(cell: object) -> str:
    """One cell as text."""
    if cell is None:
        return NOTHING
    return f"{cell:,.2f}" if isinstance(cell, float) else str(cell)


def shortfall_rows(one: Costs) -> list[tuple[str, str | None, float | None]]:
    """Part, money to the cent, basis points."""
    found = []
    for name in told.PARTS:
        amount_e18 = getattr(one.split, f"{name}_e18")
        found.append((name.replace("_", " "), cents(amount_e18), bps(amount_e18, one.split.paper_e18)))
    return found


def cents(amount_e18: int | None) -> str | None:
    """Money as people write it, rounded half up to the cent."""
    if (amount_e9 := money_e9(amount_e18)) is None:
        return None
    whole = (abs(amount_e9) + 5_000_000) // 10_000_000
    return f"{'-' if amount_e9 < 0 and whole else ''}{whole // 100:,}.{whole % 100:02d}"


def group_rows(costs: Sequence[Costs], by: str) -> list[tuple[object, ...]]:
    """The rows of a day's table, under GROUP_HEADINGS."""
    return [
        (row.name, row.orders, row.missing, cents(row.total_e18), row.bps, row.impact_bps, row.timing_bps, row.opportunity_bps,
         row.explicit_bps, row.mean_bps, row.low_bps, row.high_bps)
        for row in groups.grouped(costs, by)
    ]  # fmt: skip


GROUP_HEADINGS: Final = (
    "", "orders", "without a figure", "cost", "bps", "impact", "timing", "opportunity", "explicit", "mean", "low", "high",
)  # fmt: skip


def _day(costs: Sequence[Costs]) -> str:
    found = [f"<h2>By {by}</h2>{table(GROUP_HEADINGS, group_rows(costs, by))}" for by in groups.BY]
    rows = [
        (row.venue, row.executions, cents(row.notional_e18), row.impact_bps, row.charges_bps, *(m.bps for m in row.markouts))
        for row in groups.venues(costs)
    ]
    headings = ("", "executions", "traded", "impact", "charges", *(f"after {s} s" for s in HORIZONS_S))
    return "".join(found) + f"<h2>By venue</h2>{table(headings, rows)}"


def _order(one: Costs, then: Costs | None) -> str:
    order = one.order
    title = (
        f"{order.order_id}: {order.side.value} {told.text(one.quantity_e9)} {order.instrument}, {order.strategy}, {one.status}"
    )
    parts = [f"<h2>{html.escape(title)}</h2>", _prices(one)]
    headings = ["part", one.currency or "money", "bps"]
    rows: list[Sequence[object]] = list(shortfall_rows(one))
    if then is not None:
        headings += ["as known at its end", "bps then"]
        rows = [(*now, *before[1:]) for now, before in zip(shortfall_rows(one), shortfall_rows(then), strict=True)]
    parts.append(table(headings, rows))
    against = [(name, told.text(b.price_e9), cents(b.cost_e18), b.bps) for name, b in one.benchmarks.items()]
    parts.append(table(("against", "price", "cost", "bps"), against))
    marked = [(f"{m.seconds} s after", m.bps, 100 * m.coverage) for m in one.markouts]
    parts.append(table(("markout", "bps", "% of the quantity"), marked))
    parts += [f'<p class="missing">Missing: {html.escape(what)}.</p>' for what in one.missing]
    return "".join(parts)


def _prices(one: Costs) -> str:
    estimated = one.estimated
    rows = [
        ("filled", told.text(one.filled_e9)),
        ("average price", told.text(one.average_e9)),
        ("decision price", f"{told.text(one.decision.price_e9) or NOTHING} ({one.decision.source})"),
        ("arrival price", told.text(one.arrival.price_e9)),
        ("price at the end", told.text(one.end_price_e9)),
        ("charges by", one.charged_by or None),
        ("estimate before it traded, bps", estimated.mean_bps),
        ("of 90 %, low", estimated.low_bps),
        ("of 90 %, high", estimated.high_bps),
        ("spread at arrival, bps", one.spread_bps),
        ("volatility, bps a square root of a minute", one.volatility_bps),
        ("share of the market's volume", one.participation),
        ("size", groups.size_of(one)),
        ("regime", groups.regime_of(one)),
    ]
    return table(("", ""), rows)
