"""Pictures of what strategies cost, as a PNG file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure


def draw(told: dict[str, Any], path: Path) -> None:
    """Ratios to TWAP with intervals in the first regime, and of the judged strategy in each regime."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    left, right = figure.subplots(1, 2)
    name, first = next(iter(told["regimes"].items()))
    _bars(left, first["strategies"], f"{told['world']}, {name}: cost over TWAP's")
    judged = {regime: one["strategies"][told["judged"]] for regime, one in told["regimes"].items()}
    _bars(right, judged, f"{told['judged']} by regime: cost over TWAP's")
    FigureCanvasAgg(figure).print_png(str(path))


def _bars(place: Any, rows: dict[str, dict[str, Any]], title: str) -> None:
    shown = {name: row for name, row in rows.items() if row["ratio_twap"] is not None}
    names, middle = list(shown), [row["ratio_twap"] for row in shown.values()]
    # Where strategies cost the same, rounding may put an interval's end on the wrong side of its middle.
    below = [max(0.0, row["ratio_twap"] - row["ratio_twap_low"]) for row in shown.values()]
    above = [max(0.0, row["ratio_twap_high"] - row["ratio_twap"]) for row in shown.values()]
    colours = ["tab:grey" if row["bound"] else "tab:blue" for row in shown.values()]
    place.barh(names, middle, xerr=[below, above], color=colours, capsize=2)
    place.axvline(1.0, color="black", linewidth=0.8)
    place.invert_yaxis()
    place.set_title(title)
