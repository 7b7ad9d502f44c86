"""The tamper drill: two hundred changes by a superuser, each found and located; and no alarm where nobody changed anything.

A superuser has switched off every trigger and constraint and writes what he likes into every table. He has neither the sealing
key nor the anchor.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from adapters.postgres.packed_rows import COPY_EVENTS, pack_rows
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeySigner
from ems.verification import verify
from tests import warm
from tests.acceptance.tampering import WAYS, Stored
from tests.conftest import Database
from tests.ems.sealing_room import VERIFIER, Room

SEED = int(os.environ.get("EMS_TAMPER_SEED", "1"))
TAMPERINGS = int(os.environ.get("EMS_TAMPERINGS", "200"))
WRITE_S = float(os.environ.get("EMS_SEAL_WRITE_S", "3"))
KILL_EVERY_S = 0.8
SEALERS = 4  # that wait to go on for one that was killed
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
        end = await self.log.end()
        return Stored(tuple(rows), (end.seq, end.hash), tuple([head async for head in self.log.heads()]))

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


class Process:
    """One that waits to begin."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "tests.acceptance.sealing_process", *arguments]
        self._popen = warm.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self) -> None:
        assert self._popen.stdin is not None
        assert self._popen.stdout is not None
        assert self._popen.stdout.readline() == "up\n"
        self._popen.stdin.write("\n")
        self._popen.stdin.flush()

    @property
    def runs(self) -> bool:
        return self._popen.poll() is None

    def said(self) -> str:
        return self._popen.communicate()[0]

    def kill(self) -> None:
        if self._popen.poll() is None:
            self._popen.kill()
            self._popen.communicate()


async def test_nobody_is_accused_while_three_processes_write_and_sealers_are_killed(room: Room, database: Database) -> None:
    """64 callers in three processes; a sealer that is killed again and again, at any point; verification all the while."""
    callers = {"a": 22, "b": 21, "c": 21}
    writers = [Process("write", database.app_dsn, name, str(number), str(WRITE_S)) for name, number in callers.items()]
    sealers = [Process("seal", database.app_dsn, str(room.directory)) for _ in range(SEALERS)]
    random, killed, verified = Random(SEED), 0, 0
    try:
        for writer in writers:
            writer.begin()
        while any(writer.runs for writer in writers) or not killed:
            sealers[0].begin()
            await asyncio.sleep(random.random() * KILL_EVERY_S)
            assert sealers[0].runs, "a sealer gave up"
            report = await room.verify()
            assert report.faults == []
            verified += 1
            sealers.pop(0).kill()
            killed += 1
            sealers.append(Process("seal", database.app_dsn, str(room.directory)))
        written = sum(int(writer.said()) for writer in writers)
    finally:
        for one in (*sealers, *writers):
            one.kill()
    await room.sealer.turn()
    report = await room.verify()
    assert (report.faults, report.events, report.sealed) == ([], written, written)
    assert report.heads["the log"] == report.heads["file"]
    print(f"{written} events, {killed} sealers killed, {report.heads['file']} heads, verified {verified} times")
