"""An anchor in memory: the twin of those in `adapters.anchor`."""

from __future__ import annotations

from collections.abc import Iterator

from domain.errors import SealError
from domain.sealing import Anchored, SignedHead


class MemoryAnchor:
    """Keeps heads as long as it lives."""

    name = "memory"
    every_s = 0.0
    complete = True

    def __init__(self) -> None:
        self._kept: list[Anchored] = []

    def last(self) -> SignedHead | None:
        """The last head."""
        return self._kept[-1].head if self._kept else None

    def keep(self, anchored: Anchored) -> None:
        """Keep a head."""
        last = self.last()
        if last is not None and anchored.head.number <= last.number:
            if anchored.head != last:
                raise SealError(f"the anchor has head {last.number} already, and it is not this head {anchored.head.number}")
            return
        self._kept.append(anchored)

    def kept(self) -> Iterator[Anchored]:
        """All in order."""
        return iter(tuple(self._kept))
