"""`ems drill`: what must hold is made to happen, and it is judged whether it held. Exit 1 where it did not."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ems.cli.kill import JsonOption

app = typer.Typer(no_args_is_help=True)
_SHIFTS = ("covariate", "label", "concept", "latency")


@app.callback()
def root() -> None:
    """What must hold is made to happen; no running system is needed."""


@app.command()
def drift(
    days: Annotated[int, typer.Option(min=1, help="Undisturbed days in which alarms are counted.")] = 24,
    reference_days: Annotated[int, typer.Option(min=2, help="Days that the reference is made of.")] = 20,
    shifts: Annotated[int, typer.Option(min=1, help="Days of each planted shift.")] = 6,
    hours: Annotated[float, typer.Option(min=0.5, max=24, help="How long a day is, in market time.")] = 6.5,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    tape: Annotated[list[Path] | None, typer.Option(help="A stored tape that is judged beside; several.")] = None,
    save: Annotated[Path | None, typer.Option(help="Write the reference of the generated market there.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Drift: planted shifts must be found within 500 forecasts (latency: 10,000), undisturbed days ring once in 20 at most.

    Exit 1 where one of that does not hold. With the days as they are it takes half an hour on two cores.
    """
    from ems.bootstrap.drift import drill

    told = drill(
        reference_days=reference_days, days=days, shifts=shifts, hours=hours, workers=workers, tapes=tape or (), save=save
    )
    typer.echo(json.dumps(told) if json_output else "\n".join(_lines(told)))
    raise typer.Exit(0 if told["passed"] else 1)


@app.command()
def update(json_output: JsonOption = False) -> None:
    """Better versions promoted, equal ones not, a corrupted day refused: with made scores, and with the real nets on tapes."""
    raise typer.Exit(importlib.import_module("ems.bench.drill_update").main(json_output))


@app.command()
def swap(json_output: JsonOption = False) -> None:
    """A hundred model swaps at 20,000 ticks a second: ticks missed, and the quote's p99 with and without."""
    raise typer.Exit(importlib.import_module("ems.bench.drill_swap").main(json_output))


def _lines(told: dict[str, Any]) -> list[str]:
    quiet = f"{told['quiet_days']} undisturbed days, {told['forecasts']:,} forecasts"
    lines = [f"{quiet}: {told['false_alarms']} alarms {told['false_by']}"]
    for name in _SHIFTS:
        delays = ", ".join("never" if delay is None else f"{delay:,}" for delay in told[f"{name}_delays"])
        found = f"{told[f'{name}_found_in_window']} of {told[f'{name}_days']} within {told[f'{name}_window']:,}"
        lines.append(f"{name:<10} {found}; after {delays} forecasts, by {', '.join(told[f'{name}_by']) or 'nobody'}")
    return [*lines, "passed" if told["passed"] else "NOT passed"]
