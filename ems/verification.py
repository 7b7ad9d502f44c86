"""`ems audit verify`: does the log prove itself? Every row, every link, every sealed head here and outside; and where not.

One walk over the log, memory flat. Rows are checked page by page; at every size that a head was signed for, the tree's root is
compared with what was signed. A root that differs where the chain holds is a log that somebody wrote anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any, Final, NamedTuple
from uuid import UUID

from domain.errors import ChainBroken
from domain.log_faults import ChainExam, Fault, fault_of, placed
from domain.merkle import Frontier
from domain.ports_sealing import Anchor, End, StoredLog
from domain.sealing import SHORT, Anchored, SignedHead, Verifier, leaves
from domain.stored_page import StoredPage
from ems.sealed_sources import HeadSource

_UNTIL_THE_LAST: Final = (1 << 63) - 1


class Report(NamedTuple):
    """What was found."""

    events: int
    sealed: int  # the last event that a signed head vouches for
    heads: dict[str, int]  # the number of the last head, of the log and of each anchor
    faults: list[Fault]
    warnings: list[str]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong, and a signed head says so: of a log that was never sealed nothing is proved."""
        return not self.faults and (self.sealed > 0 or self.events == 0)

    def to_json(self) -> dict[str, Any]:
        """One object."""
        return {"ok": self.ok, **self._asdict(), "faults": [fault.to_json() for fault in self.faults]}


async def verify(log: StoredLog, anchors: Sequence[Anchor], verifier: Verifier) -> Report:
    """Check everything that there is.

    Where the heads end is asked before where the log ends, of anchors first: so a log that is written to and sealed meanwhile
    reaches further than what vouches for it, never less far.

    Raises:
        LogUnavailable: the database does not answer.
    """
    sources = [HeadSource.of_anchor(anchor, verifier) for anchor in anchors]
    last = await log.last_head()
    async with aclosing(log.heads()) as heads:
        until = last.number if last else 0
        own = HeadSource("the log", _anchored(heads), verifier, until=until, complete=True, linked=log.whole)
        walk = _Walk(log, [*sources, own])
        await walk.run()
    for anchor, source in zip(anchors, sources, strict=True):
        if log.whole:
            walk.compare_ends(source, own, complete=anchor.complete)
        elif source.compared == 0:
            walk.warn(f"no head of the anchor {source.name} lies within this part of the log")
    return walk.report()


async def _anchored(heads: AsyncIterator[SignedHead]) -> AsyncIterator[Anchored]:
    async for head in heads:
        yield Anchored(head)


class _Walk:
    """Over the rows of a log, with the tree that grows beside them."""

    def __init__(self, log: StoredLog, sources: Sequence[HeadSource]) -> None:
        start = log.start
        self._log = log
        self._sources = sources
        self._exam = ChainExam(start.seq, start.hash)
        self._tree: Frontier | None = Frontier(start.seq, start.subtrees)  # None: rows are missing that nothing stands in for
        self._recent: list[bytes] = []  # hashes since the last head that an anchor keeps short hashes for
        self._faults: list[Fault] = []
        self._rewritten = False
        self._end = End(0, b"")
        self._reach = 0  # what the tree has grown to
        self._warnings: list[str] = []

    async def run(self) -> None:
        """All of it."""
        for source in self._sources:
            await source.advance()
            while source.next is not None and source.next.head.size <= self._log.start.seq:
                await source.advance()
        try:
            self._end = await self._log.end()
            until = self._end.seq
        except ChainBroken as error:
            self._faults.append(Fault("head", 0, "", 0, str(error)))
            until = _UNTIL_THE_LAST
        async with aclosing(self._log.pages(self._log.start.seq, until)) as pages:
            async for page in pages:
                self._exam.take(page)
                await self._grow(page)
        if until == _UNTIL_THE_LAST:
            self._end = End(self._exam.seq, self._exam.hash)
        self._exam.finish(*self._end)
        await self._grow_behind(self._log.behind)
        for source in self._sources:
            await self._behind_the_end(source)
        await self._name_the_missing()

    def compare_ends(self, source: HeadSource, own: HeadSource, *, complete: bool) -> None:
        """What an anchor knows, the log must know too; what the log knows, an anchor may be told a little later."""
        if source.last is None:
            if own.last is not None and not source.faults:
                self._warnings.append(f"the anchor {source.name} keeps no head of this log")
        elif own.last is None or own.last.number < source.last.number:
            kept = own.last.number if own.last else 0
            text = f"the log keeps {kept} heads, the anchor {source.name} knows of head {source.last.number}"
            self._faults.append(Fault("head", source.last.size, "", 0, text))
        elif own.last.number == source.last.number and own.last != source.last:
            text = f"head {own.last.number} of the log is not the one that the anchor {source.name} keeps"
            self._faults.append(Fault("head", source.last.size, "", 0, text))
        elif complete and own.last.number > source.last.number + 1:
            self._warnings.append(f"the anchor {source.name} ends at head {source.last.number} of {own.last.number}")

    def warn(self, text: str) -> None:
        """Something that a person should know."""
        self._warnings.append(text)

    def report(self) -> Report:
        """What was found, in the order of the log."""
        sealed = max((source.size for source in self._sources if source.compared), default=0)
        faults = [*self._faults, *self._exam.faults, *(fault for source in self._sources for fault in source.faults)]
        events = self._end.seq
        if events > sealed:
            text = f"events {sealed + 1} to {events} are not sealed yet" if sealed else "no signed head vouches for this log"
            self._warnings.append(text)
        heads = {source.name: source.last.number if source.last else 0 for source in self._sources}
        return Report(events, sealed, heads, sorted(faults, key=lambda fault: fault.seq), self._warnings)

    # ------------------------------------------------------------------------------------------- the tree

    async def _grow(self, page: StoredPage) -> None:
        """Add the leaves of a page, and compare the root at each size that a head was signed for."""
        first = 0
        while self._tree is not None and first < len(page.seqs):
            boundary = min((source.next.head.size for source in self._sources if source.next), default=_UNTIL_THE_LAST)
            if page.seqs[first] == self._tree.size + 1:
                last = min(len(page.seqs), first + boundary - self._tree.size)
                if page.seqs[last - 1] - page.seqs[first] != last - 1 - first:  # rows are missing among these
                    last = next(at for at in range(first + 1, last) if page.seqs[at] != page.seqs[at - 1] + 1)
                hashes, first = page.hashes[first:last], last
            elif page.seqs[first] == self._tree.size + 2:  # one row is missing: the next one names its hash
                hashes = [page.prev_hashes[first]]
            else:  # in place of several there is nothing
                self._tree = None
                return
            self._tree.extend(leaves(hashes, self._tree.size + 1))
            self._recent += hashes
            if self._tree.size == boundary:
                await self._compare(self._tree, hashes[-1])
            elif not any(source.next and source.next.shorts for source in self._sources):
                self._recent.clear()

    async def _grow_behind(self, behind: Sequence[bytes]) -> None:
        """Leaves without rows, one by one: a head that was signed for them vouches for the rows before."""
        tree = self._tree
        if tree is None or tree.size != self._end.seq:
            self._reach = self._end.seq
            return
        for leaf in behind:
            tree.extend([leaf])
            if any(source.next and source.next.head.size == tree.size for source in self._sources):
                await self._compare(tree, None)
        self._reach = tree.size

    async def _compare(self, tree: Frontier, hash_: bytes | None) -> None:
        """What was signed for this size; hash_: of its last event, where that is known."""
        root = tree.root()
        for source in self._sources:
            if source.next is None or source.next.head.size != tree.size:
                continue
            head, shorts = source.next.head, source.next.shorts
            if not self._rewritten and (head.root != root or hash_ not in (None, head.chain_hash)):
                self._faults.append(await self._located(source, head, shorts))
                self._rewritten = bool(shorts) or source is self._sources[-1]
            source.compared += 1
            await source.advance()
            if shorts:
                self._recent.clear()

    async def _located(self, source: HeadSource, head: SignedHead, shorts: bytes) -> Fault:
        """Which event is not the one that was sealed: by the short hashes that an anchor keeps, or only since which head."""
        if (found := await self._differs(source, head, shorts)) is not None:
            return found
        text = f"among the events {source.size + 1} to {head.size} one is not what head {head.number} of {source.name} sealed"
        return Fault("rewritten", source.size + 1, "", 0, text)

    async def _differs(self, source: HeadSource, head: SignedHead, shorts: bytes) -> Fault | None:
        """The first event since the last head whose hash is not the one that an anchor keeps."""
        kept = [shorts[at : at + SHORT] for at in range(0, len(shorts), SHORT)]
        if len(kept) != head.size - source.size:
            return None
        for seq, (was, found) in enumerate(zip(kept, self._recent, strict=False), source.size + 1):
            if found[:SHORT] != was:
                async with aclosing(self._log.pages(seq - 1, seq)) as pages:
                    async for page in pages:
                        text = f"event {seq} is not the one that head {head.number} of {source.name} sealed"
                        return fault_of("rewritten", next(page.rows()), text)
        return None

    # ------------------------------------------------------------------------------------------- the ends

    async def _behind_the_end(self, source: HeadSource) -> None:
        """Heads that vouch for more than the log has."""
        first, furthest = 0, 0
        if source.next is not None and self._tree is not None and not self._rewritten:
            found = await self._differs(source, source.next.head, source.next.shorts)
            self._rewritten = found is not None
            self._faults += [found] if found else []
        while source.next is not None:
            known = self._log.whole or source is self._sources[-1]
            if known and source.next.head.size > max(self._end.seq, self._reach):
                first, furthest = first or source.next.head.number, source.next.head.size
            await source.advance()
        if furthest:
            text = f"events {self._end.seq + 1} to {furthest} are missing: head {first} of {source.name} sealed more than is here"
            self._faults.append(Fault("missing", self._end.seq + 1, "", 0, text))

    async def _name_the_missing(self) -> None:
        """Which streams' events are missing, and rows that lie where no event does."""
        for row in (await self._log.strays()).rows():
            found = placed(row, self._exam.missing) or fault_of("inserted", row, f"a row with seq {row[0]} is not of the log")
            if found.kind == "altered":
                self._exam.faults = [fault for fault in self._exam.faults if (fault.kind, fault.seq) != ("missing", found.seq)]
            self._faults.append(found)
        missing = [at for at, fault in enumerate(self._exam.faults) if fault.kind == "missing"]
        if not missing:
            return
        gaps = await self._log.version_gaps()
        if len(missing) == len(gaps) == 1:
            (stream, version), at = gaps[0], missing[0]
            self._exam.faults[at] = self._exam.faults[at]._replace(stream=str(UUID(stream)), version=version)
        elif gaps:
            named = ", ".join(f"version {version} of stream {stream}" for stream, version in gaps[:10])
            self._warnings.append(f"missing in their streams: {named}{' and more' if len(gaps) > 10 else ''}")
