"""The simulated venue's ITCH line over real sockets: who reads it has the venue's own book, whatever datagrams are lost."""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from adapters.marketdata.itch_layout import fault_report, make_state
from adapters.marketdata.itch_line import ItchLine
from adapters.marketdata.itch_orders import UNKNOWN, make_orders, resolve
from adapters.marketdata.mold import ENDED, FOREIGN, LOST, NEXT, MoldReceiver
from domain.errors import ConfigError
from domain.ports_market import ORDER_ID_MIN, VenueOrder
from domain.ports_venue import Listing
from domain.tape import Kind, Status, Tape, empty_tape, tape_of
from domain.values import E9
from ems.cli import app
from ems.market_settings import VenueSettings
from ems.venue_displays import Displays
from models.market.calls import AuctionMarket, Call
from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow
from models.tape_store import open_tape
from tests import warm
from tests.ems.test_tape_fix import book_of, truth
from tests.ems.venue_process import OPEN_NS, VenueProcess
from tests.models.market.test_shown import Reader, displayed, sums

CENT, DAY_NS = 10_000_000, 86_400 * E9
MIDNIGHT_NS = 1_699_938_000 * E9  # of OPEN_NS, 2023-11-14 in New York


class Listener:
    """A socket that loses this share of the datagrams, and asks for what is missing."""

    def __init__(self, share_lost: float = 0.0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.receiver = MoldReceiver(make_state(MIDNIGHT_NS), next_number=1)
        self.tape: Tape = empty_tape()
        self.lost = 0
        self._asked, self._again_s = b"", 0.0
        self.share_lost = share_lost
        self._rng = np.random.default_rng(11)
        self._orders = make_orders(1 << 16)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def listen(self, until: Any) -> None:
        """Until it is so, a minute at most."""
        deadline = time.monotonic() + 60
        while not until():
            assert time.monotonic() < deadline
            if not select.select([self.socket], [], [], 0.2)[0]:
                continue
            datagram, sender = self.socket.recvfrom(1 << 16)
            if self._rng.random() < self.share_lost:
                self.lost += 1
                continue
            found = self.receiver.take(datagram, OPEN_NS)
            resolve(self._orders, found, len(self.tape))
            self.tape = np.concatenate([self.tape, found])
            request = self.receiver.request()
            if request is not None and (request != self._asked or time.monotonic() > self._again_s):
                self._asked, self._again_s = request, time.monotonic() + 0.2
                self.socket.sendto(request, sender)

    def check(self) -> None:
        assert fault_report(self.receiver.state) == {}, fault_report(self.receiver.state)
        assert not self._orders.meta[UNKNOWN]
        assert not self.receiver.mold.meta[LOST]


def a_market(seed: int) -> AuctionMarket:
    calls = [Call(OPEN_NS + 20 * E9, OPEN_NS + 30 * E9)]
    flow = GeneratedFlow(np.random.default_rng(seed), FlowParameters(10_000), open_ns=OPEN_NS)
    return AuctionMarket(flow, calls=calls, collar_ticks=20, shows=True)


def test_what_is_read_is_the_venues_own_book_though_datagrams_are_lost() -> None:
    listings = {symbol: Listing(symbol, CENT, E9) for symbol in ("ONE", "TWO")}
    markets = {symbol: a_market(number) for number, symbol in enumerate(listings)}
    ear = Listener(share_lost=0.2)
    line = ItchLine(("127.0.0.1", ear.port), list(listings.values()))
    displays = Displays(listings, markets, line)
    for market in markets.values():
        market.advance(OPEN_NS + 2 * E9)  # what happened before it opens is in what it displays then
    displays.begin(OPEN_NS + 2 * E9)
    rng = np.random.default_rng(1)
    for step in range(1, 240):
        now_ns = OPEN_NS + 2 * E9 + step * E9 // 4
        for number, market in enumerate(markets.values()):
            market.advance(now_ns)
            order = VenueOrder(ORDER_ID_MIN + 2 * step + number, int(rng.choice([1, -1])), 120, 10_000 + int(rng.integers(-3, 4)))
            market.submit(order, now_ns)
            market.cancel(ORDER_ID_MIN + 2 * int(rng.integers(1, step + 1)) + number)
        displays.follow()
    meta = ear.receiver.mold.meta
    ear.listen(lambda: meta[NEXT] == line.next_number)
    ear.share_lost = 0.0
    line.close()
    ear.listen(lambda: meta[ENDED])
    ear.check()
    assert ear.lost > 10 and line.left_out == 0
    for number, market in enumerate(markets.values(), 1):
        own = ear.tape[ear.tape["instrument"] == number]
        reader = Reader()
        reader.follow(own)
        assert sums(reader.queues()) == sums(displayed(market)) and len(reader.orders) > 50
        assert reader.states[:3] == [Status.TRADING, Status.QUOTING, Status.TRADING]
    ear.socket.close()


def test_a_session_holds_a_new_york_day_and_the_next_begins_with_the_whole_display() -> None:
    listings = {"ONE": Listing("ONE", CENT, 10 * E9)}
    market = AuctionMarket(RecordedFlow(empty_tape()), shows=True)
    ear = Listener()
    line = ItchLine(("127.0.0.1", ear.port), list(listings.values()))
    displays = Displays(listings, {"ONE": market}, line)
    displays.begin(OPEN_NS)
    market.submit(VenueOrder(ORDER_ID_MIN, 1, 5, 100), OPEN_NS)
    displays.follow()
    first = ear.receiver
    ear.listen(lambda: len(ear.tape) == 2)
    assert ear.tape[-1][["price_ticks", "size_lots"]].tolist() == (100, 50), "shares, not lots"
    market.submit(VenueOrder(ORDER_ID_MIN + 1, -1, 5, 101), MIDNIGHT_NS + DAY_NS)
    displays.follow()
    ear.listen(lambda: first.mold.meta[ENDED] and first.mold.meta[FOREIGN])  # the new session's
    ear.receiver = MoldReceiver(make_state(MIDNIGHT_NS + DAY_NS), next_number=1)
    ear.tape = empty_tape()
    ear.listen(lambda: len(ear.tape) == 3)
    assert ear.tape["kind"].tolist() == [Kind.STATUS, Kind.ADD, Kind.ADD]
    assert ear.tape["order_id"].tolist()[1:] == [1 << 60, (1 << 60) + 1]
    line.close()
    ear.socket.close()


def test_what_itch_cannot_say_is_left_out_and_counted() -> None:
    market = AuctionMarket(RecordedFlow(empty_tape()), base_ticks=(1 << 28), shows=True)
    ear = Listener()
    listings = {"ONE": Listing("ONE", CENT, E9)}
    line = ItchLine(("127.0.0.1", ear.port), list(listings.values()))
    displays = Displays(listings, {"ONE": market}, line)
    displays.begin(OPEN_NS)
    market.apply(tape_of([(OPEN_NS, 0, 5, (1 << 28) + 9, 5, 0, 0, int(Kind.ADD), 1)]))
    displays.follow()
    assert line.left_out == 1
    line.close()
    ear.socket.close()
    for wrong in (Listing("ONE", CENT // 1_000_000, E9), Listing("ONE", CENT, E9 // 10)):
        with pytest.raises(ConfigError, match="1/10,000 and whole shares"):
            ItchLine(("127.0.0.1", 9), [wrong])
    with pytest.raises(ConfigError, match="nothing can be sent"):
        ItchLine(("no.such.host.invalid", 9), [])


def test_the_venues_process_is_recorded_into_its_own_book(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = ["--port", str(port), "--date", "2023-11-14", "--patience-ms", "20000", "--json"]
    recorder = warm.Popen(
        [sys.executable, "-m", "ems", "tape", "record", "--to", str(tmp_path / "t"), *words], stdout=subprocess.PIPE, text=True
    )
    venue = VenueProcess(tmp_path, symbols=["TEST", "MORE"], speed=20.0, itch=port).start()
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "t/kind.bin").exists() or (tmp_path / "t/kind.bin").stat().st_size < 2_000:
            assert time.monotonic() < deadline and recorder.poll() is None
            time.sleep(0.05)
        venue.stop()  # says that the session is over, and the recorder ends with it
        out, _ = recorder.communicate(timeout=60)
    finally:
        recorder.kill()
        venue.stop()
    found = json.loads(out)
    assert (recorder.returncode, found["faults"], found["received"]["lost_messages"]) == (0, {}, 0)
    stored = open_tape(tmp_path / "t")
    tape = stored.records(0, len(stored))
    assert tape["size_lots"][-1] == Status.ENDED
    for number in range(2):
        own = tape[tape["instrument"] == number + 1]
        reader, market = Reader(), truth(number)
        reader.follow(own)
        market.advance(int(own["ts_event_ns"].max()))
        assert sums(reader.queues()) == book_of(market)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    for text in ("here", "1.2.3.4:0", "1.2.3.4:70000", ":5"):
        with pytest.raises(ValueError, match="no HOST:PORT"):
            VenueSettings(port=1, symbols=("A",), itch=text)
    config = tmp_path / "ems.toml"
    CliRunner().invoke(app, ["init", "--path", str(config)])
    result = CliRunner().invoke(app, ["venue", "--config", str(config), "--itch", "here"])
    assert result.exit_code != 0
