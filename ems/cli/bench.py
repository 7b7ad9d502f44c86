"""`ems bench`: measurements, each in a file of its own under ems/bench."""

from __future__ import annotations

import importlib
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


def _run(subject: str, json_output: bool) -> None:
    raise typer.Exit(importlib.import_module(f"ems.bench.{subject}").main(json_output))


@app.command()
def log(json_output: JsonOption = False) -> None:
    """The event log: group commit against the library's recorder and raw COPY, on one real Postgres."""
    _run("log", json_output)


@app.command()
def fix(
    json_output: JsonOption = False,
    dialects: Annotated[bool, typer.Option("--dialects", help="Also on FIX 4.2, and on a session with a profile.")] = False,
) -> None:
    """An order over real FIX to its durable New, against a bare echo and a bare commit."""
    from ems.bench.fix import main

    raise typer.Exit(main(json_output, dialects=dialects))


@app.command()
def replay(
    json_output: JsonOption = False,
    events: Annotated[int, typer.Option(min=100_000, help="How many events the day has.")] = 1_000_000,
) -> None:
    """A day folded again, alone and verified (chain, Merkle root) in the same pass: how fast, in how much memory, whether to the
    same digest; and how long an order's explanation takes on it.
    """
    from ems.bench.replay import main

    raise typer.Exit(main(json_output, events))


@app.command()
def risk(json_output: JsonOption = False) -> None:
    """All risk checks for one child order, with 100 and with 10,000 orders at work; and the hot path's."""
    _run("risk", json_output)


@app.command()
def features(json_output: JsonOption = False) -> None:
    """Each of the six features, and all of them with the book vector, per record of a real day."""
    _run("features", json_output)


@app.command()
def tape(json_output: JsonOption = False) -> None:
    """ITCH bytes to the tape and the book, beside published decoders on the same bytes."""
    _run("tape", json_output)


@app.command()
def inference(json_output: JsonOption = False) -> None:
    """Encode, step and act at batch 1 on one core, beside torch, its compiler and ONNX Runtime."""
    _run("inference", json_output)


@app.command()
def tactic(json_output: JsonOption = False) -> None:
    """Children placed by their chance to be filled, beside always crossing and always joining, on the same made markets."""
    _run("tactic", json_output)


@app.command()
def plan(json_output: JsonOption = False) -> None:
    """500 futures of 20 steps with every forecast, beside a bare GRU's."""
    _run("plan", json_output)


@app.command()
def quote(
    json_output: JsonOption = False,
    p99_us: Annotated[float | None, typer.Option("--p99-us", help="Exit 1 when the p99 is above.")] = None,
) -> None:
    """ITCH bytes to OUCH bytes: a tick to a quote stage by stage, beside the core alone, an empty loop and real sockets."""
    from ems.bench.quote import main

    raise typer.Exit(main(json_output, p99_us))


@app.command()
def console(json_output: JsonOption = False) -> None:
    """The page in a real browser: from the log to the paint with 5,000 orders on screen, and from a venue's fill to its row."""
    _run("console", json_output)


@app.command("all")
def everything(
    json_output: JsonOption = False,
    orders: Annotated[int, typer.Option(min=1, help="Orders that work and are planned anew meanwhile.")] = 200,
    seconds: Annotated[int, typer.Option(min=1, help="How long orders are clocked.")] = 60,
) -> None:
    """An order to its child with everything on: risk, sealing, watchdog, views, orders replanning beside; restart, GB a day."""
    from ems.bench.everything import main

    raise typer.Exit(main(json_output, orders=orders, seconds=seconds))
