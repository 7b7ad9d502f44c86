"""How a trader cares for an order: it waits for one, is claimed, split, merged, given back; each an event by a named person.

Parts and merged orders are parent orders of the desk's own. What one is made of (`Share`) is reserved at its members, who get its
executions by `domain.fair_share`; a part of one order is a merged order with one member. See `domain.care_rules`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import Algo, StreamId

CareAct = Literal[
    "accept", "reject", "claim", "reassign", "split", "route", "merge", "unmerge", "pull_back", "fill", "block"
]  # fmt: skip
Returning = Literal["", "cancel", "done_for_day"]


class Staged(Event):
    """An order waits for a trader, who takes it or turns it down: so far it is PendingNew for its client."""

    TOPIC: ClassVar[str] = "parent_order.staged.v1"
    rule: str  # of [[care.rules]]
    text: str
    reserved_price_e9: int | None = None  # at which what it may trade counts as open already; None: it does not


class Handled(Event):
    """A named person, the event's actor, did this about an order."""

    TOPIC: ClassVar[str] = "parent_order.handled.v1"
    act: CareAct
    reason: str
    owner: str = ""  # of a claim or reassignment: whose it is from now on
    orders: tuple[tuple[StreamId, int], ...] = ()  # parts that were made of it, or what it went into, with the quantity
    quantity_e9: int = 0  # of an execution that was entered
    price_e9: int = 0
    counterparty: str = ""  # who executed it: a broker, or the account of the house
    over_e9: int = 0  # how much more than the order asked for is filled with it
    approver: str = ""  # the second person who let that pass
    returns: Returning = ""  # of what is pulled back: how its client is told once nothing of it is out


class Allotted(Event):
    """An execution of a merged order divided among its members: their totals, their own executions follow."""

    TOPIC: ClassVar[str] = "parent_order.allotted.v1"
    fill: StreamId
    parts: tuple[tuple[StreamId, int], ...]


class ShareLeft(Event):
    """A member took what it put in and was not filled out of a merged order. The others' shares begin anew from what is left."""

    TOPIC: ClassVar[str] = "parent_order.share_left.v1"
    order: StreamId
    returned_e9: int


class Share(NamedTuple):
    """What a member has put into an order of the desk's, and has had of its executions."""

    order: StreamId
    quantity_e9: int
    got_e9: int = 0


class Care(NamedTuple):
    """What is in force."""

    rule: str = ""  # by which it was staged
    reserved_price_e9: int | None = None
    owner: str = ""
    returning: Returning = ""  # it goes back to its client as soon as nothing of it is out
    why: str = ""  # in words, for the client
    asked: Algo | None = None  # what its client had asked for, where a trader works it otherwise
    parts: tuple[StreamId, ...] = ()  # orders of the desk's that were ever made of it
    allotted: tuple[tuple[StreamId, tuple[tuple[StreamId, int], ...]], ...] = ()  # execution -> who had what of it

    def parts_in(self, open_e9: Mapping[StreamId, int]) -> list[StreamId]:
        """The parts that hold some of it."""
        return [part for part in self.parts if part in open_e9]

    def parts_of(self, fill: StreamId) -> tuple[tuple[StreamId, int], ...]:
        """How an execution was divided."""
        return next((parts for found, parts in self.allotted if found == fill), ())


UNTENDED: Final = Care()
EVENTS = (Staged, Handled, Allotted, ShareLeft)
