"""Which rows of a topic a person may see: asked of every row that leaves the server, by whatever door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from domain.account import ALL, Account
from ems.read_models.topic import Topic

_SEE_ALL: Final = frozenset({"risk", "admin", "auditor"})


class Sieve(NamedTuple):
    """What a row must have to pass: at each place one of these values. None: no row passes at all."""

    wanted: tuple[tuple[int, frozenset[Any]], ...] | None

    def passes(self, row: Sequence[Any]) -> bool:
        """Does a row?"""
        return self.wanted is not None and all(row[place] in values for place, values in self.wanted)

    @property
    def all(self) -> bool:
        """Does every row?"""
        return self.wanted == ()


def sieve(account: Account, topic: Topic, wanted: Mapping[str, Any] | None = None) -> Sieve:
    """Of what a person is entitled to and asks for.

    Of each kind of entitlement that a person has one of, a row's value must be among them; who has none sees no order. Rows that
    say nothing of those kinds (a ladder is of a symbol, whoever's orders stand in it) are for those who see every order.

    Args:
        wanted: by column, a value or a list of them. Raises KeyError for a column that is not there.
    """
    asked = tuple(
        (topic.place(column), frozenset(value if isinstance(value, list) else [value]))
        for column, value in (wanted or {}).items()
    )
    if topic.own and not account.roles & _SEE_ALL:
        asked = (*asked, (topic.place(topic.own), frozenset({account.id})))
    if not topic.scoped:
        return Sieve(asked)
    kinds = account.kinds()
    scoped = [(kind, column) for kind, column in topic.scoped if kind in kinds]
    if not scoped:
        return Sieve(asked if kinds and all(account.sees(kind, ALL) for kind in kinds) else None)
    own = tuple(
        (topic.place(column), frozenset(one.value for one in account.entitlements if one.kind == kind))
        for kind, column in scoped
        if not account.sees(kind, ALL)
    )
    return Sieve((*own, *asked))
