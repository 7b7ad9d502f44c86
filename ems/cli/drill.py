"""`ems drill`: what must hold is made to happen, and it is judged whether it held. Exit 1 where it did not."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


@app.callback()
def drill() -> None:
    """What must hold is made to happen."""


@app.command()
def update(json_output: JsonOption = False) -> None:
    """Better versions promoted, equal ones not, a corrupted day refused: with made scores, and with the real nets on tapes."""
    raise typer.Exit(importlib.import_module("ems.bench.drill_update").main(json_output))


@app.command()
def swap(json_output: JsonOption = False) -> None:
    """A hundred model swaps at 20,000 ticks a second: ticks missed, and the quote's p99 with and without."""
    raise typer.Exit(importlib.import_module("ems.bench.drill_swap").main(json_output))
