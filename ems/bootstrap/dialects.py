"""Which dialect each FIX session speaks: what its version and its counterparty's profile make of the canonical text."""

from __future__ import annotations

from adapters.fix.dialect import Dialect
from adapters.fix.dialect_42 import Fix42
from ems.config import Settings


def dialects(settings: Settings) -> dict[str, Dialect]:
    """By session; a session that speaks the canonical text as it is has none."""
    return {session.name: Dialect((Fix42(),)) for session in settings.sessions if session.begin_string == "FIX.4.2"}
