"""One definition of an order's trader."""

from __future__ import annotations

import pytest

from domain.instructions import Instructions, Party
from domain.trader import trader_of


def parties(*of: tuple[int, str]) -> Instructions:
    return Instructions(parties=tuple(Party(party_id=name, source="D", role=role) for role, name in of))


@pytest.mark.parametrize(
    ("instructions", "actor", "trader"),
    [
        (None, "client:OMS", ""),
        (None, "person:jane", "person:jane"),
        (Instructions(), "person:jane", "person:jane"),
        (parties((12, "EXE"), (36, "ENT")), "client:OMS", "ENT"),
        (parties((11, "ORI"), (12, "EXE")), "client:OMS", "EXE"),
        (parties((11, "ORI"), (122, "DEC"), (36, "ENT")), "client:OMS", "DEC"),
        (parties((36, "ONE"), (36, "TWO")), "client:OMS", "ONE"),
        (parties((3, "CLIENT")), "client:OMS", ""),
        (parties((3, "CLIENT")), "person:jane", "person:jane"),
        (parties((122, "DEC")), "person:jane", "DEC"),  # entered by telephone for a named decision maker
        (parties((122, "person:jane")), "client:OMS", ""),  # nobody becomes one of our people by saying so
    ],
)
def test_the_decision_maker_else_the_person_at_the_desk(instructions: Instructions | None, actor: str, trader: str) -> None:
    assert trader_of(instructions, actor) == trader
