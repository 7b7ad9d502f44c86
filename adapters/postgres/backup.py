"""Backups of the log's server: whole copies, the stream of what was written since, and a server made of both as of a moment.

Postgres's own programs do the work. A folder of backups holds `base/<moment>` (a copy with its manifest), `wal/` (segments as
they are written, the last one with the ending .partial) and `passwords.json` of an embedded server.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from adapters.postgres.embedded import SUPERUSER, EmbeddedPostgres
from adapters.postgres.server_account import home_for, server_account
from adapters.postgres.server_files import wheel_programs
from domain.errors import ConfigError, LogError, LogUnavailable

SLOT: Final = "ems_backup"  # keeps what was not streamed yet on the server
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_MIDDLE_S: Final = 1800  # a copy may take so long
_RECOVERY_S: Final = 3600


class Backups:
    """One folder of backups."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.base, self.wal = self.folder / "base", self.folder / "wal"

    def take(self, dsn: str, now: datetime, passwords: Path | None = None) -> Path:
        """Copy the whole server while it works, and check the copy against its manifest.

        Args:
            dsn: of a role that may replicate.
            passwords: of an embedded server: without them nobody gets into a copy.

        Raises:
            LogError: it could not be taken or does not match its manifest.
        """
        self._make()
        copy = self.base / now.astimezone(UTC).strftime(_STAMP)
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        _run("pg_basebackup", "-d", dsn, "-D", partial, "-X", "stream", "-c", "fast", "--manifest-checksums=SHA256")
        check_copy(partial)
        if passwords is not None:
            with os.fdopen(os.open(self.folder / "passwords.json", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(passwords.read_bytes())
        partial.rename(copy)
        return copy

    def stream(self, dsn: str) -> subprocess.Popen[bytes]:
        """Write down what the server writes, from now until the process that this starts is ended."""
        self._make()
        _run("pg_receivewal", "-d", dsn, "--slot", SLOT, "--create-slot", "--if-not-exists")
        return subprocess.Popen(
            [_program("pg_receivewal"), "-d", dsn, "-D", str(self.wal), "--slot", SLOT, "--synchronous"],
            stdin=subprocess.DEVNULL,
        )

    def copies(self) -> list[Path]:
        """Every whole copy, the oldest first."""
        return sorted(path for path in self.base.glob("*Z") if path.is_dir())

    def verify(self) -> list[Path]:
        """Check every file of every copy against its manifest. Raises LogError; ConfigError where there is no copy."""
        if not (found := self.copies()):
            raise ConfigError(f"there is no backup in {self.folder}")
        for copy in found:
            check_copy(copy)
        return found

    def restore(self, target: Path, until: datetime | None = None) -> EmbeddedPostgres:
        """A running server in a new directory, as the log was at a moment, or as far as it was written down.

        Args:
            target: the directory of an embedded server; nothing may be there.
            until: what was committed up to this moment is in it, nothing that came later.

        Raises:
            ConfigError: there is something in target, or no copy is as old as that moment.
            LogUnavailable: the server did not come up.
        """
        if target.exists() and any(target.iterdir()):
            raise ConfigError(f"{target} is not empty: a restored log gets a directory of its own")
        copies = [c for c in self.copies() if until is None or _moment(c) <= until]
        if not copies:
            raise ConfigError(f"no backup in {self.folder} is of that moment or before")
        home = home_for(target, server_account())
        data = home / "data"
        shutil.copytree(copies[-1], data, symlinks=True)
        shutil.copyfile(self.folder / "passwords.json", home / "passwords.json")
        (home / "passwords.json").chmod(0o600)
        archive = home / "archive"  # where the server's account can read it
        shutil.copytree(self.wal, archive)
        lines = [f"restore_command = {_quoted(_restoring(archive))}", "recovery_target_action = 'promote'"]
        if until is not None:
            lines.append(f"recovery_target_time = {_quoted(until.astimezone(UTC).isoformat(sep=' '))}")
        with (data / "postgresql.auto.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        (data / "recovery.signal").touch()
        _give(home)
        server = EmbeddedPostgres(target)
        server.start()
        _recovered(server)
        with psycopg.connect(server.connection(SUPERUSER, "postgres"), autocommit=True) as connection:
            for name in ("restore_command", "recovery_target_action", "recovery_target_time"):
                connection.execute(f"ALTER SYSTEM RESET {name}")
        return server

    def _make(self) -> None:
        for folder in (self.folder, self.base, self.wal):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def check_copy(copy: Path) -> None:
    """Every file of a copy against its manifest, and the manifest against its own checksum; what the server adds is ignored.

    Postgres's own program for it crashes as it is built in the wheel.

    Raises:
        LogError: with the first file that is not what it was.
    """
    text = (copy / "backup_manifest").read_bytes()
    manifest = json.loads(text)
    counted = text[: text.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(counted).hexdigest() != manifest["Manifest-Checksum"]:
        raise LogError(f"{copy}: the manifest is not what it was")
    for entry in manifest["Files"]:
        path = copy / (
            entry["Path"] if "Path" in entry else bytes.fromhex(entry["Encoded-Path"]).decode("utf-8", "surrogateescape")
        )
        if not path.is_file():
            raise LogError(f"{copy}: {path.relative_to(copy)} is missing")
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != entry["Checksum"]:
            raise LogError(f"{copy}: {path.relative_to(copy)} is not what it was")


def _moment(copy: Path) -> datetime:
    return datetime.strptime(copy.name, _STAMP).replace(tzinfo=UTC)


def _restoring(archive: Path) -> str:
    folder = shlex.quote(str(archive))
    return f"cp {folder}/%f %p 2>/dev/null || cp {folder}/%f.partial %p"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _give(home: Path) -> None:
    """To the account that the server runs as."""
    account = server_account()
    for path in (home / "data", home / "archive"):
        path.chmod(0o700)
        for found in (path, *path.rglob("*")) if account.name is not None else ():
            os.chown(found, account.uid, account.gid, follow_symlinks=False)


def _recovered(server: EmbeddedPostgres) -> None:
    """Wait until the server has come to its moment and takes writes. Raises LogUnavailable."""
    deadline = time.monotonic() + _RECOVERY_S
    while time.monotonic() < deadline:
        with psycopg.connect(server.connection(SUPERUSER, "postgres")) as connection:
            if connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,):
                return
        time.sleep(0.1)
    raise LogUnavailable("the restored server has not come to the end of its recovery")


def _program(name: str) -> str:
    return str(wheel_programs() / name)


def _run(name: str, *words: str | Path) -> None:
    done = subprocess.run(
        [_program(name), *map(str, words)], text=True, capture_output=True, timeout=_MIDDLE_S, check=False
    )  # fmt: skip
    if done.returncode != 0:
        raise LogError(f"{name}: {done.stderr.strip()}")
