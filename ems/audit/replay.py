"""The log read once, verified and folded: this process reads and hashes, another one, without network, folds what was hashed.

No snapshot is read, nothing is sent, nothing is written. A page goes to the folding process after its chain has been checked, so
the state is that of the very bytes that the root is over. Two processes share the work, which keeps verifying nearly free.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any, Final, NamedTuple

from domain.errors import ChainBroken, LogError, ProcessFailed
from domain.event import GENESIS_HASH, link_hash
from domain.merkle import Frontier
from domain.sealing import leaves
from domain.stored import ChainWalk
from ems.audit import folding
from ems.audit.folding import Folded, Wanted
from ems.audit.source import Page, Source

_START_S, _END_S = 60.0, 600.0
fromhex: Final = bytes.fromhex


class Replayed(NamedTuple):
    """A log folded and verified up to one place. root: of the RFC 9162 tree over its events (`domain.sealing.leaves`)."""

    source: str
    seq: int
    hash: str
    root: str
    digests: tuple[tuple[int, str], ...]
    network: str
    parents: int
    children: int
    fills: int
    seconds: float  # of reading, verifying and folding; what the digests took is beside it
    digest_s: float
    rss_mb: float  # of the folding process

    def row(self) -> dict[str, Any]:
        """For machines."""
        rate = round(self.seq / self.seconds) if self.seconds else 0
        return {**self._asdict(), "digest": self.digests[-1][1], "events_per_s": rate, "snapshots": 0, "sent": 0}


class Verifying:
    """Chain and tree of pages in order, as they go by."""

    def __init__(self) -> None:
        self._walk = ChainWalk(0, GENESIS_HASH)
        self._tree = Frontier()

    def take(self, page: Page) -> None:
        """The next page. Raises ChainBroken with the place of what is wrong."""
        walk = self._walk
        seqs, streams, versions, topics, times_ns, states, prev_hashes, hashes = page
        ids = [fromhex(stream.replace("-", "")) for stream in streams]
        names = [topic.encode() for topic in topics]
        whole = (
            seqs == list(range(walk.seq + 1, walk.seq + 1 + len(seqs)))
            and prev_hashes == [walk.hash, *hashes[:-1]]
            and list(map(link_hash, prev_hashes, seqs, ids, versions, times_ns, names, states)) == hashes
        )
        if whole:
            walk.seq, walk.hash = seqs[-1], hashes[-1]
        else:
            for row in zip(*page, strict=True):  # event by event, to say which one it is
                walk.check(row)
        self._tree.extend(leaves(hashes, seqs[0]))

    @property
    def seq(self) -> int:
        """The last event taken."""
        return self._walk.seq

    @property
    def hash(self) -> bytes:
        """Of that event."""
        return self._walk.hash

    def root(self) -> bytes:
        """Over all events taken."""
        return self._tree.root()


async def replay(source: Source, until_seq: int, wanted: Wanted, deny: Callable[[], str] | None) -> Replayed:
    """Fold and verify the events 1 to until_seq.

    Args:
        deny: what the folding process calls first, to deny itself the network; None where that is not asked for.

    Raises:
        ChainBroken: an event is missing, altered or out of place; the message names it.
        LogError: an event cannot be read or folded, or the source does not reach so far.
        ProcessFailed: the folding process has gone.
    """
    verifying = Verifying()
    with _folder(wanted, deny) as (pages, answer):
        answer.wait_ready()
        began = time.perf_counter()
        async for page in source.pages(0, until_seq):
            verifying.take(page)
            seqs, streams, _, topics, times_ns, states, _, _ = page
            _send(pages, (seqs, streams, times_ns, topics, states), answer)
        _send(pages, None, answer)
        told = answer.wait()
    if isinstance(told, str):
        raise LogError(f"the log cannot be folded: {told}")
    if (verifying.seq, told.seq) != (until_seq, until_seq):
        raise ChainBroken(f"the {source.name} ends at event {verifying.seq}, not at {until_seq}")
    seconds = time.perf_counter() - began - told.digest_s
    return Replayed(
        source.name, told.seq, verifying.hash.hex(), verifying.root().hex(), told.digests, told.network, told.parents,
        told.children, told.fills, seconds, told.digest_s, told.rss_mb,
    )  # fmt: skip


class _Answer:
    """What the folding process will say: taken by a thread, so that it never waits to be heard."""

    def __init__(self, inward: Connection) -> None:
        self._told: Folded | str | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._take, args=(inward,), daemon=True)
        self._thread.start()

    def _take(self, inward: Connection) -> None:
        try:
            inward.recv()
            self._ready.set()
            self._told = inward.recv()
        except EOFError:
            self._ready.set()  # it has gone: whoever waits finds out when it asks

    def wait_ready(self) -> None:
        """Until it can fold."""
        self._ready.wait(_START_S)

    def wait(self) -> Folded | str:
        """Its last word. Raises ProcessFailed where it has gone without one."""
        self._thread.join(_END_S)
        if self._told is None:
            raise ProcessFailed("the folding process has gone without an answer")
        return self._told


def _send(pages: Connection, page: folding.Sent, answer: _Answer) -> None:
    try:
        pages.send(page)
    except (BrokenPipeError, ConnectionResetError) as cause:
        told = answer.wait()
        raise LogError(f"the log cannot be folded: {told}") from cause


@contextmanager
def _folder(wanted: Wanted, deny: Callable[[], str] | None) -> Iterator[tuple[Connection, _Answer]]:
    context = multiprocessing.get_context("spawn")
    inward, pages = context.Pipe(duplex=False)
    heard, outward = context.Pipe(duplex=False)
    process = context.Process(target=folding.fold, args=(inward, outward, deny, wanted), name="ems-fold", daemon=True)
    process.start()
    inward.close()
    outward.close()  # the process alone holds these ends: when it goes, this one hears it
    try:
        yield pages, _Answer(heard)
    finally:
        pages.close()
        process.join(1)
        if process.is_alive():
            process.terminate()
            process.join()
        heard.close()
