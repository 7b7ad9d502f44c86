"""An order for a broker's algorithm, made one that the desk can place: a direct order that carries the broker's fields."""

from __future__ import annotations

from dataclasses import replace
from typing import Final, TypeVar

from domain.instructions import PLAIN, Basket, StrategyFields
from domain.messages import NewOrder
from domain.parent_order import ParentOrder
from domain.ports import BrokerAlgos, Reference
from domain.refusal import Refusal

_Order = TypeVar("_Order", bound=NewOrder)


class NoBrokers:
    """Port `BrokerAlgos` of a desk that has none."""

    def check(
        self,
        order: NewOrder,
        *,
        trade_date: str,
        routed: str,
        original: StrategyFields | None = None,
        basket: Basket | None = None,
    ) -> StrategyFields | Refusal | None:
        return None


NO_BROKERS: Final = NoBrokers()


class Strategies:
    """Asks the brokers' rules about every order that may be for one of them."""

    def __init__(self, brokers: BrokerAlgos, reference: Reference) -> None:
        self._brokers = brokers
        self._reference = reference

    def resolved(
        self, order: _Order, now_ns: int, *, replaces: ParentOrder | None = None, basket: Basket | None = None
    ) -> _Order:
        """The order as it is to be judged. One that is for no broker's algorithm comes back as it was."""
        if not order.fields:
            return order
        instrument = self._reference.instrument(order.symbol)
        given = order.instructions or PLAIN
        found = self._brokers.check(
            order,
            trade_date=self._reference.trade_date(now_ns),
            routed=self._reference.venue_session(instrument) if instrument is not None else "",
            original=(replaces.terms.instructions or PLAIN).strategy if replaces is not None else None,
            basket=basket,
        )
        if found is None:
            return order
        if isinstance(found, Refusal):
            return replace(order, strategy_refusal=found)
        route = "" if given.route == found.session else given.route  # our name of the session means nothing to the broker
        instructions = given.model_copy(update={"strategy": found, "route": route})
        return replace(order, algo="", parameters=(), instructions=instructions)
