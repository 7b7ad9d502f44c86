"""What has happened lately: how much in a stretch of time, and since which price. Folded from verdicts that passed."""

from __future__ import annotations

from collections import deque


class Window:
    """Amounts and when they were counted. Forgetting what is too old changes no answer."""

    __slots__ = ("_amounts", "_total")

    def __init__(self) -> None:
        self._amounts: deque[tuple[int, int]] = deque()
        self._total = 0

    def add(self, at_ns: int, amount: int, window_ns: int) -> None:
        """Count an amount."""
        self._forget(at_ns, window_ns)
        self._amounts.append((at_ns, amount))
        self._total += amount

    def total(self, now_ns: int, window_ns: int) -> int:
        """The sum over the last window_ns."""
        self._forget(now_ns, window_ns)
        return self._total

    def first(self, now_ns: int, window_ns: int) -> int | None:
        """The oldest amount within the last window_ns; None where there is none."""
        self._forget(now_ns, window_ns)
        return self._amounts[0][1] if self._amounts else None

    def free_ns(self, now_ns: int, window_ns: int) -> int:
        """When the oldest amount will have left the window."""
        self._forget(now_ns, window_ns)
        return self._amounts[0][0] + window_ns if self._amounts else now_ns

    def _forget(self, now_ns: int, window_ns: int) -> None:
        amounts = self._amounts
        while amounts and amounts[0][0] <= now_ns - window_ns:
            self._total -= amounts.popleft()[1]


class Recent:
    """When each of many things was last seen, forgotten after a while."""

    __slots__ = ("_seen_ns",)

    def __init__(self) -> None:
        self._seen_ns: dict[tuple[object, ...], int] = {}

    def add(self, thing: tuple[object, ...], at_ns: int, window_ns: int) -> None:
        """It has happened."""
        seen = self._seen_ns
        seen.pop(thing, None)
        while seen and seen[oldest := next(iter(seen))] <= at_ns - window_ns:
            del seen[oldest]
        seen[thing] = at_ns

    def last_ns(self, thing: tuple[object, ...], now_ns: int, window_ns: int) -> int | None:
        """When it last happened, None where that is longer ago than window_ns."""
        at_ns = self._seen_ns.get(thing)
        return at_ns if at_ns is not None and at_ns > now_ns - window_ns else None
