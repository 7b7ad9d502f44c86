"""Parts of an order as people type them, at the command line and in the console; and what of care the desk is asked."""

from __future__ import annotations

from typing import Any, Final

from domain.algo_parameters import MODELS
from domain.care_rules import waits
from domain.errors import NumberError
from domain.parent_order import ParentOrder
from domain.trader import PERSON
from domain.values import Algo, from_e9, to_e9
from ems.desk_state import DeskState

OURS: Final = tuple(algo.value for algo in MODELS)
WAYS: Final = (Algo.MANUAL.value, *OURS, Algo.DIRECT.value)
SLICE: Final = "QUANTITY ALGO[@BROKER] [NAME=VALUE ...]"


def pairs(lines: list[str] | tuple[str, ...] | None) -> list[tuple[str, str]]:
    """NAME=VALUE as name and value."""
    return [(name, value) for name, _, value in (line.partition("=") for line in lines or ())]


def way(algo: str, venue: str, parameters: list[tuple[str, str]]) -> dict[str, Any]:
    """`domain.care_commands.Way`; "direct" is no algorithm."""
    return {"algo": "" if algo == Algo.DIRECT else algo, "venue": venue, "parameters": parameters}


def slice_of(line: str) -> dict[str, Any]:
    """A part as it is typed: `domain.care_commands.Slice`.

    Raises:
        ValueError: a sentence that says what is wrong with it.
    """
    words = line.split()
    if len(words) < 2:
        raise ValueError(f"{line!r} is not {SLICE}")
    algo, _, venue = words[1].partition("@")
    if algo not in WAYS:
        raise ValueError(f"{algo!r} is none of {', '.join(WAYS)}")
    try:
        quantity_e9 = to_e9(words[0])
    except NumberError as error:
        raise ValueError(str(error)) from error
    return {"quantity_e9": quantity_e9, **way(algo, venue, pairs(words[2:]))}


def staged(state: DeskState) -> list[dict[str, str]]:
    """The orders that wait for a trader, the oldest first, as plain values for people."""
    parents = (state.parents[stream] for stream in state.working)
    return [_row(order) for order in parents if isinstance(order, ParentOrder) and waits(order)]


def _row(order: ParentOrder) -> dict[str, str]:
    limit_e9 = order.terms.limit_price_e9
    return {
        "order": order.order_id,
        "client": order.client_session,
        "account": order.account,
        "side": order.side.value,
        "quantity": f"{from_e9(order.terms.quantity_e9):f}",
        "symbol": order.instrument,
        "limit": "" if limit_e9 is None else f"{from_e9(limit_e9):f}",
        "algo": order.terms.algo.value,
        "rule": order.care.rule,
        "owner": order.care.owner.removeprefix(PERSON),
        "since_ns": str(order.created_ns),
    }
