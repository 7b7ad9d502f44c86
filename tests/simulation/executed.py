"""What was executed of an order, by those who executed it: the venue's book, the telephone, and what the order was made into."""

from __future__ import annotations

from collections.abc import Mapping

from domain import child_order as co
from domain.parent_order import ParentOrder
from ems.desk_state import DeskState
from tests.simulation.venue import Venue


def executed_e9(state: DeskState, venue: Venue, created: Mapping[str, co.Created], parent: ParentOrder) -> int:
    """In all. created: children by ClOrdID."""
    at_venue_e9 = sum(
        venue.changes.now_e9(exec_id)
        for exec_id, execution in venue.executions.items()
        if created[execution.cl_ord_id[: co.ROOT_LENGTH]].parent == parent.id
    )
    of_fills = [(fill, state.children[fill.child]) for fill in state.fills.values() if fill.child is not None]
    by_hand_e9 = sum(fill.quantity_e9 for fill, child in of_fills if child.channel and child.parent == parent.id)
    allotted = [parts for made in set(parent.care.parts) for _, parts in state.parent(made).care.allotted]
    return at_venue_e9 + by_hand_e9 + sum(dict(parts).get(parent.id, 0) for parts in allotted)
