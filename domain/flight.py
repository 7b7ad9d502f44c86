"""The flight recorder's words: notes of a process's last minutes, kept where its end cannot take them."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Note(NamedTuple):
    """One. kind: "log", "commit", "frames", "plan", ..."""

    number: int  # from 1, gapless
    time_ns: int
    kind: str
    text: str


class Recorder(Protocol):
    """Where they are kept: a fixed number of them, the oldest overwritten. Never raises, never waits for a disk."""

    def note(self, kind: str, text: str) -> None:
        """Keep one; a text that is too long is cut."""
        ...
