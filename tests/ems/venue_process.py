"""A whole venue in a process of its own, for tests: `python -m tests.ems.venue_process '<json>'`, and its starter.

JSON keys: dir, port, clients, symbols, speed, seed, publish_ms, faults; calls, auctions as [begin_s, end_s, tif]; itch, a
UDP port; tape (a LOBSTER zip of one symbol) with skip_s. The process prints "ready" when it listens, and stops in order on
SIGTERM.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ems import ending
from ems.loopback import free_port
from tests import warm

ROOT = Path(__file__).resolve().parents[2]
FIX44 = ROOT / "adapters" / "fix" / "dictionaries" / "FIX44.xml"
OPEN_NS = 1_700_000_000 * 10**9
CENT_E9 = 10_000_000


class ScaledClock:
    """Market time: from a start, at a multiple of the wall's speed."""

    def __init__(self, start_ns: int, speed: float) -> None:
        self._start_ns, self._speed, self._origin_ns = start_ns, speed, time.monotonic_ns()

    def now_ns(self) -> int:
        return self._start_ns + int((time.monotonic_ns() - self._origin_ns) * self._speed)


def serve(config: dict[str, Any]) -> None:
    """Build the venue and run it until SIGTERM."""
    from adapters.fix.venue_front import FrontConfig, VenueFront
    from adapters.marketdata.itch_line import ItchLine
    from adapters.marketdata.lobster import read_zip
    from domain.ports_market import TapeSource, VenueTif
    from domain.ports_venue import Listing
    from ems.venue import Venue
    from ems.venue_control import Control
    from ems.venue_faults import FaultPlan
    from ems.venue_ledger import Ledger, resume_times
    from models.market.calls import AuctionMarket, Call
    from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow

    home, symbols = Path(config["dir"]), config.get("symbols", ["TEST"])
    resume = resume_times(home / "ledger.jsonl")
    if "tape" in config:
        tape = read_zip(Path(config["tape"])).tape
        sources: list[TapeSource] = [RecordedFlow(tape)]
        first_ns = int(tape["ts_event_ns"][0]) + config.get("skip_s", 0) * 10**9
        start_ns, reached_ns = resume or (first_ns, first_ns)
    else:
        start_ns, reached_ns = resume or (OPEN_NS, OPEN_NS)
        seeds = [config.get("seed", 7) + number for number in range(len(symbols))]
        sources = [GeneratedFlow(np.random.default_rng(seed), FlowParameters(10_000), open_ns=start_ns) for seed in seeds]
    AuctionMarket.warm()
    held = config.get("calls", ())
    calls = [Call(OPEN_NS + begin_s * 10**9, OPEN_NS + end_s * 10**9, VenueTif(tif)) for begin_s, end_s, tif in held]
    faults = FaultPlan()
    faults.change(config.get("faults", {}))
    listings = {symbol: Listing(symbol, CENT_E9, 10**9) for symbol in symbols}
    line = ItchLine(("127.0.0.1", config["itch"]), list(listings.values())) if "itch" in config else None
    venue = Venue(
        "SIM",
        listings,
        {symbol: AuctionMarket(source, calls=calls, shows=True) for symbol, source in zip(symbols, sources, strict=True)},
        ScaledClock(reached_ns, config.get("speed", 1.0)),
        Ledger(home / "ledger.jsonl"),
        start_ns=start_ns,
        publish_every_s=config.get("publish_ms", 50) / 1e3,
        faults=faults,
        seed=config.get("seed", 7),
        line=line,
    )
    clients = tuple(config.get("clients", ["EMS"]))
    front = VenueFront(
        FrontConfig("127.0.0.1", config["port"], "SIM", clients, home / "store", dictionary=FIX44, listeners=("TAPE",))
    )
    stop = ending.on_signals()
    venue.start(front)
    control = Control(home / "control", venue.command)
    print("ready", flush=True)
    venue.run(stop)
    control.close()
    if line is not None:
        line.close()
    front.leave()


class VenueProcess:
    """Starts, kills, restarts a venue process; speaks with its control socket."""

    def __init__(self, home: Path, **config: Any) -> None:
        self.home = home
        self.config = {"dir": str(home), "port": free_port(), **config}
        self.process: subprocess.Popen[str] | None = None

    @property
    def port(self) -> int:
        return int(self.config["port"])

    def start(self) -> VenueProcess:
        """Start and wait until it listens."""
        command = [sys.executable, "-m", "tests.ems.venue_process", json.dumps(self.config)]
        self.process = warm.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().strip() == "ready", "the venue did not start"
        return self

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ordered end; the exit status."""
        if self.process is None:
            return 0
        self.terminate()
        return self._reap()

    def terminate(self) -> None:
        """Tell it to stop, without waiting."""
        assert self.process is not None
        self.process.terminate()

    def command(self, **words: Any) -> dict[str, Any]:
        """One command to the control socket."""
        with socket.socket(socket.AF_UNIX) as link:
            link.connect(str(self.home / "control"))
            link.sendall(json.dumps(words).encode() + b"\n")
            return dict(json.loads(link.makefile().readline()))

    def ledger(self) -> list[dict[str, Any]]:
        """The ledger's lines."""
        return [json.loads(line) for line in (self.home / "ledger.jsonl").read_text().splitlines()]

    def _reap(self) -> int:
        assert self.process is not None
        status = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process = None
        return status


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
