"""The small OMS on a configuration's client session, as `ems oms` and the demo use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from adapters.fix.dialect import Dialect
from adapters.fix.oms import Message, Oms
from adapters.fix.oms_order import OmsOrder
from adapters.reference import files
from domain.errors import ConfigError
from domain.values import Side, to_e9
from ems.bootstrap.dialects import dialect
from ems.bootstrap.gateway import oms_session
from ems.config import Settings

EXEC_TYPES = {
    "0": "new", "4": "canceled", "5": "replaced", "6": "pending cancel", "8": "rejected", "A": "pending new", "C": "expired",
    "E": "pending replace", "F": "trade", "I": "status",
}  # fmt: skip


def run(settings: Settings, session: str, work: Callable[[Oms], int], *, within_s: float) -> NoReturn:
    """Do some work with an OMS that is logged on, then log out and end this process with the status that it returned.

    The OMS keeps its numbers and its ledger in the state directory, one folder a session.

    Args:
        within_s: how long the logon may take.

    Raises:
        ConfigError: there is no such client session.
        LinkError: nobody answers there.
    """
    found = oms_session(settings, session)
    if found is None:
        raise ConfigError(f"the configuration has no client session {session}".rstrip())
    oms = Oms(settings.state_directory / "oms" / found.name, found, _dialect(settings, found.name))
    try:
        oms.start(within_s)
        status = work(oms)
    except BaseException:
        oms.stop()  # also where nobody answered: an engine that still runs when the process ends takes it down
        raise
    oms.leave(status)


def _dialect(settings: Settings, name: str) -> Dialect | None:
    session = next(session for session in settings.sessions if session.name == name)
    data = files.load_sample() if settings.instruments is None else files.load(settings.instruments)
    return dialect(session, data.universe)


def order(
    symbol: str, side: str, quantity: str, *, algo: str, limit: str = "",
    parameters: dict[str, str] | None = None, account: str = "",
) -> OmsOrder:  # fmt: skip
    """An order from what a person types. Raises NumberError for a number that is none."""
    return OmsOrder(
        symbol=symbol,
        side=Side(side),
        quantity_e9=to_e9(quantity),
        limit_price_e9=to_e9(limit) if limit else None,
        algo=algo,
        parameters=tuple((parameters or {}).items()),
        account=account,
    )


def told(message: Message) -> dict[str, Any]:
    """A message of the EMS in words."""
    if message.msg_type == "8":
        return {
            "type": "report", "exec_type": EXEC_TYPES.get(message[150], message[150]), "cl_ord_id": message[11],
            "orig_cl_ord_id": message[41], "order_id": message[37], "filled": message[14], "leaves": message[151],
            "avg_px": message[6], "last_qty": message[32], "last_px": message[31], "text": message[58],
        }  # fmt: skip
    return {"type": {"9": "cancel reject", "j": "business reject", "3": "reject"}.get(message.msg_type, message.msg_type),
            "cl_ord_id": message[11] or message[379], "text": message[58]}  # fmt: skip
