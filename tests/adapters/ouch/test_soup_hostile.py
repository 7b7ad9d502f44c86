"""SoupBinTCP and what no peer of good will sends: over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.ouch import soup
from adapters.ouch.soup import Login, packet
from adapters.ouch.soup_client import SoupClient
from domain.errors import LinkError
from tests.adapters.ouch.soup_room import SECRET, Room, cut, read


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.server.close(ended=False)
    assert room.errors == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x00\x00",
        b"\xff\xff" + bytes(100),
        b"GET / HTTP/1.1\r\n\r\n",
        packet(b"U", b"before the login"),
        packet(b"L", b"short"),
        packet(b"L", b"ONE   secret    " + b" " * 10 + b"x" * 20),
        soup.login_packet(Login("ONE", SECRET)) * 2,
        soup.login_packet(Login("ONE", SECRET)) + packet(b"S", b"I am no server"),
        soup.login_packet(Login("ONE", SECRET)) + b"\x20\x01U",
    ],
)
def test_hostile_packets_end_that_connection_and_no_other(room: Room, data: bytes) -> None:
    other = room.client("TWO")
    sock = room.raw()
    sock.send(data)
    cut(sock)
    other.send(packet(b"U", b"alive"))
    assert read(other, 1) == [b"ALIVE"]
    other.close()


def test_a_thousand_spoiled_connections_do_not_stop_the_server(room: Room) -> None:
    rng = np.random.default_rng(7)
    good = soup.login_packet(Login("ONE", SECRET)) + packet(b"U", b"abc") + packet(b"R") + packet(b"U", b"def")
    for _ in range(1_000):
        data = np.frombuffer(good, np.uint8).copy()
        data[rng.integers(0 if rng.random() < 0.5 else 49, len(data), 2)] = rng.integers(0, 256, 2)
        sock = room.raw()
        sock.send(data[: rng.integers(1, 2 * len(data))].tobytes())
        sock.shutdown(socket.SHUT_WR)
        cut(sock)
    other = room.client("TWO")
    other.send(packet(b"U", b"alive"))
    assert read(other, 1) == [b"ALIVE"]
    assert sum(what == "message" for what, _, _ in room.told) > 50
    other.close()


def test_those_who_never_log_on_keep_nobody_out(room: Room) -> None:
    strangers = [room.raw() for _ in range(80)]
    client = room.client()
    client.send(packet(b"U", b"x"))
    assert read(client, 1) == [b"X"]
    client.close()
    for sock in strangers:
        sock.close()


def test_a_client_does_not_take_what_is_no_packet() -> None:
    class Half(SoupClient):
        def _log_on(self, login: Login, timeout_s: float) -> None:
            """The other end says nothing."""

    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = Half(listener.getsockname()[:2], Login("ONE", SECRET))
        server, _ = listener.accept()
        server.send(packet(b"S", b"x" * 60_000) * 3 + b"\x00\x00")
        assert len(b"".join(read(client, 3))) == 180_000
        with pytest.raises(LinkError, match="no packet"):
            read(client, 1)
        client.close()
        server.close()
