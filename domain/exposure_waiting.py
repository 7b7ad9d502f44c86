"""What waits for a trader counts as open already, where that is agreed: so that limits refuse an order when it comes rather than
when somebody takes it. Once it is taken its children reserve what they may trade, as those of any order.
"""

from __future__ import annotations

from collections.abc import Iterator

from domain.exposure import Exposure, Ledger
from domain.parent_order import ParentOrder
from domain.values import Side, StreamId


class Waiting:
    """The orders that wait, and what each has added to its ledger. Nothing is in it that events did not put there."""

    def __init__(self, exposure: Exposure) -> None:
        self._exposure = exposure
        self._held: dict[StreamId, tuple[Ledger, Side, int, int]] = {}

    def follow(self, order: ParentOrder) -> None:
        """An event has made an order this."""
        before = self._held.pop(order.id, None)
        if before is not None:
            ledger, side, quantity_e9, price_e9 = before
            self._add(ledger, side, -quantity_e9, price_e9)
        reserved_e9 = order.care.reserved_price_e9
        if not order.staged or not order.live or reserved_e9 is None:
            return
        trader = self._exposure.trader(order.id)
        key = (order.account, order.client_session, order.terms.algo.value, trader, order.instrument, "")
        ledger, price_e9 = self._exposure.ledger(key), order.terms.limit_price_e9 or reserved_e9
        self._held[order.id] = (ledger, order.side, order.terms.quantity_e9, price_e9)
        self._add(ledger, order.side, order.terms.quantity_e9, price_e9)

    def reserved(self, order: StreamId) -> tuple[int, int]:
        """What is held for an order, and the price at which it is reckoned."""
        held = self._held.get(order)
        return (held[2], held[3]) if held is not None else (0, 0)

    def __contains__(self, order: object) -> bool:
        return order in self._held

    def written(self) -> Iterator[str]:
        """The state in words, for a digest."""
        yield repr(sorted((order, *held[1:]) for order, held in self._held.items()))

    def _add(self, ledger: Ledger, side: Side, quantity_e9: int, price_e9: int) -> None:
        if side is Side.BUY:
            ledger.buying_e9 += quantity_e9
            ledger.buying_e18 += quantity_e9 * price_e9
        else:
            ledger.selling_e9 += quantity_e9
            ledger.selling_e18 += quantity_e9 * price_e9
        self._exposure.moved(ledger)
