"""The simulated venue's process: markets on a tape or a generated flow, behind a FIX front."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NoReturn

import numpy as np
import structlog

from adapters.fix.sessions import DICTIONARY
from adapters.fix.venue_front import FrontConfig, VenueFront
from adapters.marketdata import lean, lobster
from adapters.marketdata.itch_line import ItchLine
from adapters.ouch.venue_front import OuchConfig, OuchFront
from adapters.reference import files
from domain.calendar import Calendar, Phase
from domain.errors import ConfigError
from domain.instrument import ReferenceData
from domain.ports import Clock
from domain.ports_market import TapeSource, VenueTif
from domain.ports_venue import Listing
from domain.tape import Tape
from domain.values import E9
from ems import ending, lifeline
from ems.bootstrap.logs import log_plain
from ems.bootstrap.runtime import Runtime
from ems.config import Settings
from ems.market_settings import OuchSettings, VenueSettings, address
from ems.preflight import check_ports, state_lock
from ems.venue import Venue
from ems.venue_control import Control
from ems.venue_executions import ExecutionFile
from ems.venue_fronts import Fronts
from ems.venue_ledger import Ledger, Line, resume_times, told_so_far
from ems.venue_record import left_over
from models.live_observer import LiveObserver
from models.market.calls import AuctionMarket, Call
from models.market.flow import FlowParameters, GeneratedFlow, RecordedFlow
from models.planners.warm import warm
from models.sight import sight

_log = structlog.get_logger("venue")
_DEFAULT_PRICE = 100.0
_FOR = {Phase.OPENING_AUCTION: VenueTif.AT_OPEN, Phase.CLOSING_AUCTION: VenueTif.AT_CLOSE}


def prepare(runtime_file: Path) -> int:
    """What takes long and needs no clock: compile the matching engine, and turn the tape into records. Done before the
    market's time begins, so that it begins with everybody there.
    """
    runtime = Runtime.load(runtime_file)
    AuctionMarket.warm()
    if runtime.settings.observer is not None:
        LiveObserver.warm(sight())
        warm()
    venue = runtime.settings.venue
    if venue is not None and venue.tape is not None:
        start_ns = runtime.clock().now_ns()
        listing, _ = _listing(venue.symbols[0], venue, _reference(runtime.settings), start_ns)
        runtime.venue_directory.mkdir(parents=True, exist_ok=True)
        np.save(_records(runtime.venue_directory), read_tape(venue.tape, listing.tick_size_e9), allow_pickle=False)
    return 0


def run(runtime_file: Path) -> NoReturn:
    """Run until SIGTERM, as `serve`."""
    runtime = Runtime.load(runtime_file)
    settings = runtime.settings
    if settings.venue is None:
        raise ConfigError("the configuration has no [venue]")
    lifeline.watch()
    clock = runtime.clock()
    serve(settings.venue, settings, clock, runtime.venue_directory, runtime.socket("venue-control"))


def run_alone(settings: Settings, directory: Path | None, itch: str = "", ouch: OuchSettings | None = None) -> NoReturn:
    """Run the venue of a configuration in the foreground, without the rest.

    Args:
        itch: HOST:PORT to publish to, in place of the configuration's.
        ouch: where OUCH is spoken, in place of the configuration's.

    Raises:
        ConfigError: the configuration has no venue, or its port is taken.
    """
    if settings.venue is None:
        raise ConfigError("the configuration has no [venue]")
    log_plain()
    venue = settings.venue.model_copy(update={"itch": itch or settings.venue.itch, "ouch": ouch or settings.venue.ouch})
    settings = settings.model_copy(update={"venue": venue})
    runtime = Runtime(settings=settings, tape_origin_ns=time.time_ns())
    with state_lock(directory or runtime.venue_directory):
        check_ports(port for port in settings.ports() if port[0].startswith("the simulated venue"))
        place = directory or runtime.venue_directory
        serve(venue, settings, runtime.clock(), place, runtime.socket("venue-control"))


def serve(venue: VenueSettings, settings: Settings, clock: Clock, directory: Path, control_path: Path) -> NoReturn:
    """Open the venue and run it until SIGTERM or SIGINT; then log everybody out and end this process with status 0.

    Raises:
        ConfigError: the tape or a symbol cannot be used, or the port is taken.
    """
    stop = ending.on_signals()
    data = _reference(settings)
    ledger_path = directory / "ledger.jsonl"
    if settings.clock.kind == "wall":
        _put_aside(ledger_path, clock.now_ns())
    start_ns, reached_ns = resume_times(ledger_path) or (clock.now_ns(), 0)
    if clock.now_ns() < reached_ns:
        raise ConfigError(f"{ledger_path} is of a later time than the clock: give the venue a fresh state directory")
    AuctionMarket.warm()
    opened = [_open_market(number, venue, data, directory, start_ns) for number in range(len(venue.symbols))]
    line = None
    if venue.itch:
        line = ItchLine(address(venue.itch), [listing for listing, _ in opened], interface=venue.itch_interface)
    listings = {listing.symbol: listing for listing, _ in opened}
    executions = ExecutionFile(directory / f"executions-{_date(start_ns):%Y%m%d}.csv", told_so_far(ledger_path))
    simulated = Venue(
        venue.comp_id,
        listings,
        {listing.symbol: market for listing, market in opened},
        clock,
        Ledger(ledger_path, executions.tell),
        start_ns=start_ns,
        left_over=_left_over(ledger_path),
        publish_every_s=venue.publish_every_s,
        seed=venue.seed,
        line=line,
    )
    store, clients = directory / "store", settings.venue_clients()
    front = VenueFront(
        FrontConfig(venue.host, venue.port, venue.comp_id, clients, store, dictionary=DICTIONARY, listeners=venue.listeners)
    )
    ouch = _ouch(venue, listings, clock, directory)
    simulated.start(front if ouch is None else Fronts([(front, clients), (ouch, venue.ouch.accounts if venue.ouch else ())]))
    control = Control(control_path, simulated.command)
    _log.info("the simulated venue is open", port=venue.port, symbols=venue.symbols)
    simulated.run(stop)
    control.close()
    if ouch is not None:
        ouch.close()
    if line is not None:
        line.close()
    executions.end()
    front.leave()


def _ouch(venue: VenueSettings, listings: Mapping[str, Listing], clock: Clock, directory: Path) -> OuchFront | None:
    said = venue.ouch
    if said is None:
        return None
    return OuchFront(
        OuchConfig(
            said.host,
            said.port,
            said.accounts,
            directory / "ouch",
            firm=said.firm,
            cancel_on_disconnect=said.cancel_on_disconnect,
            no_self_match=said.no_self_match,
        ),
        listings,
        clock,
    )


def _put_aside(ledger_path: Path, now_ns: int) -> None:
    """A new day (UTC) begins a new ledger: yesterday's market need not be run again."""
    resume = resume_times(ledger_path)
    if resume is not None and _date(resume.start_ns) < _date(now_ns):
        ledger_path.rename(ledger_path.with_name(f"ledger-{_date(resume.start_ns)}.jsonl"))


def _left_over(ledger_path: Path) -> list[Line]:
    """What the last day left to a ledger that has not begun."""
    earlier = sorted(ledger_path.parent.glob("ledger-*.jsonl"))
    return left_over(earlier[-1]) if earlier and resume_times(ledger_path) is None else []


def _date(at_ns: int) -> date:
    return datetime.fromtimestamp(at_ns // E9, UTC).date()


def _reference(settings: Settings) -> ReferenceData:
    return files.load_sample() if settings.instruments is None else files.load(settings.instruments)


def _open_market(
    number: int, venue: VenueSettings, data: ReferenceData, directory: Path, start_ns: int
) -> tuple[Listing, AuctionMarket]:
    listing, price_e9 = _listing(venue.symbols[number], venue, data, start_ns)
    source: TapeSource
    if venue.tape is not None:
        records = _records(directory)
        tape = np.load(records, allow_pickle=False) if records.exists() else read_tape(venue.tape, listing.tick_size_e9)
        source = RecordedFlow(tape)
    else:
        rng = np.random.default_rng((venue.seed, number))
        source = GeneratedFlow(rng, FlowParameters(price_e9 // listing.tick_size_e9), open_ns=start_ns)
    following = venue.tape is None  # a tape is of one day
    calls = auctions(data.calendar_of(listing.symbol), start_ns, following=following) if venue.auctions else ()
    return listing, AuctionMarket(source, calls=calls, collar_ticks=venue.collar_ticks, shows=True)


def open_again(runtime: Runtime, symbol: str) -> tuple[Listing, AuctionMarket]:
    """The market of a run, from its beginning, without anybody's orders. Raises ConfigError where it did not begin."""
    venue, resume = runtime.settings.venue, resume_times(runtime.venue_ledger)
    if venue is None or resume is None:
        raise ConfigError("there was no simulated market to run again")
    data = _reference(runtime.settings)
    return _open_market(venue.symbols.index(symbol), venue, data, runtime.venue_directory, resume.start_ns)


def auctions(calendar: Calendar, start_ns: int, *, following: bool = False) -> tuple[Call, ...]:
    """The auctions that are not over when a market begins, of that day and, where they are asked for, of all days that follow."""
    on, calls = calendar.date_at(start_ns), list[Call]()
    last = calendar.last_date if following else on
    while on <= last:
        held = [span for span in calendar.phases(on) if span.phase in (Phase.OPENING_AUCTION, Phase.CLOSING_AUCTION)]
        calls += [Call(span.begin_ns, span.end_ns, _FOR[span.phase]) for span in held if span.end_ns > start_ns]
        on += timedelta(days=1)
    return tuple(calls)


def _listing(symbol: str, venue: VenueSettings, data: ReferenceData, start_ns: int) -> tuple[Listing, int]:
    """Tick and lot of a symbol on the day, and the price at which its generated flow begins."""
    instrument = data.universe.get(symbol)
    if instrument is None:
        raise ConfigError(f"the simulated venue is to list {symbol}, which is not in the instrument table")
    price_e9 = round(venue.prices.get(symbol, _DEFAULT_PRICE) * E9)
    tick_e9 = instrument.tick_e9(price_e9, _date(start_ns))
    return Listing(symbol, tick_e9, instrument.lot_e9), price_e9


def _records(directory: Path) -> Path:
    """The tape as records, read once for all starts of the venue."""
    return directory / "tape.npy"


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
