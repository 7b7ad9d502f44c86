"""What the demo runs: a whole configuration made from its options, on free ports of this machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from domain.errors import ConfigError, ReferenceDataError
from domain.instrument import ReferenceData
from domain.values import Algo
from ems.config import Settings, check
from ems.loopback import free_ports

CLIENT, VENUE, OBSERVER = "OMS", "SIM", "OBSERVER"
AFTER_OPEN: Final = timedelta(minutes=30)  # the generated market begins inside the session
PRICES: Final = {
    "AMZN": 220.0,
    "AAPL": 190.0,
    "GOOG": 170.0,
    "MSFT": 420.0,
    "BAC": 40.0,
    "IBM": 230.0,
    "JPM": 210.0,
    "SPY": 560.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What was asked for on the command line."""

    headless: bool
    tape: Path | None
    symbol: str
    side: str
    quantity: int
    algo: str
    minutes: float
    speed: float
    seed: int
    json_output: bool
    keep: Path | None


def demo_settings(options: DemoOptions, state: Path, data: ReferenceData, *, today: date, tape_open: datetime | None) -> Settings:
    """The configuration of one demo.

    Args:
        state: its state directory.
        today: where the generated market looks for its trading day.
        tape_open: when the tape begins, None without a tape.

    Raises:
        ConfigError: an option that cannot be run.
    """
    if options.side not in ("buy", "sell"):
        raise ConfigError(f"--side must be buy or sell, not {options.side!r}")
    if options.algo not in list(Algo):
        raise ConfigError(f"--algo must be one of {', '.join(Algo)}, not {options.algo!r}")
    if options.symbol not in data.universe:
        known = ", ".join(instrument.symbol for instrument in data.universe)
        raise ConfigError(f"--symbol {options.symbol} is not in the built-in sample: {known}")
    client_port, venue_port, console_port = free_ports(3)
    start = tape_open or _session_open(data, options.symbol, today) + AFTER_OPEN
    own = {"port": venue_port, "kind": "initiator", "target_comp_id": VENUE}
    values: dict[str, Any] = {
        "mode": "PAPER",
        "name": "demo",
        "state_directory": str(state),
        "clock": {"kind": "tape", "start": start, "speed": options.speed},
        "sessions": [
            {"name": CLIENT, "role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": CLIENT,
             "port": client_port},
            {"name": VENUE, "role": "venue", "sender_comp_id": "EMS", **own},
            {"name": f"{VENUE}-MD", "role": "marketdata", "sender_comp_id": "EMS-MD", "symbols": [options.symbol], **own},
        ],
        "routes": {"*": VENUE},
        "venue": {
            "comp_id": VENUE, "port": venue_port, "symbols": [options.symbol], "seed": options.seed,
            "prices": {options.symbol: PRICES.get(options.symbol, 100.0)},
            "listeners": [OBSERVER],
            "tape": None if options.tape is None else str(options.tape.resolve()),
        },
        "console": {"port": console_port},
        "observer": {"comp_id": OBSERVER, "target_comp_id": VENUE, "port": venue_port, "symbols": [options.symbol]}
        if options.algo == Algo.ADAPTIVE
        else None,
    }  # fmt: skip
    return check(values, name="the demo's settings", folder=Path.cwd())


def _session_open(data: ReferenceData, symbol: str, today: date) -> datetime:
    """The open of the last trading day up to today that the calendar knows."""
    calendar = data.calendar_of(symbol)
    day = min(today, calendar.last_date)
    try:
        while not calendar.is_trading_day(day):
            day -= timedelta(days=1)
    except ReferenceDataError as cause:
        raise ConfigError(f"the built-in calendar has no trading day for {symbol}: {cause}") from cause
    return datetime.fromtimestamp(calendar.open_close_ns(day)[0] // 1_000_000_000, UTC)
