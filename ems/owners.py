"""Whose an order is."""

from __future__ import annotations

from domain.parent_order import ParentOrder
from domain.trader import PERSON
from ems.desk_state import DeskState


def owner_of(state: DeskState, order: ParentOrder) -> str:
    """Of an order, or of the orders that it is made of: person:jane, "" for nobody's."""
    if order.care.owner or not order.of:
        return order.care.owner
    owners = (owner_of(state, state.parent(share.order)) for share in order.of)
    return next((owner for owner in owners if owner), "")


def not_yours(state: DeskState, order: ParentOrder, actor: str) -> str:
    """Why a person leaves an order alone, "" where it is nobody's or the person's own."""
    owner = owner_of(state, order)
    return f"{order.order_id} is {owner.removeprefix(PERSON)}'s: have it reassigned" if owner and owner != actor else ""
