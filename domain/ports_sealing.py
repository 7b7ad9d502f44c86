"""The ports of sealing: the stored log with its sealed heads, and what keeps heads outside of it. Contracts in tests/ports/."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import NamedTuple, Protocol

from domain.event import GENESIS_HASH
from domain.sealing import Anchored, SignedHead
from domain.stored_page import StoredPage


class End(NamedTuple):
    """Where the log says that it ends."""

    seq: int
    hash: bytes


class Start(NamedTuple):
    """What comes before the first row: nothing, or, of a part of a log, what its rows continue."""

    seq: int
    hash: bytes
    subtrees: tuple[bytes, ...]  # of the tree up to there, see `domain.merkle.Frontier`


FROM_THE_FIRST = Start(0, GENESIS_HASH, ())


class StoredLog(Protocol):
    """A log as it is stored, with its sealed heads: a database, or a bundle that was exported from one."""

    @property
    def start(self) -> Start:
        """What its first row continues."""
        ...

    @property
    def whole(self) -> bool:
        """Whether it is all of a log, so that nobody can know of more."""
        ...

    @property
    def behind(self) -> Sequence[bytes]:
        """Leaves of the tree behind its last row, of a part of a log: up to the head that vouches for it."""
        ...

    async def end(self) -> End:
        """Its end now. Raises LogUnavailable; ChainBroken where it has none."""
        ...

    def pages(self, after_seq: int, until_seq: int) -> AsyncGenerator[StoredPage, None]:
        """Its rows in the order of their sequence numbers. Raises LogUnavailable."""
        ...

    async def last_head(self) -> SignedHead | None:
        """The last head that it has."""
        ...

    def heads(self, after_number: int = 0) -> AsyncGenerator[SignedHead, None]:
        """The sealed heads in the order of their numbers. Raises LogUnavailable."""
        ...

    async def strays(self) -> StoredPage:
        """Rows that lie before the log's first or behind its last event, none in a log that nobody touched."""
        ...

    async def version_gaps(self) -> list[tuple[str, int]]:
        """Streams and versions that are missing between others of the stream. Slow: for a log with a fault."""
        ...


class SealedLog(StoredLog, Protocol):
    """The log of a database, where one sealer at a time puts heads."""

    async def take(self) -> bool:
        """Become the one sealer, until closed; False while another is."""
        ...

    async def head_of(self, seq: int) -> SignedHead | None:
        """The first head that vouches for an event."""
        ...

    async def tiles(self, first: int, last: int) -> list[bytes]:
        """The roots of the tree's tiles from one up to, not including, another."""
        ...

    async def hashes(self, first: int, last: int) -> list[bytes]:
        """The chain hashes of the events with the sequence numbers first + 1 to last: of the leaves first to last - 1."""
        ...

    async def put(self, head: SignedHead, tiles: Sequence[bytes], first_tile: int) -> None:
        """Store a head and the tiles that have become full since the one before, or nothing.

        Raises:
            LogUnavailable: whether it is stored is unknown.
            LogError: there is one with its number or size.
        """
        ...

    async def close(self) -> None:
        """Let another seal."""
        ...


class Anchor(Protocol):
    """Keeps heads where the database's administrator cannot change them. What it was told once it keeps for ever."""

    name: str
    every_s: float  # how often it wants a head; 0: each
    complete: bool  # whether it wants each

    def last(self) -> SignedHead | None:
        """The last that it keeps. Raises SealError."""
        ...

    def keep(self, anchored: Anchored) -> None:
        """Durable when it returns; the same again is nothing.

        Raises:
            SealError: it cannot be kept, or another head of its number or above is.
        """
        ...

    def kept(self) -> Iterator[Anchored]:
        """All in order. What cannot be read is told as a SealError raised there."""
        ...
