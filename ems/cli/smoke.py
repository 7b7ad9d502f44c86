"""`ems smoke`: quick looks at a build before it is let near a market."""

from __future__ import annotations

import json
from typing import Annotated, Final

import typer

from ems.cli.shown import shown_progress

app = typer.Typer(no_args_is_help=True)
OVER_BPS: Final = 10.0  # by a few orders, whose costs are mostly chance: beyond it something is broken, not unlucky


@app.callback()
def smoke() -> None:
    """Quick looks at a build before it is let near a market."""


@app.command()
def backtest(
    days: Annotated[int, typer.Option(min=1, help="Generated days, in one regime of the market after the other.")] = 30,
    seed: Annotated[int, typer.Option(min=0, help="Of the first day; the next ones count on from it.")] = 20_260_102,
    orders: Annotated[int, typer.Option(min=2, help="Parent orders of a day; half of them sell.")] = 8,
    over_bps: Annotated[float, typer.Option(help="Exit 1 when the nets cost so many basis points more than TWAP.")] = OVER_BPS,
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Work the same orders by every shipped strategy on generated days in a matching book. Exit 1 when something is wrong.

    Wrong: an order above its size or not accounted for, a share or a cost that is no number, a record that the desk did not
    understand, a day that is not the same again, or costs far above TWAP's.
    """
    from ems.bootstrap.smoke import backtest as work

    with shown_progress(json_output) as told:
        figures = work(days, seed, orders, told)
    figures["passed"] = not figures["wrong"] and figures["same_again"] and figures["over_twap_bps"] <= over_bps
    if json_output:
        typer.echo(json.dumps(figures))
    else:
        costs = ", ".join(f"{name} {bps:.1f}" for name, bps in figures["is_bps"].items())
        typer.echo(f"{days} days of seed {seed}, {orders} orders each: shortfall in basis points {costs}")
        typer.echo(
            f"{figures['over_twap_bps']:+.1f} to TWAP's, {100 * figures['filled']:.1f} % filled, digest {figures['digest'][:16]}"
        )
        typer.echo("wrong: " + (", ".join(f"{name} {number}" for name, number in figures["wrong"].items()) or "nothing"))
        typer.echo("the first day is the same again" if figures["same_again"] else "THE FIRST DAY IS NOT THE SAME AGAIN")
    raise typer.Exit(0 if figures["passed"] else 1)
