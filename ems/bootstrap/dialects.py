"""Which dialect each FIX session speaks: what its version and its counterparty's profile make of the canonical text."""

from __future__ import annotations

from adapters.fix.dialect import Dialect
from adapters.fix.profile_steps import dialect_of
from domain.instrument import Universe
from ems.bootstrap.profiles import begin_string, profile_of
from ems.config import Session, Settings


def dialect(session: Session, universe: Universe) -> Dialect | None:
    """The dialect of one session; None where it speaks the canonical text as it is. Raises ConfigError, as profile_of."""
    return dialect_of(begin_string(session), profile_of(session), universe)


def dialects(settings: Settings, universe: Universe) -> dict[str, Dialect]:
    """By session, of those that have one."""
    found = {session.name: dialect(session, universe) for session in settings.sessions}
    return {name: spoken for name, spoken in found.items() if spoken is not None}
