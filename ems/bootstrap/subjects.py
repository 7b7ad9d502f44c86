"""People behind opaque subject ids: enrolled, shown, erased by two. Events have the ids alone."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.clock import WallClock
from adapters.postgres import subjects as store
from adapters.postgres.event_log import PostgresEventLog
from adapters.subject_keys import SubjectKeys
from domain.catalogue import TOPICS
from domain.erasure import Enrolled, Erased, key, subject_id
from domain.errors import ConfigError, SubjectError
from domain.event import Event, Meta
from domain.values import StreamId
from ems.access import append_next, note_reading
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import log_to_append
from ems.bootstrap.runtime import Runtime
from ems.config import Settings


def keys_of(settings: Settings) -> SubjectKeys:
    """Where a deployment keeps its subjects' keys: never in the database, whose backups must not have them."""
    return SubjectKeys(keys_directory(settings))


def keys_directory(settings: Settings) -> Path:
    """Beside the rest of the state, a directory of its own."""
    return Runtime(settings=settings).state / "subjects"


async def enroll(settings: Settings, data: Mapping[str, str], *, person: str, reason: str) -> str:
    """Keep what is known of a person; returns the id that events may carry. Raises SubjectError, LogError, ConfigError."""
    subject, keys = subject_id(secrets.token_bytes(32)), keys_of(settings)
    with log_to_append(settings) as dsn:
        await asyncio.to_thread(keys.make, subject)
        sealed = keys.seal(subject, json.dumps(dict(data), sort_keys=True).encode())
        await asyncio.to_thread(store.put, dsn, subject, sealed)
        now_ns = WallClock().now_ns()
        await _append(dsn, key(subject), Enrolled(subject=subject, person=person, reason=reason, at_ns=now_ns), person)
    return subject


async def show(settings: Settings, subject: str, *, person: str, purpose: str) -> dict[str, Any]:
    """What is known of a subject; that it was read is written first. Raises SubjectError, LogError, ConfigError."""
    with log_to_append(settings) as dsn:
        sealed = await asyncio.to_thread(store.get, dsn, subject)
        if sealed is None:
            raise SubjectError(f"nothing is kept of {subject}")
        opened = keys_of(settings).open(subject, sealed)
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            await note_reading(
                log, WallClock(), ZoneInfo(settings.home_time_zone), person=person, how="search", what=f"subject {subject}",
                build=build_digest(), purpose=purpose,
            )  # fmt: skip
    told: dict[str, Any] = json.loads(opened)
    return told


async def erase(settings: Settings, subject: str, persons: tuple[str, str], *, reason: str) -> dict[str, Any]:
    """Destroy a subject's key. The event comes first: a crash between leaves an intent, which asking again carries out.

    Raises:
        ConfigError: one person twice, or no reason.
        SubjectError: nobody was ever enrolled under this id, or the key cannot be destroyed.
        LogError: it cannot be written; then nothing was destroyed.
    """
    if persons[0] == persons[1] or not reason.strip():
        raise ConfigError("to erase a person's data needs two different people and a reason")
    keys, stream = keys_of(settings), key(subject)
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            events = [recorded.event for recorded in await log.read(stream)]
        if not events and not keys.has(subject):
            raise SubjectError(f"nobody was ever enrolled as {subject}")
        if not any(isinstance(event, Erased) for event in events):
            now_ns = WallClock().now_ns()
            await _append(dsn, stream, Erased(subject=subject, persons=persons, reason=reason, at_ns=now_ns), persons[1])
        await asyncio.to_thread(keys.destroy, subject)
    return {"subject": subject, "erased": not keys.has(subject), "persons": list(persons)}


async def _append(dsn: str, stream: StreamId, event: Event, person: str) -> None:
    meta = Meta(WallClock().now_ns(), f"person:{person}", stream, "command:subject", build_digest())
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        await append_next(log, stream, event, meta)
