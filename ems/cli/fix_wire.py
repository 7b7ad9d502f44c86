"""`ems fix wire`: what was on the wire, and the events behind it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError


def wire(
    session: Annotated[str, typer.Option(help="Which session; all by default.")] = "",
    seq: Annotated[int | None, typer.Option(help="MsgSeqNum (34), of both directions.")] = None,
    event: Annotated[int | None, typer.Option(help="An event's number: its message, and those that tell of it.")] = None,
    cl_ord_id: Annotated[str, typer.Option("--clordid", help="ClOrdID (11) or OrigClOrdID (41).")] = "",
    since: Annotated[str, typer.Option(help="A time such as 2026-11-27T14:30:00, UTC.")] = "",
    until: Annotated[str, typer.Option(help="The same.")] = "",
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")] = Path("ems.toml"),
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")] = False,
) -> None:
    """Print raw FIX messages of the wire journal with the events that they caused or tell of. Exit 1 if it is damaged."""
    import asyncio

    from ems.bootstrap.wire import Wanted, find, moment_ns
    from ems.config import load

    if not (session or event is not None or cl_ord_id or since):
        raise ConfigError("say which messages: --session, --event, --clordid or --since")
    wanted = Wanted(
        session=session, seq=seq, event=event, cl_ord_id=cl_ord_id,
        since_ns=moment_ns(since, "--since") if since else 0, until_ns=moment_ns(until, "--until") if until else None,
    )  # fmt: skip
    found = asyncio.run(find(load(config), wanted))
    for message in found.messages:
        if json_output:
            typer.echo(json.dumps(message.row()))
        else:
            for line in message.lines():
                typer.echo(line)
    for gap in found.gaps:
        typer.echo(f"ems: {gap}", err=True)
    if found.without_events:
        typer.echo(f"ems: shown without their events: {found.without_events}", err=True)
    damaged = [fault for fault in found.faults if not fault.torn]
    for fault in found.faults:
        typer.echo(f"ems: {fault.path} at byte {fault.offset}: {fault.why}", err=True)
    raise typer.Exit(1 if damaged else 0)
