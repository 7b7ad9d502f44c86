"""`ems algos`: which algorithms there are and what they take; ours as FIXatdl, and brokers' FIXatdl files checked."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigError

app = typer.Typer(no_args_is_help=True)
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")]


@app.command(name="list")
def list_algos(
    markdown: Annotated[bool, typer.Option(help="The parameters of all of them, as the documentation has them.")] = False,
    json_output: JsonOption = False,
) -> None:
    """Our algorithms and the names of their parameters."""
    found = described()
    if json_output:
        typer.echo(json.dumps({"algos": found}))
    elif markdown:
        typer.echo(table(found))
    else:
        for algo in found:
            names = ", ".join(parameter["name"] for parameter in algo["parameters"])
            typer.echo(f"{algo['name']:<6} 847={algo['target_strategy']:<5} {names}")


@app.command()
def show(name: Annotated[str, typer.Argument(help="Such as vwap.")], json_output: JsonOption = False) -> None:
    """One algorithm: each parameter with its type, unit, bounds and what holds without it."""
    found = next((algo for algo in described() if algo["name"] == name), None)
    if found is None:
        raise ConfigError(f"there is no algorithm {name!r}; there are {', '.join(algo['name'] for algo in described())}")
    if json_output:
        typer.echo(json.dumps(found))
        return
    typer.echo(f"{name}, TargetStrategy (847) {found['target_strategy']}: {found['description']}")
    for parameter in found["parameters"]:
        needed = "required" if parameter["required"] else f"without it: {parameter['absent']}"
        typer.echo(f"  {parameter['name']:<18} {parameter['type']} in {parameter['unit']}{_bounds(parameter)}; {needed}")
        typer.echo(f"  {'':<18} {parameter['description']}")
    for rule in found["rules"]:
        typer.echo(f"  {rule}")


@app.command()
def atdl(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write it here; without, it is printed.")] = None,
    provider: Annotated[str, typer.Option(help="The file's providerID.")] = "EMS",
) -> None:
    """Our algorithms as a FIXatdl 1.1 file, for an OMS to make its tickets from."""
    from ems.bootstrap.algos import published

    text = published(provider)
    if out is None:
        typer.echo(text, nl=False)
        return
    out.write_text(text, "utf-8")
    typer.echo(f"wrote {out}")


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="FIXatdl files of brokers.")],
    json_output: JsonOption = False,
) -> None:
    """Read brokers' FIXatdl files: their strategies and what is not used, or the line that is wrong."""
    from ems.bootstrap.algos import broker_algos

    found = broker_algos(files)
    if json_output:
        typer.echo(json.dumps({name: asdict(document) for name, document in found.items()}))
        return
    for name, document in found.items():
        typer.echo(f"{name}: {len(document.strategies)} strategies, identified by tag {document.strategy_identifier_tag}")
        for strategy in document.strategies:
            counts = f"{len(strategy.parameters)} parameters, {len(strategy.strategy_edits)} rules"
            typer.echo(f"  {strategy.name} ({strategy.ui_rep}): {counts}")
        for note in document.notes:
            typer.echo(f"  note: {note}")


def described() -> list[dict[str, Any]]:
    """Our algorithms as plain values. Bounds are decimal texts in the parameter's unit, None where there is none."""
    from domain.algo_parameters import MODELS, wire_fields
    from domain.values import from_e9
    from ems.bootstrap.algos import target_strategies

    codes = target_strategies()
    found = []
    for algo, model in MODELS.items():
        parameters = [
            {
                "name": wire.parameter.name,
                "type": wire.parameter.type.label,
                "type_code": int(wire.parameter.type),
                "unit": str(wire.parameter.unit),
                "required": wire.required,
                "minimum": None if wire.parameter.minimum_e9 is None else f"{from_e9(wire.parameter.minimum_e9):f}",
                "maximum": None if wire.parameter.maximum_e9 is None else f"{from_e9(wire.parameter.maximum_e9):f}",
                "absent": wire.parameter.absent,
                "description": wire.parameter.description,
            }
            for wire in wire_fields(model)
        ]
        rules = [rule.message for rule in model.rules]
        said = " ".join((model.__doc__ or "").split())
        found.append(
            {"name": str(algo), "target_strategy": codes[algo], "description": said, "parameters": parameters, "rules": rules}
        )
    return found


def table(algos: list[dict[str, Any]]) -> str:
    """The documentation's table: a row for each parameter, and which algorithms take it."""
    rows = [
        "| parameter (958) | type (959) | unit | bounds | algorithms | without it | meaning |",
        "|---|---|---|---|---|---|---|",
    ]
    parameters = {parameter["name"]: parameter for algo in algos for parameter in algo["parameters"]}
    for name, parameter in parameters.items():
        takers = [algo["name"] for algo in algos if any(taken["name"] == name for taken in algo["parameters"])]
        cells = (
            f"`{name}`",
            f"{parameter['type']} ({parameter['type_code']})",
            parameter["unit"],
            _bounds(parameter).strip() or "-",
            "all" if len(takers) == len(algos) else ", ".join(takers),
            parameter["absent"],
            parameter["description"],
        )
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _bounds(parameter: dict[str, Any]) -> str:
    lowest, highest = parameter["minimum"], parameter["maximum"]
    said = "" if lowest is None else f" from {lowest}"
    return said if highest is None else f"{said} to {highest}"
