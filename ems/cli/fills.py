"""`ems fills`: executions in quarantine, and what a person makes of them."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ems.cli.attention import ReasonOption, decide, open_ones, show
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption

app = typer.Typer(no_args_is_help=True)
AlertArgument = Annotated[str, typer.Argument(help="Which one: as `ems fills quarantined` and the console name it.")]
OrderOption = Annotated[str, typer.Option("--order", help="The child order's ClOrdID (11), as we sent it to the venue.")]
OverfillOption = Annotated[bool, typer.Option("--overfill", help="Book it although the order's quantity is exceeded with it.")]
_COLUMNS: Final = {
    "session": "venue session",
    "exec_id": "ExecID",
    "why": "why",
    "side": "side",
    "quantity": "quantity",
    "symbol": "symbol",
    "price": "price",
    "order": "for order",
}


@app.command()
def quarantined(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """List what is in quarantine and nobody has resolved: venue session, ExecID, why, what was told, since when.

    Why: unknown_order, it names no order of ours; conflict, it differs from what the same ExecID said before; wrong_side, its
    order is on the other side; not_positive, no quantity or no price; restated, a bust or correction of nothing that we know.

    Nothing of it counts before a person has decided: ask the venue what it did, then dismiss it or book it.
    """
    show(open_ones(config, "fills"), _COLUMNS, "nothing is in quarantine", json_output=json_output)


@app.command()
def dismiss(
    alert: AlertArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """It is no execution of ours, or a repeat: it counts for nothing. Told again in the same words it stays dismissed.

    A bust, a correction and what has no quantity or no price can only be dismissed: have the venue send it again as it should
    be, under an ExecID of its own.
    """
    command = {"command": "dismiss_fill", "alert": alert}
    decide(config, person, secret_file, reason, command, json_output=json_output)


@app.command()
def book(
    alert: AlertArgument, order: OrderOption, person: PersonOption, reason: ReasonOption, overfill: OverfillOption = False,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """It is an execution of this order: from now on a fill like any other, for the child order, its parent, positions and the
    client, who is told. Told again it is the same one.

    A conflict is booked beside what the same ExecID said first: both count. Where one of the two is wrong, dismiss this one
    and have the venue correct the other.

    More than the order or its parent can hold is refused without --overfill; with it the excess is booked, and is yours to
    resolve with the venue.
    """
    command = {"command": "book_fill", "alert": alert, "cl_ord_id": order, "overfill": overfill}
    decide(config, person, secret_file, reason, command, json_output=json_output)
