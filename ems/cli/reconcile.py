"""`ems reconcile`: executions against a venue's own file; breaks, their owners, and what came of them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigError
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, ReasonOption, SecretOption, say, secret_of, settings_of

app = typer.Typer(no_args_is_help=True)
BreakArgument = Annotated[str, typer.Argument(help="A break, as `ems reconcile breaks` names it.")]


@app.command()
def day(
    day: Annotated[str, typer.Option("--day", help="The trade date, 2026-11-27.")],
    file: Annotated[Path, typer.Option("--file", help="The venue's file of executions of that day.")],
    session: Annotated[str, typer.Option("--session", help="The venue session that they came by.")],
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Hold a venue's end-of-day file against the log. New breaks are written; exit 1 while any of that session is open."""
    from ems.bootstrap import breaks

    told = asyncio.run(breaks.of_day(settings_of(config), session, day, file))
    lines = [f"{told['ours']} executions of ours, {told['theirs']} of theirs: {len(told['open'])} open breaks"]
    lines += [] if told["whole"] else ["the file does not say that it is whole: it was cut, or its day goes on"]
    say(told, json_output, [*lines, *map(_line, told["open"])])
    raise typer.Exit(1 if told["open"] or not told["whole"] else 0)


@app.command("breaks")
def breaks_(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """List every break that nobody has resolved, the oldest first. Exit 1 where there is any."""
    from ems.bootstrap import breaks

    found = asyncio.run(breaks.open_breaks(settings_of(config)))
    say({"open": found}, json_output, [_line(one) for one in found] or ["no break is open"])
    raise typer.Exit(1 if found else 0)


@app.command()
def assign(
    name: BreakArgument, person: PersonOption, reason: ReasonOption,
    to: Annotated[str, typer.Option("--to", help="Whose it is from now on.")],
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Give a break another owner."""
    _decide(config, name, person, secret_file, reason, to, json_output=json_output)


@app.command()
def resolve(
    name: BreakArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Say what came of a break: it is explained."""
    _decide(config, name, person, secret_file, reason, "", json_output=json_output)


def _decide(
    config: Path, name: str, person: str, secret_file: Path | None, reason: str, owner: str, *, json_output: bool
) -> None:  # fmt: skip
    from ems.bootstrap import breaks, kill
    from ems.persons import Persons

    settings = settings_of(config)
    if (refused := Persons(kill.runtime_of(settings).persons).authenticate(person, secret_of(secret_file))) is not None:
        raise ConfigError(refused.text)
    told = asyncio.run(breaks.decide(settings, name, person=person, reason=reason, owner=owner))
    say(told, json_output, [_line(told)])


def _line(one: dict[str, Any]) -> str:
    return (
        f"{one['break']}  {one['exec_id']} of {one['trade_date']}: {one['kind']}, {one['owner']}; {one['ours']} / {one['theirs']}"
    )
