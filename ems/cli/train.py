"""`ems train`: models from recorded tapes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from ems.cli.shown import shown_progress

app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
TapesOption = Annotated[
    list[Path] | None, typer.Option("--tapes", help="A stored tape; may be repeated. Else all recorded ones.")
]


@app.callback()
def train() -> None:
    """Models from recorded tapes."""


@app.command("world-model")
def world_model(
    tapes: TapesOption = None,
    out: Annotated[Path, typer.Option("--out", help="Where weights, card and curves are written.")] = Path("var/world-model"),
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 7,
    batches: Annotated[int, typer.Option(min=1, help="At most so many; 0.2 s each on one core.")] = 400,
    figures: Annotated[Path | None, typer.Option(help="forecast.json of `ems evaluate forecast --out`, for the card.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted training in the same directory.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Train encoder, dynamics and heads. The same tapes and seed give the same weights digest on one machine."""
    from ems.bootstrap import forecasts

    with shown_progress(json_output) as told:
        made = forecasts.train_world_model(
            tapes or forecasts.recorded_tapes(told), out, told, seed=seed, batches=batches, figures=figures, resume=resume
        )  # fmt: skip
    if json_output:
        typer.echo(json.dumps({"weights": str(made.weights), "digest": made.digest, "best_batch": made.best_batch}))
    else:
        typer.echo(f"{made.weights}: version {made.digest[:12]}, the best after {made.best_batch} batches")
