"""`ems care`: what traders do about orders that they care for, at the running desk. `ems desk` steers what is worked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from domain.errors import ConfigError, NumberError
from domain.values import to_e9
from ems.cli.attention import ReasonOption, asked_of, decide
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption, secret_of

app = typer.Typer(no_args_is_help=True)
OrderArgument = Annotated[str, typer.Argument(help="The order's OrderID (37), or that of a part or a merged order.")]
QtyOption = Annotated[str, typer.Option(help="How much.")]
LimitOption = Annotated[str, typer.Option(help="The worst price; none: the client's.")]
ParamOption = Annotated[list[str] | None, typer.Option(help="A strategy parameter, NAME=VALUE; may be repeated.")]
AlgoOption = Annotated[str, typer.Option(help="One of our algorithms, or manual: by hand. None: as the client sent it.")]
BrokerOption = Annotated[str, typer.Option(help="Who executed.")]
ReferenceOption = Annotated[str, typer.Option("--ref", help="The broker's own reference of the execution.")]
ApproverOption = Annotated[str, typer.Option("--approver", "-a", help="A second person, where one is needed.")]
ApproverSecretOption = Annotated[Path | None, typer.Option("--approver-secret-file", help="That person's secret's file.")]


@app.command("list")
def list_staged(config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """The orders that wait for a trader."""
    rows = asked_of(config, {"staged": True}).get("staged", [])
    if json_output:
        typer.echo(json.dumps({"staged": rows}))
        return
    for row in rows:
        limit = f" at {row['limit']}" if row["limit"] else ""
        owner = f", {row['owner']}'s" if row["owner"] else ""
        typer.echo(f"{row['order']}  {row['client']} {row['side']} {row['quantity']} {row['symbol']}{limit}, "
                   f"{row['algo']}, by rule {row['rule']}{owner}")  # fmt: skip
    if not rows:
        typer.echo("no order waits for a trader")


@app.command()
def accept(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, algo: AlgoOption = "", param: ParamOption = None,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Take an order that waits: work it as sent, by hand, or by another of our algorithms."""
    _about(locals(), "accept_order", algo=algo, parameters=_pairs(param))


@app.command()
def reject(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Turn an order that waits down; its client is told the reason."""
    _about(locals(), "reject_order")


@app.command()
def claim(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The order is yours from now on: nobody else's hand is on it."""
    _about(locals(), "claim_order")


@app.command()
def reassign(
    order: OrderArgument, to: Annotated[str, typer.Argument(help="Whose it is from now on.")], person: PersonOption,
    reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The order is somebody else's from now on."""
    _about(locals(), "reassign_order", to=to)


@app.command()
def split(
    order: OrderArgument,
    part: Annotated[list[str], typer.Option(help="QUANTITY ALGO[@BROKER] [NAME=VALUE ...]; may be repeated.")],
    person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Work parts of an order in ways of their own: "300 vwap", "400 direct@BROKER1". All are made, or none."""
    from ems.care_words import slice_of

    try:
        slices = [slice_of(text) for text in part]
    except ValueError as error:
        raise ConfigError(str(error)) from error
    _about(locals(), "split_order", slices=slices)


@app.command()
def route(
    order: OrderArgument, broker: Annotated[str, typer.Argument(help="The venue session.")], qty: QtyOption,
    person: PersonOption, reason: ReasonOption, limit: LimitOption = "", secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Send a part of an order to a broker as one order."""
    price = {"limit_price_e9": _number(limit)} if limit else {}
    _about(locals(), "route_order", venue=broker, quantity_e9=_number(qty), **price)


@app.command()
def merge(
    orders: Annotated[list[str], typer.Argument(help="OrderIDs of one client, account, instrument and side.")],
    person: PersonOption, reason: ReasonOption,
    algo: Annotated[str, typer.Option(help="manual, one of our algorithms, or direct.")] = "manual", param: ParamOption = None,
    broker: Annotated[str, typer.Option(help="The venue session that it goes to.")] = "", secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Work what is free of several orders as one; its executions are divided fairly among them."""
    from ems.care_words import way

    asked = {"command": "merge_orders", "orders": orders, "way": way(algo, broker, _pairs(param))}
    decide(config, person, secret_file, reason, asked, json_output=json_output)


@app.command()
def unmerge(
    order: OrderArgument, person: PersonOption, reason: ReasonOption,
    member: Annotated[str, typer.Option(help="The order that goes; none: all.")] = "", secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """One order takes its rest out of a merged order, or all do."""
    _about(locals(), "unmerge_order", member=member)


@app.command("pull-back")
def pull_back(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Give what is left of an order back to its client, or of a part to the order that it is of."""
    _about(locals(), "pull_back")


@app.command()
def fill(
    order: OrderArgument, broker: BrokerOption, ref: ReferenceOption, qty: QtyOption,
    price: Annotated[str, typer.Option(help="At which price.")], person: PersonOption, reason: ReasonOption,
    at: Annotated[str, typer.Option(help="When: 2026-11-27T14:30:00, UTC unless it says otherwise; now by default.")] = "",
    approver: ApproverOption = "", secret_file: SecretOption = None, approver_secret_file: ApproverSecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Enter an execution that a broker told by telephone. More than the order asks for needs a second person."""
    second: dict[str, Any] = {"executed_ns": _moment(at) if at else 0}
    if approver:
        secrets = {person: secret_of(secret_file), approver: secret_of(approver_secret_file, f"{approver}'s secret: ")}
        second |= {"approver": f"person:{approver}", "secrets": secrets}
    _about(locals(), "enter_fill", broker=broker, reference=ref, quantity_e9=_number(qty), price_e9=_number(price), **second)


@app.command()
def correct(
    order: OrderArgument, broker: BrokerOption, ref: ReferenceOption, person: PersonOption, reason: ReasonOption,
    qty: Annotated[str, typer.Option(help="How much it really was; none: nothing.")] = "",
    price: Annotated[str, typer.Option(help="At which price.")] = "", secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Correct an execution that was entered by telephone, or take it back."""
    now = {"quantity_e9": _number(qty or "0"), "price_e9": _number(price or "0")}
    _about(locals(), "correct_fill", broker=broker, reference=ref, **now)


@app.command()
def block(
    order: OrderArgument, qty: QtyOption, price: Annotated[str, typer.Option(help="At which price.")], person: PersonOption,
    reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """The house takes the other side of all or part of an order."""
    _about(locals(), "take_block", quantity_e9=_number(qty), price_e9=_number(price))


def _about(given: dict[str, Any], command: str, **more: Any) -> NoReturn:
    """given: what every one of these commands takes, by name."""
    asked = {"command": command, "order_id": given["order"], **more}
    decide(given["config"], given["person"], given["secret_file"], given["reason"], asked, json_output=given["json_output"])


def _pairs(param: list[str] | None) -> list[tuple[str, str]]:
    from ems.care_words import pairs

    return pairs(param)


def _number(text: str) -> int:
    try:
        return to_e9(text)
    except NumberError as error:
        raise ConfigError(str(error)) from error


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"{text!r} is no time such as 2026-11-27T14:30:00") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * 1_000
