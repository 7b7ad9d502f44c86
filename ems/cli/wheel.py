"""`ems wheel`: orders given to algorithms by chance, and what each costs, compared without bias."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

import typer

from domain.errors import ConfigError, NumberError
from domain.values import to_e9
from ems.cli.attention import ReasonOption, decide
from ems.cli.kill import CONFIG, ConfigOption, JsonOption, PersonOption, SecretOption, settings_of

app = typer.Typer(no_args_is_help=True)
WheelArgument = Annotated[str, typer.Argument(help="The wheel; orders that name none go to main.")]
ArmOption = Annotated[
    list[str],
    typer.Option(
        "--arm", help="NAME=WEIGHT,ALGO[,PARAMETER=VALUE...], or for a broker's NAME=WEIGHT,TAG=VALUE[,TAG=VALUE...]. Repeat it."
    ),
]
WeightOption = Annotated[list[str] | None, typer.Option("--weight", help="NAME=WEIGHT of each arm; they sum to 1.")]


@app.command(name="open")
def open_wheel(
    name: WheelArgument, arm: ArmOption, seed: Annotated[str, typer.Option(help="Of the draws; kept in the log.")],
    person: PersonOption, reason: ReasonOption, secret_file: SecretOption = None, config: ConfigOption = CONFIG,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Begin a wheel, or begin it anew: orders for the algorithm wheel:NAME are drawn among its arms from now on."""
    read = [_arm(text) for text in arm]
    command = {
        "command": "open_wheel", "wheel": name, "seed": seed, "arms": [one for one, _ in read],
        "weights_e9": [weight_e9 for _, weight_e9 in read],
    }  # fmt: skip
    decide(config, person, secret_file, reason, command, json_output=json_output)


@app.command()
def weights(
    name: WheelArgument, person: PersonOption, reason: ReasonOption, weight: WeightOption = None,
    rule: Annotated[bool, typer.Option("--rule", help="As the rule has them now: see ems wheel report.")] = False,
    secret_file: SecretOption = None, config: ConfigOption = CONFIG, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Move the weights: as you say, or as the rule has it. Results before and after stay comparable."""
    if rule == bool(weight):
        raise ConfigError("give the weight of each arm, or --rule")
    found = _report(config, name)
    told = found["rule"] if rule else {arm: float(_e9(text)) / 1e9 for arm, _, text in (w.partition("=") for w in weight or [])}
    if set(told) != set(found["weights"]):
        raise ConfigError(f"the wheel's arms are {', '.join(found['weights'])}: each needs its weight")
    command = {
        "command": "reweigh_wheel", "wheel": name, "rule": rule,
        "weights_e9": [round(told[arm] * 1_000_000_000) for arm in found["weights"]],
    }  # fmt: skip
    decide(config, person, secret_file, reason, command, json_output=json_output)


@app.command()
def report(name: WheelArgument = "main", config: ConfigOption = CONFIG, json_output: JsonOption = False) -> None:
    """What each arm costs, and which differ. The intervals hold however often you look."""
    found = _report(config, name)
    if json_output:
        typer.echo(json.dumps(found))
        return
    counts = f"{found['compared']} compared, {found['missing']} without a figure, {found['waiting']} waiting"
    typer.echo(f"wheel {found['wheel']}, round {found['round']}: {found['assigned']} assigned, {counts}")
    for arm in found["arms"]:
        span = f"{_number(arm['low_bps'])} to {_number(arm['high_bps'])}"
        weight = found["weights"][arm["arm"]]
        typer.echo(f"  {arm['arm']:<20} weight {weight:.3f}  orders {arm['orders']:>6}  {_number(arm['mean_bps'])} bps ({span})")
    for one in found["differences"]:
        verdict = "apart" if one["apart"] else "not apart"
        span = f"{_number(one['low_bps'])} to {_number(one['high_bps'])}"
        typer.echo(f"  {one['arm']} less {one['other']}: {_number(one['mean_bps'])} bps ({span}), {verdict}")


def _report(config: Any, name: str) -> dict[str, Any]:
    from ems.bootstrap.database import log_of
    from ems.bootstrap.wheel import compared

    settings = settings_of(config)
    with log_of(settings) as dsn:
        return asyncio.run(compared(dsn, settings, name)).row()


def _arm(text: str) -> tuple[dict[str, Any], int]:
    name, _, rest = text.partition("=")
    weight, *words = rest.split(",")
    if not name or not words:
        raise ConfigError(f"--arm {text}: it is NAME=WEIGHT,ALGO or NAME=WEIGHT,TAG=VALUE")
    pairs = [word.partition("=")[::2] for word in words]
    if pairs[0][0].isdecimal():
        if not all(tag.isdecimal() for tag, _ in pairs):
            raise ConfigError(f"--arm {text}: the fields of a broker's algorithm are TAG=VALUE")
        return {"name": name, "fields": [(int(tag), value) for tag, value in pairs]}, _e9(weight)
    return {"name": name, "algo": pairs[0][0], "parameters": pairs[1:]}, _e9(weight)


def _e9(text: str) -> int:
    try:
        return to_e9(text)
    except NumberError as error:
        raise ConfigError(f"a weight is a number between 0 and 1: {error}") from error


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
