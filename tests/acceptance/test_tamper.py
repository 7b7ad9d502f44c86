"""The tamper drill: two hundred changes by a superuser, each found and located; and no alarm where nobody changed anything.

A superuser has switched off every trigger and constraint and writes what he likes into every table. He has neither the sealing
key nor the anchor.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from adapters.postgres.packed_rows import COPY_EVENTS, pack_rows
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeySigner
from ems.verification import verify
from tests.acceptance.tampering import WAYS, Stored
from tests.conftest import Database
from tests.ems.sealing_room import VERIFIER, Room

SEED = int(os.environ.get("EMS_TAMPER_SEED", "1"))
TAMPERINGS = int(os.environ.get("EMS_TAMPERINGS", "200"))
OPEN = [
    *(f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in ("events", "log_head", "sealed_heads", "sealed_tiles")),
    "ALTER TABLE events DROP CONSTRAINT events_version_check",
]


class Intruder:
    """A superuser's connection, in one transaction: what it does is rolled back."""

    def __init__(self, log: PostgresSealedLog, connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        self.log = log
        self._connection = connection

    async def stored(self) -> Stored:
        """All there is."""
        rows = [row async for page in self.log.pages(-(2**62), 2**62) for row in page.rows()]
        return Stored(tuple(rows), tuple(await self.log.end()), tuple([head async for head in self.log.heads()]))

    async def put(self, stored: Stored) -> None:
        """Put this in the place of what there is."""
        connection = self._connection
        await connection.execute("BEGIN")
        await connection.execute("DELETE FROM events; DELETE FROM sealed_heads; DELETE FROM sealed_tiles")
        async with connection.cursor() as cursor:
            async with cursor.copy(COPY_EVENTS) as copy:
                await copy.write(pack_rows(stored.rows))
            await cursor.execute("UPDATE log_head SET seq = %s, hash = %s", stored.end)
            columns = ", ".join(["%s"] * 8)
            await cursor.executemany(f"INSERT INTO sealed_heads VALUES ({columns})", stored.heads)

    async def undo(self) -> None:
        """As if it had not been."""
        await self._connection.execute("ROLLBACK")


@pytest.fixture
async def room(database: Database, tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(database.app_dsn, tmp_path)
    yield room
    await room.close()


async def test_two_hundred_tamperings_are_found_and_located(room: Room, database: Database) -> None:
    random = Random(SEED)
    for _ in range(9):
        await room.append(random.randint(1, 25))
        await room.sealer.turn()
    assert (await room.verify()).ok
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        for statement in OPEN:
            connection.execute(statement)
    other_key = KeySigner(random.randbytes(32))
    missed = []
    async with PostgresSealedLog(database.superuser_dsn) as log:
        intruder = Intruder(log, await log._connected())
        clean = await intruder.stored()
        for number in range(TAMPERINGS):
            way = list(WAYS)[number % len(WAYS)]
            tampered = WAYS[way](random, clean, other_key)
            await intruder.put(tampered)
            report = await verify(log, room.fresh_anchors(), VERIFIER)
            found = {fault.seq for fault in report.faults}
            places = {(fault.seq, fault.stream, fault.version) for fault in report.faults}
            if not found >= tampered.at or (tampered.place and tampered.place not in places):
                missed.append((number, tampered.what, sorted(tampered.at), tampered.place, report.faults[:3]))
            await intruder.undo()
        assert (await verify(log, room.fresh_anchors(), VERIFIER)).ok
    assert missed == []
