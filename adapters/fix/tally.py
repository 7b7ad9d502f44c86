"""What the gateway's sessions and its desk's link did of late, as notes of the flight recorder: counted, never the texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from adapters.fix.slots import Slot
from domain.flight import Recorder


class Tally:
    """Looked at now and then, off every message's way.

    Args:
        link: what the desk's port says of itself.
    """

    def __init__(self, slots: Sequence[Slot], link: Callable[[], dict[str, Any]], recorder: Recorder) -> None:
        self._slots, self._link, self._recorder = slots, link, recorder
        self._before: dict[str, tuple[int, int, bool]] = {}

    def note(self) -> None:
        """What has changed since the last look; nothing where nothing has."""
        words = []
        for slot in self._slots:
            name, now = slot.config.name, (slot.messages_in, slot.messages_out, slot.up)
            before = self._before.get(name, (0, 0, False))
            if now != before:
                words.append(f"{name} in {now[0] - before[0]} out {now[1] - before[1]}{'' if slot.up else ' (down)'}")
                self._before[name] = now
        if words:
            link = self._link()
            waiting = link["spool_last"] - link["spool_acknowledged"]
            self._recorder.note(
                "frames", f"{', '.join(words)}; spooled {waiting}, desk {'there' if link['desk_attached'] else 'away'}"
            )
