"""`ems trace`: from an event of the log to its trace."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="From an event of the log to the trace of its order.")


@app.callback()
def _root() -> None:
    """From an event of the log to the trace of its order."""


@app.command()
def of(
    seq: Annotated[int, typer.Argument(min=1, help="The event's number in the log.")],
    config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path("ems.toml"),
) -> None:
    """Print the trace's id, as a tracing system knows it."""
    import asyncio

    from ems.bootstrap.database import log_of
    from ems.bootstrap.tracer import trace_of
    from ems.config import load

    with log_of(load(config)) as dsn:
        typer.echo(f"{asyncio.run(trace_of(dsn, seq)):032x}")
