"""Loss of the node of the log's primary: two servers under Patroni and etcd, on loopback, with the deployed configuration.

Nothing of it is installed by the project: skipped where patroni, etcd or a Postgres of the system is missing.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from adapters.clock import WallClock
from adapters.postgres.embedded import APP, AUDITOR, DATABASE, OWNER, SUPERUSER
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.migrate import migrate
from adapters.postgres.server_account import ServerAccount, server_account
from domain import kill_host
from domain.catalogue import TOPICS
from domain.errors import LogUnavailable
from domain.event import Entry, Meta
from ems.loopback import free_ports

NODE: Final = Path(__file__).resolve().parents[2] / "deploy" / "patroni" / "node.yml"
PROGRAMS: Final = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), default=None)
MISSING: Final = [
    name
    for name, found in (("etcd", shutil.which("etcd")), ("patroni", shutil.which("patroni")), ("Postgres", PROGRAMS))
    if not found
]
PATIENCE_S: Final = 90.0
EVERY_S: Final = 0.05


class Cluster:
    """etcd and two nodes; every process of a node can be killed as when its machine is lost."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._account: ServerAccount = server_account()
        self._secrets = {role: secrets.token_hex(8) for role in (SUPERUSER, OWNER, APP, "replicator", "rewinder")}
        self._etcd_port, etcd_peer, *ports = free_ports(6)
        self.ports = dict(zip(("one", "two"), ports[:2], strict=True))
        self._rest = dict(zip(("one", "two"), ports[2:], strict=True))
        url, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{etcd_peer}"
        words = [
            "etcd", "--name", "only", "--data-dir", str(home / "etcd"), "--listen-client-urls", url,
            "--advertise-client-urls", url,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"only={peer}",
        ]  # fmt: skip
        self._processes = {"etcd": self._started("etcd", words)}

    def start(self, name: str) -> None:
        """A node's Patroni, with the deployed file in which what is said in capitals has been filled in."""
        directory = self._home / name
        self._account.give(directory, 0o700)
        filled = _filled(NODE.read_text("utf-8"), {
            "NODE_NAME": name,
            "NODE_ADDRESS:8008": f"127.0.0.1:{self._rest[name]}",
            "NODE_ADDRESS:5432": f"127.0.0.1:{self.ports[name]}",
            "ETCD_1:2379,ETCD_2:2379,ETCD_3:2379": f"127.0.0.1:{self._etcd_port}",
            "/var/lib/postgresql/ems": str(directory / "data"),
            "/usr/lib/postgresql/15/bin": str(PROGRAMS),
            "SUPERUSER_PASSWORD": self._secrets[SUPERUSER],
            "REPLICATION_PASSWORD": self._secrets["replicator"],
            "REWIND_PASSWORD": self._secrets["rewinder"],
            "DESK_NETWORK": "127.0.0.1/32",
            "NODE_NETWORK": "127.0.0.1/32",
            "hostssl": "host",  # one machine has no certificate to show to itself
            "  mode: automatic": '  mode: "off"',
            "  authentication:": f"  parameters:\n    unix_socket_directories: {directory}\n  authentication:",
        })  # fmt: skip
        file = directory / "node.yml"
        file.write_text(filled, "utf-8")
        if self._account.name is not None:
            os.chown(file, self._account.uid, self._account.gid)
        self._processes[name] = self._started(name, ["patroni", str(file)], as_account=True)

    def kill(self, name: str) -> None:
        """The machine is gone: Patroni and every process of its server, all at once."""
        for process in self._family(name):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._processes[name].wait()

    def stop(self) -> None:
        for name in reversed(self._processes):
            self.kill(name)

    def dsn(self, role: str, database: str = DATABASE) -> str:
        """Finds whichever node takes writes."""
        ports = ",".join(map(str, self.ports.values()))
        return make_conninfo(
            host="127.0.0.1,127.0.0.1", port=ports, user=role, password=self._secrets[role], dbname=database,
            target_session_attrs="read-write", connect_timeout=3,
        )  # fmt: skip

    def query(self, text: str) -> Any:
        """One value from the primary, None while there is none."""
        try:
            with psycopg.connect(self.dsn(SUPERUSER, "postgres")) as connection:
                row = connection.execute(text).fetchone()
        except psycopg.OperationalError:
            return None
        return row[0] if row is not None else None

    def primary(self) -> str:
        """The node that takes writes."""
        port = int(self.query("SELECT current_setting('port')"))
        return next(name for name, its in self.ports.items() if its == port)

    def prepare(self) -> None:
        """The roles and the database that the log needs."""
        with psycopg.connect(self.dsn(SUPERUSER, "postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(AUDITOR)))
            for role in (OWNER, APP):
                login = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
                connection.execute(login.format(sql.Identifier(role), sql.Literal(self._secrets[role])))
            made = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(made.format(sql.Identifier(DATABASE), sql.Identifier(OWNER)))
        migrate(self.dsn(OWNER))

    def told(self, name: str) -> str:
        """The end of what a process has said."""
        return (self._home / f"{name}.log").read_text("utf-8", "replace")[-3000:]

    def _family(self, name: str) -> list[psutil.Process]:
        process = self._processes[name]
        patroni = [] if process.poll() is not None else [found := psutil.Process(process.pid), *found.children(recursive=True)]
        server = [one for one in psutil.process_iter() if _works_in(one, self._home / name / "data")]
        return [*patroni, *server]

    def _started(self, name: str, words: list[str], *, as_account: bool = False) -> subprocess.Popen[bytes]:
        identity: dict[str, Any] = {}
        if as_account and self._account.name is not None:
            identity = {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._home / name), "LANG": "C.UTF-8"}
        with (self._home / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                words,
                cwd="/",
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **identity,
            )


def _filled(text: str, values: dict[str, str]) -> str:
    for word, value in values.items():
        assert word in text, f"the deployed file says nothing of {word}"
        text = text.replace(word, value)
    return text


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return bool(process.name() == "postgres" and process.cwd() == str(directory))
    except psutil.Error:  # it ended meanwhile
        return False


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    home = Path(tempfile.mkdtemp(prefix="ems-patroni-"))
    os.chmod(home, 0o711)  # noqa: PTH101 (the server's account must be able to pass)
    made = Cluster(home)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(home)


async def until(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    """Wait for what processes bring about. Raises TimeoutError with what they have said."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(condition):
        if time.monotonic() > deadline_s:
            raise TimeoutError(what())
        await asyncio.sleep(0.2)


def entry(version: int) -> Entry:
    meta = Meta(event_time_ns=1, actor="test", correlation=kill_host.key(), causation="test", build="test")
    event = kill_host.HostJoined(host=f"host{version}", at_ns=version)
    return Entry(stream=kill_host.key(), expected_version=version, events=(event,), meta=meta)


@pytest.mark.slow
@pytest.mark.skipif(bool(MISSING), reason=f"{', '.join(MISSING)} is not installed")
async def test_the_log_is_written_on_when_the_primary_node_is_lost(cluster: Cluster) -> None:
    cluster.start("one")
    await until(lambda: cluster.query("SELECT 1") == 1, lambda: cluster.told("one"))
    cluster.start("two")
    replica = "SELECT sync_state FROM pg_stat_replication WHERE application_name = 'two'"
    await until(lambda: cluster.query(replica) == "sync", lambda: cluster.told("two"))
    await asyncio.to_thread(cluster.prepare)
    async with PostgresEventLog(cluster.dsn(APP), TOPICS, WallClock(), lease_s=5, readback_timeout_s=1) as log:
        epoch = await log.take_lead("desk/alpha:1")
        for version in range(20):
            await log.append([entry(version)], epoch=epoch)
        lost = await asyncio.to_thread(cluster.primary)
        began_s = time.monotonic()
        await asyncio.to_thread(cluster.kill, lost)
        epoch = await led_again(log)
        await log.append([entry(20)], epoch=epoch)
        took_s = time.monotonic() - began_s
        assert await asyncio.to_thread(cluster.primary) != lost
        assert [one.version for one in await log.read(kill_host.key())] == list(range(1, 22)), "what was answered is there, once"
        assert (await log.verify_chain()).seq == 21
    print(json.dumps({"node_lost_s": round(took_s, 2)}))


async def led_again(log: PostgresEventLog) -> int:
    """As a desk does that lost the log: again and again, until it leads."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            try:
                return await log.take_lead("desk/alpha:1")
            except LogUnavailable:
                await asyncio.sleep(EVERY_S)
