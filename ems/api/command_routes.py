"""What there is and what is done: /api/catalogue and /api/commands."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from ems.api.parts import Parts, address_of

_Id = Annotated[str, Field(max_length=200)]


class Command(BaseModel):
    """A verb's rows and fields, as its form in the catalogue describes them."""

    model_config = ConfigDict(extra="forbid")
    rows: Annotated[list[_Id], Field(max_length=500)] = []
    fields: Annotated[dict[_Id, Any], Field(max_length=64)] = {}
    reason: Annotated[str, Field(max_length=500)] | None = None


def routes(parts: Parts) -> APIRouter:
    """Both of them."""
    router = APIRouter(prefix="/api", tags=["commands"])

    @router.get("/catalogue", summary="Topics, verbs and screens as you may see them")
    async def catalogue(request: Request) -> dict[str, Any]:
        person = await parts.anyone(request)
        return parts.catalogue.told(person.roles)

    @router.post("/commands/{verb}", status_code=202, summary="Do something, once for each key")
    async def command(
        request: Request,
        verb: str,
        asked: Command,
        idempotency_key: Annotated[str, Header(min_length=8, max_length=100, pattern=r"^[\x21-\x7e]+$")],
    ) -> JSONResponse:
        person = await parts.anyone(request)
        body = asked.model_dump(exclude_none=True)
        answer = await parts.commands.take(person, verb, idempotency_key, body, address_of(request))
        return JSONResponse(dict(answer.body), answer.status)

    return router
