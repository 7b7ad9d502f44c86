"""Instruments: what can be traded, in which steps of price and quantity, and under which names it is known.

Prices and quantities are integers at 1e-9. Everything that changes over the years (tick tables) is dated, so a day
long past is judged by the rules of that day.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, Self

from pydantic import BaseModel, ConfigDict, model_validator

from domain.calendar import Calendar
from domain.errors import NumberError, ReferenceDataError
from domain.values import E9, Side, from_e9

ISIN, FIGI, SYMBOL = "isin", "figi", "symbol"  # id sources that every universe knows; others are the loader's ("ric")


_date = lru_cache(maxsize=64)(date.fromisoformat)  # a day's is asked for with every order


class TickBand(NamedTuple):
    """From this price up to the next band's, prices are multiples of tick_e9."""

    from_price_e9: int
    tick_e9: int


class TickTable(BaseModel):
    """Price steps by price band, valid from a date until the next table's date.

    Every band begins on a tick of its own and of the band below it, so that rounding never falls between two bands.

    Raises:
        ReferenceDataError: bands that do not begin at 0, do not rise, or do not meet on a tick.
    """

    model_config = ConfigDict(frozen=True)

    valid_from: date
    bands: tuple[TickBand, ...]

    @model_validator(mode="after")
    def _bands_meet(self) -> Self:
        if not self.bands or self.bands[0].from_price_e9 != 0:
            raise ReferenceDataError("the first price band must begin at 0")
        if any(band.tick_e9 <= 0 for band in self.bands):
            raise ReferenceDataError("a tick must be positive")
        for lower, upper in pairwise(self.bands):
            if upper.from_price_e9 <= lower.from_price_e9:
                raise ReferenceDataError(f"the price band from {from_e9(upper.from_price_e9)} is out of order")
            for tick_e9 in (lower.tick_e9, upper.tick_e9):
                if upper.from_price_e9 % tick_e9:
                    begins = from_e9(upper.from_price_e9)
                    raise ReferenceDataError(f"the price band from {begins} does not begin on a tick of {from_e9(tick_e9)}")
        return self

    def tick_e9(self, price_e9: int) -> int:
        """The price step in the band that holds price_e9."""
        if len(self.bands) == 1:
            return self.bands[0].tick_e9
        at = bisect_right(self.bands, price_e9, key=lambda band: band.from_price_e9)
        return self.bands[max(at - 1, 0)].tick_e9


class LocalId(NamedTuple):
    """A name that one source has for an instrument: ("ric", "AMZN.O"), ("sedol", "2000019")."""

    source: str
    id: str


class Instrument(BaseModel):
    """One tradable line: a security on one market in one currency.

    multiplier_e9 turns price x quantity into money (1 for shares, 50 for a future on 50 times an index). Dates are given
    as dates or as the ISO text that events carry.

    Raises:
        ReferenceDataError: a value that no instrument can have.
    """

    model_config = ConfigDict(frozen=True)

    symbol: str
    name: str = ""
    currency: str  # ISO 4217, or a minor unit such as GBX
    mic: str  # ISO 10383, of the market whose calendar it follows
    isin: str | None = None
    figi: str | None = None
    local_ids: tuple[LocalId, ...] = ()
    lot_e9: int = E9
    multiplier_e9: int = E9
    tick_tables: tuple[TickTable, ...]

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if not self.symbol or self.symbol != self.symbol.strip():
            raise ReferenceDataError(f"{self.symbol!r} is not a symbol")
        if not re.fullmatch("[A-Z]{3}", self.currency):
            raise ReferenceDataError(f"{self.symbol}: {self.currency!r} is not a currency code of three letters")
        if not re.fullmatch("[A-Z0-9]{4}", self.mic):
            raise ReferenceDataError(f"{self.symbol}: {self.mic!r} is not a market identifier code of four characters")
        if self.isin is not None and not is_isin(self.isin):
            raise ReferenceDataError(f"{self.symbol}: {self.isin!r} is not an ISIN: its form or check digit is wrong")
        if self.figi is not None and not is_figi(self.figi):
            raise ReferenceDataError(f"{self.symbol}: {self.figi!r} is not a FIGI: its form or check digit is wrong")
        if self.lot_e9 <= 0 or self.multiplier_e9 <= 0:
            raise ReferenceDataError(f"{self.symbol}: lot and multiplier must be positive")
        if not self.tick_tables:
            raise ReferenceDataError(f"{self.symbol} has no tick table")
        if any(later.valid_from <= earlier.valid_from for earlier, later in pairwise(self.tick_tables)):
            raise ReferenceDataError(f"{self.symbol}: tick tables must be in date order, one a date")
        return self

    def ids(self) -> Iterator[LocalId]:
        """Every name of the instrument, with its source."""
        yield LocalId(SYMBOL, self.symbol)
        if self.isin is not None:
            yield LocalId(ISIN, self.isin)
        if self.figi is not None:
            yield LocalId(FIGI, self.figi)
        yield from self.local_ids

    def tick_table(self, on: date | str) -> TickTable:
        """The table in force on a date. Raises ReferenceDataError before the first one."""
        day = _date(on) if isinstance(on, str) else on
        if day >= self.tick_tables[-1].valid_from:
            return self.tick_tables[-1]  # as nearly always
        at = bisect_right(self.tick_tables, day, key=lambda table: table.valid_from)
        if at == 0:
            first = self.tick_tables[0].valid_from
            raise ReferenceDataError(f"{self.symbol} has no tick table for {day}: the first is valid from {first}")
        return self.tick_tables[at - 1]

    def tick_e9(self, price_e9: int, on: date | str) -> int:
        """The price step at a price on a date. Raises ReferenceDataError before the first tick table."""
        return self.tick_table(on).tick_e9(price_e9)

    def on_tick(self, price_e9: int, on: date | str) -> bool:
        """Whether an order may carry this price. Raises ReferenceDataError before the first tick table."""
        return price_e9 > 0 and price_e9 % self.tick_e9(price_e9, on) == 0

    def on_lot(self, quantity_e9: int) -> bool:
        """Whether a quantity is a positive number of whole lots."""
        return quantity_e9 > 0 and quantity_e9 % self.lot_e9 == 0

    def round_passive(self, price_e9: int, side: Side, on: date | str) -> int:
        """The nearest price on tick that is not better for the counterparty: down for a buy, up for a sell.

        Raises:
            ReferenceDataError: no tick table is valid on that date.
            NumberError: there is no positive price on tick on that side.
        """
        return self._round(price_e9, up=side is Side.SELL, on=on)

    def round_aggressive(self, price_e9: int, side: Side, on: date | str) -> int:
        """The nearest price on tick that is not worse for the counterparty: up for a buy, down for a sell.

        Raises: as round_passive.
        """
        return self._round(price_e9, up=side is Side.BUY, on=on)

    def _round(self, price_e9: int, *, up: bool, on: date | str) -> int:
        tick_e9 = self.tick_e9(price_e9, on)
        rounded_e9 = -(-price_e9 // tick_e9) * tick_e9 if up else price_e9 // tick_e9 * tick_e9
        if rounded_e9 <= 0:
            raise NumberError(f"{self.symbol}: no positive price on tick {'above' if up else 'below'} {from_e9(price_e9)}")
        return rounded_e9


class Universe:
    """All instruments, found by any of their names. Built whole and never changed.

    A symbol is unique. So is every other name within its source, except the ISIN: it names a security, which may be
    listed on several markets and in several currencies.

    Raises:
        ReferenceDataError: two instruments claim the same name.
    """

    def __init__(self, instruments: Iterable[Instrument]) -> None:
        self._by_symbol: dict[str, Instrument] = {}
        self._by_id: dict[tuple[str, str], list[Instrument]] = {}
        for instrument in instruments:
            for source, name in instrument.ids():
                holders = self._by_id.setdefault((source, name), [])
                for other in holders:
                    _check_apart(source, name, other, instrument)
                holders.append(instrument)
            self._by_symbol[instrument.symbol] = instrument

    def get(self, symbol: str) -> Instrument | None:
        """The instrument of a symbol, None where there is none."""
        return self._by_symbol.get(symbol)

    def __getitem__(self, symbol: str) -> Instrument:
        """The instrument of a symbol. Raises ReferenceDataError where there is none."""
        try:
            return self._by_symbol[symbol]
        except KeyError:
            raise ReferenceDataError(f"there is no instrument {symbol!r}") from None

    def find(self, source: str, name: str, *, mic: str | None = None) -> Instrument | None:
        """The instrument that a source ("symbol", "isin", "figi", "ric", ...) knows by this name; None where none is.

        Raises:
            ReferenceDataError: several listings carry the name; mic or another source must tell them apart.
        """
        found = [one for one in self._by_id.get((source, name), ()) if mic is None or one.mic == mic]
        if len(found) > 1:
            listings = ", ".join(f"{one.symbol} on {one.mic} in {one.currency}" for one in found)
            raise ReferenceDataError(f"{source} {name} names several instruments: {listings}")
        return found[0] if found else None

    def __contains__(self, symbol: str) -> bool:
        return symbol in self._by_symbol

    def __iter__(self) -> Iterator[Instrument]:
        return iter(self._by_symbol.values())

    def __len__(self) -> int:
        return len(self._by_symbol)


@dataclass(frozen=True, slots=True)
class ReferenceData:
    """The instruments, the calendars of their markets, and the digest of every file they came from."""

    universe: Universe
    calendars: Mapping[str, Calendar]  # by MIC
    sha256: Mapping[str, str] = field(default_factory=dict)  # file name -> hex digest of its bytes

    def __post_init__(self) -> None:
        for instrument in self.universe:
            if instrument.mic not in self.calendars:
                raise ReferenceDataError(f"{instrument.symbol} trades on {instrument.mic}, which has no calendar")

    def calendar_of(self, symbol: str) -> Calendar:
        """The calendar of an instrument's market. Raises ReferenceDataError for an unknown symbol."""
        return self.calendars[self.universe[symbol].mic]


def is_isin(text: str) -> bool:
    """Whether text is an ISIN: country, nine letters or digits, and the Luhn check digit over them (ISO 6166)."""
    if len(text) != 12 or not (text.isascii() and text.isalnum() and text == text.upper()):
        return False
    if not (text[:2].isalpha() and text[-1].isdigit()):
        return False
    digits = "".join(str(int(letter, 36)) for letter in text)
    return sum(sum(divmod(int(d) * (2 if i % 2 else 1), 10)) for i, d in enumerate(reversed(digits))) % 10 == 0


def is_figi(text: str) -> bool:
    """Whether text is a FIGI: two consonants, G, eight consonants or digits, and the check digit over them."""
    if len(text) != 12 or not (text.isascii() and text.isalnum() and text == text.upper()):
        return False
    if set(text[:11]) & set("AEIOU") or not text[:2].isalpha() or text[2] != "G" or not text[-1].isdigit():
        return False
    values = (int(letter, 36) * (2 if i % 2 else 1) for i, letter in enumerate(text[:11]))
    return (10 - sum(sum(divmod(value, 10)) for value in values) % 10) % 10 == int(text[-1])


def _check_apart(source: str, name: str, one: Instrument, other: Instrument) -> None:
    """Two instruments may share an ISIN as listings of one security, and nothing else."""
    if source == ISIN and (one.mic, one.currency) != (other.mic, other.currency):
        return
    if one.symbol == other.symbol:
        raise ReferenceDataError(f"the instrument {one.symbol} is there twice")
    raise ReferenceDataError(f"{one.symbol} and {other.symbol} both claim the {source} {name}")
