"""`ems train`: models from recorded tapes and from simulated markets."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from ems.cli.shown import shown_progress

app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
TapesOption = Annotated[
    list[Path] | None, typer.Option("--tapes", help="A stored tape; may be repeated. Else all recorded ones.")
]
RayOption = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Spread over Ray: host:port of a cluster's head, auto, or local to start one."),
]
ProcessesOption = Annotated[int, typer.Option(min=1, help="Spread over so many processes of this machine.")]


def one_thread_each() -> None:
    """For numpy's BLAS, read when numpy is loaded: sums have one order, and matrices here are too small for a second thread."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@app.callback()
def train() -> None:
    """Models from recorded tapes and from simulated markets."""
    one_thread_each()


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
        said = {"digest": made.digest, "best_batch": made.best_batch, "unmonitored": made.unmonitored}
        typer.echo(json.dumps({"weights": str(made.weights), **said}))
    else:
        typer.echo(f"{made.weights}: version {made.digest[:12]}, the best after {made.best_batch} batches")
        if made.unmonitored:
            typer.echo(f"unmonitored: {made.unmonitored}; `ems train drift-reference` makes one")


@app.command("drift-reference")
def drift_reference(
    tapes: Annotated[list[Path], typer.Option("--tapes", help="A stored tape, a day of the market; ten or more.")],
    out: Annotated[Path, typer.Option("--out", help="NAME.drift.json beside NAME.safetensors, or in the state's models/.")],
    weights: Annotated[Path | None, typer.Option(help="Another version than the shipped champion.")] = None,
    json_output: JsonOption = False,
) -> None:
    """What is usual for a version in one market: what its drift is measured by. Without one a version is unmonitored."""
    from ems.bootstrap import drift

    made = drift.reference(tapes, out, weights)
    said = f"{out}: of version {made.digest[:12]} in {made.market}, {made.days} days, {made.forecasts:,} forecasts"
    typer.echo(json.dumps(made._asdict()) if json_output else said)


@app.command("impact")
def impact(
    out: Annotated[Path, typer.Option("--out", help="Where the model, its card and its figures are written.")] = Path(
        "var/impact"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Decides the first weights and the intervals.")] = 7,
    episodes: Annotated[int, typer.Option(min=20, help="Markets to learn from; about four a second.")] = 500,
    judged: Annotated[int, typer.Option(min=10, help="Other markets, to judge by.")] = 200,
    ray: RayOption = None,
    processes: ProcessesOption = 1,
    json_output: JsonOption = False,
) -> None:
    """Train the impact model on seeded orders in the event book, and judge it beside a constant and two laws."""
    from ems.bootstrap.impact import ImpactTraining, train_impact
    from ems.bootstrap.spreading import spreading

    with shown_progress(json_output) as told, spreading(ray, processes) as mapper:
        made = train_impact(out, told, ImpactTraining(seed=seed, episodes=episodes, judged=judged), mapper)
    if json_output:
        typer.echo(json.dumps({"weights": str(made.weights), "digest": made.digest} | made.figures))
    else:
        gain = made.figures["gain_over_constant"]
        typer.echo(f"{made.weights}: version {made.digest[:12]}, R2 {made.figures['r2_model']:.3f} on other seeds,")
        typer.echo(f"gain over a constant {gain['mean']:+.2f} [{gain['low']:+.2f}, {gain['high']:+.2f}] price units squared")


@app.command("scheduler")
def scheduler(
    out: Annotated[Path, typer.Option("--out", help="Where weights and card are written.")] = Path("var/scheduler"),
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 7,
    batches: Annotated[int, typer.Option(min=1, help="How many; 2 s each on one idle core.")] = 320,
    json_output: JsonOption = False,
) -> None:
    """Train the scheduler's nets in the training worlds. The same seed gives the same weights digest on one machine."""
    from ems.bootstrap.schedulers import SchedulerTraining, train_scheduler

    with shown_progress(json_output) as told:
        made = train_scheduler(out, told, SchedulerTraining(seed=seed, batches=batches))
    if json_output:
        typer.echo(json.dumps({"weights": str(made.weights), "digest": made.digest} | made.figures))
    else:
        for name, figures in made.figures.items():
            bound = f", bound {figures['r2_bound'][0]:.4f}" if "r2_bound" in figures else ""
            typer.echo(f"{name}: R2 {figures['r2'][0]:.4f} of the next interval's move{bound}")
        typer.echo(f"{made.weights}: version {made.digest[:12]}")


@app.command("market-maker")
def market_maker(
    out: Annotated[Path, typer.Option("--out", help="Where weights and card are written.")] = Path("var/maker"),
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, markets and noise.")] = 7,
    updates: Annotated[int, typer.Option(min=1, help="Of PPO; about 4 s each on one idle core.")] = 120,
    judged: Annotated[int, typer.Option(min=0, help="Paths of each exact world to judge by; 0: none.")] = 200,
    json_output: JsonOption = False,
) -> None:
    """Train the controller that quotes, on the champion's frozen nets. The same seed gives the same digest on one machine."""
    from ems.bootstrap.makers import MakerTraining, train_maker

    with shown_progress(json_output) as told:
        made = train_maker(out, told, MakerTraining(seed=seed, updates=updates), judged=judged)
    if json_output:
        typer.echo(json.dumps({"weights": str(made.weights), "digest": made.digest} | made.figures))
    else:
        for name, figures in made.figures.items():
            if "rho" in figures:
                typer.echo(f"{name}: rho {figures['rho']:.3f} [{figures['rho_low']:.3f}, {figures['rho_high']:.3f}]")
        typer.echo(f"{made.weights}: version {made.digest[:12]}")
