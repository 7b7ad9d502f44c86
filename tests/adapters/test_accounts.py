"""Accounts, sessions, invites, tokens, layouts and commands: the tables and their twin keep one contract."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest

from adapters.memory.accounts import MemoryAccounts
from adapters.postgres.accounts import PostgresAccounts
from domain.account import Account, Accounts, Asked, Entitlement, SignedIn, Token

JANE = Account("jane", "Jane", frozenset({"trader", "viewer"}), frozenset({Entitlement("client", "OMS")}), "hash", "", False, 7)


@pytest.fixture(params=["memory", "postgres"])
async def accounts(request: pytest.FixtureRequest) -> AsyncIterator[Accounts]:
    if request.param == "memory":
        yield MemoryAccounts()
        return
    async with PostgresAccounts(request.getfixturevalue("app_dsn")) as found:
        yield found


async def test_an_account_is_as_it_was_put(accounts: Accounts) -> None:
    assert await accounts.account("jane") is None
    assert await accounts.put(JANE, new=True)
    assert not await accounts.put(JANE._replace(name="Other"), new=True), "its name is taken"
    assert await accounts.account("jane") == JANE
    changed = JANE._replace(roles=frozenset({"risk"}), entitlements=frozenset(), disabled=True, subject="https://id/1")
    assert await accounts.put(changed)
    assert await accounts.account("jane") == changed == await accounts.by_subject("https://id/1")
    assert await accounts.by_subject("https://id/2") is None
    assert await accounts.accounts() == [changed]


async def test_a_session_lasts_until_it_expires_or_is_closed(accounts: Accounts) -> None:
    await accounts.put(JANE)
    first, second = (SignedIn(bytes([number]) * 32, "jane", "csrf", 10, 100) for number in (1, 2))
    await accounts.open(first)
    await accounts.open(second)
    assert await accounts.session(first.digest, 99) == first
    assert await accounts.session(first.digest, 100) is None
    await accounts.close_session(first.digest)
    assert await accounts.session(first.digest, 50) is None
    await accounts.close_sessions("jane")
    assert await accounts.session(second.digest, 50) is None


async def test_a_link_is_good_once(accounts: Accounts) -> None:
    roles = frozenset({"admin"})
    await accounts.invite(b"a" * 32, roles, 100)
    assert await accounts.take_invite(b"b" * 32, 50) is None
    assert await accounts.take_invite(b"a" * 32, 100) is None, "too late"
    await accounts.invite(b"c" * 32, roles, 100)
    assert await accounts.take_invite(b"c" * 32, 50) == roles
    assert await accounts.take_invite(b"c" * 32, 50) is None


async def test_a_token_is_good_until_it_is_revoked(accounts: Accounts) -> None:
    await accounts.put(JANE)
    token = Token("bot", b"t" * 32, "jane", frozenset({"trader"}), "root", 1, 100)
    assert await accounts.put_token(token)
    assert not await accounts.put_token(token)
    assert await accounts.token(token.digest, 50) == token
    assert await accounts.token(token.digest, 100) is None
    assert await accounts.put_token(token._replace(revoked=True))
    assert await accounts.token(token.digest, 50) is None
    assert [one.revoked for one in await accounts.tokens()] == [True]


async def test_layouts_and_commands(accounts: Accounts) -> None:
    await accounts.put(JANE)
    await accounts.put_layout("jane", "mine", {"a": [1, None]}, 5)
    await accounts.put_layout("jane", "mine", {"a": [2]}, 6)
    assert (await accounts.layout("jane", "mine"), await accounts.layouts("jane")) == ({"a": [2]}, ["mine"])
    await accounts.put_layout("jane", "mine", None, 7)
    assert await accounts.layout("jane", "mine") is None
    asked = Asked("jane", "key", "pause", b"d" * 32, 10)
    assert await accounts.ask(asked) is None
    assert await accounts.ask(asked._replace(body=b"e" * 32)) == asked, "the first stays"
    await accounts.answered("jane", "key", {"ok": True, "results": []})
    assert await accounts.asked_as("jane", "key") == asked._replace(answer={"ok": True, "results": []})
    assert await accounts.asked_as("jane", "other") is None
    await accounts.ask(asked._replace(key="later", asked_ns=20))
    assert [one.key for one in await accounts.asked(5)] == ["later", "key"]


def test_the_application_may_change_these_tables_and_still_not_the_log(app_dsn: str) -> None:
    with psycopg.connect(app_dsn, autocommit=True) as connection:
        connection.execute("INSERT INTO accounts (id, name, roles, changed_ns) VALUES ('x', 'X', '{}', 0)")
        connection.execute("DELETE FROM accounts")
        for statement in (
            "DELETE FROM events",
            "UPDATE events SET topic = ''",
            "DROP TABLE accounts",
            "ALTER TABLE accounts ADD x int",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
