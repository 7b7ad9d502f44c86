"""OUCH in, ITCH out, over real sockets: after every decision the book that a reader has is the engine's, queue by queue."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest

from adapters.marketdata.itch_line import ItchLine
from adapters.marketdata.mold import ENDED, NEXT
from domain.ports_venue import Listing
from domain.tape import Kind, tape_of
from domain.values import E9
from models.market.calls import AuctionMarket, Call
from models.market.flow import FlowParameters, GeneratedFlow
from tests.ems.ouch_room import CENT, OPEN_NS, OuchClient, OuchRoom
from tests.ems.test_venue_itch import Listener
from tests.models.market.test_shown import Reader, displayed

SYMBOLS = ("TEST", "MORE")
STEP_S = 0.5


def a_market(seed: int) -> AuctionMarket:
    flow = GeneratedFlow(np.random.default_rng(seed), FlowParameters(10_000), open_ns=OPEN_NS)
    calls = [Call(OPEN_NS + 20 * E9, OPEN_NS + 25 * E9)]
    return AuctionMarket(flow, calls=calls, collar_ticks=20, base_ticks=9_000, window=2_048, shows=True)


def trade_at_random(rng: np.random.Generator, client: OuchClient, orders: list[int]) -> None:
    """One request: an order, a replace, a cancel, of part or all, or of everything."""
    symbol, side, quantity = str(rng.choice(SYMBOLS)), str(rng.choice(["B", "S"])), int(rng.integers(1, 9)) * 20
    price = 10_000 + int(rng.integers(-6, 7))
    match int(rng.integers(10)):
        case 0 | 1 | 2 | 3:
            orders.append(client.enter(side, quantity, price, symbol=symbol, post_only=bool(rng.random() < 0.5)))
        case 4:
            client.enter(side, quantity, price, symbol=symbol, time_in_force="3")
        case 5 | 6 | 7 if orders:
            orders.append(client.replace(int(rng.choice(orders)), quantity, price, post_only=bool(rng.random() < 0.5)))
        case 8 if orders:
            client.cancel(int(rng.choice(orders)), int(rng.choice([0, 20, 60])))
        case 9 if rng.random() < 0.1:
            client.ref += 1
            client.send("mass_cancel", user_ref_num=client.ref, firm="", symbol=symbol)


def check(readers: list[Reader], ear: Listener, room: OuchRoom, line: ItchLine) -> None:
    """What has come is followed; then both have the same orders in the same queues."""
    ear.listen(lambda: ear.receiver.mold.meta[NEXT] == line.next_number)
    for number, reader in enumerate(readers, 1):
        reader.follow(ear.tape[ear.tape["instrument"] == number])
        assert reader.queues() == shifted(displayed(room.markets[SYMBOLS[number - 1]]), number)
    ear.tape = ear.tape[:0]


def shifted(queues: dict[tuple[int, int], list[tuple[int, int]]], number: int) -> dict[tuple[int, int], list[tuple[int, int]]]:
    """A line's numbers of orders that are not ours tell the instrument too."""
    return {
        place: [(oid if (1 << 60) <= oid < (1 << 61) else oid + (number << 44), lots) for oid, lots in queue]
        for place, queue in queues.items()
    }


@pytest.mark.parametrize(("seed", "share_lost"), [(1, 0.0), (2, 0.03)])
def test_the_book_of_a_reader_is_the_venues_at_every_instant(tmp_path: Path, seed: int, share_lost: float) -> None:
    ear = Listener(share_lost)
    line = ItchLine(("127.0.0.1", ear.port), [Listing(symbol, CENT, E9) for symbol in SYMBOLS])
    room = OuchRoom(tmp_path, markets={symbol: a_market(seed + n) for n, symbol in enumerate(SYMBOLS)}, line=line)
    rng = np.random.default_rng(seed)
    readers = [Reader(), Reader()]
    check(readers, ear, room, line)  # compiles what reads, which may take longer than a client may be silent
    clients = [room.client("QUOTE1"), room.client("QUOTE2")]
    orders: list[list[int]] = [[], []]
    told: list[str] = []
    for _ in range(int(60 / STEP_S)):
        room.pass_s(STEP_S)
        check(readers, ear, room, line)
        for client, own in zip(clients, orders, strict=True):
            for _ in range(2):
                trade_at_random(rng, client, own)
            told += client.told()
            check(readers, ear, room, line)
    kinds = {text[0] for text in told}
    assert {"A", "U", "C", "D", "E", "X"} <= kinds and sum(text[0] == "E" for text in told) > 5
    assert line.left_out == 0 and (ear.lost > 3) == bool(share_lost)
    ear.check()
    for client in clients:
        client.close()
    room.stop()
    ear.share_lost = 0.0
    line.close()
    ear.listen(lambda: ear.receiver.mold.meta[ENDED])
    counts = ear.receiver.state.counts
    assert counts[ord("S")] == 6 and counts[ord("R")] == 2 and counts[ord("H")] > 2
    ear.socket.close()


def test_an_orders_reference_is_that_of_the_feed(tmp_path: Path) -> None:
    ear = Listener()
    line = ItchLine(("127.0.0.1", ear.port), [Listing(symbol, CENT, E9) for symbol in SYMBOLS])
    room = OuchRoom(tmp_path, line=line)
    client = room.client()
    client.enter("B", 100, 9_995)
    reference = client.read().number("order_ref_num")
    for _ in range(3):
        room.trade(-1, 9_995, 10)
    client.replace(1, 100, 9_996)
    assert client.until("replaced").number("order_ref_num") == reference
    ear.listen(lambda: (ear.tape["order_id"] == reference).sum() >= 1 + 3 + 2)
    assert (ear.tape["order_id"] == reference).sum() == 1 + 3 + 2
    client.close()
    room.stop()
    line.close()
    ear.socket.close()


def test_match_numbers_never_repeat() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(20)
        line = ItchLine(ear.getsockname(), [Listing("TEST", CENT, E9)])
        line.begin(OPEN_NS, [])
        for n in range(1, 3):
            trades = [(OPEN_NS + n, 0, 0, 10_000, 5, 1, 0, int(Kind.TRADE), 1)] * 2
            assert line.publish([tape_of(trades)])
        line.close()
        messages: list[bytes] = []
        while not messages or (messages[-1][:1], messages[-1][-1:]) != (b"S", b"C"):
            messages += frames(ear.recv(1 << 16))
    matches = [message[-8:] for message in messages if message[:1] == b"P"]
    assert len(set(matches)) == len(matches) == 4


def frames(datagram: bytes) -> list[bytes]:
    """The messages of a datagram."""
    found, at = [], 20
    while at < len(datagram):
        after = at + 2 + int.from_bytes(datagram[at : at + 2], "big")
        found.append(datagram[at + 2 : after])
        at = after
    return found


def test_a_group_on_the_loopback_has_many_readers() -> None:
    group = "239.255.77.1"
    ears = []
    for _ in range(2):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((group, ears[0].getsockname()[1] if ears else 0))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton("127.0.0.1"))
        sock.settimeout(20)
        ears.append(sock)
    line = ItchLine((group, ears[0].getsockname()[1]), [Listing("TEST", CENT, E9)])
    line.begin(OPEN_NS, [])
    found = [sock.recvfrom(1 << 16) for sock in ears]
    assert found[0] == found[1]
    data, sender = found[0]
    request = data[:10] + (2).to_bytes(8, "big") + (1).to_bytes(2, "big")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(20)
        asking.sendto(request, sender)
        assert asking.recv(1 << 16)[:20] == request, "an answer is one datagram to who asked"
    line.close()
    for sock in ears:
        sock.close()
