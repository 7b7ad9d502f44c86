"""Signing in and out: /api/session."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from domain import access
from domain.account import ALL, Account, Entitlement
from ems.api.auth import COOKIE, SESSION_S, Denied, Person, bad_password, changed, digest_of, same_origin
from ems.api.parts import Parts, address_of

_USER = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
EVERYTHING = frozenset({Entitlement("desk", ALL)})
_Short = Annotated[str, Field(min_length=1, max_length=200)]


class SignIn(BaseModel):
    """Who says to be whom."""

    model_config = ConfigDict(extra="forbid")
    user: Annotated[str, Field(pattern=r"^[\x20-\x7e]{1,64}$")]
    password: _Short


class Invited(SignIn):
    """Who makes the account that a link allows. name: as people call the person."""

    invite: _Short
    name: Annotated[str, Field(max_length=100)] = ""


def routes(parts: Parts) -> APIRouter:
    """The three of them."""
    router, gate = APIRouter(prefix="/api/session", tags=["session"]), parts.gate

    @router.post("", summary="Sign in with a password")
    async def sign_in(request: Request, asked: SignIn) -> JSONResponse:
        await _from_here(parts, request)
        return _let_in(parts, await gate.sign_in(asked.user, asked.password, address_of(request)))

    @router.post("/invite", summary="Make the account that a one-time link allows")
    async def invited(request: Request, asked: Invited) -> JSONResponse:
        await _from_here(parts, request)
        address = address_of(request)
        if (wait_s := gate.failures.wait_s(f"from:{address}")) > 0:
            return _let_in(parts, Denied(429, f"too many attempts: wait {wait_s:.0f} s", wait_s))
        if not _USER.fullmatch(asked.user):
            raise HTTPException(422, "a name to sign in with is up to 32 small letters, digits, dots, hyphens and underscores")
        if why := bad_password(asked.password):
            raise HTTPException(422, f"the password: {why}")
        if await gate.accounts.account(asked.user) is not None:
            raise HTTPException(422, "somebody has that name")
        now_ns = gate.now_ns
        roles = await gate.accounts.take_invite(digest_of(asked.invite), now_ns)
        if roles is None:
            gate.failures.failed(f"from:{address}")
            await gate.records.refused(access.STRANGER, "invite", "unknown, used or expired", address)
            raise HTTPException(401, "that link has been used, or is none of ours")
        hashed = await gate.hashed(asked.password)
        account = Account(asked.user, asked.name or asked.user, roles, EVERYTHING, hashed, changed_ns=now_ns)
        if not await gate.accounts.put(account, new=True):
            raise HTTPException(422, "somebody has that name")
        await gate.records.say(access.key(account.id), changed(account, "made"), actor=f"person:{account.id}")
        return _let_in(parts, await gate.admit(account, "invite", address))

    @router.get("", summary="Who is signed in, and what a screen must know")
    async def who(request: Request) -> dict[str, Any]:
        return _told(parts, await parts.anyone(request))

    @router.delete("", summary="Sign out")
    async def sign_out(request: Request) -> JSONResponse:
        person = await parts.anyone(request)
        await gate.sign_out(person)
        for connection in list(parts.connections):
            if connection.person.digest == person.digest:
                connection.send_away("signed out")
        answer = JSONResponse({"text": "signed out"})
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    return router


async def _from_here(parts: Parts, request: Request) -> None:
    if not same_origin(request.headers):
        await parts.gate.records.refused(access.STRANGER, "sign in", "a foreign page", address_of(request))
        raise HTTPException(403, "a foreign page")


def _let_in(parts: Parts, found: tuple[str, Person] | Denied) -> JSONResponse:
    if isinstance(found, Denied):
        headers = {"Retry-After": str(int(found.wait_s) + 1)} if found.wait_s else None
        return JSONResponse({"detail": found.text}, found.status, headers)
    secret, person = found
    answer = JSONResponse(_told(parts, person))
    answer.set_cookie(COOKIE, secret, max_age=SESSION_S, httponly=True, samesite="strict")
    return answer


def _told(parts: Parts, person: Person) -> dict[str, Any]:
    return {
        "user": person.id, "name_of_user": person.account.name, "roles": sorted(person.roles), "csrf": person.csrf,
        "expires_ns": str(person.expires_ns), **parts.facts.told(),
    }  # fmt: skip
