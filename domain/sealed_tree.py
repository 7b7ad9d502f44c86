"""The sealed log's tree, kept as roots of its full subtrees of 1,024 leaves (tiles) and the leaves behind them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.merkle import Frontier, Span
from domain.sealing import TILE, TILE_LEVEL


class SealedTree:
    """The tree while it grows."""

    def __init__(self, tiles: Sequence[bytes] = (), rest: Sequence[bytes] = ()) -> None:
        """Args:
        tiles: the roots of its tiles.
        rest: the leaves behind the last tile, fewer than TILE.
        """
        self._tiles = Frontier()  # counted in tiles
        self._tiles.extend(tiles)
        self._open = Frontier()
        self._open.extend(rest)

    @property
    def size(self) -> int:
        """How many leaves it has."""
        return (self._tiles.size << TILE_LEVEL) + self._open.size

    @property
    def subtrees(self) -> list[bytes]:
        """As of `domain.merkle.Frontier`: what a tree of this size is continued from."""
        return [*self._tiles.subtrees, *self._open.subtrees]

    def copy(self) -> SealedTree:
        """One that grows on its own."""
        new = SealedTree()
        new._tiles, new._open = self._tiles.copy(), self._open.copy()
        return new

    def extend(self, leaves: Sequence[bytes]) -> list[bytes]:
        """Add leaves (`domain.sealing.leaves`). Returns the roots of the tiles that have become full."""
        full, first = [], 0
        while first < len(leaves):
            last = first + TILE - self._open.size
            self._open.extend(leaves[first:last])
            if self._open.size == TILE:
                full.append(self._open.root())
                self._open = Frontier()
            first = last
        self._tiles.extend(full)
        return full

    def root(self) -> bytes:
        """The tree's hash as it is now."""
        return Frontier(self.size, self.subtrees).root()


def parts(span: Span) -> tuple[Span, Span]:
    """What a span of a tree is read from: tiles by their numbers, and the leaves behind them by theirs."""
    first, last = span
    if last - first < TILE:
        return (0, 0), span
    tiles = first >> TILE_LEVEL, last >> TILE_LEVEL  # a span this long begins where a tile does
    return tiles, (tiles[1] << TILE_LEVEL, last)
