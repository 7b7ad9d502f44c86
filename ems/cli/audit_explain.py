"""`ems audit explain`: everything about an id at a moment."""

from __future__ import annotations

import asyncio
import getpass
import json
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError
from ems.cli.kill import CONFIG, ConfigOption, JsonOption

DsnOption = Annotated[str, typer.Option("--database", help="A database by its connection string: a restored backup.")]
BundleOption = Annotated[
    list[Path] | None, typer.Option(help="An exported bundle in place of the configuration's log; several days' in order.")
]
KeyOption = Annotated[Path | None, typer.Option(help="The public key that must have signed the heads, and a bundle.")]
WireOption = Annotated[Path | None, typer.Option(help="Where wire journals lie, for a bundle or a restored database.")]
AtOption = Annotated[str, typer.Option(help="An event's number, or a time such as 2026-11-27T14:30:00.123456789, UTC.")]


def explain(
    asked: Annotated[str, typer.Argument(metavar="ID", help="ClOrdID, OrderID, ExecID, or a stream of any kind.")],
    at: AtOption = "",
    html: Annotated[Path | None, typer.Option(help="Write one page of HTML here.")] = None,
    config: ConfigOption = CONFIG, database: DsnOption = "", bundle: BundleOption = None, key: KeyOption = None,
    wire: WireOption = None, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Explain an order, execution, plan or any other stream, as it was known at a moment; the log's end by default.

    Exit 0: nothing is missing. 1: a section is missing, and named; what there is, is shown. 2: there is no answer: the id is
    unknown, the moment is outside of the log, the bundle is damaged. What has no meaning for it is said not to apply. That you
    read the log is written into it; a bundle or a restored database is a copy, where nothing is written.
    """
    from ems.audit import render
    from ems.bootstrap.audit_source import Place
    from ems.bootstrap.explain import explained

    told = asyncio.run(explained(Place(config, database, tuple(bundle or ()), key, wire), asked, at, getpass.getuser()))
    if html is not None:
        try:
            html.write_text(render.html(told), "utf-8")
        except OSError as cause:
            raise ConfigError(f"{html} cannot be written: {cause.strerror}") from cause
    if json_output:
        typer.echo(json.dumps(told.row()))
    elif html is not None:
        typer.echo(f"{html}: {render.verdict(told)}")
    else:
        for line in render.text(told):
            typer.echo(line)
    raise typer.Exit(0 if told.complete else 1)
