"""PANIC: how much brings a scope's house position to zero, and at which limit. Never past zero, never what is a client's.

A position is the house's because the configuration names its account as the house's own, and because it was not traded by a
client's session. Whatever of the account is still out, or in doubt, may trade too: an order never takes what that may take.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

from domain.values import Side

_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class FlattenHouse:
    """A PANIC is in force: house positions are looked at, and flattened where that is due."""


class Position(NamedTuple):
    """One account in one instrument. Positions are negative where short; the others are what may still trade.

    Attributes:
        scope_e9: the house's position that the trip is about.
        account_e9: all that the account holds, whoever traded it.
        buying_e9: open quantity of the account's buy orders, those in doubt among them.
        selling_e9: the same of its sell orders.
    """

    scope_e9: int
    account_e9: int
    buying_e9: int
    selling_e9: int


def to_trade(position: Position, lot_e9: int) -> tuple[Side, int]:
    """The side that reduces, and how much at most: whole lots, 0 where nothing is certain to reduce.

    No more than the scope's position, and no more than what the account has left when every order that is out on that side
    has filled: whatever fills meanwhile, the account does not cross zero by this order.
    """
    side = Side.SELL if position.scope_e9 > 0 else Side.BUY
    held_e9 = -side.sign * position.account_e9
    out_e9 = position.selling_e9 if side is Side.SELL else position.buying_e9
    quantity_e9 = min(abs(position.scope_e9), held_e9 - out_e9)
    return side, max(0, quantity_e9) // lot_e9 * lot_e9


def limit_e9(reference_e9: int, side: Side, collar_bps: int) -> int:
    """The worst price that an order may have: a collar in basis points away from the last known price."""
    return reference_e9 + side.sign * (reference_e9 * collar_bps // _BPS)
