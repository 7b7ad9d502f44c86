"""The venue in a process of its own, spoken to over a real socket by a client that shares no code with it."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.ems.fix_peer import FixPeer, Message
from tests.ems.venue_process import ROOT, VenueProcess

TAPE = ROOT / ".." / "shared" / "data" / "lobster" / "LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"
SEATS = 16
_seats = itertools.count()


@pytest.fixture(scope="module")
def venue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VenueProcess]:
    """One venue for all tests that leave it as they found it: each is a client of its own in a market of its own."""
    names = {"clients": [f"C{seat}" for seat in range(SEATS)], "symbols": [f"T{seat}" for seat in range(SEATS)]}
    process = VenueProcess(tmp_path_factory.mktemp("venue"), speed=10.0, **names).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def peer(venue: VenueProcess) -> Iterator[FixPeer]:
    seat = next(_seats)
    assert seat < SEATS, "no seat is left: raise SEATS"
    client = FixPeer(venue.port, f"C{seat}", symbol=f"T{seat}").connect()
    yield client
    client.drop()


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[VenueProcess]:
    """A venue for a test that changes the whole of it."""
    process = VenueProcess(tmp_path, speed=10.0).start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def client(alone: VenueProcess) -> Iterator[FixPeer]:
    peer = FixPeer(alone.port).connect()
    yield peer
    peer.drop()


def ledger_of(venue: VenueProcess, peer: FixPeer, kind: str) -> list[dict[str, Any]]:
    return [line for line in venue.ledger() if line["k"] == kind and line["session"] == peer.sender]


def fields(message: Message, *tags: int) -> list[str | None]:
    return [message.get(str(tag)) for tag in tags]


def filled(peer: FixPeer, cl_ord_id: str) -> Message:
    return peer.until(lambda m: m.get("11") == cl_ord_id and m.get("39") == "2")


def test_a_marketable_order_fills_and_the_ledger_agrees(venue: VenueProcess, peer: FixPeer) -> None:
    peer.order("A", "1", 500, "101")
    new = peer.report("A", "0")
    assert fields(new, 39, 151, 14, 38, 44, 40, 54, 55, 59) == ["0", "500", "0", "500", "101", "2", "1", peer.symbol, "0"]
    last = filled(peer, "A")
    fills = [m for m in peer.inbox if m.get("150") == "F"]
    assert sum(int(m["32"]) for m in fills) == 500 and len({m["17"] for m in fills}) == len(fills)
    money = sum(int(m["32"]) * Decimal(m["31"]) for m in fills)
    assert abs(Decimal(last["6"]) - money / 500) <= Decimal("1e-9") and last["151"] == "0"
    executions = ledger_of(venue, peer, "exec")
    assert [(e["exec_id"], e["quantity_e9"], e["price_e9"]) for e in executions] == [
        (m["17"], int(m["32"]) * 10**9, int(Decimal(m["31"]) * 10**9)) for m in fills
    ]


def test_the_life_of_a_resting_order(venue: VenueProcess, peer: FixPeer) -> None:
    peer.order("A", "1", 100, "90")
    order_id = peer.report("A", "0")["37"]
    peer.replace("B", "A", 250, "90.5")
    assert fields(peer.next("8"), 150, 39, 11, 41, 38, 44, 151, 37) == ["5", "0", "B", "A", "250", "90.5", "250", order_id]
    peer.replace("C", "A", 300, "90")
    assert fields(peer.next("9"), 11, 41, 39, 434, 102) == ["C", "B", "0", "2", "1"], "A is not its id any more"
    peer.status("B")
    assert fields(peer.next("8"), 150, 39, 11, 151, 17) == ["I", "0", "B", "250", "0"]
    peer.cancel("C", "B")
    assert fields(peer.next("8"), 150, 39, 11, 41, 151) == ["4", "4", "C", "B", "0"]
    peer.cancel("D", "C")
    assert fields(peer.next("9"), 39, 434, 102, 37) == ["4", "1", "0", order_id]
    states = [(line["cl_ord_id"], line["state"]) for line in ledger_of(venue, peer, "order")]
    assert states == [("A", "new"), ("B", "new"), ("C", "canceled")]


def test_immediate_orders_do_not_rest(peer: FixPeer) -> None:
    peer.order("IOC", "1", 100, "90", tif="3")
    assert peer.report("IOC", "0") and fields(peer.report("IOC", "4"), 39, 14, 151) == ["4", "0", "0"]
    peer.order("FOK", "1", 100_000_000, "101", tif="4")
    assert fields(peer.report("FOK", "4"), 14) == ["0"], "all or nothing"
    peer.order("MKT", "2", 100, None)
    assert fields(filled(peer, "MKT"), 14, 151, 44) == ["100", "0", None]
    peer.order("MKT2", "1", 100_000_000, None)
    rest = peer.report("MKT2", "4")
    assert 0 < int(rest["14"]) < 100_000_000 and rest["151"] == "0"


def test_a_stop_order_over_fix_and_the_question_for_all_orders(peer: FixPeer) -> None:
    held = [
        (55, peer.symbol),
        (54, "1"),
        (38, "100"),
        (40, "3"),
        (59, "6"),
        (126, "20991231-00:00:00"),
        (60, "20260101-00:00:00"),
    ]
    peer.send("D", [(11, "S"), *held, (99, "300")])
    assert fields(peer.report("S", "0"), 39, 40, 99, 636, 59, 126) == ["0", "3", "300", "N", "6", "20991231-00:00:00.000"]
    peer.order("L", "1", 100, "90")
    peer.report("L", "0")
    peer.send("AF", [(584, "M"), (585, "7")])
    assert [fields(peer.next("8"), 150, 11, 584, 911, 912) for _ in "12"] == [
        ["I", "S", "M", "2", "N"],
        ["I", "L", "M", "2", "Y"],
    ]
    peer.send("AF", [(584, "N"), (585, "1"), (55, "NOPE")])
    assert fields(peer.next("8"), 150, 39, 103, 584, 911, 912) == ["I", "8", "5", "N", "0", "Y"]
    peer.send("G", [(11, "T"), (41, "S"), *held, (99, "50")])
    peer.report("T", "5")
    assert fields(peer.report("T", "L"), 39, 636) == ["0", "Y"], "every trade is above it"
    assert fields(filled(peer, "T"), 14, 151, 636) == ["100", "0", None]


def test_replace_below_what_is_filled_ends_the_order(peer: FixPeer) -> None:
    peer.status("warm")
    peer.next("8")
    peer.order("A", "1", 1_000_000, "100.5")
    part = peer.until(lambda m: m.get("11") == "A" and m.get("150") == "F")
    peer.replace("B", "A", 1, "100.5")
    done = peer.report("B", "5")
    assert done["39"] == "2" and done["151"] == "0" and done["38"] == done["14"] and int(done["14"]) >= int(part["14"])


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        (("1", 100, "101", "NOPE", "0"), "1"),
        (("1", 0, "101", "", "0"), "13"),
        (("1", 100, "101.005", "", "0"), "99"),
        (("1", 100, "-1", "", "0"), "99"),
        (("1", 100, "101", "", "2"), "99"),  # no auction is to come
        (("7", 100, "101", "", "0"), "11"),
    ],
)
def test_refusals(peer: FixPeer, order: tuple[str, int, str, str, str], reason: str) -> None:
    side, quantity, price, symbol, tif = order
    peer.order("A", side, quantity, price, symbol=symbol, tif=tif)
    refused = peer.report("A", "8")
    assert fields(refused, 39, 103, 151) == ["8", reason, "0"] and refused["58"]


def test_duplicates_and_strangers(peer: FixPeer) -> None:
    peer.order("A", "1", 100, "90")
    peer.report("A", "0")
    peer.order("A", "1", 100, "90")
    assert fields(peer.report("A", "8"), 39, 103, 151) == ["0", "6", "100"], "the live order's state"
    peer.status("nobody")
    assert fields(peer.next("8"), 150, 39, 103, 37) == ["I", "8", "5", "NONE"]
    peer.cancel("C", "nobody")
    assert fields(peer.next("9"), 39, 102, 434, 37, 41) == ["8", "1", "1", "NONE", "nobody"]
    peer.cancel("A", "A")
    assert fields(peer.next("9"), 102) == ["6"]
    peer.send("D", [(11, "X")])
    assert peer.read(10)["35"] == "3"
    peer.order("B", "1", 100, "90")
    assert peer.report("B", "0"), "the session lives on"


@pytest.fixture
def feed(venue: VenueProcess, peer: FixPeer) -> Iterator[FixPeer]:
    client = FixPeer(venue.port, f"{peer.sender}-MD", reset=True)
    yield client
    client.drop()


def test_market_data_is_conflated_and_bounds_an_interval(peer: FixPeer, feed: FixPeer) -> None:
    feed.connect()
    feed.subscribe("r1", peer.symbol)
    begin = feed.next("W")
    first = feed.groups(begin)
    assert Decimal(first["0"]["270"]) < Decimal(first["1"]["270"]) and int(first["0"]["271"]) > 0
    peer.order("A", "1", 5000, "101")
    filled(peer, "A")
    traded = float(begin["5061"]) + 400_000
    then = feed.groups(feed.until(lambda m: m["35"] == "W" and float(m["5061"]) > traded))
    volume = int(then["B"]["271"]) - int(first.get("B", {"271": "0"})["271"])
    assert volume >= 5000 and "9" in then and "2" in then
    times = [int(m["5060"]) for m in feed.inbox if m["35"] == "W"]
    assert times == sorted(times)
    feed.subscribe("r2", "NOPE")
    assert feed.next("Y")["262"] == "r2"
    feed.order("X", "1", 100, "90")
    assert feed.next("j")["380"] == "3", "no orders on this session"


def test_faults_on_command(alone: VenueProcess, client: FixPeer) -> None:
    assert alone.command(faults={"reject_next": 1})["ok"]
    client.order("R", "1", 100, "90")
    assert fields(client.report("R", "8"), 39, 103) == ["8", "99"]
    alone.command(faults={"drop_next": 1})
    client.order("LOST", "1", 100, "90")
    client.status("LOST")
    assert fields(client.next("8"), 150, 39, 11) == ["I", "0", "LOST"], "the New never came, the order is there"
    alone.command(faults={"duplicate_next": 1})
    client.order("TWICE", "1", 100, "90")
    assert client.next("8")["17"] == client.next("8")["17"]
    alone.command(faults={"reorder_next": 1})
    client.order("O1", "1", 100, "90")
    client.order("O2", "1", 100, "90")
    assert [client.next("8")["11"], client.next("8")["11"]] == ["O2", "O1"]
    alone.command(faults={"delay_ms": 300})
    client.order("LATE", "1", 100, "90")
    client.status("LATE")
    assert [client.next("8")["150"], client.next("8")["150"]] == ["I", "0"], "the answer to the question overtakes"
    assert alone.command(faults={"nonsense": 1}) == {"ok": False, "error": "no such fault setting: nonsense=1"}
    assert alone.command(status=True)["status"]["faults"]["delay_ms"] == 300
    dropped = [line for line in alone.ledger() if line["k"] == "sent" and line["fate"] == "dropped"]
    assert len(dropped) == 1


def test_disconnect_on_command_loses_nothing(alone: VenueProcess, client: FixPeer) -> None:
    client.order("A", "1", 100, "90")
    client.report("A", "0")
    alone.command(disconnect={"session": "EMS", "hold_ms": 1})
    assert client.next("5")["58"] == "disconnected on command"
    client.drop()
    assert alone.command(expire=True)["expired"] == 1
    client.reconnect()
    assert fields(client.report("A", "C"), 39, 151) == ["C", "0"], "stored while nobody was there, sent on request"


def test_it_leaves_in_order_whatever_its_peers_do(alone: VenueProcess, client: FixPeer) -> None:
    """One peer answers the Logout, one is silent, others come and go while it leaves."""
    silent = FixPeer(alone.port, "EMS-MD", reset=True).connect()
    client.order("A", "1", 100, "90")
    client.report("A", "0")
    with strangers(alone.port):
        alone.terminate()
        assert client.next("5")["58"] == "the venue closes"
        client.log_out()
        assert silent.next("5")["58"] == "the venue closes"
        silent.drop()
        assert alone.stop() == 0
    assert [line["state"] for line in ledger_of(alone, client, "order")] == ["new"]


@contextlib.contextmanager
def strangers(port: int) -> Iterator[None]:
    """Somebody connects and goes, again and again."""
    gone = threading.Event()

    def come_and_go() -> None:
        while not gone.wait(0.02):
            with contextlib.suppress(OSError):  # nobody listens any more
                socket.create_connection(("127.0.0.1", port), timeout=1).close()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        yield
    finally:
        gone.set()
        thread.join()


@pytest.mark.needs_data
def test_a_recorded_tape_fills_orders_and_ends_the_day(tmp_path: Path) -> None:
    if not TAPE.exists():
        pytest.skip(f"recorded market data is not here: {TAPE.name}")
    process = VenueProcess(tmp_path, tape=str(TAPE), symbols=["AMZN"], speed=20.0, skip_s=23_220).start()
    try:
        _trade_to_the_end(process)
    finally:
        assert process.stop() == 0


def _trade_to_the_end(process: VenueProcess) -> None:
    peer = FixPeer(process.port, symbol="AMZN").connect()
    peer.order("A", "1", 200, "226")
    peer.order("B", "1", 200, "200")
    assert Decimal(filled(peer, "A")["6"]) < 226
    assert fields(peer.report("B", "C"), 39, 151) == ["C", "0"], "the tape has ended"
    peer.order("C", "1", 200, "226")
    assert peer.report("C", "8")["103"] == "2"
    assert peer.inbox[-1]["60"].startswith("20120621-"), "the market's clock, not the wall's"
    peer.drop()
