"""Addresses on the command line: HOST:PORT, and who may log on there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from domain.errors import ConfigError
from ems.market_settings import OuchSettings, address


def published(itch: str) -> str:
    """HOST:PORT, or "" for none. Raises ConfigError for anything else."""
    try:
        return ":".join(map(str, address(itch))) if itch else ""
    except ValueError as error:
        raise ConfigError(str(error)) from error


def ouch_at(text: str, accounts: Sequence[str]) -> OuchSettings | None:
    """Where OUCH is spoken, and for whom; None where that was not said. Raises ConfigError."""
    if not text:
        if accounts:
            raise ConfigError("--account is for --ouch")
        return None
    pairs = [account.partition(":") for account in accounts]
    if not pairs or not all(name and password for name, _, password in pairs):
        raise ConfigError("--ouch needs an --account NAME:PASSWORD")
    host, port = published(text).rsplit(":", 1)
    return OuchSettings(host=host, port=int(port), accounts={name: password for name, _, password in pairs})


def alone(config: Path, directory: Path | None, itch: str, ouch: str, accounts: Sequence[str]) -> None:
    """Run the simulated venue of a configuration by itself, publishing and listening where it is said. Raises ConfigError."""
    from ems.bootstrap.venue import run_alone
    from ems.config import load

    run_alone(load(config), directory, published(itch), ouch_at(ouch, accounts))
