"""Who may use a gateway: the desk with the highest epoch that it or its host has heard of, and no other."""

from __future__ import annotations

import threading
from typing import Final

from adapters.fix.state import GatewayState
from domain.lead import LeadMark

_POLL_S: Final = 0.2


class Fence:
    """Asked at every HELLO and every batch of frames.

    Args:
        state: the highest epoch that a desk has shown here.
        lead: of one of several hosts: what the host knows of who leads.
    """

    def __init__(self, state: GatewayState, lead: LeadMark | None) -> None:
        self._state = state
        self._lead = lead

    def highest(self) -> int:
        """Who shows a lower epoch leads no more."""
        return max(self._state.epoch, self._lead.read().epoch if self._lead is not None else 0)

    def elsewhere(self) -> bool:
        """Does a desk of another host lead? Then its gateways hold the sessions, and this one must not."""
        if self._lead is None:
            return False
        lead = self._lead.read()
        return lead.epoch > self._state.epoch and not lead.ours

    def await_desk(self, came: threading.Event, stop: threading.Event) -> None:
        """One of several hosts: nobody logs on before a desk of this host leads, however long that takes."""
        while self._lead is not None and not (stop.is_set() or came.wait(_POLL_S)):
            pass
