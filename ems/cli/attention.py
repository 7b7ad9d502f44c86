"""What `ems fills` and `ems alerts` share: the running desk is asked what is open, and told what a person has decided."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final, NoReturn
from uuid import uuid4

import typer

from domain.cells import plain_text
from domain.errors import ConfigError
from ems.cli.kill import end, secret_of, settings_of

ReasonOption = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept in the log with your name.")]
_E9: Final = 1_000_000_000
_ASK_S: Final = 15.0


def open_ones(config: Path, which: str) -> list[dict[str, Any]]:
    """What is open at the desk: "fills", or "others". Raises ConfigError where no desk answers."""
    answer = _ask(_runtime(config), {"attention": which})
    if "attention" not in answer:
        raise ConfigError(f"the desk is {answer.get('state', 'not ready')}: ask again")
    found: list[dict[str, Any]] = answer["attention"]
    return found


def monitored(config: Path) -> list[dict[str, Any]]:
    """What the monitor has raised and is not well yet; nothing where none is configured. Raises ConfigError where it is dead."""
    runtime = _runtime(config)
    if runtime.settings.monitoring is None:
        return []
    found: list[dict[str, Any]] = _ask(runtime, {"alerts": True}, process="monitor").get("alerts", [])
    return found


def asked_of(config: Path, question: dict[str, Any]) -> dict[str, Any]:
    """How the running desk answers a question about how it stands. Raises ConfigError where no desk answers."""
    return _ask(_runtime(config), question)


def decide(
    config: Path, person: str, secret_file: Path | None, reason: str, command: dict[str, Any], *, json_output: bool,
    process: str = "desk",
) -> NoReturn:  # fmt: skip
    """Have the desk, or another process, decide what a person wants who has shown a secret. Exit 0: it is written, 1: refused."""
    runtime = _runtime(config)
    try:
        reason = plain_text(reason)
    except ValueError as cause:
        raise ConfigError(f"--reason {cause}") from cause
    known = {"actor": f"person:{person}", "secrets": {person: secret_of(secret_file)}}
    asked = {"command_id": uuid4().hex, "reason": reason, **known, **command}
    end(_ask(runtime, asked, process=process), json_output)


def show(rows: list[dict[str, Any]], columns: dict[str, str], nothing: str, *, json_output: bool) -> None:
    """Print what is open. columns: field -> heading."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if json_output:
        typer.echo(json.dumps({"open": rows}))
        return
    if not rows:
        typer.echo(nothing)
        return
    table = Table("alert", "since (UTC)", *columns.values(), box=None)
    for row in rows:
        table.add_row(row["alert"], _moment(row["since_ns"]), *(Text(str(row[field])) for field in columns))  # no markup
    Console().print(table)


def _ask(runtime: Any, question: dict[str, Any], *, process: str = "desk") -> dict[str, Any]:
    from ems.health import ask_socket

    answer = asyncio.run(ask_socket(runtime.socket(process), question, timeout_s=_ASK_S))
    if not isinstance(answer, dict):
        raise ConfigError(f"no {process} answers; is the EMS up?")
    return answer


def _runtime(config: Path) -> Any:
    from ems.bootstrap.kill import runtime_of

    return runtime_of(settings_of(config))


def _moment(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / _E9, UTC).strftime("%Y-%m-%d %H:%M:%S")
