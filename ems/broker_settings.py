"""The table [[brokers]] of the configuration: whose algorithms a venue session offers, by the brokers' FIXatdl files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class BrokerSettings(BaseModel):
    """One venue session and the files that describe the algorithms behind it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    session: str
    atdl: Annotated[tuple[Path, ...], Field(min_length=1)]

    def under(self, folder: Path) -> BrokerSettings:
        """The same with relative paths taken from a folder."""
        return self.model_copy(update={"atdl": tuple((folder / path).resolve() for path in self.atdl)})


def wrong(brokers: Sequence[BrokerSettings], venues: Collection[str]) -> str:
    """What cannot be meant, "" where all can."""
    named = [broker.session for broker in brokers]
    for session in named:
        if session not in venues:
            return f"brokers: {session!r} is none of the venue sessions {sorted(venues)}"
        if named.count(session) > 1:
            return f"brokers: the session {session} has two tables; one lists all its files"
    return ""
