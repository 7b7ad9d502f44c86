"""An exported bundle as a source of stored rows: checked whole when it is opened, then asked like a database.

The events are laid out in a SQLite file of its own that is gone with the object, so that a bundle of any size takes no memory.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import sqlite3
import tarfile
import tempfile
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Final, Self

from domain.errors import ChainBroken, ConfigError, SealError
from domain.ports import Head
from domain.sealing import SignedHead
from domain.stored import ChainWalk, StoredRow
from domain.values import StreamId, id_bytes

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
HEADS: Final = "heads.jsonl"
EVENTS: Final = "events/"
_PAGE_ROWS: Final = 2000
_ALWAYS: Final = frozenset({MANIFEST, SIGNATURE})
_TABLE: Final = """
CREATE TABLE events (seq INTEGER PRIMARY KEY, stream TEXT, version INTEGER, topic TEXT, recorded_time_ns INTEGER, state BLOB,
                     prev_hash BLOB, hash BLOB);
"""
_COLUMNS: Final = "seq, stream, version, topic, recorded_time_ns, state, prev_hash, hash"
_ROWS: Final = f"SELECT {_COLUMNS} FROM events"  # noqa: S608 (a constant)
_MANY: Final = 500  # parameters of one question

Verifies = Callable[[bytes, bytes], bool]  # (what was signed, signature)


class BundleRows:
    """`ems.audit.source.Source` of a bundle, or of several that follow one another. Close it to remove what it was laid out in.

    Args:
        paths: the archives, one at least, in the order of their days.
        verifies: whether the manifest is signed by the key that is trusted.

    Raises:
        ConfigError: it is no bundle, a file is missing, foreign or altered, its chain is broken, or the key is another's.
    """

    def __init__(self, paths: Sequence[Path], verifies: Verifies) -> None:
        self.name = f"bundle {' and '.join(path.name for path in paths)}"
        self.heads: list[SignedHead] = []
        self.manifests: list[dict[str, Any]] = []
        self._walk: ChainWalk | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="ems-bundle-")
        self._rows = sqlite3.connect(Path(self._folder.name) / "rows.sqlite", check_same_thread=False)
        try:
            self._rows.executescript(_TABLE)
            for path in paths:
                self._open(path, verifies)
            self._finish(paths[0])
        except BaseException:
            self.close()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget it."""
        self._rows.close()
        self._folder.cleanup()

    # ----------------------------------------------------------------------------------------- opening

    def _open(self, path: Path, verifies: Verifies) -> None:
        try:
            with tarfile.open(path) as archive:
                self._take(path, archive, verifies)
        except ChainBroken as cause:
            raise ConfigError(f"{path}: {cause}") from cause
        except (OSError, tarfile.TarError, EOFError, ValueError, KeyError, TypeError, SealError, sqlite3.Error) as cause:
            raise ConfigError(f"{path} is no bundle that can be read: {cause}") from cause

    def _take(self, path: Path, archive: tarfile.TarFile, verifies: Verifies) -> None:
        entries = archive.getmembers()
        members = {member.name: member for member in entries if member.isfile()}
        if len(members) != len(entries):
            raise ConfigError(f"{path} has something twice, or something that is no file")
        for needed in sorted(_ALWAYS - members.keys()):
            raise ConfigError(f"{path} is no bundle: it has no {needed}")
        said = _bytes(archive, members[MANIFEST])
        manifest: dict[str, Any] = json.loads(said)
        if not verifies(said, _bytes(archive, members[SIGNATURE])):
            raise ConfigError(f"{path}: its manifest is not signed by the key")
        files = {told["path"]: told["sha256"] for told in manifest["files"]}
        for name in sorted(files.keys() - members.keys()):
            raise ConfigError(f"{path}: {name} is in the manifest and not in the bundle")
        for name in sorted(members.keys() - files.keys() - _ALWAYS):
            raise ConfigError(f"{path}: {name} is in the bundle and not in the manifest")
        for name, digest in sorted(files.items()):
            with _file(archive, members[name]) as file:
                if _digest(file) != digest:
                    raise ConfigError(f"{path}: {name} is not what the manifest says: its digest differs")
        for name in sorted(files):
            if name.startswith(EVENTS):
                self._lay(archive, members[name])
        self.manifests.append(manifest)
        if HEADS in members:
            self.heads += [SignedHead.from_json(json.loads(line)) for line in _bytes(archive, members[HEADS]).splitlines()]

    def _lay(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        """A file of events into the table, each link of their chain checked on the way."""
        with _file(archive, member) as file, gzip.open(file) as lines:
            rows = [_row(line) for line in lines]
        for row in rows:
            if self._walk is None:
                self._walk = ChainWalk(row.seq - 1, row.prev_hash)
            self._walk.check(row)
        self._rows.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _finish(self, path: Path) -> None:
        if self._walk is None:
            raise ConfigError(f"{path} holds no event")
        self._rows.execute("CREATE UNIQUE INDEX by_stream ON events (stream, version)")
        self._rows.commit()
        self._head = Head(self._walk.seq, self._walk.hash, 0)

    @property
    def proofs(self) -> dict[str, Any]:
        """What ties the rows to the log's tree: the subtrees before the first, the leaves behind the last."""
        return {"before": self.manifests[0]["proofs"]["before"], "after": self.manifests[-1]["proofs"]["after"]}

    @property
    def key(self) -> bytes:
        """The public key that the last bundle names itself."""
        return bytes.fromhex(self.manifests[-1]["key"]["ed25519"])

    # ------------------------------------------------------------------------------------------ asking

    async def head(self) -> Head:
        """The end of what was exported."""
        return self._head

    async def streams(self, ids: Collection[StreamId], until_seq: int) -> list[StoredRow]:
        """The events of some streams up to a sequence number, in the order of the log."""
        found = []
        for part in _parts(sorted(set(ids))):
            places = ",".join("?" * len(part))
            found += self._fetch(f"{_ROWS} WHERE stream IN ({places}) AND seq <= ?", (*part, until_seq))
        return sorted(found)

    async def last_of(self, stream: StreamId, until_seq: int) -> StoredRow | None:
        """The last event of a stream up to a sequence number."""
        found = self._fetch(f"{_ROWS} WHERE stream = ? AND seq <= ? ORDER BY version DESC LIMIT 1", (stream, until_seq))
        return found[0] if found else None

    async def beginning(self, digits: str) -> list[StreamId]:
        """Streams whose id begins with these hexadecimal digits."""
        low, high = (_dashed(digits.ljust(32, fill)) for fill in "0f")
        found = self._rows.execute("SELECT DISTINCT stream FROM events WHERE stream BETWEEN ? AND ?", (low, high))
        return [StreamId(row[0]) for row in found]

    async def mentioning(self, text: bytes, until_seq: int, limit: int) -> list[StoredRow]:
        """The first events whose stored bytes hold a text."""
        return self._fetch(f"{_ROWS} WHERE instr(state, ?) > 0 AND seq <= ? ORDER BY seq LIMIT ?", (text, until_seq, limit))

    async def rows(self, seqs: Collection[int]) -> list[StoredRow]:
        """The events with these numbers that there are, in order."""
        found = []
        for part in _parts(sorted(set(seqs))):
            found += self._fetch(f"{_ROWS} WHERE seq IN ({','.join('?' * len(part))})", tuple(part))
        return sorted(found)

    async def hashes(self, first_seq: int, last_seq: int) -> list[bytes]:
        """The chain hashes of the events from one number to another, both included."""
        query = "SELECT hash FROM events WHERE seq BETWEEN ? AND ? ORDER BY seq"
        return [row[0] for row in self._rows.execute(query, (first_seq, last_seq))]

    async def recorded_by(self, time_ns: int) -> int:
        """How many events had been recorded up to a moment; 0 before the first that was exported."""
        query = "SELECT coalesce((SELECT min(seq) - 1 FROM events WHERE recorded_time_ns > ?), max(seq)) FROM events"
        (before,) = self._rows.execute(query, (time_ns,)).fetchone()
        (first,) = self._rows.execute("SELECT min(seq) FROM events").fetchone()
        return int(before) if before >= first else 0

    async def pages(self, after_seq: int, until_seq: int) -> AsyncIterator[tuple[list[Any], ...]]:
        """Every event in order, in columns."""
        while True:
            last = min(after_seq + _PAGE_ROWS, until_seq)
            rows = self._fetch(f"{_ROWS} WHERE seq > ? AND seq <= ? ORDER BY seq", (after_seq, last))
            if not rows:
                return
            yield tuple(list(column) for column in zip(*rows, strict=True))
            after_seq = rows[-1].seq

    def _fetch(self, query: str, parameters: tuple[Any, ...]) -> list[StoredRow]:
        return [StoredRow._make(row) for row in self._rows.execute(query, parameters)]


def _file(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(member)
    assert file is not None, member.name
    return file


def _digest(file: IO[bytes]) -> str:
    sha = hashlib.sha256()
    while part := file.read(1 << 20):
        sha.update(part)
    return sha.hexdigest()


def _bytes(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    with _file(archive, member) as file:
        return file.read()


def _row(line: bytes) -> StoredRow:
    told = json.loads(line)
    stream = StreamId(told["stream"])
    id_bytes(stream)  # a ValueError where it is none
    return StoredRow(
        told["seq"], stream, told["version"], told["topic"], told["recorded_time_ns"],
        base64.b64decode(told["state"], validate=True), bytes.fromhex(told["prev_hash"]), bytes.fromhex(told["hash"]),
    )  # fmt: skip


def _parts(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _MANY):
        yield values[start : start + _MANY]


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
