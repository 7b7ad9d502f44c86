"""Appends that wait for a commit, and which of them may share the next one."""

from __future__ import annotations

from asyncio import Future
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.postgres.versions import Versions
from domain.errors import LogError, VersionConflict
from domain.event import Entry, Recorded
from domain.values import StreamId

EVENTS_PER_COMMIT_MAX: Final = 4096


@dataclass(slots=True, eq=False)
class Call:
    """One append that waits for its commit."""

    entries: tuple[Entry, ...]
    states: list[list[bytes]]
    size: int  # events
    epoch: int | None
    done: Future[tuple[Recorded, ...]]
    alone: bool = False  # its batch failed: it is tried by itself
    resent: int = 0  # times that it was sent again after it was proved not to be in the log

    def succeed(self, recorded: tuple[Recorded, ...]) -> None:
        """Answer the caller, unless it has given up waiting."""
        if not self.done.done():
            self.done.set_result(recorded)

    def fail(self, error: LogError) -> None:
        """Raise at the caller, unless it has given up waiting. Each caller gets an exception of its own."""
        if not self.done.done():
            own = type(error)(*error.args)
            own.__cause__ = error.__cause__
            self.done.set_exception(own)


class Unseen(Exception):
    """A call expects a version that this process has not seen: another process may have written it."""


class Waiting:
    """Calls in the order in which they came; they are appended in that order."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._calls: deque[Call] = deque()

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, call: Call) -> None:
        """Queue a call behind all others."""
        self._calls.append(call)

    def put_back(self, calls: Sequence[Call]) -> None:
        """Queue calls again before all others."""
        self._calls.extendleft(reversed(calls))

    def clear(self) -> list[Call]:
        """Take everything out."""
        calls = list(self._calls)
        self._calls.clear()
        return calls

    def unseen(self) -> list[StreamId]:
        """Streams of which some call expects a later version than is known to be in the log or waits before it."""
        moved: dict[StreamId, int] = {}
        unseen: dict[StreamId, None] = {}
        known = self._versions.get
        for call in self._calls:
            for entry in call.entries:
                stream, expected = entry.stream, entry.expected_version
                if expected > (moved.get(stream) or known(stream)):
                    unseen[stream] = None
                moved[stream] = expected + len(entry.events)
        return list(unseen)

    def take(self, looked_up: set[StreamId]) -> list[Call]:
        """Take the calls at the front that fit into one commit. Calls that are stale are answered with the conflict.

        They fit while they carry one epoch (or none), are not too many events, and agree on the versions of the
        streams they share; a call that was put back to be tried alone is a commit of its own.

        Args:
            looked_up: streams that have just been looked up: a version of theirs that is still unseen is a conflict.

        Raises:
            Unseen: some stream must be looked up first; nothing was taken.
        """
        taken: list[Call] = []
        moved: dict[StreamId, int] = {}
        epoch: int | None = None
        size = 0
        while self._calls and self._fits(self._calls[0], taken, moved, epoch, size):
            call = self._calls.popleft()
            try:
                moved.update(self._moves(call.entries, moved, looked_up))
            except VersionConflict as conflict:
                call.fail(conflict)
                continue
            except Unseen:
                self.put_back([*taken, call])
                raise
            taken.append(call)
            epoch = call.epoch if epoch is None else epoch
            size += call.size
        return taken

    def _fits(self, call: Call, taken: list[Call], moved: dict[StreamId, int], epoch: int | None, size: int) -> bool:
        if not taken:
            return True
        if call.alone or taken[0].alone or size + call.size > EVENTS_PER_COMMIT_MAX:
            return False
        if call.epoch != epoch and call.epoch is not None and epoch is not None:
            return False
        return all(moved.get(entry.stream, entry.expected_version) == entry.expected_version for entry in call.entries)

    def _moves(self, entries: Iterable[Entry], moved: dict[StreamId, int], looked_up: set[StreamId]) -> dict[StreamId, int]:
        """The versions that entries take their streams to, when they come behind moved. Raises VersionConflict, Unseen."""
        moves: dict[StreamId, int] = {}
        for entry in entries:
            key, expected = entry.stream, entry.expected_version
            version = moves.get(key) or moved.get(key) or self._versions.get(entry.stream)
            if expected != version:
                if expected > version and entry.stream not in looked_up:
                    raise Unseen
                raise VersionConflict(f"stream {entry.stream} is at version {version}, not {expected}")
            moves[key] = version + len(entry.events)
        return moves
