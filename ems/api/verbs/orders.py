"""What traders do to orders: enter one, steer an algorithm's, amend what was entered here, place by hand."""

from __future__ import annotations

from typing import Any, Final

from domain.algo_parameters import MODELS
from ems.api.verb import REASON, Act, Field, Verb, by_desk
from ems.read_models.topic import Role

TRADERS: Final[frozenset[Role]] = frozenset({"trader"})
_LIVE: Final = {"live": True}
_ALGOS: Final = tuple(algo.value for algo in MODELS)


def _steer(act_name: str) -> Any:
    """A command of `domain.commands.SteerOrder`."""

    def command(act: Act) -> dict[str, Any]:
        fields = act.fields
        more = {
            "algo": fields.get("algo"),
            "parameters": [line.partition("=")[::2] for line in fields.get("parameters") or ()],
            "urgency": fields.get("urgency"),
            "quantity_e9": fields.get("quantity"),
            "limit_price_e9": fields.get("price"),
        }
        given = {name: value for name, value in more.items() if value}
        return {"command": "steer_order", "order_id": act.row["order_id"], "act": act_name, "reason": act.reason, **given}

    return by_desk(command)


def enter(act: Act) -> dict[str, Any]:
    """What the desk is asked."""
    fields = act.fields
    return {
        "command": "enter_order",
        "client_session": fields["client"],
        "symbol": fields["symbol"],
        "side": fields["side"],
        "quantity_e9": fields["quantity"],
        "ord_type": "limit" if fields["price"] else "market",
        "limit_price_e9": fields["price"],
        "time_in_force": fields["time_in_force"],
        "account": fields["account"] or "",
        "algo": "" if fields["algo"] == "direct" else fields["algo"],
        "parameters": [line.partition("=")[::2] for line in fields["parameters"] or ()],
    }


def amend(act: Act) -> dict[str, Any]:
    """What the desk is asked; what was left empty stays as it is."""
    fields = act.fields
    lines = fields["parameters"]
    asked = {
        "quantity_e9": fields["quantity"],
        "limit_price_e9": fields["price"],
        "end_ns": fields["end"],
        "parameters": [line.partition("=")[::2] for line in lines] if lines else None,
    }
    given = {name: value for name, value in asked.items() if value}
    return {"command": "amend_order", "order_id": act.row["order_id"], "reason": act.reason, **given}


PARAMETERS: Final = Field(
    "parameters", "Parameters", "lines", required=False, help="NAME=VALUE, one a line, as the algorithm's ticket names them"
)
VERBS: Final = (
    Verb(
        "enter_order",
        "Enter an order",
        by_desk(enter),
        TRADERS,
        key="n",
        fields=(
            Field("client", "Client session", "text"),
            Field("account", "Account", "text", required=False),
            Field("symbol", "Symbol", "symbol"),
            Field("side", "Side", "choice", choices=("buy", "sell")),
            Field("quantity", "Quantity", "quantity"),
            Field("price", "Limit price", "price", required=False, help="none: at the market"),
            Field("algo", "Algorithm", "choice", choices=(*_ALGOS, "direct"), default="vwap"),
            Field("time_in_force", "Time in force", "choice", choices=("day", "ioc", "gtc", "fok"), default="day"),
            PARAMETERS,
        ),
    ),
    Verb("pause", "Pause", _steer("pause"), TRADERS, "p", "parents", {**_LIVE, "worked": ["algo", "complete", "by_hand"]},
         (REASON,), bulk=True, confirm="count"),
    Verb("resume", "Resume", _steer("resume"), TRADERS, "r", "parents", {**_LIVE, "worked": ["paused", "by_hand"]},
         (REASON,), bulk=True, confirm="count"),
    Verb("complete", "Complete now", _steer("complete"), TRADERS, "c", "parents", {**_LIVE, "worked": ["algo"]},
         (REASON,), bulk=True, danger=True, confirm="count"),
    Verb("urgency", "Urgency", _steer("urgency"), TRADERS, "u", "parents", {**_LIVE, "worked": ["algo"]},
         (Field("urgency", "Urgency", "choice", choices=("low", "normal", "high"), default="high"), REASON), bulk=True),
    Verb("switch", "Switch algorithm", _steer("switch"), TRADERS, "s", "parents", _LIVE,
         (Field("algo", "Algorithm", "choice", choices=_ALGOS), PARAMETERS, REASON), bulk=True),
    Verb("amend", "Amend", by_desk(amend), TRADERS, "e", "parents", _LIVE,
         (Field("quantity", "Quantity", "quantity", required=False, help="of the whole order, with what is executed"),
          Field("price", "Limit price", "price", required=False),
          Field("end", "Ends", "time", required=False, help="none: as it is"), PARAMETERS, REASON), confirm="count"),
    Verb("take_over", "Take over", _steer("take_over"), TRADERS, "t", "parents",
         {**_LIVE, "worked": ["algo", "paused", "complete"]}, (REASON,), confirm="count"),
    Verb("place", "Place by hand", _steer("place"), TRADERS, "l", "parents", {**_LIVE, "worked": ["by_hand"]},
         (Field("quantity", "Quantity", "quantity"), Field("price", "Limit price", "price"), REASON)),
)  # fmt: skip
