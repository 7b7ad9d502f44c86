"""`ems oms`: a small OMS over real FIX, on a client session of the configuration."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from domain.errors import ConfigError

app = typer.Typer(no_args_is_help=True)
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration whose client session is used.")]
SessionOption = Annotated[str, typer.Option(help="Which client session; the first by default.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Stay until the order has ended.")]
ANSWER_S = 10.0


def _settings(config: Path) -> Any:
    """The configuration: an ems.toml, or the runtime.json of a run that is up."""
    if config.suffix == ".json":
        from ems.bootstrap.runtime import Runtime

        return Runtime.load(config).settings
    from ems.config import load

    return load(config)


def _parameters(minutes: float | None, given: list[str]) -> dict[str, str]:
    parameters = {} if minutes is None else {"DurationMinutes": f"{minutes:g}"}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--param {text!r} must be NAME=VALUE, such as ParticipationRate=10")
        parameters[name] = value
    return parameters


@app.command()
def send(
    symbol: Annotated[str, typer.Option(help="What to trade.")],
    qty: Annotated[str, typer.Option(help="How much.")],
    side: Annotated[str, typer.Option(help="buy or sell.")] = "buy",
    algo: Annotated[str, typer.Option(help="twap, vwap or pov.")] = "vwap",
    minutes: Annotated[float | None, typer.Option(help="How long to work; until the close by default.")] = None,
    limit: Annotated[str, typer.Option(help="The worst price; none by default.")] = "",
    param: Annotated[list[str] | None, typer.Option(help="A strategy parameter, NAME=VALUE; may be repeated.")] = None,
    cl_ord_id: Annotated[str, typer.Option(help="The order's ClOrdID; made up by default.")] = "",
    wait: WaitOption = False,
    config: ConfigOption = Path("ems.toml"),
    session: SessionOption = "",
    json_output: JsonOption = False,
) -> None:
    """Send a parent order (35=D) and print its reports."""
    from ems.bootstrap.oms import connected, order

    placed = order(symbol, _side(side), qty, algo=algo, limit=limit, parameters=_parameters(minutes, param or []))
    _stop_in_order()
    with connected(_settings(config), session) as oms:
        sent = oms.place(placed, cl_ord_id)
        raise typer.Exit(_follow(oms, sent, wait, json_output))


@app.command()
def cancel(
    cl_ord_id: Annotated[str, typer.Argument(help="The ClOrdID of an order that this OMS has sent.")],
    wait: WaitOption = False,
    config: ConfigOption = Path("ems.toml"),
    session: SessionOption = "",
    json_output: JsonOption = False,
) -> None:
    """Cancel an order (35=F)."""
    from ems.bootstrap.oms import connected

    _stop_in_order()
    with connected(_settings(config), session) as oms:
        try:
            sent = oms.cancel(cl_ord_id)
        except KeyError as cause:
            raise ConfigError(f"this OMS has not sent an order {cl_ord_id}") from cause
        raise typer.Exit(_follow(oms, sent, wait, json_output))


@app.command()
def replace(
    cl_ord_id: Annotated[str, typer.Argument(help="The ClOrdID of an order that this OMS has sent.")],
    symbol: Annotated[str, typer.Option(help="What it trades; cannot be changed.")],
    qty: Annotated[str, typer.Option(help="The new quantity, what is filled included.")],
    side: Annotated[str, typer.Option(help="buy or sell; cannot be changed.")] = "buy",
    algo: Annotated[str, typer.Option(help="twap, vwap or pov.")] = "vwap",
    minutes: Annotated[float | None, typer.Option(help="How long to work.")] = None,
    limit: Annotated[str, typer.Option(help="The worst price.")] = "",
    param: Annotated[list[str] | None, typer.Option(help="A strategy parameter, NAME=VALUE; may be repeated.")] = None,
    wait: WaitOption = False,
    config: ConfigOption = Path("ems.toml"),
    session: SessionOption = "",
    json_output: JsonOption = False,
) -> None:
    """Change an order (35=G): everything is said again."""
    from ems.bootstrap.oms import connected, order

    changed = order(symbol, _side(side), qty, algo=algo, limit=limit, parameters=_parameters(minutes, param or []))
    _stop_in_order()
    with connected(_settings(config), session) as oms:
        raise typer.Exit(_follow(oms, oms.replace(cl_ord_id, changed), wait, json_output))


def _side(text: str) -> str:
    if text not in ("buy", "sell"):
        raise ConfigError(f"--side must be buy or sell, not {text!r}")
    return text


def _stop_in_order() -> None:
    """A SIGTERM unwinds like an interrupt: the FIX engine must be stopped before the process ends."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _follow(oms: Any, cl_ord_id: str, wait: bool, json_output: bool) -> int:
    """Print what comes about an order, until its first answer or, waiting, until its end. 1 if it was refused."""
    printed, deadline = 0, time.monotonic() + ANSWER_S
    while True:
        messages = [m for m in oms.messages() if m.msg_type == "3" or cl_ord_id in (m[11], m[41], m[379])]
        for message in messages[printed:]:
            _print(message, json_output)
            printed += 1
        last = messages[-1] if messages else None
        if last is not None and (last.final or last.msg_type != "8" or not wait):
            return 1 if last.msg_type != "8" or last[39] == "8" else 0
        if last is None and time.monotonic() > deadline:
            typer.echo(f"ems: no answer within {ANSWER_S:.0f} s", err=True)
            return 1
        time.sleep(0.05)


def _print(message: Any, json_output: bool) -> None:
    from ems.bootstrap.oms import told

    words = told(message)
    typer.echo(json.dumps(words) if json_output else "  ".join(f"{k}={v}" for k, v in words.items() if v))
