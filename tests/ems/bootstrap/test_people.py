"""Who may sign in first: a one-time link in a file of the owner's alone, or the demo's two people, never on a LIVE desk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from adapters.postgres.accounts import PostgresAccounts
from domain.errors import ConfigError
from ems.api.auth import digest_of
from ems.bootstrap import people
from ems.bootstrap.runtime import Runtime
from ems.config import Settings


def runtime(home: Path, dsn: str, mode: str = "PAPER") -> Runtime:
    return Runtime(settings=Settings.model_validate({"mode": mode, "state_directory": home}), app_dsn=dsn)


async def test_the_first_start_leaves_a_link_and_once_there_is_an_account_none(tmp_path: Path, app_dsn: str) -> None:
    run = runtime(tmp_path, app_dsn)
    await people.prepare(run)
    first = people.invite_of(run)
    assert stat.S_IMODE(run.invite_file.stat().st_mode) == 0o600 and len(first) > 40
    await people.prepare(run)
    assert people.invite_of(run) != first, "each start has a link of its own"
    async with PostgresAccounts(app_dsn) as accounts:
        assert await accounts.take_invite(digest_of(people.invite_of(run)), 1) is not None
    await people.make_demo_people(run)
    await people.prepare(run)
    assert people.invite_of(run) == ""


async def test_the_demos_people_can_sign_in_and_are_two(tmp_path: Path, app_dsn: str) -> None:
    made = await people.make_demo_people(runtime(tmp_path, app_dsn))
    assert [one.user for one in made] == ["ann", "bob"] and made[0].password != made[1].password
    async with PostgresAccounts(app_dsn) as accounts:
        for one in made:
            account = await accounts.account(one.user)
            assert account is not None and PasswordHasher().verify(account.password, one.password)


async def test_a_live_desk_has_no_demo_people(tmp_path: Path, app_dsn: str) -> None:
    with pytest.raises(ConfigError, match="PAPER alone"):
        await people.make_demo_people(runtime(tmp_path, app_dsn, "LIVE"))
    async with PostgresAccounts(app_dsn) as accounts:
        assert await accounts.accounts() == []
