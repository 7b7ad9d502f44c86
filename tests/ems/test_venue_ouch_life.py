"""The lives of the venue's OUCH sessions over real sockets: disconnects, crashes, ordered stops, and the printed client."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.ouch import compiled, layout
from adapters.ouch.soup import Login
from adapters.ouch.soup_client import SoupClient
from domain.errors import LinkLost
from tests.ems.ouch_room import OuchClient, OuchRoom


@pytest.fixture
def room(tmp_path: Path) -> Iterator[OuchRoom]:
    room = OuchRoom(tmp_path)
    yield room
    room.stop()
    assert room.errors == []


@pytest.fixture
def trader(room: OuchRoom) -> Iterator[OuchClient]:
    client = room.client()
    yield client
    client.close()


def test_a_disconnect_cancels_and_the_reports_wait(room: OuchRoom, trader: OuchClient) -> None:
    other = room.client("QUOTE2")
    other.enter("B", 100, 9_991)
    other.query()
    trader.enter("B", 100, 9_995)
    trader.enter("S", 100, 10_005)
    assert trader.told() == ["A1 100", "A2 100"]
    number = trader.soup.next_number
    assert room.venue.command({"disconnect": {"session": "QUOTE1", "hold_ms": 0}}) == {}
    with pytest.raises(LinkLost):
        trader.read()
    again = room.client(number=number)
    assert sorted([again.read().number("user_ref_num"), again.read().number("user_ref_num")]) == [1, 2]
    assert again.query() == 3
    top = room.markets["TEST"].top()
    assert (top.bid_ticks, top.ask_ticks) == (9_991, 10_010), "the other's stands"
    with pytest.raises(ValueError, match="no such session"):
        room.venue.command({"disconnect": {"session": "NOBODY"}})
    again.close()
    other.close()


def test_orders_may_outlive_a_connection_where_that_is_agreed(tmp_path: Path) -> None:
    room = OuchRoom(tmp_path, cancel_on_disconnect=False)
    trader = room.client()
    trader.enter("B", 100, 9_995)
    assert trader.query() == 2
    trader.close()
    room.kill()
    room.open()
    trader = room.client()
    assert room.markets["TEST"].top().bid_ticks == 9_995
    trader.cancel(1)
    assert trader.told() == ["C1 100 U"]
    trader.close()
    room.stop()


def test_after_a_crash_nothing_is_told_twice_and_nothing_is_lost(tmp_path: Path) -> None:
    room = OuchRoom(tmp_path)
    trader = room.client(number=1)
    assert trader.told() == ["S S"]
    trader.enter("B", 100, 9_995, cl_ord_id="mine")
    trader.enter("B", 100, 9_994)
    trader.cancel(2, 60)
    trader.until("canceled")
    room.trade(-1, 9_995, 30)
    assert trader.query() == 3
    number = trader.soup.next_number
    for path in [tmp_path / "ledger.jsonl"]:  # as if the notes that the reports were handed over had been lost
        lines = [line for line in path.read_text().splitlines() if '"k":"sent"' not in line]
        path.write_text("\n".join(lines) + "\n")
    room.kill()
    with pytest.raises(LinkLost):
        trader.read()
    trader.close()
    room.open()
    again = room.client(number=1)
    told = [again.read() for _ in range(number - 1)]
    assert [message.name for message in told] == [
        "system_event", "account_query_response", "accepted", "accepted", "canceled", "executed", "account_query_response",
    ]  # fmt: skip
    assert again.told() == ["C1 70 U", "C2 60 U"], "the orders of whoever is not there when the venue comes back are canceled"
    assert again.query() == 3
    again.close()
    room.stop()


def test_an_ordered_stop_ends_the_session_but_not_the_days_references(tmp_path: Path) -> None:
    room = OuchRoom(tmp_path)
    trader = room.client()
    trader.enter("B", 100, 9_995)
    assert trader.query() == 2
    session = trader.soup.session
    room.stop()
    assert trader.until("system_event").text("event") == "E"
    with pytest.raises(LinkLost):
        trader.read()
    trader.close()
    assert trader.soup.ended
    room.open()
    trader = room.client(number=1)
    assert trader.soup.session != session and trader.query() == 2
    trader.close()
    room.stop()


def test_the_printed_client_runs(room: OuchRoom, capsys: pytest.CaptureFixture[str]) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "ouch.md").read_text("utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(code) == 1
    source = code[0].replace("26401", str(room.front.address[1])).replace("AAPL", "TEST").replace("1_890_000", "999_500")
    names = {"SoupClient": SoupClient, "Login": Login, "np": np, "time": time, **vars(compiled), **vars(layout)}
    goodbye = threading.Timer(0.5, room.front.close)
    goodbye.start()
    exec(source, names)
    goodbye.join()
    names["client"].close()
    assert capsys.readouterr().out.splitlines() == ["S 0 0", "A 1 100", "C 1 100", "S 0 0"]
    room.ledger.close()
    room.open()
