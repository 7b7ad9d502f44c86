"""Accounts, sessions, tokens, layouts and commands of the console, in tables of their own beside the log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.connection import AsyncConnection, named, translated
from domain.account import Account, Asked, Entitlement, SignedIn, Token

_T = TypeVar("_T")
_ACCOUNT = """
SELECT a.id, a.name, a.roles, a.password, coalesce(a.subject, ''), a.disabled, a.changed_ns,
       coalesce(array_agg(ARRAY[e.kind, e.value]) FILTER (WHERE e.kind IS NOT NULL), '{}')
FROM accounts a LEFT JOIN entitlements e ON e.account = a.id
"""
_TOKEN = "SELECT name, digest, account, roles, made_by, created_ns, expires_ns, revoked FROM tokens"  # noqa: S105
_ASKED = "SELECT account, key, verb, body, asked_ns, answer FROM commands"


class PostgresAccounts:
    """`domain.account.Accounts`. Used as an async context."""

    def __init__(self, dsn: str) -> None:
        self._pool: AsyncConnectionPool[AsyncConnection] = AsyncConnectionPool(
            named(dsn, "accounts"), min_size=1, max_size=4, open=False, kwargs={"autocommit": True}, timeout=5.0
        )

    async def __aenter__(self) -> Self:
        await self._pool.open(wait=False)
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        await self._pool.close()

    async def _rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with translated():
            async with self._pool.connection() as connection:
                cursor = await connection.execute(statement, values)
                return await cursor.fetchall() if cursor.description is not None else []

    # -------------------------------------------------------------------------------------- accounts

    async def account(self, account: str) -> Account | None:
        """By its id."""
        return _first([_account(row) for row in await self._rows(f"{_ACCOUNT} WHERE a.id = %s GROUP BY a.id", account)])

    async def by_subject(self, subject: str) -> Account | None:
        """By the word of whoever proves people elsewhere."""
        return _first([_account(row) for row in await self._rows(f"{_ACCOUNT} WHERE a.subject = %s GROUP BY a.id", subject)])

    async def accounts(self) -> list[Account]:
        """All, by id."""
        return [_account(row) for row in await self._rows(f"{_ACCOUNT} GROUP BY a.id ORDER BY a.id")]

    async def put(self, account: Account, *, new: bool = False) -> bool:
        """As it is from now on; False for a new one whose id is taken."""
        taken = "NOTHING" if new else (
            "UPDATE SET name = excluded.name, password = excluded.password, subject = excluded.subject, roles = excluded.roles,"
            " disabled = excluded.disabled, changed_ns = excluded.changed_ns"
        )  # fmt: skip
        values = (account.id, account.name, account.password, account.subject or None, sorted(account.roles),
                  account.disabled, account.changed_ns)  # fmt: skip
        with translated():
            async with self._pool.connection() as connection, connection.transaction():
                cursor = await connection.execute(
                    "INSERT INTO accounts (id, name, password, subject, roles, disabled, changed_ns)"
                    f" VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO {taken}",
                    values,
                )
                if cursor.rowcount == 0:
                    return False
                await connection.execute("DELETE FROM entitlements WHERE account = %s", (account.id,))
                async with connection.cursor() as many:
                    await many.executemany(
                        "INSERT INTO entitlements (account, kind, value) VALUES (%s, %s, %s)",
                        [(account.id, kind, value) for kind, value in sorted(account.entitlements)],
                    )
        return True

    # -------------------------------------------------------------------------------------- sessions

    async def open(self, session: SignedIn) -> None:
        """Somebody has signed in; what expired is cleared away on the way."""
        await self._rows("DELETE FROM sessions WHERE expires_ns <= %s", session.created_ns)
        await self._rows(
            "INSERT INTO sessions (digest, account, csrf, created_ns, expires_ns) VALUES (%s, %s, %s, %s, %s)", *session
        )

    async def session(self, digest: bytes, now_ns: int) -> SignedIn | None:
        """That has not expired."""
        found = await self._rows(
            "SELECT digest, account, csrf, created_ns, expires_ns FROM sessions WHERE digest = %s AND expires_ns > %s",
            digest, now_ns,
        )  # fmt: skip
        return _first([SignedIn(*row) for row in found])

    async def close_session(self, digest: bytes) -> None:
        """Signed out."""
        await self._rows("DELETE FROM sessions WHERE digest = %s", digest)

    async def close_sessions(self, account: str) -> None:
        """All of an account's."""
        await self._rows("DELETE FROM sessions WHERE account = %s", account)

    # ---------------------------------------------------------------------------- invites and tokens

    async def invite(self, digest: bytes, roles: frozenset[str], expires_ns: int) -> None:
        """Whoever holds the secret may make one account, once."""
        await self._rows(
            "INSERT INTO invites (digest, roles, expires_ns) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            digest, sorted(roles), expires_ns,
        )  # fmt: skip

    async def take_invite(self, digest: bytes, now_ns: int) -> frozenset[str] | None:
        """Its roles, and it is used up; None for one that is not there, used or expired."""
        found = await self._rows(
            "UPDATE invites SET used_ns = %s WHERE digest = %s AND used_ns IS NULL AND expires_ns > %s RETURNING roles",
            now_ns, digest, now_ns,
        )  # fmt: skip
        return _first([frozenset(row[0]) for row in found])

    async def token(self, digest: bytes, now_ns: int) -> Token | None:
        """That is neither revoked nor expired."""
        found = await self._rows(f"{_TOKEN} WHERE digest = %s AND expires_ns > %s AND NOT revoked", digest, now_ns)
        return _first([_token(row) for row in found])

    async def tokens(self) -> list[Token]:
        """All, by name."""
        return [_token(row) for row in await self._rows(f"{_TOKEN} ORDER BY name")]

    async def put_token(self, token: Token) -> bool:
        """False where its name is taken; a revoked one replaces its own."""
        if token.revoked:
            await self._rows("UPDATE tokens SET revoked = true WHERE name = %s", token.name)
            return True
        made = await self._rows(
            "INSERT INTO tokens (name, digest, account, roles, made_by, created_ns, expires_ns)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING name",
            *token._replace(roles=sorted(token.roles))[:7],  # type: ignore[arg-type]
        )
        return bool(made)

    # --------------------------------------------------------------------------------------- layouts

    async def layouts(self, account: str) -> list[str]:
        """Names of what a person has saved."""
        return [row[0] for row in await self._rows("SELECT name FROM layouts WHERE account = %s ORDER BY name", account)]

    async def layout(self, account: str, name: str) -> Any:
        """What was saved under a name, None without."""
        found = await self._rows("SELECT body FROM layouts WHERE account = %s AND name = %s", account, name)
        return _first([row[0] for row in found])

    async def put_layout(self, account: str, name: str, body: Any, now_ns: int) -> None:
        """Save; None removes."""
        if body is None:
            await self._rows("DELETE FROM layouts WHERE account = %s AND name = %s", account, name)
            return
        await self._rows(
            "INSERT INTO layouts (account, name, body, changed_ns) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (account, name) DO UPDATE SET body = excluded.body, changed_ns = excluded.changed_ns",
            account, name, Jsonb(body), now_ns,
        )  # fmt: skip

    # -------------------------------------------------------------------------------------- commands

    async def ask(self, asked: Asked) -> Asked | None:
        """Remember that something is asked for; what was asked before under the account's key, None if nothing was."""
        made = await self._rows(
            "INSERT INTO commands (account, key, verb, body, asked_ns) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING RETURNING key",
            *asked[:5],
        )
        return None if made else await self.asked_as(asked.account, asked.key)

    async def asked_as(self, account: str, key: str) -> Asked | None:
        """What was asked under a key, None if nothing was."""
        found = await self._rows(f"{_ASKED} WHERE account = %s AND key = %s", account, key)
        return _first([Asked(*row) for row in found])

    async def answered(self, account: str, key: str, answer: Mapping[str, Any]) -> None:
        """What became of it."""
        body = Jsonb(dict(answer), dumps=json.dumps)
        await self._rows("UPDATE commands SET answer = %s WHERE account = %s AND key = %s", body, account, key)

    async def asked(self, count: int) -> list[Asked]:
        """The last, newest first."""
        found = await self._rows(f"{_ASKED} ORDER BY asked_ns DESC LIMIT %s", count)
        return [Asked(*row) for row in found]


def _account(row: Sequence[Any]) -> Account:
    entitlements = frozenset(Entitlement(kind, value) for kind, value in row[7])
    return Account(row[0], row[1], frozenset(row[2]), entitlements, row[3], row[4], row[5], row[6])


def _token(row: Sequence[Any]) -> Token:
    return Token(row[0], row[1], row[2], frozenset(row[3]), *row[4:])


def _first(found: list[_T]) -> _T | None:
    return found[0] if found else None
