"""Which orders are planned together: those of a list that work now, adaptively, and say the same of their basket."""

from __future__ import annotations

from domain import order_list
from domain.basket import ORDERS_MAX, BasketRequest
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.schedule import PlanRequest
from domain.values import E9, Algo, Side, StreamId
from ems.turn import Turn


def beside(turn: Turn, parent: ParentOrder) -> list[ParentOrder]:
    """The orders that are planned with this one, in the list's order and itself among them; [] where it is planned alone."""
    found = _basket_of(turn, parent)
    return found if 1 < len(found) <= ORDERS_MAX else []


def too_many(turn: Turn, parent: ParentOrder) -> str:
    """What a reason to plan says of an order whose basket is too large, "" of any other."""
    count = len(_basket_of(turn, parent))
    return f", alone: {count} orders, {ORDERS_MAX} at most are planned together" if count > ORDERS_MAX else ""


def _basket_of(turn: Turn, parent: ParentOrder) -> list[ParentOrder]:
    if parent.terms.basket_correlation_e9 is None or not parent.list_id:
        return []
    return [each for each in _listed(turn, parent) if _works(each, turn.now_ns) and _basket(each) == _basket(parent)]


def asked(
    turn: Turn, parent: ParentOrder, reason: str, requests: list[PlanRequest], reference: Reference
) -> BasketRequest:  # fmt: skip
    """What the planner is told of orders that are planned together.

    Args:
        requests: of each order, as it would be planned by itself.
    """
    terms = parent.terms
    same = [each for each in _listed(turn, parent) if _basket(each) == _basket(parent)]
    instruments = [reference.instrument(each.instrument) for each in requests]
    return BasketRequest(
        basket=str(_list(parent)),
        plan_number=sum(each.plans for each in same) + 1,
        reason=reason,
        correlation_e9=terms.basket_correlation_e9 or 0,
        cash_e9=terms.basket_cash_e9,
        paid_e9=sum(_paid_e9(each) for each in same),
        currencies=tuple("" if each is None else each.currency for each in instruments),
        orders=tuple(requests),
    )


def _list(parent: ParentOrder) -> StreamId:
    return order_list.key(parent.client_session, parent.trade_date, parent.list_id)


def _listed(turn: Turn, parent: ParentOrder) -> list[ParentOrder]:
    known = turn.state.lists.get(_list(parent))
    streams = [listed.order for listed in known.orders if listed.order is not None] if known is not None else []
    return [order for stream in streams if isinstance(order := turn.state.parents.get(stream), ParentOrder)]


def _basket(parent: ParentOrder) -> tuple[int | None, int | None]:
    return parent.terms.basket_correlation_e9, parent.terms.basket_cash_e9


def _works(parent: ParentOrder, now_ns: int) -> bool:
    terms, steering = parent.terms, parent.steering
    ours = (
        parent.live and terms.algo is Algo.ADAPTIVE and not parent.staged and parent.pending is None and steering.mode == "algo"
    )
    return ours and terms.start_ns <= now_ns < terms.end_ns and parent.cum_quantity_e9 < terms.quantity_e9


def _paid_e9(parent: ParentOrder) -> int:
    """Net, by what is filled."""
    value_e9 = parent.notional_e18 // E9
    return value_e9 if parent.side is Side.BUY else -value_e9
