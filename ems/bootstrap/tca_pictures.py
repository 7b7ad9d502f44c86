"""Pictures of costs for the report: PNG for the page, and a PDF of its own, by matplotlib without a display."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from ems.tca import groups, page, parts
from ems.tca.costs import HORIZONS_S, Costs

_WHOLE: Final = ("impact", "timing", "opportunity", "explicit")
_COLOURS: Final = ("#d9552b", "#2f6fde", "#8a94a0", "#2a9d6f")
_ORDERS_MAX: Final = 40  # in one picture
_ROWS_MAX: Final = 28  # of a table on one sheet
_SHEET: Final = (11.7, 8.3)  # A4, inches


def pictures(costs: Sequence[Costs]) -> dict[str, bytes]:
    """PNG by caption; nothing where there is nothing to draw."""
    found = {}
    for caption, figure in _figures(costs):
        out = io.BytesIO()
        canvas: Any = FigureCanvasAgg(figure)
        canvas.print_png(out)
        found[caption] = out.getvalue()
    return found


def write_pdf(path: Path, title: str, now: Sequence[Costs], then: Sequence[Costs | None]) -> None:
    """The report as a PDF: tables of the day, pictures, one sheet for each order."""
    with PdfPages(path, metadata={"Title": f"Transaction costs: {title}", "CreationDate": None}) as out:
        for by in groups.BY if len(now) > 1 else ():
            _sheets(out, f"{title}, by {by}, bps", page.GROUP_HEADINGS, page.group_rows(now, by))
        for caption, figure in _figures(now):
            figure.suptitle(caption)
            out.savefig(figure)
        for one, before in zip(now, then, strict=True):
            rows: list[Sequence[object]] = [("now", *row) for row in page.shortfall_rows(one)]
            rows += [("at its end", *row) for row in page.shortfall_rows(before)] if before is not None else []
            rows += [("against", name, page.cents(b.cost_e18), b.bps) for name, b in one.benchmarks.items()]
            rows += [("markout", f"{m.seconds} s", f"{100 * m.coverage:.0f} %", m.bps) for m in one.markouts]
            rows += [("missing", what, None, None) for what in one.missing]
            order = one.order
            name = f"{order.order_id}: {order.side.value} {order.instrument}, {order.strategy}, {one.status}"
            _sheets(out, name, ("", "", one.currency or "money", "bps"), rows)


def _figures(costs: Sequence[Costs]) -> list[tuple[str, Figure]]:
    found = []
    divided = [one for one in costs if one.bps is not None and None not in _divided(one)][:_ORDERS_MAX]
    if divided:
        found.append(("Shortfall of each order in parts, bps", _stacked(divided)))
    if any(m.bps is not None for one in costs for m in one.markouts):
        found.append(("Markouts: cost against the mid some time after each execution, bps", _markouts(costs)))
    return found


def _divided(one: Costs) -> list[float | None]:
    return [parts.bps(getattr(one.split, f"{name}_e18"), one.split.paper_e18) for name in _WHOLE]


def _stacked(costs: Sequence[Costs]) -> Figure:
    """Bars of the parts, costs above zero and gains below, and a dot for the total."""
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    axes: Any = figure.add_subplot()
    above, below = [0.0] * len(costs), [0.0] * len(costs)
    places = range(len(costs))
    for number, (name, colour) in enumerate(zip(_WHOLE, _COLOURS, strict=True)):
        values = [_divided(one)[number] or 0.0 for one in costs]
        bottoms = [above[i] if value >= 0 else below[i] for i, value in enumerate(values)]
        axes.bar(places, values, bottom=bottoms, color=colour, label=name, width=0.7)
        for i, value in enumerate(values):
            above[i], below[i] = above[i] + max(0.0, value), below[i] + min(0.0, value)
    axes.plot(places, [one.bps for one in costs], "ko", markersize=4, label="total")
    axes.axhline(0, color="#1f2933", linewidth=0.8)
    names = [f"{one.order.cl_ord_id[:14]}\n{one.order.strategy[:14]}" for one in costs]
    axes.set_xticks(list(places), names, rotation=60 if len(costs) > 6 else 0, fontsize=8)
    axes.set_ylabel("bps of the worth at the decision")
    axes.set_xlim(-1, max(len(costs), 5))  # a few bars are not as wide as the page
    figure.legend(loc="outside upper right", ncols=5, fontsize=8, frameon=False)
    return figure


def _markouts(costs: Sequence[Costs]) -> Figure:
    figure = Figure(figsize=(11, 4.0), layout="constrained")
    axes: Any = figure.add_subplot()
    for group in groups.venues(costs):
        axes.plot(
            range(len(HORIZONS_S)), [float("nan") if m.bps is None else m.bps for m in group.markouts], "o-", label=group.venue
        )
    axes.axhline(0, color="#1f2933", linewidth=0.8)
    axes.set_xticks(list(range(len(HORIZONS_S))), [f"{seconds} s" for seconds in HORIZONS_S])
    axes.set_ylabel("bps, positive is a cost")
    axes.legend(fontsize=8, frameon=False)
    return figure


def _sheets(out: Any, title: str, headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on as many sheets as it needs."""
    for first in range(0, max(1, len(rows)), _ROWS_MAX):
        figure = Figure(figsize=_SHEET, layout="constrained")
        axes: Any = figure.add_subplot()
        axes.set_axis_off()
        axes.set_title(title, loc="left")
        cells = [[page.shown(cell)[:70] for cell in row] for row in rows[first : first + _ROWS_MAX]]
        if cells:
            drawn = axes.table(cellText=cells, colLabels=list(headings), loc="upper center", cellLoc="right", edges="horizontal")
            drawn.auto_set_font_size(False)
            drawn.set_fontsize(8)
            drawn.auto_set_column_width(list(range(len(headings))))
        out.savefig(figure)
