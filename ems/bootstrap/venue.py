"""The simulated venue's process: markets on a tape or a generated flow, behind a FIX front."""

from __future__ import annotations

import signal
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import structlog

from adapters.fix.sessions import DICTIONARY
from adapters.fix.venue_front import FrontConfig, VenueFront
from adapters.marketdata import lean, lobster
from adapters.reference import files
from domain.errors import ConfigError
from domain.instrument import ReferenceData
from domain.ports import Clock
from domain.ports_venue import Listing, TapeSource
from domain.tape import Tape
from domain.values import E9
from ems import lifeline
from ems.bootstrap.logs import log_plain
from ems.bootstrap.runtime import Runtime
from ems.config import Settings, VenueSettings
from ems.supervisor import check_ports, state_lock
from ems.venue import Venue
from ems.venue_control import Control
from ems.venue_ledger import Ledger, resume_times
from models.market.continuous import ContinuousMarket
from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow

_log = structlog.get_logger("venue")
_DEFAULT_PRICE = 100.0


def run(runtime_file: Path) -> int:
    """Run until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    settings = runtime.settings
    if settings.venue is None:
        raise ConfigError("the configuration has no [venue]")
    lifeline.watch()
    clock = runtime.clock()
    return serve(settings.venue, settings, clock, runtime.venue_directory, runtime.socket("venue-control"))


def run_alone(settings: Settings, directory: Path | None) -> int:
    """Run the venue of a configuration in the foreground, without the rest.

    Raises:
        ConfigError: the configuration has no venue, or its port is taken.
    """
    if settings.venue is None:
        raise ConfigError("the configuration has no [venue]")
    log_plain()
    runtime = Runtime(settings=settings, tape_origin_ns=time.time_ns())
    with state_lock(directory or runtime.venue_directory):
        check_ports([("the simulated venue", settings.venue.host, settings.venue.port)])
        place = directory or runtime.venue_directory
        return serve(settings.venue, settings, runtime.clock(), place, runtime.socket("venue-control"))


def serve(venue: VenueSettings, settings: Settings, clock: Clock, directory: Path, control_path: Path) -> int:
    """Open the venue and run it until SIGTERM or SIGINT.

    Raises:
        ConfigError: the tape or a symbol cannot be used, or the port is taken.
    """
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    data = files.load_sample() if settings.instruments is None else files.load(settings.instruments)
    ledger_path = directory / "ledger.jsonl"
    start_ns, reached_ns = resume_times(ledger_path) or (clock.now_ns(), 0)
    if clock.now_ns() < reached_ns:
        raise ConfigError(f"{ledger_path} is of a later time than the clock: give the venue a fresh state directory")
    ContinuousMarket.warm()
    opened = [_open_market(symbol, number, venue, data, start_ns) for number, symbol in enumerate(venue.symbols)]
    simulated = Venue(
        venue.comp_id,
        {listing.symbol: listing for listing, _ in opened},
        {listing.symbol: market for listing, market in opened},
        clock,
        Ledger(ledger_path),
        start_ns=start_ns,
        publish_every_s=venue.publish_every_s,
        seed=venue.seed,
    )
    front = VenueFront(
        FrontConfig(venue.host, venue.port, venue.comp_id, settings.venue_clients(), directory / "store", dictionary=DICTIONARY)
    )
    simulated.start(front)
    control = Control(control_path, simulated.command)
    _log.info("the simulated venue is open", port=venue.port, symbols=venue.symbols)
    simulated.run(stop)
    control.close()
    front.stop()
    return 0


def _open_market(
    symbol: str, number: int, venue: VenueSettings, data: ReferenceData, start_ns: int
) -> tuple[Listing, ContinuousMarket]:
    instrument = data.universe.get(symbol)
    if instrument is None:
        raise ConfigError(f"the simulated venue is to list {symbol}, which is not in the instrument table")
    price_e9 = round(venue.prices.get(symbol, _DEFAULT_PRICE) * E9)
    on = datetime.fromtimestamp(start_ns // E9, UTC).date()
    tick_e9 = instrument.tick_e9(price_e9, on)
    source: TapeSource
    if venue.tape is not None:
        source = RecordedFlow(read_tape(venue.tape, tick_e9))
    else:
        rng = np.random.default_rng((venue.seed, number))
        source = GeneratedFlow(rng, FlowParameters(price_e9 // tick_e9), open_ns=start_ns)
    return Listing(symbol, tick_e9, instrument.lot_e9), ContinuousMarket(source)


def read_tape(path: Path, tick_e9: int) -> Tape:
    """A LOBSTER zip, or Lean's `<date>_quote.zip` with `<date>_trade.zip` beside it.

    Raises:
        ReferenceDataError: it cannot be read.
        ConfigError: there is no such file.
    """
    if not path.exists():
        raise ConfigError(f"there is no tape {path}")
    if path.name.endswith(("_quote.zip", "_trade.zip")):
        day = path.name.partition("_")[0]
        quotes, trades = path.with_name(f"{day}_quote.zip"), path.with_name(f"{day}_trade.zip")
        return lean.read_day(quotes, trades, tick_size_e9=tick_e9)
    return lobster.read_zip(path, tick_size_e9=tick_e9).tape
