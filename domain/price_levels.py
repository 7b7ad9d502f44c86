"""How many of our own orders stand at which price, and which is the best: the other side of a self-trade."""

from __future__ import annotations


class PriceLevels:
    """One side of our own orders in one instrument. Adding is O(1); the best is looked for anew only when it goes."""

    __slots__ = ("_counts", "_highest", "best_e9")

    def __init__(self, *, highest: bool) -> None:
        self._highest = highest  # is the highest the best (buys)?
        self._counts: dict[int, int] = {}
        self.best_e9: int | None = None

    def add(self, price_e9: int) -> None:
        """One more order stands there."""
        self._counts[price_e9] = self._counts.get(price_e9, 0) + 1
        best_e9 = self.best_e9
        if best_e9 is None or (price_e9 > best_e9 if self._highest else price_e9 < best_e9):
            self.best_e9 = price_e9

    def remove(self, price_e9: int) -> None:
        """One order less stands there. Raises KeyError where none did."""
        left = self._counts[price_e9] - 1
        if left:
            self._counts[price_e9] = left
            return
        del self._counts[price_e9]
        if price_e9 == self.best_e9:
            best = max if self._highest else min
            self.best_e9 = best(self._counts) if self._counts else None
