"""`ems fix`: the rules of engagement, kept as the code has them, and what was on the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from domain.errors import ConfigError
from ems.cli.fix_wire import wire

app = typer.Typer(no_args_is_help=True)
app.command()(wire)
PAGES = (Path("docs/fix.md"), Path("docs/fix-fields.md"))


@app.callback()
def root() -> None:
    """What counterparties are told of our FIX, and what was on the wire."""


@app.command()
def rules(
    pages: Annotated[list[Path] | None, typer.Argument(help="The pages; the repository's by default.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a page is not current.")] = False,
) -> None:
    """Write the generated parts of the rules of engagement into their pages."""
    from ems.bootstrap.fix_rules import rewritten

    stale = False
    for page in pages or PAGES:
        try:
            text = page.read_text("utf-8")
        except OSError as cause:
            raise ConfigError(f"{page} cannot be read: {cause.strerror}") from cause
        now = rewritten(text)
        stale = stale or now != text
        if not check:
            page.write_text(now, "utf-8")
        typer.echo(f"{page} {'is current' if now == text else 'is not current' if check else 'written'}")
    raise typer.Exit(1 if check and stale else 0)
