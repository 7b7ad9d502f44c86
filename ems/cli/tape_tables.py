"""`ems tape tables`: volume, spread and volatility, and volume curves, of tapes and bars."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

_PLAIN_WIDTH: Final = 120


def tables(
    sources: Annotated[list[Path], typer.Argument(help="Tapes, files of bars, or folders of both.")],
    to: Annotated[Path, typer.Option("--to", help="The folder that the tables are written to.")],
    instruments: Annotated[Path | None, typer.Option(help="Folder of reference data; the built-in sample by default.")] = None,
    mic: Annotated[str, typer.Option(help="Whose calendar counts for symbols that are in no instrument table.")] = "",
    days: Annotated[int, typer.Option(min=1, help="Over how many of the last days what is usual is taken.")] = 20,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Write average volumes, spreads and volatilities, and each day's volume by five minutes, of tapes and bars.

    volumes.csv is a table of the start of day; a folder with bucket_volumes.csv is what `bars` of the configuration may name.
    """
    from ems.bootstrap import tape_tables

    quiet = json_output or not sys.stderr.isatty()
    columns = TextColumn("{task.description}"), BarColumn()
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        made = tape_tables.tables(sources, instruments, mic, days, lambda done, of: bar.update(task, completed=done, total=of))
    paths = tape_tables.write(to, made)
    found = {symbol: tape_tables.plain(one) for symbol, one in made.usual.items()}
    if json_output:
        typer.echo(json.dumps({"tables": found, "files": [str(path) for path in paths], "left_out": made.skipped}))
        return
    shown = Table("symbol", "as of", "days", "ADV", "spread", "bps", "daily vol", "intraday vol")
    for symbol, one in found.items():
        shown.add_row(
            symbol, *("-" if value is None else f"{value:,}" if type(value) is int else str(value) for value in one.values())
        )
    console = Console(width=None if sys.stdout.isatty() else _PLAIN_WIDTH)
    console.print(shown)
    for why, count in made.skipped.items():
        console.print(f"[yellow]left out[/]: {why}, {count:,}")
    console.print(f"wrote {', '.join(path.name for path in paths)} to {to}", highlight=False)
