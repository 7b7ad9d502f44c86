"""The gateway's own memory across restarts: a small memory-mapped file of counters, one record a session.

Written with plain stores (no call into the system), so it can be kept up to date for every message and still
survives a killed process. What a power cut takes is repeated by FIX and by the desk.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final

from domain.errors import ConfigError

_MAGIC: Final = b"EMSFIX01"
_GLOBAL: Final = struct.Struct(">8sQQQ")  # magic, highest epoch, acknowledged frame, cancel-alls so far
_EPOCH_AT, _ACKNOWLEDGED_AT, _CANCEL_ALL_AT = 8, 16, 24
_RECORDS_AT: Final = 64
_RECORD_BYTES: Final = 192
_NAME_BYTES: Final = 64
_SESSIONS_MAX: Final = 256
_U64: Final = struct.Struct(">Q")
_pack_into = _U64.pack_into
_unpack_from = _U64.unpack_from


class _Counter:
    """An unsigned 64-bit number at a fixed place of the owner's map."""

    def __init__(self, offset: int) -> None:
        self._offset = offset

    def __get__(self, owner: SessionState, _type: type | None = None) -> int:
        value: int = _unpack_from(owner.map, owner.offset + self._offset)[0]
        return value

    def __set__(self, owner: SessionState, value: int) -> None:
        _pack_into(owner.map, owner.offset + self._offset, value)


class SessionState:
    """One session's counters."""

    reset_epoch = _Counter(64)  # how often the numbering has started again
    sent_seq = _Counter(72)  # log sequence of the last report handed to FIX
    delivered_seq = _Counter(80)  # the same, of the last one handed over while the peer was logged on
    inbound_seq_num = _Counter(88)  # MsgSeqNum of the last application message received

    def __init__(self, memory: mmap.mmap, offset: int) -> None:
        self.map = memory
        self.offset = offset

    @property
    def created(self) -> str:
        """When the engine's store was created or last reset, as the store says; "" before the first logon."""
        return self.map[self.offset + 96 : self.offset + 128].rstrip(b"\0").decode()

    @created.setter
    def created(self, text: str) -> None:
        self.map[self.offset + 96 : self.offset + 128] = text.encode()[:32].ljust(32, b"\0")


class GatewayState:
    """The whole file: global counters, and a record for each session name that ever was."""

    def __init__(self, path: Path) -> None:
        size = _RECORDS_AT + _RECORD_BYTES * _SESSIONS_MAX
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, size)  # a map over a hole ends its process on a full disk
            self._map = mmap.mmap(file, size)
        finally:
            os.close(file)
        if self._map[:8] == bytes(8):
            self._map[:8] = _MAGIC
        elif self._map[:8] != _MAGIC:
            raise ConfigError(f"{path} is not a gateway state file")

    @property
    def epoch(self) -> int:
        """The highest epoch that any desk has shown; a lower one is refused."""
        return self._read(_EPOCH_AT)

    @epoch.setter
    def epoch(self, value: int) -> None:
        _pack_into(self._map, _EPOCH_AT, value)

    @property
    def acknowledged(self) -> int:
        """Spooled frames up to this number are durable at the desk."""
        return self._read(_ACKNOWLEDGED_AT)

    @acknowledged.setter
    def acknowledged(self, value: int) -> None:
        _pack_into(self._map, _ACKNOWLEDGED_AT, value)

    def next_cancel_all(self) -> int:
        """Count one more cancel-all; the number makes its cancels' ClOrdIDs unique."""
        number = self._read(_CANCEL_ALL_AT) + 1
        _pack_into(self._map, _CANCEL_ALL_AT, number)
        return number

    def session(self, name: str) -> SessionState:
        """The record of a session, made when it is new. Raises ConfigError for one name too many or too long."""
        key = name.encode()
        if not 0 < len(key) <= _NAME_BYTES:
            raise ConfigError(f"session name {name!r} must have 1 to {_NAME_BYTES} bytes")
        for offset in range(_RECORDS_AT, _RECORDS_AT + _RECORD_BYTES * _SESSIONS_MAX, _RECORD_BYTES):
            found = self._map[offset : offset + _NAME_BYTES].rstrip(b"\0")
            if not found:
                self._map[offset : offset + _NAME_BYTES] = key.ljust(_NAME_BYTES, b"\0")
            if found in (b"", key):
                return SessionState(self._map, offset)
        raise ConfigError(f"a gateway keeps at most {_SESSIONS_MAX} sessions")

    def close(self) -> None:
        """Flush to the file. The map stays until the last session record is gone."""
        self._map.flush()

    def _read(self, offset: int) -> int:
        value: int = _unpack_from(self._map, offset)[0]
        return value
