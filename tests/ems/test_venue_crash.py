"""kill -9 of the venue while orders flow: nothing lost, nothing twice, as the peer and the ledger see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ems.venue_ledger import Ledger, resume_times
from tests.ems.fix_peer import FixPeer
from tests.ems.venue_process import VenueProcess

Start = Callable[..., VenueProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a venue that ends with the test, whatever happens."""
    started: list[VenueProcess] = []

    def begin(**config: object) -> VenueProcess:
        started.append(VenueProcess(tmp_path, **config))
        return started[-1].start()

    yield begin
    for process in started:
        process.stop()


def test_kill_while_orders_flow(start: Start) -> None:
    process = start(speed=10.0)
    peer = FixPeer(process.port).connect()
    sent: list[str] = []
    for cycle in range(3):
        for _ in range(150):
            sent.append(f"K{len(sent)}")
            peer.order(sent[-1], "12"[len(sent) % 2], 100, "100")
        acknowledged = cycle * 150 + 40
        peer.until(lambda _, n=acknowledged: len(new(peer)) >= n)  # type: ignore[misc]
        process.kill()  # most orders are on their way, their reports too
        peer.drop()
        process.start()
        peer.connect()
    peer.until(lambda _: set(new(peer)) == set(sent))
    peer.status(sent[0])
    peer.until(lambda m: m.get("150") == "I")
    peer.drop()
    assert process.stop() == 0

    ledger = process.ledger()
    accepted = Counter(line["cl_ord_id"] for line in ledger if line["k"] == "order" and line["why"] == "accepted")
    assert accepted == Counter(sent), "each order once"
    executions = [(line["exec_id"], line["cl_ord_id"], line["quantity_e9"] // 10**9) for line in ledger if line["k"] == "exec"]
    assert len({exec_id for exec_id, _, _ in executions}) == len(executions)
    fills = {(m["17"], m["11"], int(m["32"])) for m in peer.inbox if m.get("150") == "F"}
    assert fills == set(executions), "the peer knows every fill, and no other"
    for line in ledger:
        if line["k"] == "order":
            assert line["cum_e9"] <= line["quantity_e9"]


def new(peer: FixPeer) -> list[str]:
    return [m["11"] for m in peer.inbox if m.get("150") == "0"]


def test_a_resting_order_survives_and_can_be_canceled(start: Start) -> None:
    process = start()
    peer = FixPeer(process.port).connect()
    peer.order("A", "1", 100, "90")
    peer.replace("B", "A", 70, "90")
    peer.report("B", "5")
    process.kill()
    peer.drop()
    process.start()
    peer.connect()
    peer.status("B")
    assert peer.until(lambda m: m.get("150") == "I")["151"] == "70"
    assert process.command(status=True)["status"]["markets"]["TEST"]["working"] == 1
    peer.cancel("C", "B")
    assert peer.report("C", "4")["151"] == "0"
    peer.drop()
    assert process.stop() == 0


def test_unconfirmed_reports_go_again_as_possible_resends(start: Start) -> None:
    process = start(faults={"delay_ms": 3_600_000})
    peer = FixPeer(process.port).connect()
    peer.order("A", "1", 100, "101")
    peer.status("A")
    assert peer.until(lambda m: m.get("150") == "I")["39"] == "2", "filled, but no report has left"
    process.kill()
    peer.drop()
    process.config["faults"] = {}
    process.start()
    peer.connect()
    reports = [peer.report("A", "0"), peer.report("A", "F")]
    assert {m["97"] for m in reports} == {"Y"}
    ledger = process.ledger()
    assert reports[1]["17"] == next(line["exec_id"] for line in ledger if line["k"] == "exec")
    peer.order("B", "1", 100, "90")
    fresh = peer.report("B", "0")
    assert "97" not in fresh and fresh["17"] not in {line["exec_id"] for line in ledger if line["k"] == "exec"}
    peer.drop()
    assert process.stop() == 0


def test_published_volume_never_falls(start: Start) -> None:
    process = start(speed=50.0)
    volumes: list[float] = []
    for _ in range(2):
        feed = FixPeer(process.port, "EMS-MD", reset=True).connect()
        feed.subscribe("r", "TEST")
        volumes += [float(feed.next("W")["5061"]) for _ in range(6)]
        process.kill()
        feed.drop()
        process.start()
    assert volumes == sorted(volumes) and volumes[5] > 0, "what a listener saw never falls"
    assert process.stop() == 0


def test_a_torn_decision_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    ledger = Ledger(path)
    ledger.write([{"k": "day", "venue": "SIM", "start_ns": 5}])
    ledger.write([{"k": "mark", "time_ns": 9, "trading": {}}])
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"k":"order","n":1,"time_ns":99}\n{"k":"exec","ti')
    times = resume_times(path)
    assert times is not None and (times.start_ns, times.reached_ns) == (5, 9)
    again = Ledger(path)
    assert [line["k"] for line in again.lines()] == ["day", "mark"] and path.read_bytes() == whole
    again.close()


def test_an_order_for_the_close_waits_for_it_through_a_crash_and_trades_at_one_price(start: Start) -> None:
    process = start(speed=30.0, calls=[[200, 240, "at_close"]])
    peer = FixPeer(process.port).connect()
    peer.order("A", "1", 100, "101", tif="7")
    peer.order("B", "1", 50, "90", tif="7")
    assert [peer.report(name, "0")["59"] for name in "AB"] == ["7", "7"]
    process.kill()
    peer.drop()
    process.start()
    peer.connect()
    done = peer.until(lambda m: m.get("11") == "A" and m.get("151") == "0", timeout_s=60)
    assert (done["150"], done["6"]) == ("F", done["31"])
    assert peer.report("B", "C")["58"] == "its auction is over"
    peer.order("C", "1", 100, "101", tif="7")
    assert peer.report("C", "8")["58"] == "no such auction is to come"
    peer.drop()
