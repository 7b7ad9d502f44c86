"""A part of a log as it lies in an exported bundle: `domain.ports_sealing.StoredLog` over its files."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import json
import tarfile
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final, Self
from uuid import UUID

from domain.errors import SealError
from domain.ports_sealing import End, Start
from domain.sealing import SignedHead, Verifier
from domain.stored_page import NO_ROWS, PackedRow, StoredPage

PAGE_ROWS: Final = 2000
_UNREADABLE: Final = (OSError, EOFError, ValueError, KeyError, TypeError, tarfile.TarError)


class BundleLog:
    """Open one, then ask it as a log. Close it. Its manifest's signature and every file's digest have been checked."""

    whole = False

    def __init__(self, tar: tarfile.TarFile, verifier: Verifier) -> None:
        """Raises SealError: a file is missing, foreign or damaged, or the signature is wrong."""
        self._tar = tar
        entries = tar.getmembers()
        names = [entry.name for entry in entries]
        signed, signature = self._read("manifest.json"), self._read("manifest.sig")
        if not verifier.verifies(signed, signature):
            raise SealError("the bundle's manifest is not signed by this key")
        self.manifest: dict[str, Any] = json.loads(signed)
        told = {one["path"]: one for one in self.manifest["files"]}
        if wrong := sorted(set(told).symmetric_difference({*names} - {"manifest.json", "manifest.sig"})):
            raise SealError(f"the bundle {'misses' if wrong[0] in told else 'has a foreign file'} {wrong[0]}")
        if len(set(names)) != len(names) or not all(entry.isfile() for entry in entries):
            raise SealError("the bundle has something twice, or something that is no file")
        for name, one in told.items():
            if hashlib.sha256(self._read(name)).hexdigest() != one["sha256"]:
                raise SealError(f"{name} of the bundle is not what its manifest says")
        events, before = self.manifest["events"], self.manifest["proofs"]["before"]
        self._end = End(events["last_seq"], bytes.fromhex(events["hash"]))
        subtrees = tuple(bytes.fromhex(one) for one in before["subtrees"])
        self.start = Start(before["size"], bytes.fromhex(events["prev_hash"]), subtrees)
        self.behind = [bytes.fromhex(one) for one in self.manifest["proofs"]["after"]]
        self._heads = [SignedHead.from_json(json.loads(line)) for line in self._read("heads.jsonl").splitlines()]

    @classmethod
    def opened(cls, path: Path, verifier: Verifier) -> Self:
        """Of a file. Raises SealError."""
        with contextlib.ExitStack() as unless_opened:
            try:
                tar = unless_opened.enter_context(tarfile.open(path, "r:"))
                opened = cls(tar, verifier)
            except _UNREADABLE as cause:
                raise SealError(f"{path} is no bundle that can be checked: {cause}") from cause
            unless_opened.pop_all()
        return opened

    def close(self) -> None:
        """Let go of the file."""
        self._tar.close()

    async def end(self) -> End:
        """Its last event."""
        return self._end

    async def pages(self, after_seq: int, until_seq: int) -> AsyncGenerator[StoredPage, None]:
        """Its rows in order. Raises SealError."""
        rows = (row for row in self._rows() if after_seq < row[0] <= until_seq)
        while page := list(islice(rows, PAGE_ROWS)):
            yield StoredPage._make([list(column) for column in zip(*page, strict=True)])

    async def last_head(self) -> SignedHead | None:
        """The last one in it."""
        return self._heads[-1] if self._heads else None

    async def heads(self, after_number: int = 0) -> AsyncGenerator[SignedHead, None]:
        """Those of it, in order."""
        for head in self._heads:
            if head.number > after_number:
                yield head

    async def strays(self) -> StoredPage:
        """None: its rows are read wherever they lie."""
        return NO_ROWS

    async def version_gaps(self) -> list[tuple[str, int]]:
        """Not known of a part of a log."""
        return []

    def _rows(self) -> Iterator[PackedRow]:
        try:
            for name in sorted(one["path"] for one in self.manifest["files"] if one["path"].startswith("events/")):
                file = self._tar.extractfile(name)
                assert file is not None
                with gzip.open(file) as lines:
                    yield from map(_row, lines)
        except _UNREADABLE as cause:
            raise SealError(f"the bundle's events cannot be read: {cause}") from cause

    def _read(self, name: str) -> bytes:
        file = self._tar.extractfile(name)
        if file is None:
            raise SealError(f"the bundle has no file {name}")
        return file.read()


def _row(line: bytes) -> PackedRow:
    told = json.loads(line)
    return (
        told["seq"], UUID(told["stream"]).bytes, told["version"], told["topic"].encode(), told["recorded_time_ns"],
        base64.b64decode(told["state"], validate=True), bytes.fromhex(told["prev_hash"]), bytes.fromhex(told["hash"]),
    )  # fmt: skip
