"""An amendment at the desk of an order that was entered there: the replace that its client would have sent.

What is asked for is put in the place of what was sent, and the whole is judged as a client's replace is (`parent_rules.amend`).
A client's own order is its client's to amend: a person at the desk changes how it is worked, never what was asked for.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.event import InboundRef
from domain.messages import ReplaceOrder
from domain.parent_order import ParentOrder
from domain.refusal import Reason, Refusal
from domain.values import Algo, OrdType
from domain.wire_parameter import utc_text

_END, _DURATION = "EndTime", "DurationMinutes"


class Asked(NamedTuple):
    """What a person asks for; None: as it is."""

    quantity_e9: int | None = None
    limit_price_e9: int | None = None
    end_ns: int | None = None
    parameters: tuple[tuple[str, str], ...] | None = None


def as_replace(state: ParentOrder, asked: Asked, cl_ord_id: str) -> ReplaceOrder | Refusal:
    """The order whole again under a new ClOrdID. An end that nothing is said of stays, which a duration alone would not."""
    before = state.terms
    quantity_e9 = asked.quantity_e9 or before.quantity_e9
    limit_price_e9 = asked.limit_price_e9 or before.limit_price_e9
    end_ns = asked.end_ns or before.end_ns
    given = before.parameters if asked.parameters is None else asked.parameters
    same = quantity_e9 == before.quantity_e9 and limit_price_e9 == before.limit_price_e9 and end_ns == before.end_ns
    if same and given == before.parameters:
        return Refusal(Reason.NOT_AMENDABLE, "the order is so already")
    direct = before.algo is Algo.DIRECT or state.care.asked is Algo.DIRECT
    if direct and asked.end_ns not in (None, before.end_ns):
        return Refusal(Reason.NOT_AMENDABLE, "a direct order ends with its day: its time in force says when")
    priced = OrdType.MARKET if limit_price_e9 is None else OrdType.LIMIT
    kept = before.ord_type if before.ord_type not in (None, OrdType.MARKET) else None
    return ReplaceOrder(
        ref=InboundRef(state.client_session, 0, 0),
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=state.cl_ord_id,
        symbol=state.instrument,
        side=state.side,
        quantity_e9=quantity_e9,
        ord_type=kept or priced,
        limit_price_e9=limit_price_e9,
        time_in_force=before.time_in_force,
        account=state.account,
        algo="" if direct else before.algo.value,
        parameters=() if direct else _ending(given, end_ns, said=asked.parameters is not None and asked.end_ns is None),
        instructions=before.instructions,
    )


def _ending(given: tuple[tuple[str, str], ...], end_ns: int, *, said: bool) -> tuple[tuple[str, str], ...]:
    """The parameters with an end. said: new ones that name one are followed."""
    if said and any(name in (_END, _DURATION) for name, _ in given):
        return given
    return (*(one for one in given if one[0] not in (_END, _DURATION)), (_END, utc_text(end_ns)))
