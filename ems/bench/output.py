"""How a bench prints: one JSON object for machines, a line a figure for people."""

from __future__ import annotations

import json
import sys
from typing import Any


def emit(figures: dict[str, Any], json_output: bool) -> None:
    """Write the figures to standard output."""
    if json_output:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    width = max(map(len, figures))
    sys.stdout.write("".join(f"{name:<{width}}  {value}\n" for name, value in figures.items()))
