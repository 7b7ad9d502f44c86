"""Internal errors, counted by the process that makes them and published as one of its readings."""

from __future__ import annotations

from typing import Final

from domain.ports import Metrics
from domain.readings import ERRORS, Reading

RUNNING: Final = 1
ENDED: Final = 0


class InternalErrors:
    """A process's own faults since the host's run began, counted over its restarts. A client's bad input is none.

    A process that ended without a word counts as one. publish() is its heartbeat too: it must come from the loop whose
    work it is about.

    Args:
        process: "desk", "gateway", "gateway-b".
    """

    def __init__(self, metrics: Metrics, process: str) -> None:
        self._metrics = metrics
        self._name = f"{ERRORS}{process}"
        before = metrics.read().get(self._name)
        self.total = 0 if before is None else int(before.value) + (before.size == RUNNING)

    def add(self) -> None:
        """One more."""
        self.total += 1

    def publish(self, at_ns: int) -> None:
        """As it stands. Raises OSError."""
        self._metrics.publish(self._name, Reading(self.total, at_ns, RUNNING))

    def close(self, at_ns: int) -> None:
        """The process ends in order. Raises OSError."""
        self._metrics.publish(self._name, Reading(self.total, at_ns, ENDED))
