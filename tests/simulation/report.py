"""What a seed did, in one line."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """What a seed did."""

    seed: int
    events: int
    crashes: int
    faults: Counter[str]
    transitions: Counter[tuple[str, str]]
    topics: Counter[str]
    digest: str

    def line(self) -> str:
        used = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        return f"seed {self.seed}: {self.events} events, {self.crashes} crashes, faults: {used}"
