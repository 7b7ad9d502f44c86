"""Making a quoter's calls again: from a kept state, record by record, to the byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ems.quoting import journal as j
from ems.quoting.segments import Record, record_of


class Kernel(Protocol):
    """The kernel with a state of its own, which no live quoter shares."""

    def restore(self, state: bytes) -> None:
        """Take up a kept state. Raises JournalError where it is of another kernel or another model."""

    def state(self) -> bytes:
        """The state now: the same state gives the same bytes."""

    def call(self, parts: Sequence[Record]) -> NDArray[np.uint8]:
        """Make a call again with what its records say of input, time, latch, exposure, limits and suspension.

        Returns:
            (parts, RECORD_BYTES) the records of the call, of memory that the next call may write again.
        """


class Differing(NamedTuple):
    """A record that came out otherwise. where: the first word of its head that does, or "output", "input", "digests"."""

    number: int
    where: str
    recorded: str
    again: str


def rerun(kernel: Kernel, records: Iterable[Record]) -> Iterator[Differing]:
    """Make the calls of records again, which begin with a call's first, from the state that the kernel is in."""
    calls: list[Record] = []
    for record in records:
        if calls and record.head[j.PART] == 0:
            yield from _call(kernel, calls)
            calls = []
        calls.append(record)
    if calls:
        yield from _call(kernel, calls)


def _call(kernel: Kernel, parts: list[Record]) -> Iterator[Differing]:
    if parts[0].head[j.KIND] not in j.CALLS:
        return
    again = [record_of(row) for row in kernel.call(parts)]
    if len(again) != len(parts):
        yield Differing(parts[0].number, "parts", str(len(parts)), str(len(again)))
    for was, now in zip(parts, again, strict=False):
        if (found := difference(was, now)) is not None:
            yield found


_NAMES = sorted((field[1], name) for name, field in (j.RECORD.fields or {}).items())


def difference(was: Record, now: Record) -> Differing | None:
    """The first thing in which two records differ beside what is of one run alone; None where nothing does."""
    places = np.flatnonzero(was.head[j.HEAD :] != now.head[j.HEAD :])
    if places.size:
        at = int(places[0]) + j.HEAD
        name = [name for offset, name in _NAMES if offset <= 8 * at][-1]
        return Differing(was.number, name, str(was.head[at]), str(now.head[at]))
    for name in ("output", "input", "digests"):
        one, other = getattr(was, name), getattr(now, name)
        if one != other:
            return Differing(was.number, name, _short(one), _short(other))
    return None


def _short(data: bytes) -> str:
    return data.hex() if len(data) <= 64 else hashlib.sha256(data).hexdigest()
