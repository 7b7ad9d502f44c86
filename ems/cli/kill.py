"""`ems kill`: the kill switch by hand. It stops with everything else dead, for it sets the latch itself."""

from __future__ import annotations

import asyncio
import getpass
import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from domain.errors import ConfigError
from domain.kill_refusal import KillRefusal
from domain.kill_scope import FIRM, Scope, parse
from domain.kill_table import Level

app = typer.Typer(no_args_is_help=True)
SCOPES = "firm; or desk, venue, client, trader, account, strategy, instrument with a name, as client:OMS1"
ScopeOption = Annotated[str, typer.Option("--scope", "-s", help=f"What is stopped: {SCOPES}.")]
ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why, for the log and for the clients.")]
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
WaitOption = Annotated[float, typer.Option(help="Seconds to wait for the proof of flat; 0: only set the switch.")]
PersonOption = Annotated[str, typer.Option("--person", "-p", help="Who you are; enrolled by `ems kill enroll`.")]
SecretOption = Annotated[Path | None, typer.Option("--secret-file", help="Your secret's file, - for standard input; asked for.")]
CONFIG = Path("ems.toml")


@app.command()
def soft(
    reason: ReasonOption, scope: ScopeOption = "firm", wait: WaitOption = 0, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Level 1: no new orders; what works may run off. Cancels and smaller replaces pass."""
    _trip(Level.SOFT, scope, reason, wait, config, json_output)


@app.command()
def hard(
    reason: ReasonOption, scope: ScopeOption = "firm", wait: WaitOption = 12, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Level 2: every working order of the scope is canceled, nothing new leaves. Only cancels pass.

    Nobody has to agree. Parents stay; they are paused, also after arming again, until `ems kill resume`.
    """
    _trip(Level.HARD, scope, reason, wait, config, json_output)


@app.command()
def panic(
    reason: ReasonOption, scope: ScopeOption = "firm", wait: WaitOption = 12, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Level 3: as hard, and the scope's house positions ([kill] house_accounts) are flattened within their collars. Never
    what a client's order or a portfolio manager's was filled with. The proof says what is not flat, and why.
    """
    _trip(Level.PANIC, scope, reason, wait, config, json_output)


@app.command()
def status(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """What is stopped now, by the latch itself, and what the log and the gateways say of it. Exit 1 when anything is."""
    from ems.cli.kill_work import state_of

    found = asyncio.run(state_of(settings_of(config)))
    say(found, json_output, _status_lines(found))
    raise typer.Exit(1 if found["scopes"] or not found["readable"] else 0)


@app.command()
def rearm(
    person: PersonOption, reason: ReasonOption, scope: ScopeOption = "firm", secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Arm again: two different people run this within an hour, each with a secret. It needs the log.

    Orders of before stay paused until a person resumes them.
    """
    from ems.cli.kill_work import rearm_scope

    told = asyncio.run(rearm_scope(settings_of(config), _scope(scope), person, secret_of(secret_file), reason))
    end(told, json_output)


@app.command()
def resume(
    person: PersonOption, reason: ReasonOption, scope: ScopeOption = "firm", secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Let the orders that a trip has paused work again, after arming. One person, with a secret."""
    from ems.cli.kill_work import resume_scope

    told = asyncio.run(resume_scope(settings_of(config), _scope(scope), person, secret_of(secret_file), reason))
    end(told, json_output)


@app.command()
def enroll(person: PersonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG) -> None:
    """Give a person a secret, for rearm and resume. Hashed (scrypt) in a file that only its owner can read.

    Whoever owns that file can enroll anybody: let it belong to a user that neither of the two people is.
    """
    from ems.bootstrap.kill import runtime_of
    from ems.persons import Persons

    path = runtime_of(settings_of(config)).persons
    refusal = Persons(path).enroll(person, secret_of(secret_file))
    if refusal is not None:
        raise ConfigError(refusal.text)
    typer.echo(f"{person} is enrolled in {path}")


@app.command()
def drill(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """Try the whole path on a scope that no order has: the latch, every gateway that must see it, the log. Clears itself.

    Exit 1 when a part did not answer. For a drill that cancels, use hard on a scope of your own.
    """
    from ems.cli.kill_work import run_drill

    told = asyncio.run(run_drill(settings_of(config)))
    say(told, json_output, [f"{name}: {value}" for name, value in told.items()])
    raise typer.Exit(0 if told["ok"] else 1)


# ------------------------------------------------------------------------------------------------ helpers


def _trip(level: Level, scope: str, reason: str, wait_s: float, config: Path, json_output: bool) -> None:
    from ems.cli.kill_work import trip_scope

    told = asyncio.run(trip_scope(settings_of(config), _scope(scope), level, f"person:{getpass.getuser()}", reason, wait_s))
    say(told, json_output, _trip_lines(told))


def settings_of(config: Path) -> Any:
    """The configuration."""
    from ems.config import load

    return load(config)


def _scope(text: str) -> Scope:
    found = parse(text)
    if isinstance(found, KillRefusal):
        raise ConfigError(found.text)
    return found


def secret_of(file: Path | None, prompt: str = "secret: ") -> str:
    """A person's secret: from a file, standard input, or the terminal: never from an argument that others can see."""
    if file is None:
        return getpass.getpass(prompt)
    return (sys.stdin.readline() if str(file) == "-" else file.read_text()).strip()


def end(told: dict[str, Any], json_output: bool) -> NoReturn:
    """Say what became of a command, and exit with 0 or 1."""
    say(told, json_output, [told["text"]])
    raise typer.Exit(0 if told["ok"] else 1)


def say(told: dict[str, Any], json_output: bool, lines: list[str]) -> None:
    """To a machine or a person."""
    typer.echo(json.dumps(told) if json_output else "\n".join(lines))


def _trip_lines(told: dict[str, Any]) -> list[str]:
    lines = [f"{told['scope']} is at {told['level']}: trip {told['trip']}"]
    lines.append(f"gateways that have seen it: {told['gateways']}; cancels sent: {told['cancels']}")
    lines.append("the log has it" if told["logged"] else "the log does not answer: it is told when it is back")
    if (report := told["report"]) is not None:
        state = "all ended" if report["complete"] else f"{report['open_orders']} still open"
        lines.append(f"{report['live_at_trip']} orders were live, {state}")
        lines += [report["flattening"]] if report["flattening"] else []
        lines += [f"  {one['account']} {one['instrument']}: {one['why']}" for one in report["unflattened"]]
    elif told["level"] != Level.SOFT.name:
        lines.append("no proof of flat yet: see `ems kill status`, and `ems kill --help` for what is next")
    return lines


def _status_lines(found: dict[str, Any]) -> list[str]:
    if not found["readable"]:
        return ["the latch cannot be read: everything counts as HARD (re-arm the firm to make it anew)"]
    lines = [f"{s['scope']}: {s['level']}{' ' + s['trip'] if s['trip'] else ''}" for s in found["scopes"]]
    return [*(lines or [f"nothing is stopped ({FIRM.text} is ARMED)"]), *found["notes"]]
