"""`ems audit export`: the examiner's bundle of a day."""

from __future__ import annotations

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer

from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

DayOption = Annotated[str, typer.Option("--day", help="A day, 2026-11-27, by the desk's clock and time zone.")]
ToOption = Annotated[Path, typer.Option("--to", help="The archive to write; what is there is replaced when it is whole.")]
PurposeOption = Annotated[str, typer.Option("--purpose", help="What for: it is kept with who read what.")]


def export(
    day: DayOption, to: ToOption, purpose: PurposeOption = "", config: ConfigOption = CONFIG, json_output: JsonOption = False
) -> None:  # fmt: skip
    """Write everything of a day that an examiner asks for into one signed archive: the events as they are stored, books and
    records, CAT and European records, what they lack, and the errors to be expected. The same log gives the same bytes.

    Exit 1 where errors are predicted. That you read the log is written into it.
    """
    from ems.bootstrap import exporting

    exported = asyncio.run(exporting.export(settings_of(config), to, day=day, person=getpass.getuser(), purpose=purpose))
    told = exported.told()
    lines = [f"{told['file']}: {told['events']} events of {day}, {told['files']} files, SHA-256 {told['sha256']}"]
    lines.append(f"signed by key {told['key'][:16]}, sealed up to event {told['sealed_to'] or 'none'}")
    lines += [f"predicted {code}: {count}" for code, count in told["predicted_by_code"].items()]
    say(told, json_output, lines)
    raise typer.Exit(1 if told["predicted_errors"] else 0)


def archive(
    before: Annotated[str, typer.Option("--before", help="A day, 2026-11-27: all sealed days before it.")],
    to: Annotated[Path, typer.Option("--to", help="The directory; archives that are there are left as they are.")],
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Copy every sealed day before another into archives with their proofs. Nothing is taken out of the log."""
    from ems.bootstrap import exporting

    done = asyncio.run(exporting.archive(settings_of(config), to, before=before, person=getpass.getuser()))
    told = [one.told() for one in done]
    lines = [f"{one['file']}: events {one['first_seq']} to {one['last_seq']}, SHA-256 {one['sha256']}" for one in told]
    say({"archived": told}, json_output, lines or ["every sealed day is archived already"])


def add(app: typer.Typer) -> None:
    """Put the command in its group."""
    app.command()(export)
    app.command()(archive)
