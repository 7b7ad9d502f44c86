"""What is asked about single sessions on the control socket, and done to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from adapters.fix.desk_port import DeskPort
from adapters.fix.keeper import Keeper
from adapters.fix.slots import Slot


class Attendant:
    """Answers for a gateway's sessions."""

    def __init__(self, slots: Sequence[Slot], keeper: Keeper, port: DeskPort) -> None:
        self._slots = slots
        self._keeper = keeper
        self._port = port

    def sessions(self) -> list[dict[str, Any]]:
        """Every session as it stands: its next numbers, when it was last heard, and how much of it no desk has taken."""
        waiting = Counter(frame.slot for frame in self._port.owed())
        return [
            {
                **slot.describe(outbound=slot.session().getExpectedSenderNum()),
                "inbound": slot.session().getExpectedTargetNum(),
                "heard_ns": slot.heard_ns,
                "waiting": waiting[slot.number],
            }
            for slot in self._slots
        ]

    def stop(self, request: dict[str, Any]) -> str:
        """Log one session out and keep it down. Raises ValueError for one that is not here."""
        return self._keeper.stop(self._named(request))

    def start(self, request: dict[str, Any]) -> str:
        """Let one session log on again, whatever stopped it. Raises ValueError for one that is not here."""
        return self._keeper.go(self._named(request))

    def _named(self, request: dict[str, Any]) -> Slot:
        name = str(request.get("session", ""))
        for slot in self._slots:
            if slot.config.name == name:
                return slot
        raise ValueError(f"there is no session {name!r} here")
