"""A venue that will not send a lost message again: the recorded tape says so, and is brought in step by a snapshot."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from domain.tape import Kind, Status
from ems.loopback import free_port
from models.tape_store import open_tape
from tests.adapters.fix.raw import RawPeer
from tests.ems.test_tape_fix import Recorder, said

SNAPSHOT = "262={id}|55={symbol}|5060={ns}|268=2|269=0|270=99.99|271=300|83={n}|269=1|270=100.01|271=200|83={n}|"
CHANGE = "262=D1|5060={ns}|268=1|279=1|269=0|55=TEST|5062={ns}|270=99.99|271={size}|83={n}|"
BEGAN_NS = 1_700_000_000_000_000_000


def snapshot(request: str, symbol: str, number: int) -> str:
    return SNAPSHOT.format(id=request, symbol=symbol, ns=BEGAN_NS + number, n=number)


def change(number: int, size: int) -> str:
    return CHANGE.format(ns=BEGAN_NS + number, n=number, size=size)


async def settled(peer: RawPeer) -> None:
    """Until the recorder has taken all that was sent: it answers in turn."""
    peer.send("1", "112=all|")
    await peer.take(lambda m: m["35"] == "0" and m.get("112") == "all")


async def test_a_gap_that_is_filled_over_is_told_and_a_snapshot_asked_for(tmp_path: Path) -> None:
    peer, port = RawPeer("SIM", "TAPE"), free_port()
    await peer.listen(port)
    recorder = Recorder(tmp_path / "t", port)
    try:
        first = await peer.take(lambda m: m["35"] == "V")
        for symbol in ("TEST", "MORE"):
            peer.send("W", snapshot(first["262"], symbol, 1))
        peer.send("X", change(2, 400))
        peer.next_out += 1  # a message that is lost on the way and will be filled over
        peer.send("X", change(4, 600))
        again = await peer.take(lambda m: m["35"] == "V" and m["262"] != first["262"])
        peer.send("W", snapshot(again["262"], "TEST", 3))
        peer.send("W", snapshot(again["262"], "MORE", 1))
        peer.send("X", change(5, 700))
        await settled(peer)
        found = await asyncio.to_thread(recorder.stop)
    finally:
        recorder.process.kill()
        await peer.close()
    assert found["received"]["messages_lost"] == 1 and found["received"]["logons"] == 1
    stored = open_tape(tmp_path / "t")
    tape = stored.records(0, len(stored))
    own = tape[tape["instrument"] == 0]
    told = own[own["kind"] == Kind.STATUS]
    assert said(own)[:3] == [Status.RESYNCED, Status.LOST, Status.RESYNCED] and told["order_id"][1] == 1
    lost = int(np.flatnonzero((own["kind"] == Kind.STATUS) & (own["size_lots"] == Status.LOST))[0])
    assert own["kind"][lost + 1] == Kind.CLEAR
    assert own[own["kind"] == Kind.LEVEL]["size_lots"].tolist() == [300, 200, 400, 300, 200, 600, 700]
