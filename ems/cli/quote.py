"""`ems quote`: the quoter's journal held against the log, and its calls made again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

app = typer.Typer(no_args_is_help=True)
RunArgument = Annotated[Path, typer.Argument(help="A run's folder: below quoter/ in the state directory.")]


@app.command()
def verify(run: RunArgument, config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """Hold every sealed segment of a run against the log. Exit 1 where one is missing or was changed."""
    from ems.bootstrap import kill, quote_audit

    runtime = kill.runtime_of(settings_of(config))
    told = quote_audit.verify(asyncio.run(quote_audit.run_of(runtime.app_dsn, run)))
    lines = [
        f"{told['segments']} segments, {told['records']} records, {told['bytes']:,} bytes",
        f"{told['bytes_per_record']:.0f} bytes a record: {told['gb_per_day']:.1f} GB a trading day at 20,000 inferences a second",
        *told["wrong"],
    ]
    say(told, json_output, lines)
    raise typer.Exit(1 if told["wrong"] else 0)


@app.command()
def rerun(
    run: RunArgument,
    segment: Annotated[int, typer.Argument(help="Number of the segment, or of the first one.")] = 1,
    to: Annotated[int, typer.Option(help="The last segment; 0: only the first.")] = 0,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Make every call of sealed segments again from a kept state, and compare to the byte. Exit 1 where one differs."""
    from ems.bootstrap import kill, models, quote_audit

    runtime = kill.runtime_of(settings_of(config))
    found = asyncio.run(quote_audit.run_of(runtime.app_dsn, run))
    told = quote_audit.again(found, models.kept_in(runtime), segment, max(to, segment))
    lines = [f"{told['records']} records: {told['grade']}"]
    lines += [
        f"record {each['number']}: {each['where']} was {each['recorded']}, is {each['again']}" for each in told["differing"]
    ]
    say(told, json_output, lines)
    raise typer.Exit(1 if told["differing"] else 0)
