"""One JSON body to one address."""

from __future__ import annotations

import hashlib
import json
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import urlsplit

from domain.errors import AlertNotSent

TIMEOUT_S: Final = 5.0


def named(url: str) -> str:
    """What the log and people call an address: its host, and a few digits that tell it from others there. Many a path is a
    secret."""
    return f"{urlsplit(url).netloc.rpartition('@')[2]} {hashlib.sha256(url.encode()).hexdigest()[:6]}"


def post(url: str, body: Any, *, timeout_s: float = TIMEOUT_S) -> None:
    """Returns when it was answered with a 2xx. Raises AlertNotSent for everything else; redirects are followed."""
    request = urllib.request.Request(  # noqa: S310 (the configuration lets http and https alone pass)
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            answer.read()
    except (OSError, ValueError, urllib.error.HTTPError) as cause:
        raise AlertNotSent(f"{named(url)}: {cause}") from cause
