"""`ems shadow`: what versions that decide nothing would have done beside the champion."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from ems.cli.kill import CONFIG, ConfigOption, JsonOption, say, settings_of

app = typer.Typer(no_args_is_help=True)
EXIT = {"pass": 0, "fail": 1, "not enough": 3}


@app.callback()
def shadow() -> None:
    """What versions that decide nothing would have done beside the champion."""


@app.command()
def report(
    hours: Annotated[float, typer.Option(min=0.01, help="How far back.")] = 24.0,
    threshold: Annotated[float, typer.Option("--threshold-is-bps", help="What its shortfall may be, basis points.")] = 12.0,
    margin: Annotated[float, typer.Option("--margin-bps", min=0.0, help="By how much it may be worse than the champion.")] = 1.0,
    version: Annotated[str, typer.Option(help="Only the version whose digest begins so.")] = "",
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Each shadow against the champion, order by order. Exit 0: all pass; 1: one fails; 3: not enough is known."""
    from ems.bootstrap import shadows

    told = asyncio.run(
        shadows.report_of(settings_of(config), hours=hours, threshold_bps=threshold, margin_bps=margin, version=version)
    )
    say(told, json_output, [_line(one) for one in told["versions"]] or ["no version has planned as a shadow"])
    verdicts = {one["verdict"] for one in told["versions"]}
    raise typer.Exit(EXIT["fail"] if "fail" in verdicts else 0 if verdicts == {"pass"} else EXIT["not enough"])


def _line(one: dict[str, Any]) -> str:
    told = f"{one['digest'][:12]}  {one['verdict']}: {one['orders']} orders, {one['planned']} plans, {one['missed']} missed"
    if one["difference_low"] is None:
        return told
    return (
        f"{told}; IS {one['is_bps']:.2f} bp in [{one['is_low']:.2f}, {one['is_high']:.2f}], less the champion's "
        f"{one['difference_bps']:+.2f} in [{one['difference_low']:+.2f}, {one['difference_high']:+.2f}]"
    )
