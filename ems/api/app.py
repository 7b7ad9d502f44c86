"""The console's HTTP and WebSocket interface."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi import FastAPI, Request, Response, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from domain.errors import LogError
from ems.api import bundle, command_routes, order_routes, read_routes, session_routes, watch_routes
from ems.api.auth import security_headers
from ems.api.parts import Parts
from ems.api.socket import serve
from ems.api.watch_routes import Watching

_KEPT_HEADERS = ("cache-control", "content-security-policy")  # what an answer says itself


def make_app(parts: Parts, watching: Watching | None = None) -> FastAPI:
    """The application; the feed runs as long as the application does."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        jobs = [asyncio.create_task(job, name=name) for name, job in (("follow", parts.feed.run()), ("tick", parts.feed.turn()))]
        yield
        for connection in list(parts.connections):
            connection.send_away("the server stops")
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    app = FastAPI(title="EMS console", version="1", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_headed)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(parts.facts.hosts))
    app.add_exception_handler(LogError, _unavailable)
    app.add_exception_handler(RequestValidationError, _unprocessable)
    for room in (session_routes, command_routes, order_routes, read_routes):
        app.include_router(room.routes(parts))
    if watching is not None:
        app.include_router(watch_routes.routes(watching))
    app.include_router(bundle.routes())

    @app.get("/api/openapi.json", tags=["health"], summary="This description")
    async def described(request: Request) -> JSONResponse:
        await parts.one_of(request, frozenset({"admin"}))
        return JSONResponse(app.openapi())

    @app.get("/health", tags=["health"])
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok", "seq": parts.feed.models.seq, "following": parts.feed.following})

    @app.websocket("/ws")
    async def stream(socket: WebSocket) -> None:
        await serve(socket, parts.feed, parts.gate, parts.ports.log, parts.connections)

    return app


async def _headed(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Every answer carries the security headers."""
    response = await answer(request)
    for name, value in security_headers(request.headers.get("host", "")).items():
        if name.lower() not in _KEPT_HEADERS or name.lower() not in response.headers:
            response.headers[name] = value
    return response


async def _unprocessable(_: Request, error: Exception) -> JSONResponse:
    """What is wrong, beside its field, as of a form; what was sent is not sent back."""
    assert isinstance(error, RequestValidationError)
    found = [{"field": ".".join(str(part) for part in one["loc"][1:]), "text": str(one["msg"])} for one in error.errors()]
    return JSONResponse({"detail": "the request is not as described", "errors": found}, 422)


async def _unavailable(_: Request, error: Exception) -> JSONResponse:
    """What needs the database waits for it; nothing has been done."""
    return JSONResponse({"detail": f"the database does not answer: {error}"}, 503)
