"""The feed's sockets: early datagrams wait in order, and what is missing is asked of whoever can repeat it."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator

import pytest

from adapters.marketdata.mold import MoldSender
from adapters.marketdata.mold_feed import AGAIN_NS, MoldFeed
from domain.errors import LinkError
from ems.loopback import free_port


class Line:
    """A publisher that answers on the socket that it sends from."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.sender = MoldSender("S")
        self._to = ("127.0.0.1", port)

    def packets(self, count: int) -> list[bytes]:
        return [packet for n in range(count) for packet in self.sender.packets(b"\0\x02" + bytes([65, n]))]

    def send(self, packet: bytes) -> None:
        self.socket.sendto(packet, self._to)


@pytest.fixture
def line() -> Iterator[tuple[Line, MoldFeed]]:
    port = free_port()
    feed, made = MoldFeed(("127.0.0.1", port), None), Line(port)
    yield made, feed
    feed.close()
    made.socket.close()


def polled(feed: MoldFeed) -> int:
    select.select(feed.sockets, [], [], 5)
    return feed.number(feed.poll() or feed.answered())


def test_datagrams_come_as_they_are_and_nothing_is_zero(line: tuple[Line, MoldFeed]) -> None:
    sender, feed = line
    assert feed.poll() == 0
    for packet in sender.packets(3):
        sender.send(packet)
    assert [polled(feed) for _ in range(3)] == [1, 2, 3]
    sender.send(b"short")
    assert polled(feed) == 0


def test_early_ones_are_ripe_in_order_when_what_was_missing_has_come(line: tuple[Line, MoldFeed]) -> None:
    sender, feed = line
    packets = sender.packets(5)
    for number in (5, 3, 4):
        sender.send(packets[number - 1])
        select.select(feed.sockets, [], [], 5)
        feed.hold(feed.poll())
    assert feed.held == 3
    assert feed.ripe(2) == 0
    found = [feed.number(feed.ripe(number)) for number in (3, 4, 5)]
    assert found == [3, 4, 5]
    assert feed.held == 0


def test_what_is_missing_is_asked_of_the_lines_sender_and_not_again_at_once(line: tuple[Line, MoldFeed]) -> None:
    sender, feed = line
    packets = sender.packets(4)
    sender.send(packets[3])
    select.select(feed.sockets, [], [], 5)
    feed.hold(feed.poll())
    session = packets[0][:10]
    feed.ask(session, 1, 5, AGAIN_NS)
    request, who = sender.socket.recvfrom(100)
    assert request == session + (1).to_bytes(8, "big") + (3).to_bytes(2, "big")  # up to what is held
    for packet in sender.sender.answer(request):
        sender.socket.sendto(packet, who)
    assert polled(feed) == 1
    feed.ask(session, 1, 5, 2 * AGAIN_NS - 1)
    feed.ask(session, 3, 5, 2 * AGAIN_NS - 1)  # something has come meanwhile
    assert sender.socket.recvfrom(100)[0][10:] == (3).to_bytes(8, "big") + (1).to_bytes(2, "big")


def test_a_port_that_is_taken_is_said() -> None:
    port = free_port()
    feed = MoldFeed(("127.0.0.1", port), None)
    with pytest.raises(LinkError, match="no feed at"):
        MoldFeed(("127.0.0.1", port), None)
    feed.close()
