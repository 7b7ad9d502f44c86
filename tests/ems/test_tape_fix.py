"""The simulated venue's real FIX session recorded into a tape, held against the market that made it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from domain.tape import Kind, Status, Tape
from ems.cli import app
from ems.loopback import free_port
from models.market.continuous import ContinuousMarket
from models.market.flow import FlowParameters, GeneratedFlow
from models.tape_store import open_tape
from tests import warm
from tests.ems.venue_process import OPEN_NS, VenueProcess

SYMBOLS = ["TEST", "MORE"]
SPEED, PUBLISH_MS = 60.0, 20
Levels = dict[tuple[int, int], int]


class Recorder:
    """`ems tape record-fix` as a process."""

    def __init__(self, to: Path, port: int, *more: str) -> None:
        words = ["-m", "ems", "tape", "record-fix", "--to", str(to), "--port", str(port), "--sender", "TAPE", "--target", "SIM"]
        symbols = [word for symbol in SYMBOLS for word in ("--symbol", f"{symbol}:0.01:1")]
        self.to = to
        self.process = warm.Popen([sys.executable, *words, *symbols, "--json", *more], stdout=subprocess.PIPE, text=True)

    def wait_records(self, count: int) -> None:
        """Until so many records are on disk."""
        deadline = time.monotonic() + 60
        while not (self.to / "kind.bin").exists() or (self.to / "kind.bin").stat().st_size < count:
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self) -> dict[str, Any]:
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=30)
        return dict(json.loads(out))


def truth(number: int) -> ContinuousMarket:
    """The market that the venue's process makes of its seed."""
    flow = GeneratedFlow(np.random.default_rng(7 + number), FlowParameters(10_000), open_ns=OPEN_NS)
    return ContinuousMarket(flow)


def book_of(market: ContinuousMarket) -> Levels:
    levels, base = market.book.levels[0], int(market.book.meta[0, 2])
    return {
        (1 - 2 * side, int(price) + base): int(levels[side, price]["qty"])
        for side in range(2)
        for price in np.flatnonzero(levels[side]["qty"])
    }


def shown(tape: Tape) -> Levels:
    """What a tape of levels displays at its end."""
    found: Levels = {}
    for row in tape:
        place = int(row["side"]), int(row["price_ticks"])
        if row["kind"] == Kind.CLEAR:
            found.clear()
        elif row["kind"] == Kind.LEVEL and row["size_lots"]:
            found[place] = int(row["size_lots"])
        elif row["kind"] == Kind.LEVEL:
            del found[place]  # what leaves was there
    return found


def was_so(market: ContinuousMarket, displayed: Levels) -> bool:
    """Whether the market, from where it stands, displays this within two publications.

    A level that is back where it was published last is not told again, so the last record's time may be before the state's.
    """
    now_ns = market.top().time_ns
    for later_ns in range(0, int(2 * SPEED * PUBLISH_MS * 1e6), 100_000):
        market.advance(now_ns + later_ns)
        if book_of(market) == displayed:
            return True
    return False


def said(tape: Tape) -> list[Status]:
    return [Status(lots) for lots in tape[tape["kind"] == Kind.STATUS]["size_lots"].tolist()]


def test_the_recorded_tape_is_the_venues_book_and_its_trades(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path, symbols=SYMBOLS, speed=SPEED, publish_ms=PUBLISH_MS).start()
    recorder = Recorder(tmp_path / "t", venue.port)
    try:
        recorder.wait_records(3_000)
        found = recorder.stop()
    finally:
        recorder.process.kill()
        venue.stop()
    assert found["faults"] == {} and found["received"]["logons"] == 1
    stored = open_tape(tmp_path / "t")
    tape = stored.records(0, len(stored))
    for number in range(len(SYMBOLS)):
        own = tape[tape["instrument"] == number]
        assert said(own)[0] == Status.RESYNCED, "then, at the end, DISCONNECTED"
        while own["kind"][-1] in (Kind.CLEAR, Kind.STATUS):
            own = own[:-1]
        market, begins_ns, ends_ns = truth(number), int(own["ts_event_ns"][0]), int(own["ts_event_ns"].max())
        market.advance(begins_ns)
        before = market.top().volume_lots
        market.advance(ends_ns)
        volume = market.top().volume_lots - before
        assert was_so(market, shown(own)) and len(book_of(market)) > 10
        prints = own[(own["kind"] == Kind.TRADE) & (own["ts_event_ns"] > begins_ns)]
        assert int(prints["size_lots"].sum()) == volume > 0
        assert set(prints["side"].tolist()) == {1, -1}


def test_a_session_that_is_cut_is_told_and_mended_by_a_snapshot(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path, symbols=SYMBOLS, speed=SPEED, publish_ms=PUBLISH_MS).start()
    recorder = Recorder(tmp_path / "t", venue.port)
    try:
        recorder.wait_records(500)
        venue.command(disconnect={"session": "TAPE", "hold_ms": 200})
        recorder.wait_records((tmp_path / "t" / "kind.bin").stat().st_size + 2_000)
        found = recorder.stop()
    finally:
        recorder.process.kill()
        venue.stop()
    assert found["received"]["logons"] == 2
    stored = open_tape(tmp_path / "t")
    tape = stored.records(0, len(stored))
    own = tape[tape["instrument"] == 0]
    assert said(own)[:3] == [Status.RESYNCED, Status.DISCONNECTED, Status.RESYNCED]
    cut = int(np.flatnonzero((own["kind"] == Kind.STATUS) & (own["size_lots"] == Status.DISCONNECTED))[0])
    assert own["kind"][cut + 1] == Kind.CLEAR
    while own["kind"][-1] in (Kind.CLEAR, Kind.STATUS):
        own = own[:-1]
    market = truth(0)
    market.advance(int(own["ts_event_ns"][cut + 2 :].max()))
    assert was_so(market, shown(own))


def test_of_a_burst_beyond_capacity_everything_that_went_is_told(tmp_path: Path) -> None:
    venue = VenueProcess(tmp_path, symbols=SYMBOLS, speed=120.0, publish_ms=5).start()
    recorder = Recorder(tmp_path / "t", venue.port, "--capacity", "200")
    try:
        recorder.wait_records(1_500)
        found = recorder.stop()
    finally:
        recorder.process.kill()
        venue.stop()
    received = found["received"]
    assert received["most_waiting"] > 200 and received["conflated"] + received["lost"] > 0
    stored = open_tape(tmp_path / "t")
    tape = stored.records(0, len(stored))
    statuses = tape[tape["kind"] == Kind.STATUS]
    told = statuses[np.isin(statuses["size_lots"], [Status.CONFLATED, Status.LOST])]
    assert received["conflated"] + received["lost"] == int(told["order_id"].sum())
    assert received["snapshots_asked"] > 0 or received["lost"] == 0, "what is lost is asked for again"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--symbol", "TEST:0:1"], "is no SYMBOL:TICK:LOT"),
        (["--symbol", "TEST:0.01:1", "--port", "70000"], "is not a port"),
    ],
)
def test_a_session_that_cannot_be_is_refused(tmp_path: Path, words: list[str], says: str) -> None:
    more = ["--port", str(free_port())] if "--port" not in words else []
    line = ["tape", "record-fix", "--to", str(tmp_path / "t"), "--sender", "TAPE", "--target", "SIM"]
    result = CliRunner().invoke(app, [*line, *words, *more])
    assert says in str(result.exception)
    assert not (tmp_path / "t").exists()
