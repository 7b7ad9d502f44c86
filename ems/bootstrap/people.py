"""Who may sign in at the console when nobody can yet: a one-time link for the first administrator, or the demo's two people."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Final, NamedTuple

from argon2 import PasswordHasher

from adapters.clock import WallClock
from adapters.postgres.accounts import PostgresAccounts
from adapters.postgres.event_log import PostgresEventLog
from domain import access
from domain.account import Account
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from ems.api.auth import changed, digest_of
from ems.api.records import Records
from ems.api.session_routes import EVERYTHING
from ems.bootstrap.build import build_digest
from ems.bootstrap.runtime import Runtime
from ems.read_models.topic import ROLES

_INVITE_NS: Final = 24 * 3600 * 1_000_000_000
DEMO_PEOPLE: Final = ("ann", "bob")
_DEMO_ROLES: Final = frozenset({"viewer", "trader", "risk", "quant", "operator", "admin"})


class DemoPerson(NamedTuple):
    """Somebody who may sign in at a demo."""

    user: str
    password: str


async def prepare(runtime: Runtime) -> None:
    """Where nobody has an account, a fresh link in a file of the owner's alone; where somebody has, no file."""
    path = runtime.invite_file
    path.unlink(missing_ok=True)
    async with PostgresAccounts(runtime.app_dsn) as accounts:
        if await accounts.accounts():
            return
        secret = secrets.token_urlsafe(32)
        await accounts.invite(digest_of(secret), frozenset(ROLES), WallClock().now_ns() + _INVITE_NS)
    _write(path, secret)


def invite_of(runtime: Runtime) -> str:
    """The link's secret, "" where there is none."""
    return runtime.invite_file.read_text().strip() if runtime.invite_file.exists() else ""


async def make_demo_people(runtime: Runtime) -> list[DemoPerson]:
    """Two people with random passwords and every right, so that what needs two can be shown. Raises ConfigError unless PAPER."""
    if runtime.settings.mode != "PAPER":
        raise ConfigError("the demo's people are for PAPER alone")
    made, clock = [], WallClock()
    async with PostgresEventLog(runtime.app_dsn, TOPICS, clock) as log, PostgresAccounts(runtime.app_dsn) as accounts:
        records = Records(log, runtime.clock(), build=build_digest())
        for user in DEMO_PEOPLE:
            password = secrets.token_urlsafe(12)
            account = Account(
                user, user.title(), _DEMO_ROLES, EVERYTHING, PasswordHasher().hash(password), changed_ns=clock.now_ns()
            )
            await accounts.put(account)
            await records.say(access.key(user), changed(account, "made"), actor="system:demo")
            made.append(DemoPerson(user, password))
    runtime.invite_file.unlink(missing_ok=True)
    return made


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
