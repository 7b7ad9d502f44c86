"""Accounts, sessions, tokens, layouts and commands in this process: the twin of the tables, for tests."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from domain.account import Account, Asked, SignedIn, Token


class MemoryAccounts:
    """`domain.account.Accounts`."""

    def __init__(self) -> None:
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[bytes, SignedIn] = {}
        self._invites: dict[bytes, tuple[frozenset[str], int]] = {}
        self._tokens: dict[str, Token] = {}
        self._layouts: dict[tuple[str, str], Any] = {}
        self._asked: dict[tuple[str, str], Asked] = {}

    async def account(self, account: str) -> Account | None:
        """By its id."""
        return self._accounts.get(account)

    async def by_subject(self, subject: str) -> Account | None:
        """By the word of whoever proves people elsewhere."""
        return next((one for one in self._accounts.values() if one.subject == subject), None)

    async def accounts(self) -> list[Account]:
        """All, by id."""
        return [self._accounts[account] for account in sorted(self._accounts)]

    async def put(self, account: Account, *, new: bool = False) -> bool:
        """As it is from now on; False for a new one whose id is taken."""
        if new and account.id in self._accounts:
            return False
        self._accounts[account.id] = account
        return True

    async def open(self, session: SignedIn) -> None:
        """Somebody has signed in."""
        self._sessions[session.digest] = session

    async def session(self, digest: bytes, now_ns: int) -> SignedIn | None:
        """That has not expired."""
        found = self._sessions.get(digest)
        return found if found is not None and found.expires_ns > now_ns else None

    async def close_session(self, digest: bytes) -> None:
        """Signed out."""
        self._sessions.pop(digest, None)

    async def close_sessions(self, account: str) -> None:
        """All of an account's."""
        self._sessions = {digest: one for digest, one in self._sessions.items() if one.account != account}

    async def invite(self, digest: bytes, roles: frozenset[str], expires_ns: int) -> None:
        """Whoever holds the secret may make one account, once."""
        self._invites.setdefault(digest, (roles, expires_ns))

    async def take_invite(self, digest: bytes, now_ns: int) -> frozenset[str] | None:
        """Its roles, and it is used up; None for one that is not there, used or expired."""
        roles, expires_ns = self._invites.get(digest, (frozenset[str](), 0))
        if expires_ns <= now_ns:
            return None
        self._invites[digest] = (roles, 0)
        return roles

    async def token(self, digest: bytes, now_ns: int) -> Token | None:
        """That is neither revoked nor expired."""
        found = (one for one in self._tokens.values() if one.digest == digest)
        return next((one for one in found if not one.revoked and one.expires_ns > now_ns), None)

    async def tokens(self) -> list[Token]:
        """All, by name."""
        return [self._tokens[name] for name in sorted(self._tokens)]

    async def put_token(self, token: Token) -> bool:
        """False where its name is taken; a revoked one replaces its own."""
        if token.name in self._tokens and not token.revoked:
            return False
        self._tokens[token.name] = token
        return True

    async def layouts(self, account: str) -> list[str]:
        """Names of what a person has saved."""
        return sorted(name for owner, name in self._layouts if owner == account)

    async def layout(self, account: str, name: str) -> Any:
        """What was saved under a name, None without."""
        return copy.deepcopy(self._layouts.get((account, name)))

    async def put_layout(self, account: str, name: str, body: Any, now_ns: int) -> None:
        """Save; None removes."""
        if body is None:
            self._layouts.pop((account, name), None)
        else:
            self._layouts[account, name] = copy.deepcopy(body)

    async def ask(self, asked: Asked) -> Asked | None:
        """Remember that something is asked for; what was asked before under the account's key, None if nothing was."""
        before = self._asked.get((asked.account, asked.key))
        if before is None:
            self._asked[asked.account, asked.key] = asked
        return before

    async def asked_as(self, account: str, key: str) -> Asked | None:
        """What was asked under a key, None if nothing was."""
        return self._asked.get((account, key))

    async def answered(self, account: str, key: str, answer: Mapping[str, Any]) -> None:
        """What became of it."""
        self._asked[account, key] = self._asked[account, key]._replace(answer=dict(answer))

    async def asked(self, count: int) -> list[Asked]:
        """The last, newest first."""
        return sorted(self._asked.values(), key=lambda one: -one.asked_ns)[:count]
