"""Who is asking: passwords, sessions and machines' tokens, and what each may see. Every refusal is an event."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from domain import access
from domain.account import Account, Accounts, SignedIn
from domain.ports import Clock
from ems.api.records import Records

COOKIE: Final = "ems_session"
SESSION_S: Final = 12 * 3600
PASSWORD_LENGTH_MIN: Final = 12
PASSWORD_LENGTH_MAX: Final = 200
_FREE_FAILURES: Final = 5  # before the next attempt has to wait
_WAIT_S_MAX: Final = 300.0
_KNOWN_MAX: Final = 10_000  # names and addresses that are remembered to have failed
_NOBODY: Final = "$argon2id$v=19$m=65536,t=3,p=4$c29tZSBzYWx0IHdlIHVzZQ$FnSXYMLvu4lbJ8kzrnAFIv/l4ZwXBVrOJ1BxmQ0xq6g"
_E9: Final = 1_000_000_000


class Person(NamedTuple):
    """Whoever asks. csrf: "" for a machine, which needs none."""

    account: Account
    roles: frozenset[str]
    csrf: str
    digest: bytes
    expires_ns: int

    @property
    def id(self) -> str:
        """As events name it."""
        return self.account.id


class Denied(NamedTuple):
    """Why not. wait_s: how long the next attempt has to wait."""

    status: int
    text: str
    wait_s: float = 0.0


@dataclass(slots=True)
class Failures:
    """Of names and addresses that failed to sign in: each doubles the wait. now: seconds, never backward."""

    now: Callable[[], float] = time.monotonic
    _of: dict[str, tuple[int, float]] = field(default_factory=dict)

    def wait_s(self, *whose: str) -> float:
        """How long the next attempt has to wait."""
        return max((self._of.get(one, (0, 0.0))[1] - self.now() for one in whose), default=0.0)

    def failed(self, *whose: str) -> None:
        """One more."""
        for one in whose:
            count = self._of.pop(one, (0, 0.0))[0] + 1
            wait_s = min(_WAIT_S_MAX, 2.0 ** (count - _FREE_FAILURES)) if count >= _FREE_FAILURES else 0.0
            self._of[one] = (count, self.now() + wait_s)
        while len(self._of) > _KNOWN_MAX:
            self._of.pop(next(iter(self._of)))

    def forget(self, *whose: str) -> None:
        """It was right this time."""
        for one in whose:
            self._of.pop(one, None)


class Gate:
    """Lets people in, and machines.

    Args:
        hasher: how passwords are kept; tests take a cheaper one.
    """

    def __init__(self, accounts: Accounts, records: Records, clock: Clock, hasher: PasswordHasher | None = None) -> None:
        self.accounts = accounts
        self.records = records
        self._clock = clock
        self._hasher = hasher or PasswordHasher()
        self._hashing = asyncio.Semaphore(2)  # each takes 64 MiB and a core for a while
        self.failures = Failures()

    @property
    def now_ns(self) -> int:
        """By the wall's clock: a session does not end sooner because a tape plays fast."""
        return self._clock.now_ns()

    # --------------------------------------------------------------------------------------- sign in

    async def sign_in(self, user: str, password: str, address: str) -> tuple[str, Person] | Denied:
        """A session for whoever knows the password: the browser's secret, and who it is."""
        if (wait_s := self.failures.wait_s(f"user:{user}", f"from:{address}")) > 0:
            return Denied(429, f"too many attempts: wait {wait_s:.0f} s", wait_s)
        account = await self.accounts.account(user)
        known = account is not None and account.password != ""
        right = await self._matches(account.password if account is not None and known else _NOBODY, password)
        if account is None or not known or not right or account.disabled:
            self.failures.failed(f"user:{user}", f"from:{address}")
            name = account.id if account is not None else access.STRANGER
            await self.records.refused(name, "sign in", "disabled" if right and known else "wrong name or password", address)
            return Denied(401, "that is not a name and its password")
        self.failures.forget(f"user:{user}", f"from:{address}")
        return await self.admit(account, "password", address)

    async def admit(self, account: Account, by: str, address: str) -> tuple[str, Person]:
        """A session for somebody who has been proved. Raises LogError: who cannot be written down does not come in."""
        secret, now_ns = secrets.token_urlsafe(32), self._clock.now_ns()
        session = SignedIn(digest_of(secret), account.id, secrets.token_urlsafe(24), now_ns, now_ns + SESSION_S * _E9)
        event = access.SignedIn.sample(user=account.id, by=by, address=address)
        await self.records.say(access.key(account.id), event, actor=f"person:{account.id}")
        await self.accounts.open(session)
        return secret, _person(account, session)

    async def sign_out(self, person: Person) -> None:
        """The session is no more."""
        await self.accounts.close_session(person.digest)
        await self.records.say(access.key(person.id), access.SignedOut(user=person.id), actor=f"person:{person.id}")

    async def hashed(self, password: str) -> str:
        """As it is kept."""
        async with self._hashing:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def _matches(self, hashed: str, password: str) -> bool:
        async with self._hashing:
            try:
                return await asyncio.to_thread(self._hasher.verify, hashed, password)
            except (VerificationError, InvalidHashError):
                return False

    # ------------------------------------------------------------------------------------ every time

    async def person(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> Person | None:
        """Who asks, by cookie or bearer token; None for a stranger."""
        kind, _, bearer = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            return await self._machine(bearer.strip())
        secret = cookies.get(COOKIE, "")
        return await self.by_digest(digest_of(secret)) if secret else None

    async def by_digest(self, digest: bytes) -> Person | None:
        """Who holds the secret of this digest, as it is now."""
        session = await self.accounts.session(digest, self._clock.now_ns())
        account = await self.accounts.account(session.account) if session is not None else None
        return _person(account, session) if account is not None and session is not None and not account.disabled else None

    async def _machine(self, secret: str) -> Person | None:
        token = await self.accounts.token(digest_of(secret), self._clock.now_ns())
        account = await self.accounts.account(token.account) if token is not None else None
        if token is None or account is None or account.disabled:
            return None
        return Person(account, token.roles & account.roles, "", token.digest, token.expires_ns)

    async def still(self, person: Person) -> Person | None:
        """The same as it is by now: signed in, with these roles and entitlements; None where that has changed."""
        if person.csrf:
            now = await self.by_digest(person.digest)
        else:
            token = await self.accounts.token(person.digest, self._clock.now_ns())
            account = await self.accounts.account(token.account) if token is not None else None
            known = token is not None and account is not None and not account.disabled
            now = person._replace(account=account, roles=token.roles & account.roles) if known and token and account else None
        same = now is not None and (now.roles, now.account.entitlements) == (person.roles, person.account.entitlements)
        return now if same else None


def _person(account: Account, session: SignedIn) -> Person:
    return Person(account, account.roles, session.csrf, session.digest, session.expires_ns)


def digest_of(secret: str) -> bytes:
    """What is kept of a secret of ours, which is random enough to need no salt."""
    return hashlib.sha256(secret.encode()).digest()


def bad_password(password: str) -> str:
    """Why one will not do, "" if it will."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        return f"between {PASSWORD_LENGTH_MIN} and {PASSWORD_LENGTH_MAX} characters"
    return "more than one character, please" if len(set(password)) < 5 else ""


def changed(account: Account, act: str) -> access.AccountChanged:
    """What an account may do from now on."""
    entitlements = sorted((one.kind, one.value) for one in account.entitlements)
    return access.AccountChanged.sample(user=account.id, act=act, roles=sorted(account.roles), entitlements=entitlements)


def is_csrf(person: Person, given: str) -> bool:
    """Does a change carry the session's word? A machine's token needs none: no page can send it."""
    return not person.csrf or hmac.compare_digest(given.encode(), person.csrf.encode())


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a page of ours asks. A browser always names the page's origin when it opens a WebSocket or changes something;
    other programs do not, and need no protection from foreign pages.
    """
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def security_headers(host: str, nonce: str = "") -> dict[str, str]:
    """What every answer carries: nothing is loaded from elsewhere, framed, sniffed, cached or told to other sites. nonce: of
    the page, which lets its own script add style sheets.
    """
    styles = f"'self' 'nonce-{nonce}'" if nonce else "'self'"
    policy = (
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; font-src 'self'; "
        f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
