"""SoupBinTCP over real sockets: logins, replay, heartbeats both ways, cut and hostile packets, ends."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.ouch import soup
from adapters.ouch.soup import Login, packet
from adapters.ouch.soup_client import SoupClient
from adapters.ouch.soup_server import SoupServer
from adapters.ouch.soup_stream import Stream, messages_of_day, open_stream
from domain.errors import ConfigError, LinkError, LinkLost, LoginRefused

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


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.server.close(ended=False)
    assert room.errors == []


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


def test_messages_go_both_ways_and_are_numbered(room: Room) -> None:
    client = room.client()
    assert (client.session, client.next_number) == ("2311140001", 1)
    client.send(packet(b"U", b"hello") + packet(b"U", b"world"))
    assert read(client, 2) == [b"HELLO", b"WORLD"] and client.next_number == 3
    other = room.client("TWO")
    other.send(packet(b"U", b"x"))
    assert read(other, 1) == [b"X"]
    client.log_out()
    wait(lambda: room.told[-1] == ("gone", "ONE", b""))
    assert [what for what, who, _ in room.told if who == "ONE"] == ["login", "message", "message", "gone"]
    other.close()


def test_whoever_comes_back_gets_what_was_missed_from_the_number_that_he_names(room: Room) -> None:
    for n in range(500):
        room.server.send("ONE", b"%d" % n)
    first = room.client(number=1)
    assert read(first, 500) == [b"%d" % n for n in range(500)]
    room.server.send("ONE", b"more")
    assert read(first, 1) == [b"more"] and first.next_number == 502
    first.close()
    again = room.client(number=499, session="2311140001")
    assert again.next_number == 499
    assert read(again, 3) == [b"498", b"499", b"more"]
    again.close()
    new_only = room.client(number=0)
    assert new_only.next_number == 502
    room.server.send("ONE", b"new")
    assert read(new_only, 1) == [b"new"]
    new_only.close()


def test_a_server_that_was_killed_goes_on_with_its_session(room: Room) -> None:
    for n in range(3):
        room.server.send("ONE", b"%d" % n)
    client = room.client(number=3)
    assert read(client, 1) == [b"2"]
    path = next(room.home.glob("ONE-*"))
    room.server.close(ended=False)
    lost(client)
    with path.open("ab") as half:
        half.write(b"\x00\x09only ha")
    room.open()
    room.server.send("ONE", b"3")
    again = room.client(number=client.next_number, session=client.session)
    assert read(again, 1) == [b"3"]
    again.close()
    room.server.close(ended=False)
    room.open()
    assert [p[3:] for p in room.streams["ONE"].packets] == [b"0", b"1", b"2", b"3"]


def test_an_ended_session_says_so_and_the_next_one_begins_at_one(room: Room) -> None:
    room.server.send("ONE", b"last")
    client = room.client()
    assert read(client, 1) == [b"last"]
    room.server.close(ended=True)
    assert read(client, 1, "Z") == [b""] and client.ended
    lost(client)
    room.open()
    with pytest.raises(LoginRefused, match="S"):
        room.client(session=client.session)
    fresh = room.client()
    assert (fresh.session, fresh.next_number) == ("2311140002", 1)
    room.server.send("ONE", b"first")
    assert read(fresh, 1) == [b"first"]
    assert messages_of_day(room.home, "ONE", "231114") == [b"last", b"first"]
    fresh.close()


@pytest.mark.parametrize(
    ("login", "reason"),
    [
        (Login("ONE", "wrong"), "A"),
        (Login("NOBODY", SECRET), "A"),
        (Login("ONE", SECRET, "other"), "S"),
        (Login("ONE", SECRET, "", 2), "S"),
    ],
)
def test_logins_that_are_refused(room: Room, login: Login, reason: str) -> None:
    with pytest.raises(LoginRefused, match=f"{reason}$"):
        SoupClient(room.server.address, login)
    assert room.told == []


def test_a_second_login_ends_the_first_connection(room: Room) -> None:
    first = room.client()
    second = room.client()
    lost(first)
    second.send(packet(b"U", b"x"))
    assert read(second, 1) == [b"X"]
    assert [what for what, _, _ in room.told] == ["login", "gone", "login", "message"]
    second.close()


def test_on_command_a_connection_is_cut_and_refused_for_a_while(room: Room) -> None:
    client = room.client()
    room.server.disconnect("ONE", 0.3)
    lost(client)
    with pytest.raises(LoginRefused, match="S"):
        room.client()
    time.sleep(0.35)
    room.client().close()


def test_heartbeats_both_ways_and_a_client_that_falls_silent(room: Room) -> None:
    client = room.client(patience_ms=2_500)
    born = time.monotonic()
    beats = 0
    while time.monotonic() - born < 3.2:  # longer than the server's patience
        client.receive()
        client.take()
        beats += client.beat(time.monotonic_ns())
        time.sleep(0.02)
    assert 2 <= beats <= 4
    assert ("gone", "ONE", b"") not in room.told
    lost(client)  # it says nothing from here on, but hears the server's heartbeats first
    wait(lambda: ("gone", "ONE", b"") in room.told)


def test_a_server_that_does_not_answer_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(LinkLost, match="connection is lost"):
        SoupClient(listener.getsockname()[:2], Login("ONE", SECRET), timeout_s=0.2)
    with pytest.raises(LinkLost, match="no venue"):
        SoupClient(("127.0.0.1", 1), Login("ONE", SECRET), timeout_s=0.2)


def test_a_client_measures_silence_and_what_the_venue_does_not_read(room: Room) -> None:
    client = room.client()
    now_ns = time.monotonic_ns()
    client.beat(now_ns)
    client.receive()
    assert client.beat(now_ns + 14 * 10**9) is True
    with pytest.raises(LinkLost, match="fifteen"):
        client.beat(now_ns + 31 * 10**9)
    client.close()
    ours, theirs = socket.socketpair()  # whose other end reads nothing
    ours.setblocking(False)
    client.socket = ours
    client.send(bytes(1 << 20))
    with pytest.raises(LinkLost, match="does not read"):
        client.send(bytes(1 << 20))
    assert len(client.unsent) > 1 << 20
    ours.close()
    theirs.close()


def test_packets_may_come_byte_by_byte(room: Room) -> None:
    sock = room.raw()
    for byte in soup.login_packet(Login("ONE", SECRET)) + packet(b"U", b"slow") + packet(b"R") + packet(b"+", b"hi"):
        sock.send(bytes([byte]))
        time.sleep(0.001)
    wait(lambda: ("message", "ONE", b"slow") in room.told)
    sock.send(packet(b"O"))
    assert cut(sock).startswith(soup.accepted_packet("2311140001", 1) + packet(b"S", b"SLOW"))


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


def test_logins_as_bytes() -> None:
    for login in (Login("ONE", SECRET), Login("QUOTER", "0123456789", "2311140001", 10**19), Login("A", "", "", 0, 30_000)):
        data = soup.login_packet(login)
        assert soup.read_login(data[3:]) == login
        assert len(data) == 3 + (51 if login.patience_ms else 46)
    assert soup.read_accepted(soup.accepted_packet("2311140001", 77)[3:]) == ("2311140001", 77)
    for wrong in (Login("TOOLONG", ""), Login("Ä", ""), Login("A", "", "", -1), Login("A", "", "", 1, 100_000)):
        with pytest.raises(LinkError):
            soup.login_packet(wrong)
    with pytest.raises(LinkError):
        soup.read_accepted(b"short")


def test_a_port_that_is_taken(room: Room) -> None:
    with pytest.raises(ConfigError, match="listen"):
        SoupServer(room.server.address, {}, {}, room, room.errors.append)


def test_a_stream_is_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ONE-2311140001.soup"
    stream = Stream(path)
    stream.append(b"a" * 300)
    stream.append(b"b")
    stream.close()
    path.write_bytes(path.read_bytes() + b"\x00")
    again = Stream(path)
    assert again.messages() == [b"a" * 300, b"b"] and again.next_number == 3 and not again.ended
    again.end()
    again.close()
    assert Stream(path).ended
