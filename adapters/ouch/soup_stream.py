"""The sequenced messages of one account's session, kept in a file: what was sent once can be asked for again.

Each is its length (2 bytes) and its bytes; a length of 0 says that the session is over. The file survives the death of the
process, not that of the machine; what is not whole at its end is cut off.
"""

from __future__ import annotations

import os
from pathlib import Path

from adapters.ouch.soup import packet

_PREFIX = 2


class Stream:
    """One writer's handle. Not thread-safe.

    Attributes:
        name: the session's, up to ten characters.
        packets: each message as its packet, in order; the first has number 1.
        ended: whether the session is over.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.name = path.stem.rpartition("-")[2]
        self.packets: list[bytes] = []
        self.ended = False
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        os.ftruncate(self._fd, self._read(path.read_bytes()))

    @property
    def next_number(self) -> int:
        """Of the message that comes next."""
        return len(self.packets) + 1

    def messages(self) -> list[bytes]:
        """All of them."""
        return [each[3:] for each in self.packets]

    def append(self, message: bytes) -> None:
        """A further message. Raises OSError when it cannot be written."""
        os.write(self._fd, len(message).to_bytes(_PREFIX, "big") + message)
        self.packets.append(packet(b"S", message))

    def end(self) -> None:
        """No more messages."""
        if not self.ended:
            os.write(self._fd, bytes(_PREFIX))
            self.ended = True

    def close(self) -> None:
        """Give the file back."""
        os.close(self._fd)

    def _read(self, data: bytes) -> int:
        """Takes in what is whole. Returns its length."""
        at = 0
        while at + _PREFIX <= len(data) and not self.ended:
            after = at + _PREFIX + int.from_bytes(data[at : at + _PREFIX], "big")
            if after > len(data):
                break
            if after == at + _PREFIX:
                self.ended = True
            else:
                self.packets.append(packet(b"S", data[at + _PREFIX : after]))
            at = after
        return at


def open_stream(directory: Path, account: str, day: str) -> Stream:
    """The account's session of a day (six digits), or its next one where that is over."""
    number = 1
    while (stream := Stream(directory / f"{account}-{day}{number:04d}.soup")).ended:
        stream.close()
        number += 1
    return stream


def messages_of_day(directory: Path, account: str, day: str) -> list[bytes]:
    """All messages of an account's sessions of a day, in order."""
    found: list[bytes] = []
    for path in sorted(directory.glob(f"{account}-{day}????.soup")):
        stream = Stream(path)
        found += stream.messages()
        stream.close()
    return found
