"""The simulated world: one seed, one clock, one queue of what happens next. Nothing in it is left to real chance or time."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Any

US, MS, S, MINUTE = 1_000, 1_000_000, 1_000_000_000, 60_000_000_000
START_NS = 1_772_463_600 * S  # Monday 2026-03-02 15:00 UTC, in the trading session
MIX = "faults of seed"


class Violation(AssertionError):
    """An invariant does not hold."""


class Crash(BaseException):
    """The desk's process dies here, as by kill -9: nothing in it may catch this."""


class World:
    """Time, chance, and what has happened so far."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.now_ns = START_NS
        self.used: Counter[str] = Counter()  # faults that struck, by name
        self.calm = False  # faults have stopped
        self.history: deque[str] = deque(maxlen=400)
        self._queue: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._trace = hashlib.sha256()
        self._rates: dict[str, float] = {}

    # ---------------------------------------------------------------------------------------------- time

    def after(self, delay_ns: int, action: Callable[..., None], *args: Any) -> None:
        """Let action happen delay_ns from now; what is due together happens in the order in which it was asked for."""
        self._number += 1
        heapq.heappush(self._queue, (self.now_ns + delay_ns, self._number, action, args))

    def step(self) -> None:
        """The next thing happens."""
        at_ns, _, action, args = heapq.heappop(self._queue)
        self.now_ns = max(self.now_ns, at_ns)
        action(*args)

    def jump(self, by_ns: int) -> None:
        """The clock leaps forward: whatever was due in between happens late."""
        self.now_ns += by_ns

    # -------------------------------------------------------------------------------------------- chance

    def strikes(self, fault: str, chance: float) -> bool:
        """Does this fault strike here? Each seed has its own mix: a fault is off, usual or frequent in it."""
        if self.calm:
            return False
        rate = self._rates.get(fault)
        if rate is None:
            rate = self._rates[fault] = Random(f"{MIX} {self.seed}: {fault}").choice((0.0, 0.5, 1.0, 1.0, 3.0))
        if rate == 0.0 or self.random.random() >= chance * rate:
            return False
        self.used[fault] += 1
        self.told("fault", fault)
        return True

    def flip(self, chance: float) -> bool:
        """Something that may go either way and is no fault."""
        return self.random.random() < chance

    def between(self, low_ns: int, high_ns: int) -> int:
        """A duration."""
        return self.random.randint(low_ns, high_ns)

    # ---------------------------------------------------------------------------------------------- trace

    def told(self, *words: object) -> None:
        """Note what happened: it goes into the digest, and the last of it into the report of a failing seed."""
        line = f"{(self.now_ns - START_NS) / S:.6f} " + " ".join(map(str, words))
        self.history.append(line)
        self._trace.update(line.encode())

    def digest(self) -> str:
        """SHA-256 over everything told."""
        return self._trace.hexdigest()


class WorldClock:
    """`domain.ports.Clock`: the world's time."""

    def __init__(self, world: World) -> None:
        self._world = world

    def now_ns(self) -> int:
        return self._world.now_ns
