"""One JSON body to one address."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any, Final

from domain.errors import AlertNotSent

TIMEOUT_S: Final = 5.0


def post(url: str, body: Any, *, timeout_s: float = TIMEOUT_S) -> None:
    """Returns when it was answered with a 2xx. Raises AlertNotSent for everything else; redirects are followed."""
    request = urllib.request.Request(  # noqa: S310 (the configuration lets http and https alone pass)
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310
            answer.read()
    except (OSError, ValueError, urllib.error.HTTPError) as cause:
        raise AlertNotSent(f"{url}: {cause}") from cause
