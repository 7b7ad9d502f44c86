"""The memory of a process in huge pages (2 MiB), where the kernel lets it choose: Linux with transparent huge pages.

A desk's state lies scattered over a hundred megabytes, and an order touches some hundred places of it. In pages of 4 KiB nearly
every one of them is also a miss in the processor's table of pages, which costs as much again as the miss itself, and several
times that in a virtual machine. See transhuge.rst of the kernel's documentation and madvise(2).
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_HUGE: Final = 2 << 20
_COLLAPSE: Final = 25  # MADV_COLLAPSE: now, instead of when the kernel's own thread comes by (Linux 6.1)


def collapse_heap() -> int:
    """Have the kernel put what is in memory now into huge pages; how many bytes of it were. 0 where there are none to be had.

    It takes some 50 ms for 100 MiB, so it belongs to a start.
    """
    if not _MAPS.exists():
        return 0
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    done = 0
    for begin, end in _anonymous(_MAPS.read_text("ascii")):
        first, last = -(-begin // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if last > first and madvise(first, last - first, _COLLAPSE) == 0:
            done += last - first  # refused where the kernel is older, has none left, or was told never to: then as before
    return done


def _anonymous(maps: str) -> Iterator[tuple[int, int]]:
    """The writable private memory that no file is behind: where Python keeps its objects."""
    for line in maps.splitlines():
        place, rights, _, _, inode, *name = line.split()
        if rights == "rw-p" and inode == "0" and (not name or name == ["[heap]"]):
            begin, _, end = place.partition("-")
            yield int(begin, 16), int(end, 16)
