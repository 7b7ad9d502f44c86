"""`ems venue --certify`: the scripted counterparty, and the table by which it acts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import typer

from domain.errors import ConfigError
from ems.certify_table import ANY, GROUPS, Script


def show_table(*, json_output: bool) -> None:
    """Print the table: quantity, what is done, what a client of the EMS is told."""
    if json_output:
        rows = [{"group": group, **script._asdict()} for group, scripts in GROUPS.items() for script in scripts]
        typer.echo(json.dumps({"scripts": rows}))
        return
    for group, scripts in GROUPS.items():
        typer.echo(group)
        for script in scripts:
            typer.echo(f"  {script.quantity:<6}{_what(script):<62} {' '.join(script.told) or 'nothing'}")
    typer.echo(f"  {ANY.name}")


def _what(script: Script) -> str:
    return f"{script.name}{f' (send a {script.request})' if script.request else ''}"


def play(config: Path, session: str, client: str, comp_id: str, port: int, begin_string: str, directory: Path | None) -> NoReturn:
    """Play the other end of a configuration's venue session or, with a client's CompID, one that needs no configuration.

    Raises:
        ConfigError: that cannot be played.
    """
    from ems.bootstrap.certify import Counterparty, counterparty, run_certify
    from ems.config import load

    if not client:
        found = counterparty(load(config), session)
        run_certify(found if directory is None else replace(found, directory=directory))
    if not 0 < port < 65536:
        raise ConfigError(f"--port {port} is not a port")
    place = directory or Path("var/certify").resolve()
    run_certify(Counterparty(comp_id=comp_id, client=client, port=port, directory=place, begin_string=begin_string))
