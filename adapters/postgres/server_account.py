"""Which account the embedded server runs as, and which places that account can reach.

Postgres refuses to run as root. Started by root it runs as an account of its own, which must be able to
reach its programs and its data. Nobody's directories are opened up for that: what cannot be reached is put
where it can be, and the permissions of the parents stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.errors import ConfigError

ACCOUNT_NAME = "pgserver"
SHARED_HOME = Path("/var/lib/ems-postgres")  # for what root keeps where the server's account cannot go


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account of the server's processes; name is None when it is simply our own."""

    name: str | None
    uid: int
    gid: int

    def run(self, *command: str | Path, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Run a program as this account, in the root directory, with its output captured.

        Raises:
            subprocess.TimeoutExpired: it took longer than timeout_s.
        """
        identity: dict[str, Any] = {} if self.name is None else {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            [str(word) for word in command], cwd="/", text=True, capture_output=True, timeout=timeout_s, check=False, **identity
        )

    def can_read(self, path: Path) -> bool:
        """Whether this account reaches and reads a path (its own file system view, access lists included)."""
        return self.run("/bin/sh", "-c", 'test -r "$0"', path, timeout_s=10).returncode == 0

    def can_enter(self, path: Path) -> bool:
        """Whether this account may go through a directory."""
        return self.run("/bin/sh", "-c", 'test -x "$0"', path, timeout_s=10).returncode == 0

    def give(self, path: Path, mode: int) -> None:
        """Make a directory (its parents must exist) that belongs to this account."""
        path.mkdir(exist_ok=True)
        if self.name is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def server_account() -> ServerAccount:
    """Our own account, or for root the account `pgserver`, which is made if it is missing.

    Raises:
        ConfigError: root could not make the account.
    """
    if os.geteuid() != 0:
        return ServerAccount(None, os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(ACCOUNT_NAME)
    except KeyError:
        entry = _make_account()
    return ServerAccount(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _make_account() -> pwd.struct_passwd:
    made = subprocess.run(
        ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT_NAME],
        text=True,
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        raise ConfigError(f"Postgres cannot run as root and its account could not be made: {made.stderr.strip()}")
    return pwd.getpwnam(ACCOUNT_NAME)


def home_for(directory: Path, account: ServerAccount) -> Path:
    """A directory for one server: the one asked for, or one under /var/lib that the account can reach."""
    directory.mkdir(parents=True, exist_ok=True)
    if account.name is None:
        directory.chmod(0o700)
        return directory
    directory.chmod(0o711)
    if account.can_enter(directory):
        return directory
    home = SHARED_HOME / hashlib.sha256(str(directory).encode()).hexdigest()[:16]
    SHARED_HOME.mkdir(mode=0o711, parents=True, exist_ok=True)
    home.mkdir(mode=0o711, exist_ok=True)
    return home


def programs_for(programs: Path, account: ServerAccount) -> Path:
    """The directory of the server's programs, copied to /var/lib if the account cannot reach them."""
    if account.can_read(programs / "postgres") and account.can_enter(programs):
        return programs
    package = programs.parents[1]
    copy = SHARED_HOME / "programs" / hashlib.sha256(str(package).encode()).hexdigest()[:16]
    installed = copy / package.name / programs.parent.name
    if not installed.exists():
        copy.mkdir(mode=0o755, parents=True, exist_ok=True)
        for shared in (SHARED_HOME / "programs", SHARED_HOME):
            shared.chmod(0o711)
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, dirs_exist_ok=True)
        partial = installed.with_suffix(".partial")
        shutil.copytree(programs.parent, partial, dirs_exist_ok=True)
        partial.rename(installed)
    return installed / programs.name
