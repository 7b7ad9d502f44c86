"""Who an order's trader is: one definition for limits, exposure and the kill switch.

The decision maker among the parties that a client sends, else the person who entered the order at the desk. It is the trader
of the order's acceptance; what an amendment says of parties changes no scope.
"""

from __future__ import annotations

from typing import Final

from domain.instructions import Instructions

# PartyRole (452): investment decision maker, entering trader, executing trader, order origination trader; the first there is.
ROLES: Final = (122, 36, 12, 11)
PERSON: Final = "person:"  # how people at the desk are named; no client's party is one


def trader_of(instructions: Instructions | None, actor: str) -> str:
    """The id in scopes of kind trader, "" where nobody is known.

    Args:
        instructions: of the order.
        actor: who entered it, of whom only a person at the desk counts.
    """
    if instructions is not None and instructions.parties:
        parties = {party.role: party.party_id for party in reversed(instructions.parties)}
        named = next((parties[role] for role in ROLES if role in parties), "")
        if named and not named.startswith(PERSON):
            return named
    return actor if actor.startswith(PERSON) else ""
