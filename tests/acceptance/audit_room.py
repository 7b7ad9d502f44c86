"""A demo day to audit: what a demo has left, with a bundle of it; and a log that a superuser tampers with."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from adapters.anchor.files import FileAnchor
from adapters.clock import WallClock
from adapters.postgres.embedded import APP, SUPERUSER, EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.sealed_log import PostgresSealedLog
from adapters.signing.ed25519 import KeySigner, KeyVerifier
from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.event import Event, Recorded
from domain.sealing import SignedHead
from domain.stored import Decoder
from domain.values import StreamId, stream_id
from ems.audit.explanation import Explanation
from ems.bootstrap.audit_source import Place
from ems.bootstrap.bundle import export_day
from ems.bootstrap.explain import explained
from ems.exports.settings import ReportingSettings
from ems.sealer import Sealer
from tests.acceptance.conftest import ROOT, Program, watched
from tests.conftest import Database
from tests.ems.sealing_room import Room as SealedRoom

ZONE = ZoneInfo("America/New_York")
FORBIDDEN = ("UPDATE events SET version = 1", "DELETE FROM events", "TRUNCATE events", "ALTER TABLE events ADD x int")
_HASHED = (
    "prev_hash || int8send(seq) || uuid_send(stream) || int8send(version) || int8send(recorded_time_ns) || "
    "int2send(length(topic)::int2) || topic::bytea || state"
)
REHASH = (
    f"UPDATE events SET hash = sha256({_HASHED}) WHERE seq = 60",
    "UPDATE log_head SET hash = (SELECT hash FROM events WHERE seq = 60)",
)
META = b'{"meta":{"event_time_ns":1,"actor":"a","correlation":"c","causation":"t","build":"b","inbound":null},"data":'


@dataclass
class Day:
    """What a demo has left: its state directory, its server, and a bundle of its day."""

    program: Program
    state: Path
    server: EmbeddedPostgres
    figures: dict[str, Any]

    @property
    def place(self) -> Place:
        return Place(self.program.home / "ems.toml")

    @property
    def bundle(self) -> Path:
        return self.program.home / "day.tar"

    @property
    def key(self) -> Path:
        return self.state / "sealing" / "public.key"

    @cached_property
    def events(self) -> list[Recorded]:
        """The demo's own events, without those of who has read them since."""
        return asyncio.run(self._events())

    async def _events(self) -> list[Recorded]:
        async with PostgresEventLog(self.server.app_dsn, TOPICS, WallClock()) as log:
            return [one async for page in log.read_pages() for one in page if not one.event.TOPIC.startswith("log.")]

    def all(self, *kinds: type) -> list[Recorded]:
        return [one for one in self.events if isinstance(one.event, kinds)]

    def orphans(self) -> list[StreamId]:
        """Children without their parent, executions without their child."""
        parents = {one.stream for one in self.all(po.Accepted)}
        children = {one.stream: one.event for one in self.all(co.Created)}
        found = [stream for stream, child in children.items() if child.parent not in parents]
        for one in self.all(fl.Recorded):
            child = children.get(one.event.child)
            if child is None or child.cl_ord_id != one.event.cl_ord_id:
                found.append(one.stream)
        return found

    def explain(self, asked: str, at: str = "", place: Place | None = None) -> Explanation:
        return asyncio.run(explained(place or self.place, asked, at, "examiner"))


@contextmanager
def demo_day() -> Iterator[Day]:
    """A small demo, every process real, and its server up again."""
    home = Path(tempfile.mkdtemp(prefix="ems-audit-"))
    home.chmod(0o755)  # the server's account reaches it, so that the data lies in it
    try:
        with watched(Program(home)) as program:
            words = ("demo", "--headless", "--json", "--minutes", "1.5", "--speed", "60", "--qty", "600", "--keep", "kept")
            done = program.run(*words, timeout_s=300)
            assert done.returncode == 0, done.stderr
            (home / "ems.toml").write_text('state_directory = "kept"\n')
            server = EmbeddedPostgres(home / "kept" / "postgres")
            server.start()
            try:
                asyncio.run(_sealed(home / "kept", server.app_dsn))
                asyncio.run(exported(home / "kept", server, home / "day.tar"))
                yield Day(program, home / "kept", server, json.loads(done.stdout))
            finally:
                server.stop()
    finally:
        shutil.rmtree(home)


async def _sealed(state: Path, dsn: str) -> None:
    """What the demo's sealer had no time for."""
    async with PostgresSealedLog(dsn) as log:
        key = KeySigner.of_file(state / "sealing" / "private.key")
        sealer = Sealer(log, key, KeyVerifier(key.public_key), [FileAnchor(state / "sealing" / "heads.jsonl")], WallClock())
        await sealer.turn()
        await sealer.close()


async def _heads(dsn: str) -> list[SignedHead]:
    async with PostgresSealedLog(dsn) as log:
        return [head async for head in log.heads()]


async def exported(state: Path, server: EmbeddedPostgres, to: Path) -> str:
    async with PostgresEventLog(server.app_dsn, TOPICS, WallClock()) as log:
        heads = await _heads(server.app_dsn)
        facts = [one async for page in log.read_pages() for one in page]
        dates = {one.event.trade_date for one in facts if isinstance(one.event, po.Accepted)}
        (date,) = dates
        exported = await export_day(
            log, to, day=date, zone=ZONE, settings=ReportingSettings(), heads=heads,
            signer=KeySigner.of_file(state / "sealing" / "private.key"),
        )  # fmt: skip
        return exported.sha256


async def tampered(database: Database, room: SealedRoom, *statements: str) -> dict[int, tuple[str, int, str]]:
    """What verification says after a superuser has switched the triggers off: fault by event."""
    with psycopg.connect(database.superuser_dsn, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in ("events", "log_head", "sealed_heads", "sealed_tiles"):
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        for statement in statements:
            connection.execute(statement)
    report = await room.verify()
    return {fault.seq: (fault.stream, fault.version, fault.text) for fault in report.faults}


async def three_writers_and_a_reader(dsn: str, each: int) -> list[int]:
    """The numbers that a subscriber sees while three writers, on connections of two logs, append two events at a time."""
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as one, PostgresEventLog(dsn, TOPICS, WallClock()) as other:
        seen: list[int] = []

        async def follow() -> None:
            async for recorded in other.subscribe():
                seen.append(recorded.seq)
                if len(seen) == 6 * each:
                    return

        async def write(log: PostgresEventLog, name: str) -> None:
            room = SealedRoom(dsn, Path())
            for _ in range(each):
                await log.append([room.entry(stream_id(name), 2)])

        await asyncio.gather(follow(), write(one, "a"), write(other, "b"), write(one, "c"))
    return seen


IN_THE_SANDBOX = """
import socket
from adapters.sandbox import deny_network
print(deny_network())
for kind in (socket.AF_INET, socket.AF_UNIX):
    try:
        socket.socket(kind)
        print("made")
    except PermissionError:
        print("denied")
"""


def tried_in_the_sandbox() -> list[str]:
    """How the network was denied to a process, then what came of making sockets."""
    done = subprocess.run([sys.executable, "-c", IN_THE_SANDBOX], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def answered_from_a_bundle(day: Day, tmp_path: Path) -> None:
    """As from the database; another key and a torn file are refused."""
    cl_ord_id = day.all(co.Created)[1].event.cl_ord_id
    there = Place(Path(), bundles=(day.bundle,), key=day.key, wire=day.state)
    told, own = day.explain(cl_ord_id, place=there), day.explain(cl_ord_id)
    same = ("identity", "state", "events", "cause", "book", "plan", "risk", "kill", "wire")
    contents, owns = ({s.name: s.content for s in one.sections} for one in (told, own))
    assert {name for name in same if contents[name] != owns[name]} == set()
    other = tmp_path / "other.pub"
    other.write_text(bytes(31).hex() + "01")
    with pytest.raises(ConfigError, match="not signed by the key"):
        day.explain(cl_ord_id, place=there._replace(key=other))
    torn = tmp_path / "torn.tar"
    torn.write_bytes(day.bundle.read_bytes()[:-20_000])
    with pytest.raises(ConfigError, match=r"torn\.tar"):
        day.explain(cl_ord_id, place=Place(Path(), bundles=(torn,)))


def answered_from_a_backup(day: Day) -> None:
    """The database's files copied, as a backup of them is, and opened as another database of the server."""
    cl_ord_id = day.all(co.Created)[1].event.cl_ord_id
    own = day.explain(cl_ord_id, "100")
    with psycopg.connect(day.server.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'ems'")
        connection.execute("CREATE DATABASE restored TEMPLATE ems")
    restored = Place(Path(), dsn=day.server.connection(APP, "restored"), key=day.key, wire=day.state)
    told = day.explain(cl_ord_id, "100", place=restored)
    assert told.complete and told.sections == own.sections


def golden_events() -> Iterator[Event]:
    """Every golden sample, those of earlier forms too, read by today's decoder."""
    decoder, golden = Decoder(TOPICS), ROOT / "tests" / "golden"
    for path in (*golden.glob("*.json"), *(golden / "earlier").glob("*.json")):
        topic = path.stem if path.stem in TOPICS else ".".join(path.stem.split(".")[:3]).partition("@")[0]
        yield decoder.decode(topic, META + path.read_bytes().strip() + b"}")[0]


def verified_alone(day: Day, folder: Path) -> subprocess.CompletedProcess[str]:
    """The stand-alone verifier in a folder of its own, without anything of ours on its path."""
    shutil.copy(day.key, key := folder / "public.key")
    shutil.copy(ROOT / "deploy" / "verify_bundle.py", folder / "verify.py")
    command = [sys.executable, "-I", "verify.py", str(day.bundle), "--key", str(key)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env={})
