"""`ems basket`: what a basket of orders can have of low cost, low risk and completion, and the plan that weights choose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ems.cli.kill import JsonOption


def basket(
    file: Annotated[Path, typer.Argument(help="The basket, as TOML; docs/execution-baskets.md shows one.")],
    cost: Annotated[float, typer.Option(help="How much cost weighs.")] = 1.0,
    risk: Annotated[float, typer.Option(help="How much risk weighs, over what an even schedule has of it.")] = 1.0,
    completion: Annotated[float, typer.Option(help="How much completion weighs, where orders need not be finished.")] = 1.0,
    plot: Annotated[Path | None, typer.Option("--plot", help="Also draw the front and the plan as a PNG file here.")] = None,
    json_output: JsonOption = False,
) -> None:
    """Plan many orders as one: covariance, cash and groups' limits, and no order against another.

    Prints the schedules of which no other is better in cost, risk and completion, then the one that --cost, --risk and
    --completion choose, in whole lots, and what planning each order by itself would come to.
    """
    from ems.bootstrap import baskets

    typer.echo(baskets.as_text(baskets.tell(file, (cost, risk, completion), plot), json_output=json_output))
