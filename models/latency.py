"""How long forecasts take: the 99th percentile of the last 10,000."""

from __future__ import annotations

from typing import Final

import numpy as np

WINDOW: Final = 10_000
SLA_US: Final = 200.0


class LatencyWindow:
    """The last `window` latencies."""

    def __init__(self, window: int = WINDOW) -> None:
        self._latencies = np.zeros(window, np.int64)
        self.taken = 0

    def take(self, latency_ns: int) -> None:
        """One more."""
        self._latencies[self.taken % len(self._latencies)] = latency_ns
        self.taken += 1

    @property
    def size(self) -> int:
        """Of how many the percentile is."""
        return min(self.taken, len(self._latencies))

    def p99_us(self) -> float:
        """Nearest rank; NaN before the first."""
        if not self.size:
            return float("nan")
        place = -(-99 * self.size // 100) - 1
        return float(np.partition(self._latencies[: self.size], place)[place]) / 1e3
