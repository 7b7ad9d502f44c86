"""Which orders wait for a trader (`domain.care_rules`), and what is written of one that does.

A client is told PendingNew (150=A), and New once a trader has taken the order. What it asks meanwhile is answered as for any
order: a cancel ends it, a replace changes it and leaves it waiting.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain import parent_order as po
from domain.care import Staged
from domain.care_rules import STAGED, CareTerms, rule_of
from domain.instructions import PLAIN
from domain.market_state import MarketState
from domain.ports import Reference
from domain.terms import Terms


class Staging:
    """One for the desk."""

    def __init__(self, reference: Reference, markets: Mapping[str, MarketState], terms: CareTerms) -> None:
        self._reference = reference
        self._markets = markets
        self._terms = terms

    def of(self, order: po.Accepted, now_ns: int) -> tuple[po.Accepted, *tuple[Staged, ...]]:
        """A client's order as it is written: accepted, and where a rule says so waiting."""
        market = self._markets.get(order.instrument)
        price_e9 = None if market is None else market.mid_e9 or market.last_e9
        rule = rule_of(self._terms.rules, order, price_e9)
        strategy = (order.terms.instructions or PLAIN).strategy
        basket = strategy is not None and strategy.basket is not None  # its broker works the whole list together
        if rule is None or basket or order.staged:  # with its list, until its client says execute
            return (order,)
        reserved_e9 = (order.terms.limit_price_e9 or price_e9) if self._terms.reserve else None
        staged = Staged(rule=rule.name, text=STAGED, reserved_price_e9=reserved_e9)
        return (order.model_copy(update={"staged": True, "terms": self._until_close(order, now_ns)}), staged)

    def begun(self, order: po.ParentOrder) -> Staged | None:
        """An order of a list that its client executes: does it wait for a trader now?"""
        as_accepted = po.Accepted(
            client_session=order.client_session, trade_date=order.trade_date, cl_ord_id=order.cl_ord_id,
            order_id=order.order_id, account=order.account, instrument=order.instrument, side=order.side, terms=order.terms,
            arrival=order.arrival,
        )  # fmt: skip
        found = self.of(as_accepted, order.created_ns)
        return found[1] if len(found) > 1 else None

    def _until_close(self, order: po.Accepted, now_ns: int) -> Terms:
        """It may be taken until the close; its own window is worked out when it is."""
        instrument = self._reference.instrument(order.instrument)
        day = self._reference.day(instrument, now_ns) if instrument is not None else None
        return order.terms.until(day.close_ns) if day is not None else order.terms
