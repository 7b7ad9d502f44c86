"""`ems alerts`: what else a person must look at, and what came of it."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from domain.errors import ConfigError
from ems.cli.attention import ReasonOption, decide, monitored, open_ones, show
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption

app = typer.Typer(no_args_is_help=True)
AlertsArgument = Annotated[list[str] | None, typer.Argument(help="Which ones: as `ems alerts list` and the console name them.")]
SessionOption = Annotated[str, typer.Option(help="In their place: all that is listed of a session now.")]
_COLUMNS: Final = {"session": "session", "kind": "kind", "what": "what", "why": "why"}


@app.command("list")
def list_(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """List what nobody has acknowledged: messages that could not be read or not be decided, gaps over messages that a peer
    will not repeat, allocation reports that a client refused, what the monitor has raised. Executions in quarantine:
    `ems fills quarantined`.
    """
    rows = [*open_ones(config, "others"), *monitored(config)]
    show(rows, _COLUMNS, "nothing waits for a person", json_output=json_output)


@app.command()
def ack(
    person: PersonOption, reason: ReasonOption,
    alerts: Annotated[list[str], typer.Argument(help="Which ones of the monitor's: as `ems alerts list` names them.")],
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """You have seen alerts of the monitor's, and say what comes of them. They stay open until what they are about is well."""
    command = {"command": "acknowledge", "alerts": alerts}
    decide(config, person, secret_file, reason, command, json_output=json_output, process="monitor")


@app.command()
def acknowledge(
    person: PersonOption, reason: ReasonOption, alerts: AlertsArgument = None, session: SessionOption = "",
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """You have looked at these: `ems health` and the console show them no more. Who and why is kept in the log.

    With --session what arrives after the look stays open.
    """
    if bool(alerts) == bool(session):
        raise ConfigError("say which: their names, or --session")
    names = alerts or [row["alert"] for row in open_ones(config, "others") if row["session"] == session]
    if not names:
        raise ConfigError(f"nothing of session {session} waits for a person")
    decide(config, person, secret_file, reason, {"command": "acknowledge_alerts", "alerts": names}, json_output=json_output)
