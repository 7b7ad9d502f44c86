"""Charts over one time axis as a page that stands by itself: SVG lines, and heat maps as pictures within it. No library.

Panels stand below each other and share the axis. Numbers that are not finite are gaps in a line.
"""

from __future__ import annotations

import base64
import html
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

WIDTH: Final = 1200
LEFT, RIGHT, GAP = 90, 20, 34
TICKS: Final = 4
_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1f2933; --faint: #d5dbe1; --page: #ffffff }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e7eb; --faint: #3e4c59; --page: #12181f } }
body { background: var(--page); color: var(--ink); font: 13px system-ui, sans-serif; margin: 1.5rem; max-width: 1240px }
svg { width: 100%; height: auto } text { fill: var(--ink); font-size: 12px } .grid { stroke: var(--faint) }
path { fill: none; stroke-width: 1.2; vector-effect: non-scaling-stroke }
"""


@dataclass(frozen=True, slots=True)
class Line:
    """One series: a value for each moment of the axis; steps hold a value until the next."""

    name: str
    colour: str
    values: Sequence[float]
    steps: bool = False


@dataclass(frozen=True, slots=True)
class Dots:
    """Points at moments of their own: x from 0 to 1 along the axis."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Heat:
    """A picture of cells: rows from low to high, each with a palette index for each column; colours are red, green, blue."""

    low: float
    high: float
    rows: Sequence[bytes]
    palette: Sequence[tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Panel:
    """A chart with a title that names its unit."""

    title: str
    height: int
    lines: Sequence[Line] = ()
    dots: Sequence[Dots] = ()
    heat: Heat | None = None
    symmetric: bool = False  # zero in the middle
    span: tuple[float, float] | None = None  # lowest and highest value; None: those that there are
    decimals: int = 2
    labels: Sequence[str] = field(default_factory=tuple)  # below: at even distances along the axis


def page(title: str, text: str, panels: Sequence[Panel]) -> str:
    """The whole page."""
    y, parts = 0, []
    for panel in panels:
        parts.append(f'<g transform="translate(0 {y})">{_panel(panel)}</g>')
        y += panel.height + GAP + (18 if panel.labels else 0)
    picture = f'<svg viewBox="0 0 {WIDTH} {y}" role="img" aria-label="{html.escape(title)}">{"".join(parts)}</svg>'
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{_STYLE}</style>'
    body = f"<h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{picture}"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _panel(panel: Panel) -> str:
    low, high = _range(panel)
    inner = WIDTH - LEFT - RIGHT
    parts = [f'<text x="{LEFT}" y="14" font-weight="600">{html.escape(panel.title)}</text>']
    x = LEFT + 8 * len(panel.title) + 24
    for name, colour in [(line.name, line.colour) for line in panel.lines] + [(dots.name, dots.colour) for dots in panel.dots]:
        parts.append(f'<text x="{x}" y="14" style="fill:{colour}">{html.escape(name)}</text>')
        x += 8 * len(name) + 24
    top = GAP - 12

    def place(value: float) -> float:
        return round(top + panel.height * (high - value) / (high - low), 2)

    for value in (low + (high - low) * n / TICKS for n in range(TICKS + 1)):
        y = place(value)
        parts += [
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>',
            f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{value:.{panel.decimals}f}</text>',
        ]
    if panel.heat is not None:
        uri = base64.b64encode(_png(panel.heat)).decode()
        above, below = place(panel.heat.high), place(panel.heat.low)
        parts.append(
            f'<image x="{LEFT}" y="{above}" width="{inner}" height="{below - above:.2f}" preserveAspectRatio="none"'
            f' style="image-rendering:pixelated" href="data:image/png;base64,{uri}"/>'
        )
    for dots in panel.dots:
        d = "".join(f"M{LEFT + inner * along:.1f} {place(value)}h0" for along, value in dots.points)
        parts.append(f'<path stroke="{dots.colour}" stroke-linecap="round" style="stroke-width:2.5" d="{d}"/>')
    for line in panel.lines:
        parts.append(f'<path stroke="{line.colour}" d="{_path(line, inner, place)}"/>')
    for n, label in enumerate(panel.labels):
        along = LEFT + inner * n / max(1, len(panel.labels) - 1)
        anchor = "end" if n and n == len(panel.labels) - 1 else "middle"
        parts.append(f'<text x="{along:.1f}" y="{top + panel.height + 18}" text-anchor="{anchor}">{html.escape(label)}</text>')
    return "".join(parts)


def _range(panel: Panel) -> tuple[float, float]:
    if panel.span is not None:
        return panel.span
    values = [v for line in panel.lines for v in line.values if math.isfinite(v)]
    values += [v for dots in panel.dots for _, v in dots.points]
    if panel.heat is not None:
        values += [panel.heat.low, panel.heat.high]
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if panel.symmetric:
        high = max(abs(low), abs(high)) or 1.0
        low = -high
    return (low, high) if high > low else (low - 1.0, high + 1.0)


def _path(line: Line, inner: int, place: Callable[[float], float]) -> str:
    count = max(1, len(line.values) - 1)
    drawn, open_, before = [], False, 0.0
    for n, value in enumerate(line.values):
        if not math.isfinite(value):
            open_ = False
            continue
        x, y = LEFT + inner * n / count, place(value)
        if open_ and line.steps and y != before:
            drawn.append(f"H{x:.1f}")
        drawn.append(f"{'L' if open_ else 'M'}{x:.1f} {y}")
        open_, before = True, y
    return "".join(drawn)


def _png(heat: Heat) -> bytes:
    """An indexed picture; index 0 is transparent."""
    width, height = len(heat.rows[0]), len(heat.rows)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    raw = b"".join(b"\0" + bytes(row) for row in reversed(heat.rows))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    colours = b"".join(bytes(colour) for colour in heat.palette)
    parts = (b"IHDR", header), (b"PLTE", colours), (b"tRNS", b"\0"), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)
