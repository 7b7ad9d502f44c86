"""The versions that streams are known to have reached: a lower bound, so it never goes stale the wrong way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from domain.event import Entry
from domain.values import StreamId

STREAMS_MAX: Final = 200_000


class Versions:
    """Last known version of each stream lately written; 0 for any other. The oldest are forgotten beyond STREAMS_MAX."""

    def __init__(self) -> None:
        self._versions: dict[StreamId, int] = {}

    def get(self, stream: StreamId) -> int:
        """The version that the stream has at least."""
        return self._versions.get(stream, 0)

    def put(self, stream: StreamId, version: int) -> None:
        """Note a version that is in the log."""
        self._versions[stream] = version
        self._trim()

    def put_all(self, entries: Iterable[Entry]) -> None:
        """Note that entries are in the log."""
        versions = self._versions
        for entry in entries:
            versions[entry.stream] = entry.expected_version + len(entry.events)
        self._trim()

    def _trim(self) -> None:
        if len(self._versions) > STREAMS_MAX:
            for oldest in list(self._versions)[: STREAMS_MAX // 10]:
                del self._versions[oldest]

    def forget(self, stream: StreamId) -> None:
        """Look it up again at the next use."""
        self._versions.pop(stream, None)
