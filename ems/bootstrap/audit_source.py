"""Where an audit reads from: a configuration's log, a connection string, or an exported bundle."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from adapters.bundle.rows import BundleRows
from adapters.clock import WallClock
from adapters.fix.wire_segments import WIRE_FOLDER
from adapters.postgres.audit_rows import PostgresRows
from adapters.postgres.event_log import PostgresEventLog
from adapters.signing.ed25519 import KeyVerifier
from domain.catalogue import TOPICS
from domain.errors import ConfigError, SealError, TimeOutsideLog
from domain.reading import How
from ems.access import note_reading
from ems.audit.source import Source
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import log_of
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.sealing import public_key
from ems.config import Settings, load


class Place(NamedTuple):
    """What a person has named. wire: a folder with wire journals, where it is not the configuration's."""

    config: Path
    dsn: str = ""
    bundles: tuple[Path, ...] = ()
    key: Path | None = None
    wire: Path | None = None


class Opened(NamedTuple):
    """A source, and what lies beside it. journals: folders of wire journals."""

    source: Source
    sessions: tuple[str, ...]
    journals: tuple[Path, ...]
    dsn: str
    verifier: KeyVerifier | None
    settings: Settings | None = None

    async def note(self, reader: str, how: How, what: str) -> None:
        """Write into the log who is about to be shown what of it; nothing where this is a copy. Raises LogError."""
        if self.settings is None:
            return
        async with PostgresEventLog(self.dsn, TOPICS, WallClock()) as log:
            zone = ZoneInfo(self.settings.home_time_zone)
            await note_reading(log, WallClock(), zone, person=reader, how=how, what=what, build=build_digest())


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Opened]:
    """Open it for reading.

    Raises:
        ConfigError: it is not there, or not what it should be.
        LogUnavailable: the database cannot be reached.
    """
    journals = _journals(place.wire) if place.wire is not None else ()
    if place.bundles:
        named = _key(place.key)
        async with BundleRows(place.bundles, named.verifies if named is not None else _by_its_own_key) as rows:
            yield Opened(rows, (), journals, "", named or KeyVerifier(rows.key))
    elif place.dsn:
        async with PostgresRows(place.dsn) as database:
            yield Opened(database, (), journals, place.dsn, _key(place.key))
    else:
        settings = load(place.config)
        with log_of(settings) as dsn:
            async with PostgresRows(dsn) as database:
                names = tuple(session.name for session in settings.sessions)
                beside = public_key(Runtime(settings=settings))
                yield Opened(database, names, journals or _journals_of(settings), dsn, _key(place.key, beside), settings)


def _journals_of(settings: Settings) -> tuple[Path, ...]:
    state = settings.state_directory
    return tuple(path for pattern in ("gateway*", "gateway*/*") for path in sorted(state.glob(f"{pattern}/{WIRE_FOLDER}")))


def _journals(folder: Path) -> tuple[Path, ...]:
    """A folder that was named: a wire journal itself, or a state directory with some."""
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}")
    found = [path for pattern in ("", "gateway*/", "gateway*/*/") for path in sorted(folder.glob(f"{pattern}{WIRE_FOLDER}"))]
    return tuple(found) or (folder,)


def _key(key: Path | None, beside: Path | None = None) -> KeyVerifier | None:
    """A key that was named, or the one beside the configuration's private key, where the log is sealed."""
    if key is None and (beside is None or not beside.exists()):
        return None
    try:
        return KeyVerifier.of_file(key or beside or Path())
    except SealError as error:
        raise ConfigError(str(error)) from error


def _by_its_own_key(manifest: bytes, signature: bytes) -> bool:
    """By the key that a bundle names itself: nothing was changed since it was signed, by whomever."""
    return KeyVerifier(bytes.fromhex(json.loads(manifest)["key"]["ed25519"])).verifies(manifest, signature)


def moment_ns(at: str) -> int | None:
    """A time of the command line in nanoseconds UTC; None where it is a sequence number or nothing.

    A time may have up to nine decimals. Raises TimeOutsideLog where it is neither.
    """
    if not at or at.isdigit():
        return None
    text, digits = at.removesuffix("Z"), ""
    if "." in text:
        text, _, digits = text.partition(".")
        digits, zone = _split_zone(digits)
        text += zone
    try:
        moment = datetime.fromisoformat(text)
        fraction = int(digits.ljust(9, "0")) if digits else 0
    except ValueError as cause:
        raise TimeOutsideLog(f"{at!r} is neither a sequence number nor a time such as 2026-11-27T14:30:00.123456789") from cause
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp()) * 1_000_000_000 + fraction


def _split_zone(digits: str) -> tuple[str, str]:
    """Decimals, and the zone behind them."""
    for place, sign in enumerate(digits):
        if sign in "+-":
            return digits[:place], digits[place:]
    if len(digits) > 9 or not digits.isdigit():
        return "?", ""
    return digits, ""
