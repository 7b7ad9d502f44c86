"""`ems audit whatif`: another choice held against the one that was made."""

from __future__ import annotations

import asyncio
import getpass
from typing import Annotated

import typer

from ems.cli.audit_explain import BundleOption, DsnOption, KeyOption
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of


def whatif(
    parent: Annotated[str, typer.Argument(metavar="PARENT", help="A parent order: ClOrdID, OrderID or stream.")],
    planner: Annotated[str, typer.Option(help="Another algorithm: twap, vwap, pov, ac, adaptive.")] = "",
    model: Annotated[str, typer.Option(help="Another version of the model: its digest, or a weights file.")] = "",
    limit: Annotated[list[str] | None, typer.Option(help="Another limit: CHECK=VALUE, as max_quantity=500; several.")] = None,
    config: ConfigOption = CONFIG, database: DsnOption = "", bundle: BundleOption = None, key: KeyOption = None,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The same recorded market and order with another planner, model or limit; the paired difference, and what it cannot say."""
    from ems.audit.whatif import words
    from ems.bootstrap.audit_source import Place
    from ems.bootstrap.whatif import what_if

    there = Place(config, database, tuple(bundle or ()), key)
    kept = settings_of(config).state_directory / "models" if model else config.parent
    told = asyncio.run(what_if(there, parent, planner, model, limit or [], kept, getpass.getuser()))
    say(told, json_output, words(told))
