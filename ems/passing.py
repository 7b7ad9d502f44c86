"""Executions of orders of the desk's own pass on to the orders that these are made of, in the turn in which they are decided.

What a member has of an execution is an execution of its own to its client: with an ExecID that follows from the execution and the
member, so that it is the same however often it is told.
"""

from __future__ import annotations

from domain import fill as fl
from domain import parent_order as po
from domain.care import Allotted
from domain.fair_share import divide
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.proration import Remainder, prorate
from domain.values import E9, StreamId
from ems.turn import Turn


def filled(turn: Turn, reference: Reference, order: ParentOrder, fill: StreamId, quantity_e9: int, price_e9: int) -> None:
    """An execution of an order that has just been written."""
    if not order.of:
        return
    shares = [share.quantity_e9 for share in order.of]
    parts = divide(quantity_e9, shares, [share.got_e9 for share in order.of], _lot_e9(reference, order))
    given = tuple((share.order, part) for share, part in zip(order.of, parts, strict=True) if part)
    turn.parent(order.id, Allotted(fill=fill, parts=given))
    for member, part_e9 in given:
        its = fl.passed_key(fill, member)
        after = turn.parent(member, po.Filled(child=order.id, fill=its, quantity_e9=part_e9, price_e9=price_e9))
        filled(turn, reference, after, its, part_e9, price_e9)


def restated(turn: Turn, reference: Reference, order: ParentOrder, fill: StreamId, told: po.FillRestated) -> None:
    """An execution of an order was taken back or corrected: each member's part of it, in proportion."""
    before = order.care.parts_of(fill) if order.of else ()
    if not before:
        return
    lot_e9 = _lot_e9(reference, order)
    parts = prorate(
        told.quantity_e9, [part for _, part in before], lot_e9=lot_e9, remainder=Remainder.LARGEST_REMAINDER
    )  # fmt: skip
    now = dict(zip([member for member, _ in before], parts, strict=True))
    turn.parent(order.id, Allotted(fill=fill, parts=tuple(now.items())))
    for member, was_e9 in before:
        its, holder = fl.passed_key(fill, member), turn.state.parent(member)
        event = told.model_copy(
            update={
                "child": order.id,
                "fill": its,
                "quantity_e9": now[member],
                "previous_quantity_e9": was_e9,
                "open_e9": holder.open_e9.get(order.id, 0),  # what was taken back is held, there and here
                "earlier_day": False,
            }
        )
        restated(turn, reference, turn.parent(member, event), its, event)


def _lot_e9(reference: Reference, order: ParentOrder) -> int:
    instrument = reference.instrument(order.instrument)
    return instrument.lot_e9 if instrument is not None else E9
