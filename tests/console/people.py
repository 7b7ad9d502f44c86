"""The people of the console's tests: one for each role, two for what needs two, one who may see a single client's
orders, and one with every role."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from argon2 import PasswordHasher

from adapters.clock import WallClock
from adapters.postgres.accounts import PostgresAccounts
from domain.account import ALL, Account, Entitlement
from ems.bootstrap.runtime import Runtime
from ems.read_models.topic import ROLES


class Somebody(NamedTuple):
    """Who signs in. client: whose orders alone are seen, all orders by default."""

    roles: tuple[str, ...]
    password: str = "open sesame, please"
    client: str = ALL


PEOPLE = {
    "tara": Somebody(("trader", "viewer")),
    "tom": Somebody(("trader", "viewer")),
    "rita": Somebody(("risk", "viewer")),
    "rolf": Somebody(("risk", "viewer")),
    "vera": Somebody(("viewer",)),
    "nobby": Somebody(("viewer",), client="NOBODY"),
    "quinn": Somebody(("quant", "viewer")),
    "otto": Somebody(("operator", "viewer")),
    "adam": Somebody(("admin",)),
    "audrey": Somebody(("auditor",)),
    "eve": Somebody(ROLES),
}


def make_people(runtime: Runtime) -> None:
    """Their accounts, as an administrator would have made them."""
    hasher = PasswordHasher(time_cost=1, memory_cost=1024)

    async def make() -> None:
        async with PostgresAccounts(runtime.app_dsn) as accounts:
            for name, person in PEOPLE.items():
                sees = frozenset({Entitlement("client", person.client)})
                hashed = hasher.hash(person.password)
                made = Account(name, name.title(), frozenset(person.roles), sees, hashed, changed_ns=WallClock().now_ns())
                assert await accounts.put(made, new=True)

    asyncio.run(make())
