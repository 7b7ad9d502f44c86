"""Metrics in memory: the twin of the shared page, for tests."""

from __future__ import annotations

from collections.abc import Mapping

from domain.readings import NAME_BYTES_MAX, Reading


class MemoryMetrics:
    """Readings in a dictionary. `full` makes it refuse what it does not hold already."""

    def __init__(self) -> None:
        self._readings: dict[str, Reading] = {}
        self.full = False

    def publish(self, name: str, reading: Reading) -> None:
        """See `domain.ports.Metrics`."""
        if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
            raise OSError(f"a reading's name has 1 to {NAME_BYTES_MAX} bytes, not {name!r}")
        if self.full and name not in self._readings:
            raise OSError("no room for another reading")
        self._readings[name] = Reading(float(reading.value), reading.at_ns, reading.size)

    def read(self) -> Mapping[str, Reading]:
        """See `domain.ports.Metrics`."""
        return dict(self._readings)
