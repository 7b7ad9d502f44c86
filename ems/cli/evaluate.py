"""`ems evaluate`: how good models are, on what they have not seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from ems.cli.shown import shown_progress
from ems.cli.train import JsonOption, ProcessesOption, RayOption, TapesOption, one_thread_each

app = typer.Typer(no_args_is_help=True)


@app.callback()
def evaluate() -> None:
    """How good models are, on what they have not seen."""
    one_thread_each()


@app.command()
def forecast(
    tapes: TapesOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also write forecast.json and forecast.png here.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides weights, batches and noise.")] = 7,
    batches: Annotated[int, typer.Option(min=1, help="At most so many for each day left out.")] = 400,
    recalibrated: Annotated[
        bool, typer.Option(help="Put rollouts right by days left out; a training more a pair of days.")
    ] = False,
    ray: RayOption = None,
    processes: ProcessesOption = 1,
    json_output: JsonOption = False,
) -> None:
    """Leave every day of tapes out once, train on the others, and forecast it beside four baselines."""
    from ems.bootstrap import forecasts
    from ems.bootstrap.spreading import spreading

    with shown_progress(json_output) as told, spreading(ray, processes) as mapper:
        paths = tapes or forecasts.recorded_tapes(told)
        figures = forecasts.evaluate_forecast(
            paths, told, seed=seed, batches=batches, out=out, recalibrated=recalibrated, mapper=mapper
        )
    if json_output:
        typer.echo(json.dumps(figures))
        return
    for name in ("k10", "k20", "k50", "k100"):
        typer.echo(f"{name:<5} {_line(figures[name])}")
    for name, one in figures["files"].items():
        typer.echo(f"  {name:<24} k10 {_line(one['k10'])}")
    typer.echo("coverage " + ", ".join(f"{level} %: {100 * figures.get(f'coverage_{level}', 0):.1f} %" for level in (50, 80, 95)))


@app.command()
def execution(
    world: Annotated[str, typer.Option(help="lq (exact optimum known), chapter, event-book or cleo.")] = "lq",
    regime: Annotated[list[str] | None, typer.Option(help="Only this one; may be repeated. None: all of the world.")] = None,
    orders: Annotated[int | None, typer.Option(min=40, help="In the main regime. None: what the world usually takes.")] = None,
    judge: Annotated[str, typer.Option(help="Whose ratios are told: adaptive, or any other row of the table.")] = "adaptive",
    out: Annotated[Path | None, typer.Option("--out", help="Also write execution.json, .txt and .png here.")] = None,
    ray: RayOption = None,
    processes: ProcessesOption = 1,
    json_output: JsonOption = False,
) -> None:
    """Let every strategy buy the same orders in a world, and tell what each costs beside TWAP, with intervals.

    \b
    ems evaluate execution --world lq
    ems evaluate execution --world lq --regime mixed --orders 2000 --judge qp_ewma
    ems evaluate execution --world lq --ray 10.0.0.7:6379

    A ratio below 1 is cheaper than TWAP. Rows called bounds are told what no desk knows and only show how much could be
    gained at all. Regimes that are "never learnt from" decide whether a gain is real. docs/execution-judged.md explains all.
    """
    from ems.bootstrap import executions
    from ems.bootstrap.spreading import spreading

    with shown_progress(json_output) as told, spreading(ray, processes) as mapper:
        figures = executions.evaluate_execution(
            world, told, judged=judge, orders=orders, regimes=regime or (), out=out, mapper=mapper
        )
    typer.echo(json.dumps(figures) if json_output else "\n".join(executions.table(figures)))


@app.command("market-making")
def market_making(
    world: Annotated[list[str] | None, typer.Option(help="exact, grid, event-book or tapes; may be repeated. None: all.")] = None,
    paths: Annotated[int, typer.Option(min=20, help="Of the exact world and of the grid.")] = 1_000,
    sessions: Annotated[int, typer.Option(min=20, help="Of the event book, in each regime; 300 s each.")] = 400,
    regime: Annotated[list[str] | None, typer.Option(help="Of the event book; may be repeated. None: all.")] = None,
    tapes: TapesOption = None,
    weights: Annotated[Path | None, typer.Option(help="A maker's weights. None: the shipped ones.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Also write making.json, .txt and .png here.")] = None,
    ray: RayOption = None,
    processes: ProcessesOption = 1,
    json_output: JsonOption = False,
) -> None:
    """Let the maker and three rules quote in the same markets, and tell what each made of them, with intervals.

    \b
    ems evaluate market-making --world exact --json
    ems evaluate market-making --world event-book --regime mixed --sessions 200

    rho is 0 for the optimum and 1 for constant quotes. docs/market-making.md explains all.
    """
    from ems.bootstrap import makers, making
    from ems.bootstrap.spreading import spreading

    with shown_progress(json_output) as told, spreading(ray, processes) as mapper:
        figures = making.evaluate_making(
            told, chosen=world or (), paths=paths, sessions=sessions, regimes=regime or (), tapes=tapes or (),
            weights=weights or makers.SHIPPED, out=out, mapper=mapper,
        )  # fmt: skip
    typer.echo(json.dumps(figures) if json_output else "\n".join(making.table(figures)))


@app.command()
def basket(
    baskets: Annotated[int, typer.Option(min=2, help="Worked by the program, beside what is known exactly.")] = 200,
    urgency: Annotated[
        float, typer.Option(min=0, max=10, help="How much risk weighs: kappa T of the average order alone.")
    ] = 2.0,
    out: Annotated[Path | None, typer.Option("--out", help="Also write basket.json and basket.txt here.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Plan baskets jointly and each order by itself in a world whose optimum is known, and tell what joint planning is worth."""
    from ems.bootstrap import executions

    with shown_progress(json_output) as told:
        figures = executions.evaluate_baskets(told, baskets=baskets, urgency=urgency, out=out)
    typer.echo(json.dumps(figures) if json_output else "\n".join(executions.basket_table(figures)))


def _line(f: dict[str, Any]) -> str:
    return (
        f"MCC {f['mcc']:.3f}, logistic {f['mcc_logistic']:.3f}, gain {f['mcc_gain']:+.3f} from {f['mcc_gain_low']:+.3f};"
        f" log loss {f['log_loss']:.4f}, logistic {f['log_loss_logistic']:.4f}, gain from {f['log_loss_gain_low']:+.4f}"
    )
