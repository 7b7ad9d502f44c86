"""The console's HTTP and WebSocket interface."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, HTTPException, Query, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from ems.api.auth import COOKIE, COOKIE_MAX_AGE_S, Access, same_origin, security_headers
from ems.api.stream import Feed, messages

STATIC: Final = Path(__file__).parent / "static"
FILES: Final = {"console.js": "text/javascript", "console.css": "text/css"}
FLUSH_S: Final = 0.05  # people do not read faster than this
OPEN_PATHS: Final = frozenset({"/health"})  # says only that it lives
CLOSED: Final = "open the address that the start of the EMS printed: it carries the access token\n"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a screen must know beside the rows. clock: kind, and for a tape its start, origin and speed."""

    mode: str
    name: str
    clock: dict[str, Any]
    hosts: tuple[str, ...]  # names under which the console may be asked for


def make_app(feed: Feed, access: Access, facts: Facts) -> FastAPI:
    """The application; the feed runs as long as the application does."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        following = asyncio.create_task(feed.run(), name="follow-the-log")
        yield
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    app = FastAPI(title="EMS console", lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.middleware("http")(_guard(access))
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(facts.hosts))
    _pages(app)
    _reads(app, feed, facts)
    _socket(app, feed, access, facts)
    return app


def _guard(access: Access) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Every request but those for open paths needs the token; every answer carries the security headers."""

    async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        token = request.query_params.get("token")
        if request.url.path in OPEN_PATHS or access.admits(request.headers, request.cookies):
            response = await answer(request) if token is None else RedirectResponse("/", status_code=303)
        elif request.url.path == "/" and token is not None and access.is_token(token):
            response = RedirectResponse("/", status_code=303)  # takes the token out of the address bar and the history
            response.set_cookie(COOKIE, access.cookie_value, max_age=COOKIE_MAX_AGE_S, httponly=True, samesite="strict")
        else:
            response = PlainTextResponse(CLOSED, status_code=401)
        response.headers.update(security_headers(request.headers.get("host", "")))
        return response

    return guard


def _pages(app: FastAPI) -> None:
    @app.get("/")
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    @app.get("/static/{name}")
    async def static(name: str) -> FileResponse:
        if name not in FILES:
            raise HTTPException(404)
        return FileResponse(STATIC / name, media_type=FILES[name])


def _reads(app: FastAPI, feed: Feed, facts: Facts) -> None:
    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse({"status": "ok", "seq": feed.rows.seq, "following": feed.following})

    @app.get("/api/facts")
    async def about() -> JSONResponse:
        return JSONResponse(_facts(facts))

    @app.get("/api/parents")
    async def parents() -> JSONResponse:
        return JSONResponse(list(feed.rows.parents.values()))

    @app.get("/api/parents/{parent}")
    async def parent_by_id(parent: str) -> JSONResponse:
        found = feed.rows.of_parent(parent)
        if found is None:
            raise HTTPException(404, "there is no such parent order")
        return JSONResponse(found)

    @app.get("/api/children")
    async def children(limit: int = Query(1000, ge=1, le=10_000)) -> JSONResponse:
        return JSONResponse(list(feed.rows.children.values())[-limit:])

    @app.get("/api/fills")
    async def fills(limit: int = Query(1000, ge=1, le=10_000)) -> JSONResponse:
        return JSONResponse(list(feed.rows.fills.values())[-limit:])

    @app.get("/api/alerts")
    async def alerts(limit: int = Query(1000, ge=1, le=10_000)) -> JSONResponse:
        return JSONResponse(list(feed.rows.alerts.values())[-limit:])


def _socket(app: FastAPI, feed: Feed, access: Access, facts: Facts) -> None:
    @app.websocket("/ws")
    async def stream(socket: WebSocket) -> None:
        if not access.admits(socket.headers, socket.cookies) or not same_origin(socket.headers):
            await socket.close(1008)  # before it is accepted: the browser sees a refusal
            return
        await socket.accept()
        client, snapshot = feed.join()
        try:
            await socket.send_json({"type": "snapshot", "facts": _facts(facts), "live": feed.following, **snapshot})
            await _until_gone(socket, feed, client)
        finally:
            feed.leave(client)


async def _until_gone(socket: WebSocket, feed: Feed, client: Any) -> None:
    """Send changes until the browser goes; what it says is read, so that its going is noticed, and ignored."""

    async def send() -> None:
        async for message in messages(feed, client, pause_s=FLUSH_S):
            await socket.send_json(message)

    async def listen() -> None:
        while True:
            await socket.receive_text()

    jobs = [asyncio.create_task(send()), asyncio.create_task(listen())]
    try:
        await asyncio.wait(jobs, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for job in jobs:
            job.cancel()
        for outcome in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, WebSocketDisconnect | RuntimeError):
                raise outcome


def _facts(facts: Facts) -> dict[str, Any]:
    return {"mode": facts.mode, "name": facts.name, "clock": facts.clock}
