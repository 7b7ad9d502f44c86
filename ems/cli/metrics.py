"""`ems metrics`: what is exported, and the dashboards and alert rules that ask for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="What Prometheus is served: the list, the token, dashboards and alert rules.")
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]


@app.command("list")
def list_(json_output: JsonOption = False) -> None:
    """Every metric: name, kind, which process exports it, its labels, what it is."""
    from dataclasses import asdict

    from ems.measured import MEASURES

    for one in MEASURES:
        labels = "{" + ", ".join(("process", *one.labels)) + "}"
        typer.echo(json.dumps(asdict(one)) if json_output else f"{one.name}{labels}  {one.kind}, {', '.join(one.of)}: {one.text}")


@app.command()
def token(config: Annotated[Path, typer.Option("--config", help="The configuration file.")] = Path("ems.toml")) -> None:
    """Print the file whose content a scraper shows as its bearer token."""
    from ems.bootstrap.metrics_door import token_file
    from ems.bootstrap.runtime import Runtime
    from ems.config import load

    typer.echo(token_file(Runtime(settings=load(config))))


@app.command()
def write(
    to: Annotated[Path, typer.Option("--to", help="The folder to write grafana/ and prometheus/ into.")] = Path("deploy"),
) -> None:
    """Write Grafana's dashboards, Prometheus' alert rules and its scrape job."""
    from ems.dashboards import files

    for name, text in files().items():
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        typer.echo(str(path))
