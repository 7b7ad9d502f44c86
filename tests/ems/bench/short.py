"""Short runs of whole-system benches, in a process of their own: `python -m tests.ems.bench.short fix|soak directory`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from ems.bench import fix, soak
from ems.bench.fix_dialects import DIALECTS
from ems.bench.soak import Plan


def plain(directory: Path) -> dict[str, Any]:
    """The FIX bench without other dialects."""
    return _fix(directory, ())


def dialects(directory: Path) -> dict[str, Any]:
    """The FIX bench with a session of each dialect beside."""
    return _fix(directory, DIALECTS)


def _fix(directory: Path, spoken: Any) -> dict[str, Any]:
    short = {"ROUNDS": 1, "TRIPS_A_ROUND": 20, "CHILDREN_A_ROUND": 2, "PIPELINE_ROUNDS": 1, "PIPELINED": 100, "WARM_UP": 10}
    for name, value in short.items():
        setattr(fix, name, value)
    return asyncio.run(fix.measure(directory, spoken))


def soaked(directory: Path) -> dict[str, Any]:
    """Ten seconds of soak, and its picture."""
    figures, watched = asyncio.run(soak.run(directory, Plan(minutes=1 / 6, load=10, judged=False), lambda _: None))
    (directory / "page.html").write_text(soak.picture(figures, watched))
    return dict(figures)


if __name__ == "__main__":
    print(json.dumps({"plain": plain, "dialects": dialects, "soaked": soaked}[sys.argv[1]](Path(sys.argv[2]))))
