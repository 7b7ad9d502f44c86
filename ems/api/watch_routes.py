"""For machines that watch: /metrics behind a token of its own, and whether the system lives and is ready.

None of this asks the database who is there: it must answer when the database does not. What /health tells to anybody is names of
parts and whether they are well; what they say of themselves is for those who may read the state directory, by `ems health`.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse


@dataclass(frozen=True, slots=True)
class Watching:
    """What the routes tell.

    Attributes:
        metrics: the text and its media type.
        health: every part, as `ems health` tells it.
        token: what a scraper must show; "": the door stays shut.
    """

    metrics: Callable[[], Awaitable[bytes]]
    media_type: str
    health: Callable[[], Awaitable[dict[str, Any]]]
    token: str


def routes(watching: Watching) -> APIRouter:
    """All of them."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", summary="Prometheus metrics of every process", response_class=Response)
    async def metrics(request: Request) -> Response:
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(shown.encode(), watching.token.encode())
        if scheme.lower() != "bearer" or not watching.token or not right:
            raise HTTPException(401, "show the metrics token", {"WWW-Authenticate": "Bearer"})
        return Response(await watching.metrics(), media_type=watching.media_type)

    @router.get("/health/live", summary="Does this process answer?")
    async def live() -> JSONResponse:
        return JSONResponse({"live": True})

    @router.get("/health/ready", summary="Is every part of the system well?")
    async def ready() -> JSONResponse:
        found = await watching.health()
        return JSONResponse({"ready": found["up"], "red": found["red"]}, 200 if found["up"] else 503)

    return router
