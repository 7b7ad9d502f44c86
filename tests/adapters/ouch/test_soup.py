"""SoupBinTCP over real sockets: logins, replay, heartbeats both ways, ends."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.ouch import soup
from adapters.ouch.soup import Login, packet
from adapters.ouch.soup_client import SoupClient
from adapters.ouch.soup_server import SoupServer
from adapters.ouch.soup_stream import Stream, messages_of_day
from domain.errors import ConfigError, LinkError, LinkLost, LoginRefused
from tests.adapters.ouch.soup_room import SECRET, Room, cut, lost, read, wait


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    room = Room(tmp_path)
    yield room
    room.server.close(ended=False)
    assert room.errors == []


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
    client = room.client(patience_ms=1_500)
    born = time.monotonic()
    beats = 0
    while time.monotonic() - born < 2.2:  # longer than the server's patience
        client.receive()
        client.take()
        beats += client.beat(time.monotonic_ns())
        time.sleep(0.02)
    assert 1 <= beats <= 2
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
