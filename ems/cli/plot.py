"""`ems plot`: pictures of what was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)


@app.callback()
def plot() -> None:
    """Pictures of what was recorded."""


@app.command()
def tape(
    path: Annotated[Path, typer.Argument(help="A stored tape, a LOBSTER zip, Lean's <date>_quote.zip, or records as .npy.")],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("tape.html"),
    instrument: Annotated[int, typer.Option(help="Which instrument of the tape.")] = 0,
    columns: Annotated[int, typer.Option(help="How many moments to draw.")] = 1_000,
    tick: Annotated[float, typer.Option(help="Tick size in currency.")] = 0.01,
) -> None:
    """Price with best bid and ask, depth, imbalance and the six features over time, as one HTML page."""
    from ems.bootstrap.plot import plot_tape

    shown = plot_tape(path, out, instrument=instrument, columns=columns, tick_e9=round(tick * 1e9))
    typer.echo(f"{out}: {len(shown.times_ns)} moments, {len(shown.prints):,} prints")
