"""Where an order goes."""

from __future__ import annotations

from domain.instructions import PLAIN
from domain.parent_order import Accepted, ParentOrder
from domain.ports import Reference


def venue_of(order: ParentOrder | Accepted, reference: Reference) -> str:
    """The venue session of an order's children: its broker's algorithm's, the one that a person has named, else its instrument's;
    "" where there is none.
    """
    if (strategy := (order.terms.instructions or PLAIN).strategy) is not None:
        return strategy.session
    if order.route:
        return order.route
    instrument = reference.instrument(order.instrument)
    return reference.venue_session(instrument) if instrument is not None else ""
