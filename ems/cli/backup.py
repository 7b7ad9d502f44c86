"""`ems backup`: copies of the log's server, what was written since, and a log restored as of a moment."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Backups of the log, and a log restored as of a moment.")
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
FolderOption = Annotated[Path, typer.Option("--folder", "-f", help="Where backups are kept: on another disk than the log.")]
DsnOption = Annotated[str, typer.Option(help="A server of your own: a connection string of a role that may replicate.")]


@app.command()
def take(folder: FolderOption, config: ConfigOption = Path("ems.toml"), dsn: DsnOption = "") -> None:
    """Copy the whole server while it works, and check the copy."""
    from ems.bootstrap import backup
    from ems.config import load

    typer.echo(f"taken: {backup.take(load(config), folder, dsn)}")


@app.command()
def stream(folder: FolderOption, config: ConfigOption = Path("ems.toml"), dsn: DsnOption = "") -> None:
    """Write down what the server writes, in the foreground, until stopped: what a restore goes up to."""
    from ems.bootstrap import backup
    from ems.config import load

    raise typer.Exit(backup.stream(load(config), folder, dsn))


@app.command()
def verify(folder: FolderOption) -> None:
    """Check every file of every copy. Exit 1 when one is not what it was."""
    from ems.bootstrap import backup

    for name in backup.verify(folder):
        typer.echo(f"{name}: whole")


@app.command()
def restore(
    folder: FolderOption,
    state: Annotated[Path, typer.Option(help="A new state directory for the restored log.")],
    to: Annotated[str, typer.Option(help="The moment, as 2026-11-23T14:30:00Z; by default all that was written down.")] = "",
) -> None:
    """Restore into a new state directory and walk the whole chain of the log there."""
    from ems.bootstrap import backup

    head = backup.restore(folder, state, _moment(to))
    typer.echo(
        f"restored up to event {head.seq}, and its chain holds; EMS_STATE_DIRECTORY={state} ems audit verify checks its seals"
    )


def _moment(text: str) -> datetime | None:
    """Raises ConfigError."""
    if not text:
        return None
    try:
        said = datetime.fromisoformat(text)
    except ValueError as cause:
        raise ConfigError(f"{text!r} is no moment, such as 2026-11-23T14:30:00Z") from cause
    return said if said.tzinfo is not None else said.replace(tzinfo=UTC)
