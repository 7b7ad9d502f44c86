"""`ems sessions`: the FIX sessions of a running system: how they stand, and what a person does to them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigError
from ems.peer import own_account

app = typer.Typer(no_args_is_help=True)
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]
ReasonOption = Annotated[str, typer.Option(help="Why; it is written in the log with your name.")]
SessionOption = Annotated[str, typer.Option(help="Which session.")]
GroupOption = Annotated[str, typer.Option(help="In place of a session: the whole gateway of a session group.")]
_E9 = 1_000_000_000


@app.command("list")
def list_(config: ConfigOption = Path("ems.toml"), json_output: JsonOption = False) -> None:
    """Show every session: its group, whether it is up, its next numbers, when it was last heard, what waits for the desk."""
    from rich.console import Console
    from rich.table import Table

    from ems.bootstrap.operations import rows

    found = asyncio.run(rows(_runtime(config)))
    if json_output:
        typer.echo(json.dumps({"sessions": found}))
        return
    table = Table("session", "group", "role", "", "next in", "next out", "last heard (UTC)", "waiting", box=None)
    for row in found:
        state = "up" if row["up"] else f"DOWN {row['why']}".strip()
        inbound, outbound, waiting = (_plain(row[name]) for name in ("inbound", "outbound", "waiting"))
        table.add_row(row["session"], row["group"], row["role"], state, inbound, outbound, _moment(row["heard_ns"]), waiting)
    Console().print(table)


@app.command()
def stop(
    reason: ReasonOption,
    session: SessionOption = "",
    group: GroupOption = "",
    config: ConfigOption = Path("ems.toml"),
    json_output: JsonOption = False,
) -> None:
    """Log a session out and keep it down, or stop the gateway of a group. The other groups do not notice."""
    _act("stop", reason, config, json_output=json_output, session=session, group=group)


@app.command()
def start(
    reason: ReasonOption,
    session: SessionOption = "",
    group: GroupOption = "",
    config: ConfigOption = Path("ems.toml"),
    json_output: JsonOption = False,
) -> None:
    """Let a session log on again, whatever stopped it, or start the gateway of a group."""
    _act("start", reason, config, json_output=json_output, session=session, group=group)


@app.command()
def restart(
    reason: ReasonOption,
    session: SessionOption = "",
    group: GroupOption = "",
    config: ConfigOption = Path("ems.toml"),
    json_output: JsonOption = False,
) -> None:
    """Stop and start again, a session or the gateway of a group. Numbers go on."""
    _act("restart", reason, config, json_output=json_output, session=session, group=group)


@app.command()
def reload(reason: ReasonOption, config: ConfigOption = Path("ems.toml"), json_output: JsonOption = False) -> None:
    """Read the configuration again: sessions are added, changed and removed, and groups that are as they were stay logged on.

    A configuration that cannot be run changes nothing. The desk starts again with it; what arrives meanwhile waits.
    """
    _act("reload", reason, config, json_output=json_output)


def _act(act: str, reason: str, config: Path, *, json_output: bool, **named: str) -> None:
    from ems.bootstrap.operations import ASK_S, DOOR
    from ems.health import ask_socket

    if act != "reload" and bool(named["session"]) == bool(named["group"]):
        raise ConfigError("say which: --session or --group")
    door = _runtime(config).socket(DOOR)
    question = {"command": act, "actor": f"person:{own_account()}", "reason": reason, **named}
    answer = asyncio.run(ask_socket(door, question, timeout_s=ASK_S))
    if answer is None:
        raise ConfigError("the system does not run, or has not answered in time")
    if json_output:
        typer.echo(json.dumps(answer))
    elif not answer["ok"]:
        raise ConfigError(answer["text"])
    else:
        typer.echo(answer["text"])
    raise typer.Exit(0 if answer["ok"] else 1)


def _runtime(config: Path) -> Any:
    """The run in the configuration's state directory; of the file only that is looked at, so it may be wrong otherwise."""
    from ems.bootstrap.runtime import Runtime
    from ems.config import state_directory

    return Runtime.load(state_directory(config) / "runtime.json")


def _moment(time_ns: int | None) -> str:
    return datetime.fromtimestamp(time_ns / _E9, UTC).strftime("%Y-%m-%d %H:%M:%S") if time_ns else "-"


def _plain(value: int | None) -> str:
    return "-" if value is None else str(value)
