"""The small OMS: what it says on the wire, what its ledger keeps, and that a restart goes on where it was."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.oms import Oms
from domain.errors import LinkError
from domain.values import E9
from ems.loopback import free_port
from tests.adapters.fix.kit import WAIT_S, an_order, make_oms
from tests.adapters.fix.raw import RawPeer


@pytest.fixture
async def ems() -> AsyncIterator[tuple[RawPeer, int]]:
    """A raw EMS and its port."""
    peer, port = RawPeer("EMS", "OMS"), free_port()
    await peer.listen(port)
    yield peer, port
    await peer.close()


@pytest.fixture
def oms_in(tmp_path: Path) -> Iterator[Callable[[int], Oms]]:
    """Makes an OMS in the test's directory, and stops what the test did not."""
    made: list[Oms] = []

    def make(port: int) -> Oms:
        made.append(make_oms(tmp_path, port))
        return made[-1]

    yield make
    for oms in made:
        oms.stop(0.2)


MakeOms = Callable[[int], Oms]


def ledger(directory: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / "ledger.jsonl").read_text().splitlines()]


def report(order: dict[str, str], exec_type: str, status: str, **more: str) -> str:
    fields = {"37": "O1", "11": order["11"], "17": f"E{exec_type}", "150": exec_type, "39": status, "55": "AMZN", "54": "1"}
    fields |= {"151": "0", "14": "0", "6": "0"} | {tag.lstrip("t"): value for tag, value in more.items()}
    return "".join(f"{tag}={value}|" for tag, value in fields.items())


async def test_an_order_from_place_to_its_end(ems: tuple[RawPeer, int], tmp_path: Path, oms_in: MakeOms) -> None:
    peer, port = ems
    oms = oms_in(port)
    await asyncio.to_thread(oms.start)
    parameters = (("StartTime", "20261122-15:00:00"), ("EndTime", "20261122-16:00:00"))
    sent = oms.place(an_order(limit_price_e9=187_500_000_000, parameters=parameters))
    order = await peer.take(lambda m: m["35"] == "D")
    assert (order["11"], order["38"], order["40"], order["44"], order["847"]) == (sent, "5000", "2", "187.5", "1")
    peer.send("8", report(order, "0", "0"))
    await asyncio.to_thread(oms.wait_report, sent, "0", WAIT_S)
    cancel_id = oms.cancel(sent)
    cancel = await peer.take(lambda m: m["35"] == "F")
    assert (cancel["11"], cancel["41"], cancel["55"], cancel["54"]) == (cancel_id, sent, "AMZN", "1")
    peer.send("8", report(cancel, "4", "4", t41=sent))
    final = await asyncio.to_thread(oms.wait_final, sent, WAIT_S)
    assert (final[150], final[11]) == ("4", cancel_id)
    await asyncio.to_thread(oms.stop, 0.5)
    lines = [(line["direction"], line.get("msg_type", line.get("event"))) for line in ledger(tmp_path)]
    assert lines == [("event", "logon"), ("out", "D"), ("in", "8"), ("out", "F"), ("in", "8"), ("event", "logout")]
    assert ledger(tmp_path)[1]["parameters"] == [list(pair) for pair in parameters]


async def test_a_restarted_oms_goes_on_with_its_numbers(ems: tuple[RawPeer, int], tmp_path: Path, oms_in: MakeOms) -> None:
    peer, port = ems
    first = oms_in(port)
    await asyncio.to_thread(first.start)
    sent = first.place(an_order())
    await peer.take(lambda m: m["35"] == "D")
    await asyncio.to_thread(first.stop, 0.5)
    last = await peer.take(lambda m: m["35"] == "5")  # after heartbeats, as many as the machine was slow
    with (tmp_path / "ledger.jsonl").open("a") as file:
        file.write('{"time_ns": 1, "dire')  # a kill in the middle of a line
    seen = len(peer.messages)
    second = oms_in(port)
    await asyncio.to_thread(second.start)
    logon = await peer.take(lambda m: m["35"] == "A", after=seen)
    assert int(logon["34"]) == int(last["34"]) + 1
    changed = second.replace(sent, an_order(quantity_e9=4000 * E9))
    request = await peer.take(lambda m: m["35"] == "G")
    assert (request["11"], request["41"], request["38"]) == (changed, sent, "4000")
    second.ask_status(sent)
    assert (await peer.take(lambda m: m["35"] == "H"))["11"] == sent
    await asyncio.to_thread(second.stop, 0.5)
    assert all("direction" in line for line in ledger(tmp_path))


async def test_an_order_is_repeated_when_the_ems_asks_for_it(ems: tuple[RawPeer, int], tmp_path: Path, oms_in: MakeOms) -> None:
    peer, port = ems
    oms = oms_in(port)
    await asyncio.to_thread(oms.start)
    sent = oms.place(an_order())
    number = (await peer.take(lambda m: m["35"] == "D"))["34"]
    seen = len(peer.messages)
    peer.send("2", f"7={number}|16=0|")
    repeated = await peer.take(lambda m: m["35"] == "D", after=seen)
    assert (repeated["11"], repeated["34"], repeated["43"]) == (sent, number, "Y")
    await asyncio.to_thread(oms.stop, 0.5)
    assert [line["poss_dup"] for line in ledger(tmp_path) if line.get("msg_type") == "D"] == [False, True]


async def test_nobody_there_is_said_in_time(oms_in: MakeOms) -> None:
    oms = oms_in(free_port())
    with pytest.raises(LinkError, match="no logon"):
        await asyncio.to_thread(oms.start, 0.3)


def test_an_unknown_order_cannot_be_cancelled(oms_in: MakeOms) -> None:
    oms = oms_in(free_port())
    with pytest.raises(KeyError):
        oms.cancel("never sent")


def test_two_programs_of_the_same_second_name_their_orders_apart(oms_in: MakeOms, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for now_ms in (1_795_383_881_000, 1_795_383_881_001):
        monkeypatch.setattr("adapters.fix.oms.time.time_ns", lambda now_ms=now_ms: now_ms * 1_000_000)
        oms = oms_in(free_port())
        names.append(oms.place(an_order()))
        oms.stop(0)
    assert len(set(names)) == 2
