"""A SoupBinTCP server that repeats what it hears, and how its tests read from it."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.ouch.soup import Login
from adapters.ouch.soup_client import SoupClient
from adapters.ouch.soup_server import SoupServer
from adapters.ouch.soup_stream import open_stream
from domain.errors import LinkLost

SECRET = "secret"


class Room:
    """A server of two accounts that repeats what it hears, in capitals."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.told: list[tuple[str, str, bytes]] = []
        self.errors: list[BaseException] = []
        self.open()

    def open(self) -> None:
        self.streams = {name: open_stream(self.home, name, "231114") for name in ("ONE", "TWO")}
        passwords = {"ONE": SECRET, "TWO": SECRET}
        self.server = SoupServer(("127.0.0.1", 0), passwords, self.streams, self, self.errors.append)
        self.server.start()

    def on_login(self, account: str) -> None:
        self.told.append(("login", account, b""))

    def on_message(self, account: str, message: bytes) -> None:
        self.told.append(("message", account, message))
        self.server.send(account, message.upper())

    def on_gone(self, account: str) -> None:
        self.told.append(("gone", account, b""))

    def client(self, account: str = "ONE", number: int = 1, session: str = "", **more: int) -> SoupClient:
        return SoupClient(self.server.address, Login(account, SECRET, session, number, **more))

    def raw(self) -> socket.socket:
        return socket.create_connection(self.server.address, 5)


def wait(until: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def read(client: SoupClient, count: int, letter: str = "S") -> list[bytes]:
    """So many packets of a kind."""
    found: list[bytes] = []
    deadline = time.monotonic() + 20
    while len(found) < count:
        assert time.monotonic() < deadline
        taken = client.take()
        if taken is None:
            select.select([client.socket], [], [], 0.2)
            client.receive()
        elif chr(taken.letter) == letter:
            found.append(client.payload(taken))
    return found


def lost(client: SoupClient) -> None:
    """The connection ends."""
    with pytest.raises(LinkLost):
        read(client, 1, "?")
    client.close()


def cut(sock: socket.socket) -> bytes:
    """What comes until the server closes."""
    sock.settimeout(20)
    data = b""
    try:
        while part := sock.recv(1 << 16):
            data += part
    except ConnectionResetError:
        return data
    finally:
        sock.close()
    return data
