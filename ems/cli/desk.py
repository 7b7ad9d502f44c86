"""`ems desk`: what is asked of a running desk at its own door, beside FIX."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import typer

from domain.errors import ConfigError, NumberError
from domain.values import to_e9
from ems.cli import steer
from ems.peer import own_account

app = typer.Typer(no_args_is_help=True)


@app.command()
def enter(
    symbol: Annotated[str, typer.Option(help="What to trade.")],
    qty: Annotated[str, typer.Option(help="How much.")],
    client: Annotated[str, typer.Option(help="The client session that the order is for; its reports go there.")],
    side: Annotated[str, typer.Option(help="buy or sell.")] = "buy",
    limit: Annotated[str, typer.Option(help="The worst price; none by default: a market order.")] = "",
    algo: Annotated[str, typer.Option(help="twap, vwap or pov; none by default: direct to the venue.")] = "",
    param: Annotated[list[str] | None, typer.Option(help="A strategy parameter, NAME=VALUE; may be repeated.")] = None,
    account: Annotated[str, typer.Option(help="The client's account.")] = "",
    command_id: Annotated[str, typer.Option(help="Repeating a command with its id is safe; made up by default.")] = "",
    run: Annotated[Path, typer.Option("--run", help="The runtime.json of the running EMS.")] = Path("var/ems/runtime.json"),
    json_output: Annotated[bool, typer.Option("--json", help="One JSON object, for machines.")] = False,
) -> None:
    """Enter an order that a client gave by telephone. Answered when it is durable."""
    try:
        quantity_e9, limit_e9 = to_e9(qty), to_e9(limit) if limit else None
    except NumberError as error:
        raise ConfigError(str(error)) from error
    parameters = [text.partition("=")[::2] for text in param or []]
    answer = _ask(
        run,
        {
            "command": "enter_order",
            "command_id": command_id or uuid4().hex,
            "actor": f"person:{own_account()}",
            "client_session": client,
            "symbol": symbol,
            "side": side,
            "quantity_e9": quantity_e9,
            "ord_type": "market" if limit_e9 is None else "limit",
            "limit_price_e9": limit_e9,
            "account": account,
            "algo": algo,
            "parameters": parameters,
        },
    )
    typer.echo(json.dumps(answer) if json_output else _sentence(answer))
    raise typer.Exit(0 if answer["ok"] else 1)


def _ask(run: Path, question: dict[str, Any]) -> dict[str, Any]:
    from ems.bootstrap.runtime import Runtime
    from ems.health import ask_socket

    socket = Runtime.load(run).socket("desk")
    answer = asyncio.run(ask_socket(socket, question, timeout_s=15))
    if not isinstance(answer, dict):
        raise ConfigError(f"no desk answers at {socket}; is the EMS up?")
    return answer


def _sentence(answer: dict[str, Any]) -> str:
    ids = " ".join(f"{name}={answer[name]}" for name in ("order_id", "cl_ord_id") if name in answer)
    return f"{answer['text']} {ids}".strip()


steer.add(app)
