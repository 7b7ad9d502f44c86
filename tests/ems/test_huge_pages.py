"""Memory in huge pages: what is there stays what it was, and lies in them where the kernel has any."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ems import huge_pages

MAPS = """\
55d50ac46000-55d50ac47000 r--p 00000000 fe:00 26723                      /usr/bin/python3.11
55d50b000000-55d50b400000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000100000 rw-p 00000000 00:00 0
7f0000200000-7f0000300000 ---p 00000000 00:00 0
7f0000400000-7f0000500000 rw-p 00000000 fe:00 26724                      /usr/lib/libc.so.6
7f0000600000-7f0000700000 rw-s 00000000 00:01 77                         /memory shared
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                          [stack]
"""


def test_only_the_memory_that_objects_lie_in_is_asked_for() -> None:
    assert list(huge_pages._anonymous(MAPS)) == [(0x55D50B000000, 0x55D50B400000), (0x7F0000000000, 0x7F0000100000)]


def test_what_lies_in_memory_is_the_same_in_huge_pages() -> None:
    things = [(number, str(number)) for number in range(200_000)]
    done = huge_pages.collapse_heap()
    assert things == [(number, str(number)) for number in range(200_000)]
    if not done:
        pytest.skip("this kernel has no huge pages to be had")
    (held_kb,) = re.findall(r"AnonHugePages:\s+(\d+) kB", Path("/proc/self/smaps_rollup").read_text("ascii"))
    assert int(held_kb) << 10 >= done


def test_a_system_without_such_a_list_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(huge_pages, "_MAPS", tmp_path / "maps")
    assert huge_pages.collapse_heap() == 0
