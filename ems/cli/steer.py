"""`ems desk pause`, `resume`, `complete`, `urgency`, `switch`, `take-over`, `place`, `decision`: a live algorithm by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from domain.errors import ConfigError, NumberError
from domain.values import to_e9
from ems.cli.attention import ReasonOption, decide
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption

OrderArgument = Annotated[str, typer.Argument(help="The parent order's OrderID (37).")]


def pause(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Release nothing more of an order, and withdraw what rests. It still ends at its time."""
    _steer(locals(), "pause")


def resume(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Give a paused order, or one that was taken over, back to its algorithm, which plans anew from now."""
    _steer(locals(), "resume")


def complete(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Trade all that is left now, at the far touch, within the client's limit and participation cap."""
    _steer(locals(), "complete")


def urgency(
    order: OrderArgument, level: Annotated[str, typer.Argument(help="low, normal or high.")], person: PersonOption,
    reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """How long child orders rest before they cross: low twice as long as usual, high a quarter."""
    _steer(locals(), "urgency", urgency=level)


def switch(
    order: OrderArgument, algo: Annotated[str, typer.Argument(help="One of ours: `ems algos list` has them.")],
    person: PersonOption, reason: ReasonOption,
    param: Annotated[list[str] | None, typer.Option(help="A strategy parameter, NAME=VALUE; may be repeated.")] = None,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Have another of our algorithms work the order. The client's quantity, limit, times and caps stay."""
    _steer(locals(), "switch", algo=algo, parameters=[text.partition("=")[::2] for text in param or []])


def take_over(
    order: OrderArgument, person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None,
    config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Take an order from its algorithm: what rests is withdrawn, and nothing leaves but what you place."""
    _steer(locals(), "take_over")


def place(
    order: OrderArgument, qty: Annotated[str, typer.Option(help="How much.")],
    limit: Annotated[str, typer.Option(help="At which price, the client's limit at worst.")], person: PersonOption,
    reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Place a part of an order that you have taken over. It rests until it is filled or the order is resumed or paused."""
    _steer(locals(), "place", quantity_e9=_number(qty), limit_price_e9=_number(limit))


def decision(
    order: OrderArgument, price: Annotated[str, typer.Option(help="The price that the order was decided at.")],
    at: Annotated[str, typer.Option(help="When: 2026-11-27T14:30:00, UTC unless it says otherwise.")], person: PersonOption,
    reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Say what an order was decided at: `ems tca` reckons its shortfall from there."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError as error:
        raise ConfigError(f"{at!r} is no time such as 2026-11-27T14:30:00") from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    asked = {"command": "note_decision", "order_id": order, "price_e9": _number(price)}
    told = asked | {"decided_ns": int(moment.timestamp() * 1_000_000) * 1_000}
    decide(config, person, secret_file, reason, told, json_output=json_output)


def _steer(given: dict[str, Any], act: str, **more: Any) -> None:
    """given: what every one of these commands takes, by name."""
    command = {"command": "steer_order", "order_id": given["order"], "act": act, **more}
    decide(given["config"], given["person"], given["secret_file"], given["reason"], command, json_output=given["json_output"])


def _number(text: str) -> int:
    try:
        return to_e9(text)
    except NumberError as error:
        raise ConfigError(str(error)) from error


def add(app: typer.Typer) -> None:
    """Under `ems desk`."""
    for command in (pause, resume, complete, urgency, switch, take_over, place, decision):
        app.command()(command)
