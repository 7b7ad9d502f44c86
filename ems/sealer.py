"""The sealer: reads what was committed back, hashes it again, and signs where the log stands, at least each second.

It signs nothing that does not continue what it has signed before. It writes no event: heads lie in a table of their own and in
anchors outside of the database. It holds nothing that cannot be read again: killed at any point, it goes on from the last head.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any, Final

import structlog

from domain.errors import ChainBroken, EmsError, LogUnavailable, SealError
from domain.event import GENESIS_HASH
from domain.log_faults import ChainExam
from domain.ports import Clock
from domain.ports_sealing import Anchor, SealedLog
from domain.sealed_tree import SealedTree
from domain.sealing import SHORT, TILE, TILE_LEVEL, Anchored, SignedHead, Signer, Verifier, leaves, signed, unlinked, unsigned

_log = structlog.get_logger("sealer")

EVERY_S: Final = 0.5  # so that a head follows an event within a second
AGAIN_S: Final = 5.0  # after something went wrong
HEAD_EVENTS_MAX: Final = 100_000  # of a backlog: what is sealed so far stays sealed


class Sealer:
    """One at a time for a log.

    Args:
        verifier: of the signer's own public key.
        monotonic_s: for how often anchors want a head.
    """

    def __init__(
        self, log: SealedLog, signer: Signer, verifier: Verifier, anchors: Sequence[Anchor], clock: Clock,
        *, monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._log = log
        self._signer = signer
        self._verifier = verifier
        self._anchors = anchors
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._tree = SealedTree()
        self._head: SignedHead | None = None
        self._shorts = b""  # of the events that the last head added
        self._resumed = False
        self._told_s: dict[str, float] = {}
        self._anchored: dict[str, int] = {}
        self._state = "starting"

    def status(self) -> dict[str, Any]:
        """For whoever asks. `up`: it seals, or waits behind another that does."""
        head = self._head
        return {
            "up": self._state in ("starting", "sealing", "standing by"),
            "state": self._state,
            "heads": head.number if head else 0,
            "sealed": head.size if head else 0,
            "anchored": dict(self._anchored),
            "public_key": self._signer.public_key.hex(),
        }

    async def run(self, stop: asyncio.Event) -> None:
        """Seal until told to stop, then what is left. What goes wrong is told, and tried again: it stops nobody else."""
        while not stop.is_set():
            pause_s = EVERY_S
            try:
                await self.turn()
            except EmsError as error:
                pause_s = AGAIN_S
                self._fail(error)
            await _wait(stop, pause_s)
        try:
            await self.turn()
        except EmsError as error:
            self._fail(error)

    async def turn(self) -> None:
        """Seal and anchor what there is.

        Raises:
            ChainBroken: the log is not what was sealed, or does not continue it.
            SealError: the heads or an anchor are not ours.
            LogUnavailable: the database does not answer.
        """
        try:
            if not self._resumed and not await self._resume():
                self._state = "standing by"
                return
            while await self._seal():
                pass
        except EmsError:
            self._resumed = False  # what was stored and what was not is looked up again
            await self._log.close()
            raise
        failed = await self._anchor()
        self._say(f"sealing, but not anchoring: {failed}" if failed else "sealing")

    async def close(self) -> None:
        """Let another seal."""
        self._resumed = False
        await self._log.close()

    # ------------------------------------------------------------------------------------------- resuming

    async def _resume(self) -> bool:
        """Go on from the last head; False while another sealer holds the log."""
        if not await self._log.take():
            return False
        head = await self._log.last_head()
        tree, self._anchored = SealedTree(), {}
        if head is not None:
            tree = await _tree(self._log, head.size)
            before = [one async for one in self._log.heads(head.number - 2)] if head.number > 1 else [head]
            if why := unsigned(head, self._verifier) or unlinked(head, before[0] if head.number > 1 else None):
                raise SealError(f"the log's last head is not to be continued: {why}")
            if tree.root() != head.root:
                raise ChainBroken(f"the log up to event {head.size} is not what head {head.number} sealed")
        for anchor in self._anchors:
            await self._agree(anchor, head)
        self._tree, self._head, self._resumed = tree, head, True
        return True

    async def _agree(self, anchor: Anchor, head: SignedHead | None) -> None:
        """An anchor must not know of more than the log, nor of anything else."""
        last = await asyncio.to_thread(anchor.last)
        self._anchored[anchor.name] = last.number if last else 0
        if last is None:
            return
        if head is None or last.number > head.number:
            held = head.size if head else 0
            raise ChainBroken(
                f"the anchor {anchor.name} knows of event {last.size}, the log's heads end at event {held}: "
                "an older copy of the database was put in its place, or its end was cut off"
            )
        async with aclosing(self._log.heads(last.number - 1)) as heads:
            stored = await anext(heads, None)
        if stored != last:
            raise ChainBroken(f"head {last.number} in the database is not the one that the anchor {anchor.name} keeps")

    # ------------------------------------------------------------------------------------------- sealing

    async def _seal(self) -> bool:
        """Sign a head over what has been committed since the last; False where that is nothing."""
        end = await self._log.end()
        sealed = self._tree.size
        if end.seq < sealed:
            raise ChainBroken(f"the log ends at event {end.seq}, but it was sealed up to event {sealed}: its end was cut off")
        if end.seq == sealed:
            if self._head is not None and end.hash != self._head.chain_hash:
                raise ChainBroken(f"event {sealed} is not the one that was sealed: the log's head has another hash")
            return False
        until = min(end.seq, sealed + HEAD_EVENTS_MAX)
        tree, tiles, shorts = self._tree.copy(), list[bytes](), list[bytes]()
        exam = ChainExam(sealed, self._head.chain_hash if self._head else GENESIS_HASH)
        async with aclosing(self._log.pages(sealed, until)) as pages:
            async for page in pages:
                if not page.continues(exam.seq, exam.hash):
                    exam.take(page)
                    exam.finish(until, b"")
                    raise ChainBroken(exam.faults[0].text)
                exam.seq, exam.hash = page.seqs[-1], page.hashes[-1]
                tiles += tree.extend(leaves(page.hashes, page.seqs[0]))
                shorts.append(_shorts(page.hashes))
        if exam.seq != until or (until == end.seq and exam.hash != end.hash):
            raise ChainBroken(f"the log's head is event {end.seq}, but its rows end at event {exam.seq} or with another hash")
        head = signed(self._head, until, tree.root(), exam.hash, self._clock.now_ns(), self._signer)
        await self._log.put(head, tiles, sealed >> TILE_LEVEL)
        self._tree, self._head, self._shorts = tree, head, b"".join(shorts)
        return until < end.seq

    async def _anchor(self) -> str:
        """Tell every anchor what it wants to know. One that fails is tried again, and holds up neither sealing nor the others."""
        failed: list[str] = []
        for anchor in self._anchors:
            try:
                await self._tell(anchor)
            except SealError as error:
                failed.append(str(error))
        return "; ".join(failed)

    async def _tell(self, anchor: Anchor) -> None:
        head, known = self._head, self._anchored.get(anchor.name, 0)
        if head is None or head.number == known:
            return
        now_s = self._monotonic_s()
        if now_s - self._told_s.get(anchor.name, -1e9) < anchor.every_s:
            return
        self._told_s[anchor.name] = now_s
        if not anchor.complete or known == head.number - 1:
            await asyncio.to_thread(anchor.keep, Anchored(head, self._shorts if anchor.complete else b""))
            self._anchored[anchor.name] = head.number
            return
        async with aclosing(self._log.heads(max(0, known - 1))) as heads:
            size = one.size if known and (one := await anext(heads, None)) else 0
            async for one in heads:
                hashes = await self._log.hashes(size, one.size)
                await asyncio.to_thread(anchor.keep, Anchored(one, _shorts(hashes)))
                self._anchored[anchor.name], size = one.number, one.size

    def _fail(self, error: EmsError) -> None:
        self._say("waiting for the database" if isinstance(error, LogUnavailable) else f"not sealing: {error}")

    def _say(self, state: str) -> None:
        """What it does now; what is new and wrong is told once."""
        if state != self._state and state != "sealing":
            (_log.warning if state.startswith("waiting") else _log.critical)(state)
        self._state = state


def _shorts(hashes: Sequence[bytes]) -> bytes:
    return b"".join([hash_[:SHORT] for hash_ in hashes])


async def _tree(log: SealedLog, size: int) -> SealedTree:
    """The tree of the first events, from its tiles and the rows behind them."""
    full = size >> TILE_LEVEL
    tiles, rest = await log.tiles(0, full), await log.hashes(full * TILE, size)
    if len(tiles) != full or len(rest) != size - full * TILE:
        raise ChainBroken(f"the tiles or rows of the sealed log up to event {size} are not all there")
    return SealedTree(tiles, leaves(rest, full * TILE + 1))


async def _wait(stop: asyncio.Event, for_s: float) -> None:
    try:
        async with asyncio.timeout(for_s):
            await stop.wait()
    except TimeoutError:
        return
