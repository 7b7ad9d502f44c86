"""`ems soak`: does anything creep when a trading day goes through the whole system?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

JUDGED_MINUTES = 10.0  # shorter than that, growth cannot be told from a start


def soak(
    minutes: Annotated[float, typer.Option(min=0.1, max=60, help="Of the wall; 60 are a whole session.")] = 60,
    load: Annotated[float, typer.Option(min=0.1, help="Times the load of today: 720 parent orders a session.")] = 10,
    seed: Annotated[int, typer.Option(help="Of orders and market.")] = 7,
    out: Annotated[Path | None, typer.Option(help="A directory for figures.json and soak.html, a picture of the run.")] = None,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """A trading day at a multiple of its load through the whole system: memory flat, no growing lag, all invariants hold.

    Exit 1 with the names of what does not hold. Memory is judged from ten minutes on.
    """
    import logging

    from ems.bench.soak import Plan, main
    from ems.bootstrap.logs import log_plain

    log_plain(logging.ERROR)
    raise typer.Exit(main(Plan(minutes, load, seed, judged=minutes >= JUDGED_MINUTES), json_output=json_output, out=out))


def capacity(
    load: Annotated[list[float] | None, typer.Option(min=0.1, help="Multiples of today's load to measure; 10, 30, 100.")] = None,
    minutes: Annotated[float, typer.Option(min=0.1, max=60, help="Of the wall, each.")] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Disk, memory and pace at rising multiples of today's load, measured here; and by arithmetic up to 1,000 times."""
    import logging

    from ems.bench.capacity import MULTIPLES, main
    from ems.bootstrap.logs import log_plain

    log_plain(logging.ERROR)
    raise typer.Exit(main(json_output, multiples=tuple(load) if load else MULTIPLES, minutes=minutes))
