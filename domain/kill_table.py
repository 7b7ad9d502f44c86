"""The one table of the kill switch: in which state which message may leave, and who may send it.

Every last look before a socket asks it: the desk's gate, the FIX gateway's sender, the quoter's loop. The state of a message
is the highest of all scopes that touch it.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final, NamedTuple


class Level(IntEnum):
    """A scope's state, in the order of strength."""

    ARMED = 0  # trading is allowed
    SUSPENDED = 1  # something is missing: no new risk; clears itself
    SOFT = 2  # latched: no new positions, what works may run off
    HARD = 3  # latched: all working orders are canceled, nothing new leaves
    PANIC = 4  # latched: as HARD, and the house positions of the scope are flattened


class Action(IntEnum):
    """What a message to a venue does to risk. What is none of these (a question, a report) is not stopped."""

    NEW = 1
    REPLACE_UP = 2  # more quantity, a more aggressive price, or another kind of order
    REPLACE_DOWN = 3
    CANCEL = 4
    FLATTEN = 5  # reduces a house position, and carries the id of the trip that asked for it


class Who(StrEnum):
    """Who may send a message."""

    ANYONE = "anyone"
    TRIP = "the trip"  # only an order that carries the id of the trip in force, for a house account
    NOBODY = "nobody"


_ANY, _TRIP, _NO = Who.ANYONE, Who.TRIP, Who.NOBODY
_ROWS: Final = {  #  new  replace up  replace down  cancel  flatten
    Level.ARMED: (_ANY, _ANY, _ANY, _ANY, _NO),
    Level.SUSPENDED: (_NO, _NO, _ANY, _ANY, _NO),
    Level.SOFT: (_NO, _NO, _ANY, _ANY, _TRIP),
    Level.HARD: (_NO, _NO, _NO, _ANY, _NO),
    Level.PANIC: (_NO, _NO, _NO, _ANY, _TRIP),
}
TABLE: Final[dict[tuple[Level, Action], Who]] = {
    (level, action): who for level, row in _ROWS.items() for action, who in zip(Action, row, strict=True)
}


class Verdict(NamedTuple):
    """The highest state of the scopes that touch a message.

    Attributes:
        trip: id of the trip that set it, 0 where none did.
        digest: of the scope that has it, 0 for none.
        readable: could the latch be read? If not, the level is HARD: missing data never goes beyond it.
        paused_before_ns: orders that were there at this time stay paused until a person resumes them; 0: none.
    """

    level: Level
    trip: int = 0
    digest: int = 0
    readable: bool = True
    paused_before_ns: int = 0


class KillMark(NamedTuple):
    """What a last look must know of a message to a venue, beside the message.

    Attributes:
        scopes: digests in the order of `ScopeKind`, 0 where the order has none of a kind.
        trip: the trip that it carries, 0 for none.
    """

    action: Action
    scopes: tuple[int, ...]
    trip: int = 0


CLEAR: Final = Verdict(Level.ARMED)
UNREADABLE: Final = Verdict(Level.HARD, readable=False)


def may_leave(verdict: Verdict, action: Action, *, trip: int = 0, house: bool = False) -> bool:
    """May a message with this action leave now?

    Args:
        trip: the id that the message carries, 0 for none.
        house: is it for one of the house's own accounts?
    """
    who = TABLE[verdict.level, action]
    if who is Who.TRIP:
        return house and trip != 0 and trip == verdict.trip
    return who is Who.ANYONE
