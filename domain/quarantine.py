"""What a person may do about an execution in quarantine: dismiss it, or book it to an order. Pure; refusals are values.

Read top-down: the table by why it is there, dismiss, book. The executions themselves are in `domain.fill`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from domain import child_order as co
from domain.child_order import ChildOrder
from domain.fill import Booked, Dismissed, Fill, Held, HeldBecause, Quarantined, Recorded, booked_key
from domain.parent_order import ParentOrder
from domain.values import StreamId, from_e9

_BY_DISMISSAL: Final = "a bust or a correction is no execution: dismiss it, and have the venue send it again as it should be"

# What may be booked: "" where it may, else why it can only be dismissed. Dismissed may be all of them.
NOT_BOOKED: Final[Mapping[HeldBecause, str]] = MappingProxyType(
    {
        "unknown_order": "",  # to the order that a person says it is of
        "conflict": "",  # as an execution of its own: the venue has used the ExecID twice
        "wrong_side": "",  # to the order that it names, on the order's side, or to one of the side that was told
        "not_positive": "there is no quantity or no price to book",
        "restated": _BY_DISMISSAL,
    }
)


class QuarantineReason(StrEnum):
    """The named refusals, in the order in which they are checked."""

    NOT_A_PERSON = "not_a_person"
    REASON_MISSING = "reason_missing"
    NOT_OPEN = "not_open"
    UNKNOWN_ORDER = "unknown_order"
    ALREADY_RESOLVED = "already_resolved"
    ONLY_DISMISSED = "only_dismissed"
    OTHER_VENUE = "other_venue"
    OTHER_INSTRUMENT = "other_instrument"
    OTHER_SIDE = "other_side"
    ADJUSTED_SINCE = "adjusted_since"
    ALREADY_RECORDED = "already_recorded"
    OVERFILL = "overfill"


@dataclass(frozen=True, slots=True)
class QuarantineRefusal:
    """Its name and a sentence. An answer to a person at the desk, not to FIX."""

    reason: QuarantineReason
    text: str


class Order(NamedTuple):
    """The order that an execution is to be booked to, and where its executions of that ExecID are kept.

    Attributes:
        stream: of an execution of this order with the ExecID, by the venue's key.
        known: what is there.
    """

    child: ChildOrder
    parent: ParentOrder
    stream: StreamId
    known: Fill | None


class Booking(NamedTuple):
    """What booking adds: to the stream of the quarantine, then to that of the execution."""

    booked: Booked
    recorded: Recorded


def dismiss(state: Fill, number: int, reason: str) -> Dismissed | QuarantineRefusal:
    """An execution is none of ours, or a repeat. number: of it among those in quarantine, from 1."""
    return _not_open(state.quarantined[number - 1]) or Dismissed(number=number, reason=reason)


def book(
    state: Fill, number: int, order: Order, others: tuple[Fill, ...], reason: str, *, overfill: bool
) -> Booking | QuarantineRefusal:
    """An execution is one of this order.

    Args:
        others: what a person has booked under the same ExecID before and is recorded elsewhere.
        overfill: book it although the order or its parent is filled beyond its quantity with it.
    """
    held = state.quarantined[number - 1]
    refusal = _not_open(held) or _only_dismissed(held.told) or _misfit(held, order) or _counted(state, held, order, others)
    if refusal is not None:
        return refusal
    told, child, parent = held.told, order.child, order.parent
    over_e9 = max(0, _over_e9(child, told), parent.cum_quantity_e9 + told.quantity_e9 - parent.terms.quantity_e9)
    if over_e9 and not overfill:
        text = f"{from_e9(over_e9):f} more than the order's quantity: say so (overfill) to book it all the same"
        return QuarantineRefusal(QuarantineReason.OVERFILL, text)
    own = order.known is None or order.known.content is None
    fill = order.stream if own else booked_key(state.id, number)
    booked = Booked(number=number, fill=fill, child=child.id, parent=parent.id, over_e9=over_e9, reason=reason)
    recorded = Recorded(
        venue_session=told.venue_session,
        trade_date=child.trade_date,
        exec_id=told.exec_id,
        cl_ord_id=told.cl_ord_id if _names(told, child) else child.cl_ord_id,
        child=child.id,
        parent=parent.id,
        instrument=child.instrument,
        side=child.side,
        quantity_e9=told.quantity_e9,
        price_e9=told.price_e9,
        venue_time_ns=told.venue_time_ns,
    )
    return Booking(booked, recorded)


def not_bookable(told: Quarantined) -> str:
    """Why one can only be dismissed, "" where it may be booked: by the table. One from before its kind was written may be a
    bust where it contradicted something.
    """
    restates = told.kind in ("cancel", "correct") or (told.kind == "" and told.reason == "conflict")
    return NOT_BOOKED[told.reason] or (_BY_DISMISSAL if restates else "")


def _not_open(held: Held) -> QuarantineRefusal | None:
    if not held.resolved:
        return None
    return QuarantineRefusal(QuarantineReason.ALREADY_RESOLVED, f"{held.told.exec_id} is {held.resolved} already")


def _only_dismissed(told: Quarantined) -> QuarantineRefusal | None:
    why = not_bookable(told)
    return QuarantineRefusal(QuarantineReason.ONLY_DISMISSED, why) if why else None


def _misfit(held: Held, order: Order) -> QuarantineRefusal | None:
    """Why it cannot be of this order. The order that it names itself may be told of otherwise: a person knows."""
    told, child = held.told, order.child
    if not _names(told, child):
        if child.venue_session != told.venue_session:
            text = f"{child.cl_ord_id} was sent on {child.venue_session}, and this came on {told.venue_session}"
            return QuarantineRefusal(QuarantineReason.OTHER_VENUE, text)
        if told.instrument not in ("", child.instrument):
            text = f"{child.cl_ord_id} is in {child.instrument}, and this is in {told.instrument}"
            return QuarantineRefusal(QuarantineReason.OTHER_INSTRUMENT, text)
        if told.side is not None and told.side is not child.side:
            text = f"{child.cl_ord_id} is a {child.side.value}, and this is a {told.side.value}"
            return QuarantineRefusal(QuarantineReason.OTHER_SIDE, text)
    if held.at_ns <= child.adjusted_ns:
        text = f"{child.cl_ord_id} was adjusted for a corporate action since: in the shares of before or of now?"
        return QuarantineRefusal(QuarantineReason.ADJUSTED_SINCE, text)
    return None


def _counted(state: Fill, held: Held, order: Order, others: tuple[Fill, ...]) -> QuarantineRefusal | None:
    """Is it recorded already? Under another date's key nothing more is: that would be one execution twice."""
    told, known, child = held.told, order.known, order.child.id
    words = (told.quantity_e9, told.price_e9)
    recorded = [fill for fill in (known, *others) if fill is not None and fill.child == child]
    same = any(words in ((fill.quantity_e9, fill.price_e9), (fill.content or ())[1:]) for fill in recorded)
    elsewhere = known is not None and known.content is not None and known.id != state.id
    if not same and not elsewhere:
        return None
    return QuarantineRefusal(QuarantineReason.ALREADY_RECORDED, f"{told.exec_id} of {order.child.cl_ord_id} is recorded already")


def _names(told: Quarantined, child: ChildOrder) -> bool:
    return told.cl_ord_id[: co.ROOT_LENGTH] == co.cl_ord_id(child.id)


def _over_e9(child: ChildOrder, told: Quarantined) -> int:
    return child.cum_quantity_e9 + told.quantity_e9 - child.quantity_e9
