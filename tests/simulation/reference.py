"""What the simulated desk knows before the day: two instruments, one trading day, one venue."""

from __future__ import annotations

from datetime import date
from typing import Final

from domain.instrument import Instrument, TickBand, TickTable
from domain.schedule import VolumeCurve
from domain.trading_day import TradingDay
from domain.values import E9
from tests.simulation.world import MINUTE, START_NS

TRADE_DATE: Final = "2026-03-02"
VENUE: Final = "VENUE"
CLIENTS: Final = ("OMS1", "OMS2")
TICK_E9: Final = E9 // 100
LOT_E9: Final = 10 * E9
SYMBOLS: Final = ("ABC", "XYZ")

DAY: Final = TradingDay(TRADE_DATE, START_NS - 30 * MINUTE, START_NS + 360 * MINUTE)
_TICKS = TickTable(valid_from=date(2020, 1, 1), bands=(TickBand(0, TICK_E9),))
_INSTRUMENTS: Final = {
    symbol: Instrument(symbol=symbol, currency="USD", mic="XNAS", lot_e9=LOT_E9, tick_tables=(_TICKS,)) for symbol in SYMBOLS
}
_CURVE: Final = VolumeCurve((0.2, 0.1, 0.1, 0.1, 0.2, 0.3), DAY.open_ns, 65 * MINUTE)


class SimReference:
    """`domain.ports.Reference` without a file."""

    def instrument(self, symbol: str) -> Instrument | None:
        return _INSTRUMENTS.get(symbol)

    def trade_date(self, now_ns: int) -> str:
        return TRADE_DATE

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        return DAY

    def volume_curve(self, instrument: Instrument, day: TradingDay) -> VolumeCurve:
        return _CURVE

    def venue_session(self, instrument: Instrument) -> str:
        return VENUE
