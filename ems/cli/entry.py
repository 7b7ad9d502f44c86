"""The process's entry, and how errors are told. One sentence and exit 2; a traceback only with --debug."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import typer
from typer.main import get_command

from domain.errors import EmsError
from ems.cli.program import app

REFUSED = 2


@cache
def command() -> Callable[[], Any]:
    """The command line, built. That is a third of a second of work: done once, before other processes are forked from here."""
    return get_command(app)


def main() -> None:
    """Run the command line."""
    try:
        command()()
    except EmsError as error:
        if os.environ.get("EMS_DEBUG"):
            raise
        typer.echo(f"ems: {error}", err=True)
        sys.exit(REFUSED)
