"""The client's end of a session: what comes back is sorted to the case that it belongs to."""

from __future__ import annotations

import asyncio
from typing import Protocol

from tests.acceptance.fix.versions import Fields, Version


class Session(Protocol):
    """What the tests need of a client's FIX session; `tests.acceptance.fix.peer.Peer` is one."""

    version: Version
    sender: str
    faults: list[str]

    async def connect(self, port: int) -> None:
        """Connect and log on."""

    def send(self, kind: str, fields: Fields) -> None:
        """Send an application message."""

    async def close(self) -> None:
        """Log out."""


class Mailbox:
    """What came back for one case, in order."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Fields] = asyncio.Queue()
        self.exec_ids: set[str] = set()


class Oms:
    """A client. Reports are sorted by ClOrdID, those without one by Account."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.strays: list[Fields] = []
        self.news: list[Fields] = []  # that a recovery is complete
        self._boxes: dict[str, Mailbox] = {}

    def watch(self, key: str, box: Mailbox) -> None:
        """Messages with this ClOrdID or Account belong to this case."""
        self._boxes[key] = box

    def received(self, message: Fields) -> None:
        """A message of the session."""
        box = self._boxes.get(message.get("11", "")) or self._boxes.get(message.get("1", ""))
        if box is None and message["35"] == "j":
            box = self._boxes.get(message.get("379", ""))
        if message["35"] == "B":
            self.news.append(message)
        elif box is None:
            self.strays.append(message)
        else:
            box.messages.put_nowait(message)
