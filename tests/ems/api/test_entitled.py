"""Whose rows pass: by what a person is entitled to, and by what a row says."""

from __future__ import annotations

import pytest

from domain.account import ALL, Account, Entitlement, EntitlementKind
from ems.api.entitled import sieve
from ems.read_models.ladder import Ladder


def person(*rows: tuple[EntitlementKind, str]) -> Account:
    return Account("t", "tara", frozenset({"trader"}), frozenset(Entitlement(kind, value) for kind, value in rows))


@pytest.mark.parametrize(
    ("rows", "seen"),
    [
        ((), False),
        ((("desk", ALL),), True),
        ((("desk", "EQ"),), False),  # whoever's orders stand in it: not hers alone
        ((("desk", ALL), ("client", "OMS1")), False),
        ((("desk", "EQ"), ("symbol", "AMZN")), True),
        ((("symbol", "MSFT"),), False),
    ],
)
def test_a_ladder_is_for_those_who_see_its_symbol_or_every_order(
    rows: tuple[tuple[EntitlementKind, str], ...], seen: bool
) -> None:
    row = ["AMZN" if column.name == "symbol" else None for column in Ladder.topic.columns]
    assert sieve(person(*rows), Ladder.topic).passes(row) is seen
