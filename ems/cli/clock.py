"""`ems clock`: how right the host's clock is, and the log of what was measured."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

app = typer.Typer(no_args_is_help=True)


@app.command()
def now(json_output: JsonOption = False) -> None:
    """Ask whoever disciplines this host's clock. Exit 1 where nobody can say."""
    from ems.bootstrap import clocks

    told = clocks.here()
    say(told, json_output, [_line({"host": "this host", "state": told["source"], "time": "now", **told})])
    raise typer.Exit(1 if told["source"] == "unknown" else 0)


@app.command()
def log(
    day: Annotated[str, typer.Option("--day", help="A day (UTC), 2026-11-27; all by default.")] = "",
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """List what was measured of clocks, each with source, offset, uncertainty and limit. Exit 1 where one was beyond it."""
    from ems.bootstrap import clocks

    found = asyncio.run(clocks.measurements(settings_of(config), day))
    say({"measured": found}, json_output, [_line(one) for one in found] or ["no clock was measured"])
    raise typer.Exit(1 if any(one["state"] == "excursion" for one in found) else 0)


def _line(one: dict[str, Any]) -> str:
    off = "unknown" if one["offset_ns"] is None else f"{one['offset_ns']} ns +/- {one['uncertainty_ns']} ns"
    return f"{one['time']}  {one['host']}  {one['state']:<9} {one['source']} {one['reference']}  {off}"
