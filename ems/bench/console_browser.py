"""A real browser for the console's bench and tests: the machine's own, headless, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncIterator
from typing import Any, Final

from domain.errors import ConfigError

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Nothing of the browser's own may reach out: no updates, no lists, no metrics. Without a sandbox, since it is often root here.
ARGUMENTS: Final = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync --disable-dev-shm-usage"
).split()
LACKING: Final = "no Chromium was found: install one (Debian: apt-get install chromium; macOS: brew install chromium)"
SIZE: Final = {"width": 1366, "height": 768}


def find_browser() -> str | None:
    """Where the machine's browser is, None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name)) is not None), None)


def launch_options() -> dict[str, Any]:
    """What Playwright is to start. Raises ConfigError where there is no browser."""
    path = find_browser()
    if path is None:
        raise ConfigError(LACKING)
    return {"executable_path": path, "args": ARGUMENTS, "headless": True}


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    """A running browser. Raises ConfigError where it, or Playwright, is not installed."""
    options = launch_options()
    try:
        from playwright.async_api import async_playwright
    except ImportError as cause:
        raise ConfigError("Playwright is missing: pip install 'ems[dev]'") from cause
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(**options)
        try:
            yield started
        finally:
            await started.close()
