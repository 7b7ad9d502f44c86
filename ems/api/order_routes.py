"""One order in full, why a child was made, the schedule against what was done, and what an order would cost."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from domain.values import StreamId
from ems.api.auth import Person
from ems.api.entitled import sieve
from ems.api.order_detail import detail, schedule, why
from ems.api.parts import Parts, address_of
from ems.api.pretrade import pretrade
from ems.api.verbs.orders import TRADERS

_Id = Annotated[str, Field(max_length=200)]


class Ticket(BaseModel):
    """A ticket's fields as they were typed."""

    model_config = ConfigDict(extra="forbid")
    fields: Annotated[dict[_Id, Any], Field(max_length=64)]


def routes(parts: Parts) -> APIRouter:
    """All of them."""
    router = APIRouter(prefix="/api", tags=["orders"])

    @router.get("/orders/{order}", summary="Everything of one order")
    async def order_detail(request: Request, order: str) -> dict[str, Any]:
        return _found(await detail(parts.feed.models, parts.ports.log, await _mine(parts, request, order)))

    @router.get("/orders/{order}/why/{child}", summary="Why a child order was made")
    async def order_why(request: Request, order: str, child: str) -> dict[str, Any]:
        parent = await _mine(parts, request, order)
        stream = _child(parts, parent, child)
        return _found(await why(parts.feed.models, parts.ports.log, stream) if stream is not None else None)

    @router.get("/orders/{order}/schedule", summary="What was planned against what was done")
    async def order_schedule(request: Request, order: str) -> dict[str, Any]:
        return _found(await schedule(parts.feed.models, parts.ports.log, await _mine(parts, request, order)))

    @router.post("/pretrade", summary="What an order would cost, and what is wrong with it")
    async def before(request: Request, ticket: Ticket) -> dict[str, Any]:
        person = await parts.one_of(request, TRADERS)
        return await pretrade(parts.catalogue.verbs["enter_order"], parts.ports, person.id, ticket.fields)

    return router


async def _mine(parts: Parts, request: Request, order: str) -> StreamId:
    """An order by its stream or its OrderID, if whoever asks may see it. Raises HTTPException."""
    person: Person = await parts.anyone(request)
    models = parts.feed.models
    stream = models.world.state.order_ids.get(order, StreamId(order))
    table = models.tables["parents"]
    row = table.row(stream)
    if row is None or not sieve(person.account, table.topic).passes(row):
        if row is not None:
            await parts.gate.records.refused(person.id, f"order {order}", "not entitled to it", address_of(request))
        raise HTTPException(404, "there is no such order for you")
    return stream


def _child(parts: Parts, parent: StreamId, child: str) -> StreamId | None:
    state = parts.feed.models.world.state
    stream = state.child_ids.get(child, StreamId(child))
    found = state.children.get(stream)
    return stream if found is not None and found.parent == parent else None


def _found(what: dict[str, Any] | None) -> dict[str, Any]:
    if what is None:
        raise HTTPException(404, "there is nothing of the kind")
    return what
