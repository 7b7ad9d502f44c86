"""What has happened lately: how much in a stretch of time, and since which price. Folded from verdicts that passed."""

from __future__ import annotations

from collections import deque
from typing import Final

_NEVER_NS: Final = 1 << 63


class Window:
    """Amounts and when they were counted, for limits that look back differently far. Forgetting what is too old for all of
    them changes no answer.
    """

    __slots__ = ("_amounts", "_first", "_first_ns", "_longest_ns", "_total")

    def __init__(self) -> None:
        self._amounts: deque[tuple[int, int]] = deque()
        self._first_ns = _NEVER_NS  # the oldest amount and its time, told without a look at all of them
        self._first = 0
        self._longest_ns = 0
        self._total = 0

    def add(self, at_ns: int, amount: int, window_ns: int) -> None:
        """Count an amount once, for limits that look back window_ns at most."""
        if window_ns > self._longest_ns:
            self._longest_ns = window_ns
        if self._first_ns <= at_ns - self._longest_ns:
            self._forget(at_ns)
        if not self._amounts:
            self._first_ns, self._first = at_ns, amount
        self._amounts.append((at_ns, amount))
        self._total += amount

    def clear(self) -> None:
        """The count begins anew."""
        self._amounts.clear()
        self._first_ns, self._first, self._total = _NEVER_NS, 0, 0

    def total(self, now_ns: int, window_ns: int) -> int:
        """The sum over the last window_ns."""
        if self._first_ns <= now_ns - self._longest_ns:
            self._forget(now_ns)
        if window_ns >= self._longest_ns:
            return self._total
        return sum(amount for at_ns, amount in self._amounts if at_ns > now_ns - window_ns)

    def first(self, now_ns: int, window_ns: int) -> int | None:
        """The oldest amount within the last window_ns; None where there is none."""
        if self._first_ns <= now_ns - self._longest_ns:
            self._forget(now_ns)
        if self._first_ns > now_ns - window_ns:
            return self._first if self._first_ns != _NEVER_NS else None
        return next((amount for at_ns, amount in self._amounts if at_ns > now_ns - window_ns), None)

    def _forget(self, now_ns: int) -> None:
        amounts, begin_ns = self._amounts, now_ns - self._longest_ns
        while amounts:
            at_ns, amount = amounts[0]
            if at_ns > begin_ns:
                self._first_ns, self._first = at_ns, amount
                return
            amounts.popleft()
            self._total -= amount
        self._first_ns, self._first = _NEVER_NS, 0


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
