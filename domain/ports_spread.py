"""Who does work that was cut into pieces: this process, others on this machine, or a cluster.

A piece is seeded and needs no other piece, so that neither order nor place can change what comes out: the results are the same
numbers wherever they were made, and who lost a worker does its pieces again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

P = TypeVar("P")
R = TypeVar("R")
PiecesTold = Callable[[int, int], None]  # pieces done, of how many


class Mapper(Protocol):
    """One way to do pieces of work."""

    @property
    def here(self) -> bool:
        """Pieces run in this process, one after the other, and may tell themselves how far they are."""
        ...

    def map(self, work: Callable[[P], R], pieces: Sequence[P], told: PiecesTold) -> list[R]:
        """What work makes of each piece, in the order of the pieces.

        Args:
            work: pure. Elsewhere it is sent to each worker once, with everything that it holds; the pieces are sent one by one.
            told: asked after each piece, in whatever order they end.

        Raises:
            ProcessFailed: workers were lost again and again.
            Exception: whatever a piece raised: the rest is not done.
        """
        ...
