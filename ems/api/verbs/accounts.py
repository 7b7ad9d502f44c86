"""Accounts and machines' tokens: an administrator's doing. Nobody changes an account of their own."""

from __future__ import annotations

import re
import secrets
from typing import Final, get_args

from domain import access
from domain.account import Account, Entitlement, EntitlementKind, Token
from ems.api.auth import bad_password, changed, digest_of
from ems.api.ports import Outcome
from ems.api.verb import Act, Do, Field, Verb
from ems.read_models.topic import ROLES, Role

ADMINS: Final[frozenset[Role]] = frozenset({"admin"})
USER: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
_DAY_NS: Final = 86_400_000_000_000
_ROLES: Final = Field("roles", "Roles", "lines", help=f"one a line: {', '.join(ROLES)}")
_ENTITLED: Final = Field(
    "entitlements", "Entitled to", "lines", required=False, help="KIND:VALUE one a line, as client:OMS, desk:*"
)
_PASSWORD: Final = Field("password", "Password", "text", help="to be changed by its owner; at least 12 characters")


def _entitlements(lines: tuple[str, ...] | None) -> frozenset[Entitlement]:
    found = set[Entitlement]()
    for line in lines or ():
        kind, _, value = line.partition(":")
        if kind not in get_args(EntitlementKind) or not value:
            raise ValueError(f"{line}: it is KIND:VALUE, of {', '.join(get_args(EntitlementKind))}")
        found.add(Entitlement(kind, value))  # type: ignore[arg-type]
    return frozenset(found)


async def _check(act: Act) -> dict[str, str]:
    wrong, fields = {}, act.fields
    if unknown := [role for role in fields.get("roles") or () if role not in ROLES]:
        wrong["roles"] = f"{unknown[0]} is none of {', '.join(ROLES)}"
    try:
        _entitlements(fields.get("entitlements"))
    except ValueError as error:
        wrong["entitlements"] = str(error)
    if (password := fields.get("password")) is not None and (why := bad_password(password)):
        wrong["password"] = why
    if (user := fields.get("user")) is not None and not USER.fullmatch(user):
        wrong["user"] = "up to 32 small letters, digits, dots, hyphens and underscores"
    return wrong


async def _written(act: Act, account: Account, what: str) -> Outcome:
    """The account as it is from now on; its sessions end, so that it signs in with its new rights."""
    gate = act.ports.gate
    await gate.records.say(access.key(account.id), changed(account, what), actor=act.actor)
    await gate.accounts.put(account._replace(changed_ns=gate.now_ns))
    await gate.accounts.close_sessions(account.id)
    return Outcome(True, f"{account.id}: {what}")


async def _make(act: Act) -> Outcome:
    gate, fields = act.ports.gate, act.fields
    hashed = await gate.hashed(fields["password"])
    entitled = _entitlements(fields["entitlements"])
    account = Account(fields["user"], fields["name"], frozenset(fields["roles"]), entitled, hashed, changed_ns=gate.now_ns)
    if not await gate.accounts.put(account, new=True):
        return Outcome(False, f"there is an account {account.id} already")
    await gate.records.say(access.key(account.id), changed(account, "made"), actor=act.actor)
    return Outcome(True, f"{account.id} may sign in")


def _change(what: str) -> Do:
    async def do(act: Act) -> Outcome:
        gate, fields = act.ports.gate, act.fields
        account = await gate.accounts.account(act.row_id)
        if account is None:
            return Outcome(False, f"there is no account {act.row_id}")
        if account.id == act.person and what != "password":
            return Outcome(False, "nobody changes an account of their own: another administrator does")
        match what:
            case "roles":
                account = account._replace(roles=frozenset(fields["roles"]))
            case "entitlements":
                account = account._replace(entitlements=_entitlements(fields["entitlements"]))
            case "password":
                account = account._replace(password=await gate.hashed(fields["password"]))
            case _:
                account = account._replace(disabled=what == "disabled")
        return await _written(act, account, what)

    return do


async def _make_token(act: Act) -> Outcome:
    gate, fields = act.ports.gate, act.fields
    account = await gate.accounts.account(fields["account"])
    if account is None:
        return Outcome(False, f"there is no account {fields['account']}")
    secret, now_ns = secrets.token_urlsafe(32), gate.now_ns
    expires_ns = now_ns + int(fields["days"]) * _DAY_NS
    roles = frozenset(fields["roles"]) & account.roles
    token = Token(fields["name"], digest_of(secret), account.id, roles, act.person, now_ns, expires_ns)
    if not await gate.accounts.put_token(token):
        return Outcome(False, f"there is a token {token.name} already")
    await gate.records.say(access.key(account.id), changed(account, "token_made"), actor=act.actor)
    return Outcome(True, "this is the one time that it is shown", {"secret": secret})


async def _revoke(act: Act) -> Outcome:
    gate = act.ports.gate
    for token in await gate.accounts.tokens():
        account = await gate.accounts.account(token.account) if token.name == act.row_id else None
        if account is not None:
            await gate.records.say(access.key(account.id), changed(account, "token_revoked"), actor=act.actor)
            await gate.accounts.put_token(token._replace(revoked=True))
            return Outcome(True, f"{token.name} lets nobody in any more")
    return Outcome(False, f"there is no token {act.row_id}")


VERBS: Final = (
    Verb("account_make", "Make an account", _make, ADMINS, "m", check=_check,
         fields=(Field("user", "User"), Field("name", "Name"), _PASSWORD, _ROLES, _ENTITLED)),
    Verb("account_roles", "Other roles", _change("roles"), ADMINS, topic="accounts", fields=(_ROLES,), check=_check),
    Verb("account_entitle", "Other entitlements", _change("entitlements"), ADMINS, topic="accounts", fields=(_ENTITLED,),
         check=_check),
    Verb("account_password", "New password", _change("password"), ADMINS, topic="accounts", fields=(_PASSWORD,), check=_check),
    Verb("account_disable", "Disable", _change("disabled"), ADMINS, topic="accounts", when={"disabled": False}, danger=True,
         confirm="count"),
    Verb("account_enable", "Enable", _change("enabled"), ADMINS, topic="accounts", when={"disabled": True}),
    Verb("token_make", "Make a token", _make_token, ADMINS, check=_check,
         fields=(Field("name", "Name"), Field("account", "Acts as", "person"), _ROLES,
                 Field("days", "Days", "choice", choices=("1", "7", "30", "90", "365"), default="30"))),
    Verb("token_revoke", "Revoke", _revoke, ADMINS, topic="tokens", when={"revoked": False}, danger=True, confirm="count"),
)  # fmt: skip
