"""The venue in a process of its own, spoken to over a real socket by a client that shares no code with it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.ems.fix_peer import FixPeer, Message
from tests.ems.venue_process import ROOT, VenueProcess

TAPE = ROOT / ".." / "shared" / "data" / "lobster" / "LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[VenueProcess]:
    process = VenueProcess(tmp_path, speed=10.0)
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
def peer(venue: VenueProcess) -> Iterator[FixPeer]:
    client = FixPeer(venue.port).connect()
    yield client
    client.drop()


def fields(message: Message, *tags: int) -> list[str | None]:
    return [message.get(str(tag)) for tag in tags]


def filled(peer: FixPeer, cl_ord_id: str) -> Message:
    return peer.until(lambda m: m.get("11") == cl_ord_id and m.get("39") == "2")


def test_a_marketable_order_fills_and_the_ledger_agrees(venue: VenueProcess, peer: FixPeer) -> None:
    peer.order("A", "1", 500, "101")
    new = peer.report("A", "0")
    assert fields(new, 39, 151, 14, 38, 44, 40, 54, 55, 59) == ["0", "500", "0", "500", "101", "2", "1", "TEST", "0"]
    last = filled(peer, "A")
    fills = [m for m in peer.inbox if m.get("150") == "F"]
    assert sum(int(m["32"]) for m in fills) == 500 and len({m["17"] for m in fills}) == len(fills)
    money = sum(int(m["32"]) * Decimal(m["31"]) for m in fills)
    assert abs(Decimal(last["6"]) - money / 500) <= Decimal("1e-9") and last["151"] == "0"
    executions = [line for line in venue.ledger() if line["k"] == "exec"]
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
    states = [(line["cl_ord_id"], line["state"]) for line in venue.ledger() if line["k"] == "order"]
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
        (("1", 0, "101", "TEST", "0"), "13"),
        (("1", 100, "101.005", "TEST", "0"), "99"),
        (("1", 100, "-1", "TEST", "0"), "99"),
        (("1", 100, "101", "TEST", "2"), "11"),
        (("7", 100, "101", "TEST", "0"), "11"),
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
def feed(venue: VenueProcess) -> Iterator[FixPeer]:
    client = FixPeer(venue.port, "EMS-MD", reset=True)
    yield client
    client.drop()


def test_market_data_is_conflated_and_bounds_an_interval(peer: FixPeer, feed: FixPeer) -> None:
    feed.connect()
    feed.subscribe("r1", "TEST")
    first = groups(feed, feed.next("W"))
    assert Decimal(first["0"]["270"]) < Decimal(first["1"]["270"]) and int(first["0"]["271"]) > 0
    peer.order("A", "1", 5000, "101")
    filled(peer, "A")
    then = groups(feed, feed.until(lambda m: m["35"] == "W" and float(m["5061"]) > 400_000))
    volume = int(then["B"]["271"]) - int(first.get("B", {"271": "0"})["271"])
    assert volume >= 5000 and "9" in then and "2" in then
    times = [int(m["5060"]) for m in feed.inbox if m["35"] == "W"]
    assert times == sorted(times)
    feed.subscribe("r2", "NOPE")
    assert feed.next("Y")["262"] == "r2"
    feed.order("X", "1", 100, "90")
    assert feed.next("j")["380"] == "3", "no orders on this session"


def groups(feed: FixPeer, message: Message) -> dict[str, dict[str, str]]:
    """Entries of a W by type, from its text: the repeating group."""
    text = next(t for t in reversed(feed.texts) if f"|34={message['34']}|" in t)
    entries: dict[str, dict[str, str]] = {}
    for part in text.split("|269=")[1:]:
        kind, _, rest = part.partition("|")
        entries[kind] = dict(pair.split("=", 1) for pair in rest.split("|") if pair)
    return entries


def test_faults_on_command(venue: VenueProcess, peer: FixPeer) -> None:
    assert venue.command(faults={"reject_next": 1})["ok"]
    peer.order("R", "1", 100, "90")
    assert fields(peer.report("R", "8"), 39, 103) == ["8", "99"]
    venue.command(faults={"drop_next": 1})
    peer.order("LOST", "1", 100, "90")
    peer.status("LOST")
    assert fields(peer.next("8"), 150, 39, 11) == ["I", "0", "LOST"], "the New never came, the order is there"
    venue.command(faults={"duplicate_next": 1})
    peer.order("TWICE", "1", 100, "90")
    assert peer.next("8")["17"] == peer.next("8")["17"]
    venue.command(faults={"reorder_next": 1})
    peer.order("O1", "1", 100, "90")
    peer.order("O2", "1", 100, "90")
    assert [peer.next("8")["11"], peer.next("8")["11"]] == ["O2", "O1"]
    venue.command(faults={"delay_ms": 300})
    peer.order("LATE", "1", 100, "90")
    peer.status("LATE")
    assert [peer.next("8")["150"], peer.next("8")["150"]] == ["I", "0"], "the answer to the question overtakes"
    assert venue.command(faults={"nonsense": 1}) == {"ok": False, "error": "no such fault setting: nonsense=1"}
    assert venue.command(status=True)["status"]["faults"]["delay_ms"] == 300
    dropped = [line for line in venue.ledger() if line["k"] == "sent" and line["fate"] == "dropped"]
    assert len(dropped) == 1


def test_disconnect_on_command_loses_nothing(venue: VenueProcess, peer: FixPeer) -> None:
    peer.order("A", "1", 100, "90")
    peer.report("A", "0")
    venue.command(disconnect={"session": "EMS", "hold_ms": 1})
    assert peer.next("5")["58"] == "disconnected on command"
    peer.drop()
    assert venue.command(expire=True)["expired"] == 1
    peer.reconnect()
    assert fields(peer.report("A", "C"), 39, 151) == ["C", "0"], "stored while nobody was there, sent on request"


@pytest.mark.needs_data
def test_a_recorded_tape_fills_orders_and_ends_the_day(tmp_path: Path) -> None:
    if not TAPE.exists():
        pytest.skip(f"recorded market data is not here: {TAPE.name}")
    process = VenueProcess(tmp_path, tape=str(TAPE), symbol="AMZN", speed=20.0, skip_s=23_220).start()
    try:
        _trade_to_the_end(process)
    finally:
        assert process.stop() == 0


def _trade_to_the_end(process: VenueProcess) -> None:
    peer = FixPeer(process.port).connect()
    peer.order("A", "1", 200, "226", symbol="AMZN")
    peer.order("B", "1", 200, "200", symbol="AMZN")
    assert Decimal(filled(peer, "A")["6"]) < 226
    assert fields(peer.report("B", "C"), 39, 151) == ["C", "0"], "the tape has ended"
    peer.order("C", "1", 200, "226", symbol="AMZN")
    assert peer.report("C", "8")["103"] == "2"
    assert peer.inbox[-1]["60"].startswith("20120621-"), "the market's clock, not the wall's"
    peer.drop()
