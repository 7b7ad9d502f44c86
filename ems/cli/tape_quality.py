"""The quality report of a stored tape on a terminal: progress while its book is followed, then what is wrong in colour."""

from __future__ import annotations

import sys
from typing import Final

from rich.console import Console
from rich.table import Table

_NEUTRAL: Final = ("records", "instruments", "prints", "prints_judged")
_SHARES: Final = ("crossed_share", "locked_share", "outside_share")
_PLAIN_WIDTH: Final = 120


def show(found: dict[str, int | float]) -> None:
    """One line a count: green where nothing is wrong, red where something is, shares in per cent."""
    table = Table("quality", "", box=None)
    for name, value in found.items():
        text = f"{value:.4%}" if name in _SHARES else f"{value:,}"
        style = "" if name in _NEUTRAL else "red" if value else "green"
        table.add_row(name, f"[{style}]{text}[/]" if style else text)
    Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH).print(table)
