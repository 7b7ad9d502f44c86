"""What takes a quoter's records out of its ring: seals them into segments and tells the log, in one append for each segment.

A segment's file is on the disk before the event that names its digest; the ring's slots are given free after the append. So after
a crash of this process, of the quoter or of both, what is in the ring and not in the log is sealed again, once.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import structlog
from numpy.typing import NDArray

from domain import merkle
from domain import quote as q
from domain.errors import JournalError, LogUnavailable, VersionConflict
from domain.event import Entry, Event, Meta
from domain.ports import Clock, EventLog
from domain.quote import Ending, Why
from ems.quoting import journal as j
from ems.quoting.derive import Derivation
from ems.quoting.segments import RECORDS, Record, pack, record_of

_log = structlog.get_logger("quote journal")
AT_ONCE: Final = 4 * RECORDS  # records taken out of the ring before others have their turn


class RingReader(Protocol):
    """The reader's side of `adapters.shm.ring.Ring`."""

    def published(self) -> int: ...
    def alone(self) -> bool: ...
    def slot(self, number: int) -> NDArray[np.uint8]: ...
    def rows(self, first: int, last: int) -> NDArray[np.uint8]: ...
    def drained(self, number: int) -> None: ...
    def ask_to_stop(self, why: int) -> None: ...
    def beat(self) -> None: ...


class Parts(NamedTuple):
    """What a drainer works with. seal_ns: how long a record waits for its segment to fill."""

    log: EventLog
    clock: Clock
    monotonic_ns: Callable[[], int]
    build: str
    seal_ns: int = 1_000_000_000


class Drainer:
    """One session's. `once` is called again and again until it says that the session is over.

    Args:
        folder: of the session: its segments, the states that the quoter kept, its ring.
    """

    def __init__(self, parts: Parts, ring: RingReader, folder: Path, opened: q.Opened, derivation: Derivation) -> None:
        self._parts = parts
        self._ring = ring
        self._folder = folder
        self._opened = opened
        self._derivation = derivation
        self.stream = q.key(opened.quoter, opened.trade_date, opened.run)
        self.session: q.Session | None = None  # as the log has it
        self._records: list[Record] = []  # taken and not yet in the log
        self._ready: tuple[int, list[Event]] | None = None  # a segment whose file is there: its records, and its events to append
        self._oldest_ns = 0  # monotonic, when the first of them was taken
        self._inventory: dict[int, int] = {}  # lots by instrument
        self.sealed_bytes = 0

    # ------------------------------------------------------------------------------------------ beginning

    async def begin(self) -> None:
        """Take up the session as the log has it, or write its first event. Raises LogError."""
        self.session = None
        for recorded in await self._parts.log.read(self.stream):
            self.session = q.evolve(self.session, recorded.event, stream=self.stream)
            self._derivation.know(recorded.event)
        if self.session is None:
            await self._append([self._opened])
        assert self.session is not None
        self._records = []
        self._ring.drained(self.session.record)

    # --------------------------------------------------------------------------------------------- working

    async def once(self) -> bool:
        """Take what is there and seal what is ripe. True: the session is over and all of it is in the log."""
        self._ring.beat()
        alone = self._ring.alone()  # asked first: what is written before it ends is seen below
        await self._take(self._last(recovering=alone))
        try:
            while self._ready is not None or (count := self._ripe(everything=alone)) > 0:
                if self._ready is None:
                    self._ready = await self._sealed(self._records[:count])
                await self._log_segment(*self._ready)
        except (OSError, LogUnavailable) as error:
            self._ring.ask_to_stop(Why.JOURNAL)
            _log.error("a segment cannot be kept; quoting is suspended", error=str(error), waiting=len(self._records))
            return False
        self._ring.ask_to_stop(0)
        if alone and not self._records and self._last(recovering=True) == self.taken:
            await self._stopped()
            return True
        return False

    @property
    def taken(self) -> int:
        """The last record that was taken out of the ring."""
        assert self.session is not None
        return self._records[-1].number if self._records else self.session.record

    def _last(self, *, recovering: bool) -> int:
        """The last record there is; after its writer's end also those that it had not come to publish, while they are whole."""
        last = max(self._ring.published(), self.taken)
        while recovering and j.whole(self._ring.slot(last + 1).view(np.int64), last + 1):
            last += 1
        return last

    async def _take(self, last: int) -> None:
        first = self.taken + 1
        last = min(last, first + AT_ONCE - 1)
        if first > last:
            return
        if not self._records:
            self._oldest_ns = self._parts.monotonic_ns()
        for number, row in enumerate(self._ring.rows(first, last), first):
            record = record_of(row)
            if record.number != number or record.head[j.CHECK] != j.check_of(row.view(np.int64), number):
                raise JournalError(f"record {number} of the ring is damaged: it says that it is {record.number}")
            self._records.append(record)
        await asyncio.sleep(0)

    def _ripe(self, *, everything: bool) -> int:
        """How many of the records that wait are the next segment; 0: none yet. A record of kind STATE is a segment's last."""
        limit = min(len(self._records), RECORDS)
        for count, record in enumerate(self._records[:limit], 1):
            if record.head[j.KIND] == j.STATE:
                return count
        old = everything or self._parts.monotonic_ns() - self._oldest_ns >= self._parts.seal_ns
        return limit if limit == RECORDS or old else 0

    async def _sealed(self, records: list[Record]) -> tuple[int, list[Event]]:
        """Write a segment's file; its events. Raises OSError: nothing has changed, and it can be tried again."""
        assert self.session is not None
        number = self.session.segment + 1
        state = self._folder / f"{records[0].number}.state"
        state_sha256 = await asyncio.to_thread(_on_disk, state) if state.exists() else ""
        data, root = await asyncio.to_thread(
            lambda: (
                pack(records, stream=str(self.stream), number=number, state_sha256=state_sha256),
                merkle.root([record.leaf() for record in records]),
            )
        )
        await asyncio.to_thread(keep, self._folder / f"{number:08}.segment", data)
        sealed = q.SegmentSealed(
            number=number, first=records[0].number, last=records[-1].number, inferences=sum(bool(r.digests) for r in records),
            first_ns=int(records[0].head[j.NOW_NS]), last_ns=int(records[-1].head[j.NOW_NS]), bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(), merkle_root=root.hex(), state_sha256=state_sha256,
        )  # fmt: skip
        return len(records), [*(event for record in records for event in self._derivation.events(record)), sealed]

    async def _log_segment(self, count: int, events: list[Event]) -> None:
        """Raises LogUnavailable: the same is to be tried again."""
        await self._append(events)
        self._ready = None
        for record in self._records[:count]:
            if record.head[j.INSTRUMENT] >= 0:
                self._inventory[int(record.head[j.INSTRUMENT])] = int(record.head[j.INVENTORY])
        self._ring.drained(self._records[count - 1].number)
        sealed = events[-1]
        assert isinstance(sealed, q.SegmentSealed)
        self.sealed_bytes += sealed.bytes
        del self._records[:count]
        self._oldest_ns = self._parts.monotonic_ns()

    async def _stopped(self) -> None:
        assert self.session is not None
        if self.session.over:
            return
        at = self._last(recovering=True)
        orderly = at > 0 and int(self._ring.slot(at).view(np.int64)[j.KIND]) == j.STOPPED
        lots = self._inventory
        held = {
            each.symbol: lots[each.number] * each.lot_e9 if each.number in lots else each.inventory_e9
            for each in self._opened.instruments
        }
        ending = Ending.ORDERLY if orderly else Ending.DIED
        await self._append([q.Stopped(ending=ending, last=at, records=self.session.record, inventory_e9=held)])

    # ------------------------------------------------------------------------------------------------ log

    async def _append(self, events: list[Event]) -> None:
        version = 0 if self.session is None else self.session.version
        now_ns = self._parts.clock.now_ns()
        meta = Meta(now_ns, f"system:quoter {self._opened.quoter}", self.stream, "journal", self._parts.build)
        try:
            await self._parts.log.append([Entry(self.stream, version, tuple(events), meta)])
        except VersionConflict:
            # An append whose answer was lost was written after all. Anything else would be another writer of this stream.
            there = await self._parts.log.read(self.stream, after_version=version)
            if [recorded.event for recorded in there] != events:
                raise
        for event in events:
            self.session = q.evolve(self.session, event, stream=self.stream)

    def status(self) -> dict[str, Any]:
        """For health."""
        session = self.session
        return {
            "run": self._opened.run,
            "segment": session.segment if session else 0,
            "record": session.record if session else 0,
            "waiting": len(self._records),
            "bytes": self.sealed_bytes,
        }


def _on_disk(path: Path) -> str:
    """The digest of a file that somebody else wrote, and that is on the disk afterwards. Raises OSError."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return hashlib.sha256(file.read()).hexdigest()


def keep(path: Path, data: bytes) -> None:
    """Write a file whole: under another name, to the disk, and then by its name. Raises OSError."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
