"""The console's built pages: served as they lie in the package, compressed where the browser takes it."""

from __future__ import annotations

import re
import secrets
from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from ems.api.auth import security_headers

BUNDLE: Final = Path(str(files("ems.api"))) / "_console"
MISSING: Final = "The console is not built: install Node 20 or newer and run `make console`; everything else of the EMS runs.\n"
NONCE: Final = "{{nonce}}"  # stands in the page for a word of each answer's own
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_TYPES: Final = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml",
    ".png": "image/png", ".woff2": "font/woff2", ".txt": "text/plain; charset=utf-8", ".json": "application/json",
}  # fmt: skip
FOR_EVER: Final = "public, max-age=31536000, immutable"  # a hashed name is never another file


def routes(bundle: Path = BUNDLE) -> APIRouter:
    """The page and what it loads."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def page(request: Request) -> Response:
        if not (bundle / "index.html").exists():
            return PlainTextResponse(MISSING, 503)
        nonce = secrets.token_urlsafe(16)
        answer = HTMLResponse((bundle / "index.html").read_text().replace(NONCE, nonce))
        policy = "Content-Security-Policy"
        answer.headers[policy] = security_headers(request.headers.get("host", ""), nonce)[policy]
        return answer

    @router.get("/assets/{name}")
    async def asset(name: str, request: Request) -> Response:
        path = bundle / "assets" / name
        if not _NAME.fullmatch(name) or path.suffix not in _TYPES or not path.is_file():
            raise HTTPException(404)
        answer = _file(path, request)
        answer.headers["Cache-Control"] = FOR_EVER
        return answer

    return router


def _file(path: Path, request: Request) -> Response:
    packed = path.with_name(f"{path.name}.gz")
    kind = _TYPES[path.suffix]
    if "gzip" in request.headers.get("accept-encoding", "") and packed.is_file():
        return FileResponse(packed, media_type=kind, headers={"Content-Encoding": "gzip", "Vary": "Accept-Encoding"})
    return FileResponse(path, media_type=kind, headers={"Vary": "Accept-Encoding"})
