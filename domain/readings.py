"""Readings: what a process of the host measures of itself, for the watchdog to look at (`domain.ports.Metrics`).

A reading says when it was taken, so that one that is old can be told from one that is good.
"""

from __future__ import annotations

from typing import Final, NamedTuple

NAME_BYTES_MAX: Final = 80
ERRORS: Final = "errors."  # what the names of internal errors begin with; then the process


class Reading(NamedTuple):
    """One measurement.

    Attributes:
        value: in the unit that its name ends with; it may be no number.
        at_ns: when, by the host's monotonic clock.
        size: of how many it is made, where that matters.
    """

    value: float
    at_ns: int
    size: int = 0
