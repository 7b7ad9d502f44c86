"""Everything the routes are made of, and who is let through to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import HTTPException, Request

from ems.api.auth import Gate, Person, is_csrf, same_origin
from ems.api.catalogue import Catalogue
from ems.api.commands import Commands
from ems.api.ports import Ports
from ems.api.socket import Connection
from ems.api.stream import Feed

_CHANGING = frozenset({"POST", "PUT", "DELETE", "PATCH"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What a screen must know beside the rows. clock: kind, and for a tape its start, origin and speed."""

    mode: str
    name: str
    clock: dict[str, Any]
    hosts: tuple[str, ...]  # names under which the console may be asked for
    build: str = ""

    def told(self) -> dict[str, Any]:
        """As the browser is."""
        return {"mode": self.mode, "name": self.name, "clock": self.clock, "build": self.build}


@dataclass(frozen=True, slots=True)
class Parts:
    """Of one running server."""

    feed: Feed
    gate: Gate
    ports: Ports
    catalogue: Catalogue
    commands: Commands
    facts: Facts
    tickets: Sequence[Mapping[str, Any]] = ()
    connections: set[Connection] = field(default_factory=set)

    async def anyone(self, request: Request) -> Person:
        """Whoever is signed in, and changes something only from a page of ours. Raises HTTPException."""
        person = await self.gate.person(request.headers, request.cookies)
        if person is None:
            raise HTTPException(401, "sign in")
        if request.method in _CHANGING:
            why = "" if same_origin(request.headers) else "a foreign page"
            why = why or ("" if is_csrf(person, request.headers.get("x-csrf", "")) else "without the session's word (X-CSRF)")
            if why:
                await self.gate.records.refused(person.id, f"{request.method} {request.url.path}", why, address_of(request))
                raise HTTPException(403, why)
        return person

    async def one_of(self, request: Request, roles: frozenset[str]) -> Person:
        """Whoever is signed in and has one of these roles. Raises HTTPException."""
        person = await self.anyone(request)
        if not person.roles & roles:
            await self.gate.records.refused(
                person.id, f"{request.method} {request.url.path}", "not for these roles", address_of(request)
            )
            raise HTTPException(403, f"this is for {', '.join(sorted(roles))}")
        return person

    def send_away(self, account: str, why: str) -> None:
        """Close the sockets of an account that has signed out or been changed."""
        for connection in list(self.connections):
            if connection.person.id == account:
                connection.send_away(why)


def address_of(request: Request) -> str:
    """Where a request is from."""
    return request.client.host if request.client is not None else ""
