"""Pictures of how makers did, as a PNG file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(figures: dict[str, Any], path: Path) -> None:
    """rho in the exact worlds, objective and P&L by regime of the event book, markouts."""
    figure = Figure(figsize=(14, 9), layout="constrained")
    (rho, objective), (pnl, marks) = figure.subplots(2, 2)
    worlds = figures["worlds"]
    exact = {f"{world}: {who}": row for world in ("exact", "grid") for who, row in worlds.get(world, {}).get("rows", {}).items()}
    _bars(rho, exact, "rho", "rho: 0 the optimum, 1 constant quotes")
    regimes = worlds.get("event-book", {}).get("regimes", {})
    _grouped(objective, regimes, "objective", "event book: objective a session, ticks x quotes")
    _grouped(pnl, regimes, "pnl", "event book: P&L a session, ticks x quotes")
    first: dict[str, Any] = next(iter(regimes.values()), {"rows": {}})["rows"]
    for who, row in first.items():
        marks.plot((1, 5, 30), [row[f"markout_{seconds}s"] for seconds in (1, 5, 30)], marker="o", label=who)
    marks.set_xscale("log")
    marks.set_title(f"markouts in {next(iter(regimes), 'no regime')}: ticks a quote, by seconds")
    if first:
        marks.legend()
    FigureCanvasAgg(figure).print_png(str(path))


def _bars(place: Any, rows: dict[str, dict[str, Any]], key: str, title: str) -> None:
    names, middle = list(rows), [row[key] for row in rows.values()]
    ends = [[abs(row[key] - row[f"{key}_{end}"]) for row in rows.values()] for end in ("low", "high")]
    place.barh(names, middle, xerr=ends, capsize=2)
    place.set_xlim(-0.05, 1.1)
    place.invert_yaxis()
    place.set_title(title)


def _grouped(place: Any, regimes: dict[str, Any], key: str, title: str) -> None:
    """Rules whose loss is many times the others' gain are cut off at the axis."""
    makers = list(next(iter(regimes.values()))["rows"]) if regimes else []
    for n, who in enumerate(makers):
        rows = [one["rows"][who] for one in regimes.values()]
        at = [k + 0.8 * n / len(makers) for k in range(len(rows))]
        ends = [[abs(row[key] - row[f"{key}_{end}"]) for row in rows] for end in ("low", "high")]
        place.bar(at, [row[key] for row in rows], 0.8 / len(makers), yerr=ends, capsize=2, label=who)
    if regimes:
        top = max(row[f"{key}_high"] for one in regimes.values() for row in one["rows"].values())
        place.set_ylim(-top, 1.1 * top)
        place.set_xticks([k + 0.3 for k in range(len(regimes))], list(regimes), rotation=30)
        place.legend()
    place.set_title(title)
