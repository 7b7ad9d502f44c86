"""Bootstrap: the one room that sees every wing. Each process is wired in a file of its own, imported when it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ems.bootstrap.reference import FileReference


def sample_reference(venue_session: str = "SIM") -> FileReference:
    """The built-in instruments and calendars, everything routed to one venue session."""
    from ems.bootstrap.reference import FileReference
    from ems.config import Settings

    return FileReference.load(Settings(), route=lambda _: venue_session)
