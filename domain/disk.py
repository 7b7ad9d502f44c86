"""Room on the disks: what is left of each volume, when that is little, and when nothing new may be begun. Pure.

Three steps as a volume fills: `warn_bytes` tells people; `stop_bytes` suspends, while there is still room to write every cancel,
fill and report that the orders at work will cause; and each process that must write keeps a reserve of its own, which it gives
away on the day that somebody else has filled the volume all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, Protocol

MB: Final = 1 << 20
_BACK: Final = 1.25  # so much more than stop_bytes there must be before a suspension clears


class DiskTerms(NamedTuple):
    """When a volume is low, and when nothing new may be begun."""

    warn_bytes: int
    stop_bytes: int


class Room(NamedTuple):
    """One volume, by the first of our directories on it. free_bytes: None where it does not answer."""

    path: str
    free_bytes: int | None
    total_bytes: int = 0


class DiskWord(NamedTuple):
    """What is wrong, in words; "" where nothing is."""

    stops: str = ""
    warns: str = ""


def judge(rooms: Iterable[Room], terms: DiskTerms, *, stopped: bool = False) -> DiskWord:
    """What the volumes say.

    Args:
        stopped: are we suspended for it? Then it takes more room to go on than it took to stop.
    """
    wanted = int(terms.stop_bytes * _BACK) if stopped else terms.stop_bytes
    stops, warns = [], []
    for room in rooms:
        if room.free_bytes is None:
            stops.append(f"the volume of {room.path} does not answer")
        elif room.free_bytes < wanted:
            stops.append(f"the volume of {room.path} has {room.free_bytes // MB} MB left, {wanted // MB} are wanted")
        elif room.free_bytes < terms.warn_bytes:
            warns.append(f"the volume of {room.path} has {room.free_bytes // MB} MB left, below {terms.warn_bytes // MB}")
    return DiskWord("; ".join(stops), "; ".join(warns))


def free_mb(rooms: Iterable[Room]) -> dict[str, int | None]:
    """What is left of each volume, None where it does not answer."""
    return {room.path: None if room.free_bytes is None else room.free_bytes // MB for room in rooms}


class Reserve(Protocol):
    """Room that a process holds on its volume for the hour when nobody else has left any."""

    def give(self) -> bool:
        """Give it away now; False where there was none to give. Any thread may."""
        ...
