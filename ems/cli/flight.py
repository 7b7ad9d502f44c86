"""`ems flight`: the last minute of each process, also of one that has been killed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="The flight recorder: the last minute of each process, also of a dead one.")
ConfigOption = Annotated[Path, typer.Option("--config", help="The configuration file.")]
ProcessArgument = Annotated[str | None, typer.Argument(help="One process; all of them by default.")]
LastOption = Annotated[float, typer.Option("--last", min=0, help="Seconds back from the last note.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]


@app.command()
def show(
    process: ProcessArgument = None, config: ConfigOption = Path("ems.toml"), last_s: LastOption = 60.0,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Notes in the order of time, of one process or of all."""
    from ems.bootstrap import flight
    from ems.config import state_directory

    state = state_directory(config)
    found = [(one, note) for one in ([process] if process else flight.processes(state))
             for note in flight.notes(state, one, last_s=last_s)]  # fmt: skip
    for one, note in sorted(found, key=lambda pair: pair[1].time_ns):
        if json_output:
            typer.echo(json.dumps(flight.row(one, note)))
        else:
            at = datetime.fromtimestamp(note.time_ns // 1_000_000_000, UTC)
            typer.echo(f"{at:%H:%M:%S}.{note.time_ns % 1_000_000_000:09} {one:<12} {note.kind:<7} {note.text}")


@app.command()
def dump(
    process: ProcessArgument = None, config: ConfigOption = Path("ems.toml"), last_s: LastOption = 60.0,
) -> None:  # fmt: skip
    """Write them to files beside those of crashes; prints the files' names."""
    from ems.bootstrap import flight
    from ems.config import state_directory

    state = state_directory(config)
    for one in [process] if process else flight.processes(state):
        typer.echo(flight.dump(state, one, "asked for", last_s=last_s))
