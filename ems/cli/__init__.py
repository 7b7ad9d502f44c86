"""The command line. `ems --help` begins; heavy rooms are imported by the command that needs them."""

from __future__ import annotations

from ems.cli.entry import main
from ems.cli.program import app

__all__ = ["app", "main"]
