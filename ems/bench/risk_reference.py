"""A thousand instruments for the risk bench: the port `Reference` without files."""

from __future__ import annotations

from datetime import date
from typing import Final

from domain.instrument import Instrument, TickBand, TickTable
from domain.schedule import VolumeCurve
from domain.trading_day import TradingDay
from domain.values import E9

MANY: Final = 1_000
OPEN_NS: Final = 1_772_461_800 * E9
DAY: Final = TradingDay("2026-03-02", OPEN_NS, OPEN_NS + 6 * 3600 * E9)


class ManyInstruments:
    """Port `Reference`: S0 to S999, all of one market."""

    def __init__(self) -> None:
        table = TickTable(valid_from=date(2020, 1, 1), bands=(TickBand(0, E9 // 100),))
        self.symbols = [f"S{number}" for number in range(MANY)]
        self._instruments = {
            symbol: Instrument(symbol=symbol, currency="USD", mic="XNAS", tick_tables=(table,)) for symbol in self.symbols
        }

    def instrument(self, symbol: str) -> Instrument | None:
        """By symbol."""
        return self._instruments.get(symbol)

    def trade_date(self, now_ns: int) -> str:
        """Always the day."""
        return DAY.trade_date

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        """The day."""
        return DAY

    def volume_curve(self, instrument: Instrument, day: TradingDay) -> VolumeCurve:
        """Flat."""
        return VolumeCurve((1.0,), day.open_ns, day.close_ns - day.open_ns)

    def venue_session(self, instrument: Instrument) -> str:
        """One venue."""
        return "SIM"
