"""Signed heads of one place, the log's own table or an anchor, checked in order while the log is walked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from domain.errors import SealError
from domain.log_faults import Fault
from domain.ports_sealing import Anchor
from domain.sealing import Anchored, SignedHead, Verifier, unlinked, unsigned


class HeadSource:
    """The next head is held until the walk has come to its size.

    Args:
        until: the number of the last head that counts: what is sealed later is of no concern to a walk that has begun.
        complete: it keeps every head, so that each must follow the one before.
        linked: the first that it keeps is head 1.
    """

    def __init__(
        self, name: str, heads: AsyncIterator[Anchored], verifier: Verifier, *, until: int, complete: bool, linked: bool = True
    ) -> None:  # fmt: skip
        self.name = name
        self.faults: list[Fault] = []
        self.next: Anchored | None = None
        self.last: SignedHead | None = None  # of those that the walk has passed
        self.compared = 0  # with a tree of their size
        self._heads = heads
        self._verifier = verifier
        self._until = until
        self._complete = complete
        self._linked = complete and linked

    @classmethod
    def of_anchor(cls, anchor: Anchor, verifier: Verifier) -> HeadSource:
        """All that an anchor keeps now. What of it cannot be read is a fault."""
        try:
            last = anchor.last()
        except SealError as error:
            source = cls(anchor.name, _each(iter(())), verifier, until=0, complete=False)
            source._add("anchor", 0, str(error))
            return source
        return cls(anchor.name, _each(anchor.kept()), verifier, until=last.number if last else 0, complete=anchor.complete)

    @property
    def size(self) -> int:
        """Of the last head that the walk has passed."""
        return self.last.size if self.last else 0

    async def advance(self) -> None:
        """Hold the next head that is signed; one that is not is a fault, and vouches for nothing."""
        if self.next is not None:
            self.last, self.next = self.next.head, None
        before, linked = self.last, self._linked
        while (found := await self._take()) is not None:
            head = found.head
            if why := unsigned(head, self._verifier):
                self._add("head", head.size, why)
                linked = False
                continue
            if linked and (why := unlinked(head, before)):
                self._add("head", head.size, why)
            if before is None or head.size > before.size:
                self.next, self._linked = found, self._complete
                return

    async def _take(self) -> Anchored | None:
        try:
            found = await anext(self._heads, None)
        except SealError as error:
            self._add("anchor", 0, str(error))
            return None
        return None if found is None or found.head.number > self._until else found

    def _add(self, kind: str, seq: int, why: str) -> None:
        self.faults.append(Fault("anchor" if kind == "anchor" else "head", seq, "", 0, f"{self.name}: {why}"))


async def _each(heads: Iterator[Anchored]) -> AsyncIterator[Anchored]:
    for head in heads:
        yield head
