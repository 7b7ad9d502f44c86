"""`ems day`: the start and the end of a trade date, each as ordered steps that can be run again at any point."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, Any

import typer

from domain import day_procedure as dp
from domain.day_procedure import DayProcedure, Part, Step, StepDone, StepFailed
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

app = typer.Typer(no_args_is_help=True)
DateOption = Annotated[str, typer.Option("--trade-date", help="Such as 2026-11-27; by default the desk's own.")]
MarketOption = Annotated[str, typer.Option(help="The MIC whose days are the firm's; by default that of the loaded files.")]
PersonOption = Annotated[str, typer.Option("--person", "-p", help="Who runs it; by default who is logged in.")]
WaiveOption = Annotated[Step | None, typer.Option(help="Go on without this step, which must be the next one.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why a step is waived, for the log.")]
ToOption = Annotated[Path | None, typer.Option("--to", help="Where archives and bundle go; by default in the state directory.")]


@app.command()
def start(
    trade_date: DateOption = "", market: MarketOption = "", person: PersonOption = "", waive: WaiveOption = None,
    reason: ReasonOption = "", config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Is it a trading day, was the one before ended, are its files loaded, and what is carried into it under which terms?

    Exit 1 at the first step that cannot be done; run it again when that is mended.
    """
    _run("start", trade_date, market, person, waive, reason, None, config, json_output)


@app.command()
def end(
    trade_date: DateOption = "", market: MarketOption = "", person: PersonOption = "", waive: WaiveOption = None,
    reason: ReasonOption = "", to: ToOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """After the close: every order done for the day, no break open, the log sealed and verified, archived, bundled.

    Exit 1 at the first step that cannot be done; run it again when that is mended.
    """
    _run("end", trade_date, market, person, waive, reason, to, config, json_output)


@app.command()
def status(trade_date: DateOption = "", config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """Where the start and the end of a trade date stand, step by step."""
    from ems.bootstrap import day_steps

    _quiet()

    on, both = asyncio.run(day_steps.status(settings_of(config), trade_date))
    rows = {str(part): _told(state, part) for part, state in both.items()}
    lines = [f"{part:<6} {row['step']:<10} {row['state']:<8} {row['text']}" for part in rows for row in rows[part]]
    say({"trade_date": on} | rows, json_output, lines)


def _run(
    part: Part, trade_date: str, market: str, person: str, waive: Step | None, reason: str, to: Path | None, config: Path,
    json_output: bool,
) -> None:  # fmt: skip
    from ems.bootstrap import day_steps

    _quiet()

    def tell(line: str) -> None:
        typer.echo(line, err=json_output)

    wish = day_steps.Wish(part, person or getpass.getuser(), trade_date, market, to, waive, reason)
    on, state = asyncio.run(day_steps.run(settings_of(config), wish, tell))
    stands = dp.next_step(state, part)
    over = f"{on}: the {part} of the day is done" if stands is None else f"{on}: the {part} of the day stands before {stands}"
    say({"trade_date": on, "done": stands is None, part: _told(state, part)}, json_output, [over])
    raise typer.Exit(0 if stands is None else 1)


def _quiet() -> None:
    """What the database's opening logs is nothing that was asked for."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))


def _told(state: DayProcedure, part: Part) -> list[dict[str, Any]]:
    return [_row(step, state.of(step)) for step in dp.STEPS[part]]


def _row(step: Step, word: dp.Word | None) -> dict[str, Any]:
    if word is None:
        return {"step": step.value, "state": "open", "text": "", "person": ""}
    if isinstance(word, StepDone):
        told = ("done", word.result)
    elif isinstance(word, StepFailed):
        told = ("failed", word.why)
    else:
        told = ("waived", word.reason)
    return {"step": step.value, "state": told[0], "text": told[1], "person": word.person}
