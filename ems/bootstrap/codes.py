"""Short codes and what they stand for, as the log has them."""

from __future__ import annotations

from typing import Any

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import party
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.event import Entry, Meta
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import log_of, log_to_append
from ems.config import Settings
from ems.exports.formats import utc


async def history(settings: Settings) -> list[dict[str, Any]]:
    """Every meaning of every code, the oldest first. Raises ConfigError, LogError."""
    with log_of(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            events = [recorded.event for recorded in await log.read(party.key())]
    return [{"from": utc(event.from_ns), **event.model_dump(mode="json")} for event in events if isinstance(event, party.Coded)]


async def put(
    settings: Settings, short_code: str, kind: party.Kind, long_code: str, persons: tuple[str, str], *, reason: str
) -> dict[str, Any]:  # fmt: skip
    """A code's meaning from now on, by two people. Raises ConfigError: it cannot be that; LogError."""
    stream, now_ns = party.key(), WallClock().now_ns()
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            events = [recorded.event for recorded in await log.read(stream)]
            said = party.code(
                party.fold(events),
                short_code,
                kind,
                long_code,
                person=persons[0],
                approver=persons[1],
                reason=reason,
                at_ns=now_ns,
            )
            if isinstance(said, str):
                raise ConfigError(said)
            meta = Meta(now_ns, f"person:{persons[0]}", stream, "command:code", build_digest())
            await log.append([Entry(stream, len(events), (said,), meta)])
    return said.model_dump(mode="json")
