"""`ems oms`: a small OMS over real FIX, on a client session of the configuration."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from domain.errors import ConfigError

app = typer.Typer(no_args_is_help=True)
SymbolOption = Annotated[str, typer.Option(help="What to trade; cannot be changed.")]
QuantityOption = Annotated[str, typer.Option(help="How much; in a change what is filled included.")]
SideOption = Annotated[str, typer.Option(help="buy or sell; cannot be changed.")]
AlgoOption = Annotated[str, typer.Option(help="twap, vwap or pov.")]
MinutesOption = Annotated[float | None, typer.Option(help="How long to work; until the close by default.")]
LimitOption = Annotated[str, typer.Option(help="The worst price; none by default.")]
ParamOption = Annotated[list[str] | None, typer.Option(help="A strategy parameter, NAME=VALUE; may be repeated.")]
NewIdOption = Annotated[str, typer.Option(help="The order's ClOrdID; made up by default.")]
OldIdArgument = Annotated[str, typer.Argument(help="The ClOrdID of an order that this OMS has sent.")]
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration whose client session is used.")]
SessionOption = Annotated[str, typer.Option(help="Which client session; the first by default.")]
WithinOption = Annotated[float, typer.Option(help="How many seconds the logon and the first answer may take.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object a line, for machines.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Stay until the order has ended.")]
CONFIG = Path("ems.toml")


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
    symbol: SymbolOption, qty: QuantityOption, side: SideOption = "buy", algo: AlgoOption = "vwap",
    minutes: MinutesOption = None, limit: LimitOption = "", param: ParamOption = None, cl_ord_id: NewIdOption = "",
    wait: WaitOption = False, config: ConfigOption = CONFIG, session: SessionOption = "", within: WithinOption = 10.0,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Send a parent order (35=D) and print its reports."""
    placed = _order(symbol, side, qty, algo, minutes, limit, param)
    _run(config, session, lambda oms: _follow(oms, oms.place(placed, cl_ord_id), wait, json_output, within), within)


@app.command()
def cancel(
    cl_ord_id: OldIdArgument, wait: WaitOption = False, config: ConfigOption = CONFIG, session: SessionOption = "",
    within: WithinOption = 10.0, json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Cancel an order (35=F)."""
    _run(config, session, lambda oms: _follow(oms, _known(oms.cancel, cl_ord_id), wait, json_output, within), within)


@app.command()
def replace(
    cl_ord_id: OldIdArgument, symbol: SymbolOption, qty: QuantityOption, side: SideOption = "buy", algo: AlgoOption = "vwap",
    minutes: MinutesOption = None, limit: LimitOption = "", param: ParamOption = None,
    wait: WaitOption = False, config: ConfigOption = CONFIG, session: SessionOption = "", within: WithinOption = 10.0,
    json_output: JsonOption = False,
) -> None:  # fmt: skip
    """Change an order (35=G): everything is said again."""
    changed = _order(symbol, side, qty, algo, minutes, limit, param)
    _run(config, session, lambda oms: _follow(oms, _known(oms.replace, cl_ord_id, changed), wait, json_output, within), within)


def _order(symbol: str, side: str, qty: str, algo: str, minutes: float | None, limit: str, param: list[str] | None) -> Any:
    from ems.bootstrap.oms import order

    if side not in ("buy", "sell"):
        raise ConfigError(f"--side must be buy or sell, not {side!r}")
    return order(symbol, side, qty, algo=algo, limit=limit, parameters=_parameters(minutes, param or []))


def _known(act: Callable[..., str], cl_ord_id: str, *more: Any) -> str:
    try:
        return act(cl_ord_id, *more)
    except KeyError as cause:
        raise ConfigError(f"this OMS has not sent an order {cl_ord_id}") from cause


def _run(config: Path, session: str, work: Callable[[Any], int], within_s: float) -> NoReturn:
    from ems.bootstrap.oms import run

    settings = _settings(config)
    _stop_in_order()
    run(settings, session, work, within_s=within_s)


def _stop_in_order() -> None:
    """A SIGTERM unwinds like an interrupt: the FIX engine must be stopped before the process ends."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def _follow(oms: Any, cl_ord_id: str, wait: bool, json_output: bool, within_s: float) -> int:
    """Print what comes about an order, until its first answer or, waiting, until its end. 1 if it was refused."""
    printed, deadline = 0, time.monotonic() + within_s
    while True:
        messages = [m for m in oms.messages() if m.msg_type == "3" or cl_ord_id in (m[11], m[41], m[379])]
        for message in messages[printed:]:
            _print(message, json_output)
            printed += 1
        last = messages[-1] if messages else None
        if last is not None and (last.final or last.msg_type != "8" or not wait):
            return 1 if last.msg_type != "8" or last[39] == "8" else 0
        if last is None and time.monotonic() > deadline:
            typer.echo(f"ems: no answer within {within_s:g} s", err=True)
            return 1
        time.sleep(0.05)


def _print(message: Any, json_output: bool) -> None:
    from ems.bootstrap.oms import told

    words = told(message)
    typer.echo(json.dumps(words) if json_output else "  ".join(f"{k}={v}" for k, v in words.items() if v))
