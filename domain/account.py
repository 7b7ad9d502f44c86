"""Who may sign in at the console, what of it they may see, and where that is kept. Names and passwords are in no event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol

EntitlementKind = Literal["client", "desk", "symbol", "account"]
ALL = "*"


class Entitlement(NamedTuple):
    """Orders of this client session, desk, symbol or account may be seen and worked; value "*": of all of them."""

    kind: EntitlementKind
    value: str


class Account(NamedTuple):
    """A person. password: as argon2 hashed it, "" where somebody else proves who it is. subject: by that somebody's word."""

    id: str  # as events name the person: person:jane
    name: str
    roles: frozenset[str]
    entitlements: frozenset[Entitlement] = frozenset()
    password: str = ""
    subject: str = ""
    disabled: bool = False
    changed_ns: int = 0

    def sees(self, kind: EntitlementKind, value: str) -> bool:
        """Is a value of this kind among what the account is entitled to?"""
        return Entitlement(kind, ALL) in self.entitlements or Entitlement(kind, value) in self.entitlements

    def kinds(self) -> frozenset[EntitlementKind]:
        """Of its entitlements."""
        return frozenset(entitlement.kind for entitlement in self.entitlements)


class SignedIn(NamedTuple):
    """A session. Of the secret that the browser holds, the SHA-256 alone is kept."""

    digest: bytes
    account: str
    csrf: str
    created_ns: int
    expires_ns: int


class Token(NamedTuple):
    """A machine's: it acts as an account, under no more roles than the account has."""

    name: str
    digest: bytes
    account: str
    roles: frozenset[str]
    made_by: str
    created_ns: int
    expires_ns: int
    revoked: bool = False


class Asked(NamedTuple):
    """A command that was asked for. answer: None while nobody knows."""

    account: str
    key: str
    verb: str
    body: bytes  # SHA-256 of what was asked
    asked_ns: int
    answer: Mapping[str, Any] | None = None


class Accounts(Protocol):
    """Where all that is kept. Every method raises LogUnavailable where it cannot be reached."""

    async def account(self, account: str) -> Account | None:
        """By its id."""
        ...

    async def by_subject(self, subject: str) -> Account | None:
        """By the word of whoever proves people elsewhere."""
        ...

    async def accounts(self) -> list[Account]:
        """All, by id."""
        ...

    async def put(self, account: Account, *, new: bool = False) -> bool:
        """As it is from now on; False for a new one whose id is taken."""
        ...

    async def open(self, session: SignedIn) -> None:
        """Somebody has signed in."""
        ...

    async def session(self, digest: bytes, now_ns: int) -> SignedIn | None:
        """That has not expired."""
        ...

    async def close_session(self, digest: bytes) -> None:
        """Signed out."""
        ...

    async def close_sessions(self, account: str) -> None:
        """All of an account's."""
        ...

    async def invite(self, digest: bytes, roles: frozenset[str], expires_ns: int) -> None:
        """Whoever holds the secret may make one account, once."""
        ...

    async def take_invite(self, digest: bytes, now_ns: int) -> frozenset[str] | None:
        """Its roles, and it is used up; None for one that is not there, used or expired."""
        ...

    async def token(self, digest: bytes, now_ns: int) -> Token | None:
        """That is neither revoked nor expired."""
        ...

    async def tokens(self) -> list[Token]:
        """All, by name."""
        ...

    async def put_token(self, token: Token) -> bool:
        """False where its name is taken; a revoked one replaces its own."""
        ...

    async def layouts(self, account: str) -> list[str]:
        """Names of what a person has saved."""
        ...

    async def layout(self, account: str, name: str) -> Any:
        """What was saved under a name, None without."""
        ...

    async def put_layout(self, account: str, name: str, body: Any, now_ns: int) -> None:
        """Save; None removes."""
        ...

    async def ask(self, asked: Asked) -> Asked | None:
        """Remember that something is asked for; what was asked before under the account's key, None if nothing was."""
        ...

    async def asked_as(self, account: str, key: str) -> Asked | None:
        """What was asked under a key, None if nothing was."""
        ...

    async def answered(self, account: str, key: str, answer: Mapping[str, Any]) -> None:
        """What became of it."""
        ...

    async def asked(self, count: int) -> list[Asked]:
        """The last, newest first."""
        ...
