"""Beside the desk's loop: asks the volumes how much is left, and keeps what they said for whoever must know without waiting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import structlog

from domain.disk import DiskTerms, DiskWord, Room, free_mb, judge

_log = structlog.get_logger("disk")
EVERY_S: Final = 0.25
SILENT_S: Final = 10.0  # a volume that has not answered for so long counts as full: a write to it would hang too


class DiskWatch:
    """One for a desk.

    Args:
        ask: the volumes as they are now; it may block, and is called on a thread.
    """

    def __init__(self, ask: Callable[[], Sequence[Room]], terms: DiskTerms) -> None:
        self._ask, self._terms = ask, terms
        self._rooms: Sequence[Room] = ()
        self._asked_s: float | None = None  # nothing was asked yet: no desk decides before that
        self._word = DiskWord()

    async def run(self) -> None:
        """Ask until cancelled."""
        self._asked_s = time.monotonic()
        while True:
            self.took(await asyncio.to_thread(self._ask))
            await asyncio.sleep(EVERY_S)

    def took(self, rooms: Sequence[Room]) -> None:
        """What the volumes have answered just now."""
        self._rooms, self._asked_s = rooms, time.monotonic()
        word = judge(rooms, self._terms, stopped=bool(self._word.stops))
        if word.stops and not self._word.stops:
            _log.critical("a disk is full", why=word.stops)
        elif word.warns and not self._word.warns:
            _log.warning("a disk is low", why=word.warns)
        self._word = word

    def word(self) -> DiskWord:
        """What is wrong now."""
        silent_s = 0.0 if self._asked_s is None else time.monotonic() - self._asked_s
        return DiskWord(f"no volume has answered for {silent_s:.0f} s") if silent_s > SILENT_S else self._word

    def status(self) -> dict[str, Any]:
        """For `ems health`."""
        word = self.word()
        return {"up": not word.stops, "low": word.warns, "full": word.stops, "free_mb": free_mb(self._rooms)}
