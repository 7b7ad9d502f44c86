"""Who may read the console: whoever has the access token, once by its URL, then by a cookie no script can read."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

COOKIE: Final = "ems_console"
COOKIE_MAX_AGE_S: Final = 7 * 86_400


def make_token(path: Path) -> str:
    """The token in a file of the owner's alone; a new one where there is none. It stays until the file is removed."""
    if path.exists():
        return path.read_text().strip()
    token = secrets.token_urlsafe(24)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(token)
    return token


class Access:
    """Judges requests by token, cookie and origin. Keeps nothing, so a restart of the server logs nobody out."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.cookie_value = hmac.new(token.encode(), b"console cookie", hashlib.sha256).hexdigest()

    def is_token(self, text: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(text.encode(), self._token.encode())

    def admits(self, headers: Mapping[str, str], cookies: Mapping[str, str]) -> bool:
        """Whether a request carries the cookie, or the token as a bearer."""
        if hmac.compare_digest(cookies.get(COOKIE, "").encode(), self.cookie_value.encode()):
            return True
        kind, _, value = headers.get("authorization", "").partition(" ")
        return kind.lower() == "bearer" and self.is_token(value.strip())


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a page of ours asks. A browser always names the page's origin when it opens a WebSocket; other programs do
    not, and need no protection from foreign pages.
    """
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def security_headers(host: str) -> dict[str, str]:
    """What every answer carries: nothing is loaded from elsewhere, framed, sniffed, cached or told to other sites."""
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        f"connect-src 'self' ws://{host} wss://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
