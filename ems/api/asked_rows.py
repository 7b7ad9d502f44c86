"""Rows of what lies in the console's own tables: accounts, tokens, commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from domain.account import Account, Accounts, Asked, Token
from ems.api.commands import command_id_of
from ems.read_models.table import moment

_COMMANDS: Final = 500  # of the last that are shown
Rows = list[Mapping[str, Any]]


def asking(accounts: Accounts) -> dict[str, Callable[[], Awaitable[Rows]]]:
    """How each is asked for, by topic."""

    async def people() -> Rows:
        return [_account(one) for one in await accounts.accounts()]

    async def tokens() -> Rows:
        return [_token(one) for one in await accounts.tokens()]

    async def commands() -> Rows:
        return [_command(one) for one in reversed(await accounts.asked(_COMMANDS))]

    return {"accounts": people, "tokens": tokens, "commands": commands}


def _account(one: Account) -> Mapping[str, Any]:
    return {
        "user": one.id, "name": one.name, "roles": sorted(one.roles), "disabled": one.disabled,
        "entitlements": sorted(f"{kind}:{value}" for kind, value in one.entitlements),
        "by": "password" if one.password else "another's word", "changed_ns": moment(one.changed_ns),
    }  # fmt: skip


def _token(one: Token) -> Mapping[str, Any]:
    return {
        "name": one.name, "account": one.account, "roles": sorted(one.roles), "made_by": one.made_by, "revoked": one.revoked,
        "created_ns": moment(one.created_ns), "expires_ns": moment(one.expires_ns),
    }  # fmt: skip


def _command(one: Asked) -> Mapping[str, Any]:
    results = (one.answer or {}).get("results", [])
    refused = [result["text"] for result in results if not result["ok"]]
    pending = any(result.get("pending") for result in results)
    state = "in doubt" if one.answer is None else "refused" if refused else "waits for a second person" if pending else "done"
    texts = dict.fromkeys(refused or [result["text"] for result in results])
    return {
        "command_id": command_id_of(one.account, one.key), "user": one.account, "verb": one.verb, "state": state,
        "rows": [result["row"] for result in results if result["row"]], "text": "; ".join(texts) or None,
        "asked_ns": moment(one.asked_ns),
    }  # fmt: skip
