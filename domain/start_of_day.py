"""What is known when a trade date begins, as the checks before an order ask for it. None means missing, never zero."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar, cast

from domain.day_rows import (
    AverageVolume,
    Capital,
    Cash,
    DayRow,
    Fee,
    FxRate,
    Locate,
    Position,
    ReferencePrice,
    RegisteredModel,
    Restriction,
)  # fmt: skip
from domain.values import E9

_Row = TypeVar("_Row", bound=DayRow)


@dataclass(frozen=True, slots=True)
class StartOfDay:
    """The day's rows, under the names and share counts of the trade date (`domain.corporate_actions`).

    Attributes:
        rows: by table (`domain.day_rows.TABLES`); a table that was never loaded is not there.
    """

    trade_date: date
    base_currency: str
    rows: Mapping[str, tuple[DayRow, ...]]
    _adv_e9: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _price_e9: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _locate_e9: Mapping[tuple[str, str], int] = field(init=False, repr=False, compare=False)
    _position_e9: Mapping[tuple[str, str], int] = field(init=False, repr=False, compare=False)
    _capital_e9: Mapping[tuple[str, str], int] = field(init=False, repr=False, compare=False)
    _fx_e9: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _restricted: Mapping[str, tuple[Restriction, ...]] = field(init=False, repr=False, compare=False)
    _models: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        located: dict[tuple[str, str], int] = {}
        for locate in self.table(Locate, "locates"):
            if locate.expires >= self.trade_date:
                place = (locate.account, locate.symbol)
                located[place] = located.get(place, 0) + locate.quantity_e9
        restricted: dict[str, tuple[Restriction, ...]] = {}
        for one in self.table(Restriction, "restricted"):
            restricted[one.symbol] = (*restricted.get(one.symbol, ()), one)
        indexes = {
            "_adv_e9": {row.symbol: row.average_daily_volume_e9 for row in self.table(AverageVolume, "volumes")},
            "_price_e9": {row.symbol: row.close_e9 for row in self.table(ReferencePrice, "prices")},
            "_locate_e9": located,
            "_position_e9": {row.key(): row.quantity_e9 for row in self.table(Position, "positions")},
            "_capital_e9": {row.key(): row.capital_e9 for row in self.table(Capital, "capital")},
            "_fx_e9": {self.base_currency: E9} | {row.currency: row.rate_e9 for row in self.table(FxRate, "fx_rates")},
            "_restricted": restricted,
            "_models": frozenset(row.digest for row in self.table(RegisteredModel, "models")),
        }
        for name, index in indexes.items():
            object.__setattr__(self, name, index)

    def table(self, model: type[_Row], name: str) -> tuple[_Row, ...]:
        """The rows of a table, none where it was never loaded."""
        return cast(tuple[_Row, ...], self.rows.get(name, ()))

    # ------------------------------------------------------------------------------- what risk checks ask

    def adv_e9(self, instrument: str) -> int | None:
        """The average daily volume, shares or contracts."""
        return self._adv_e9.get(instrument)

    def reference_price_e9(self, instrument: str) -> int | None:
        """The previous close in the instrument's currency."""
        return self._price_e9.get(instrument)

    def locate_e9(self, account: str, instrument: str) -> int | None:
        """Shares that an account may sell short, over all of its locates."""
        return self._locate_e9.get((account, instrument))

    def restricted(self, instrument: str, now_ns: int) -> str | None:
        """Why an instrument may not be traded at a moment; None where it may. Without the table nothing may."""
        if "restricted" not in self.rows:
            return "no restricted list was loaded"
        for one in self._restricted.get(instrument, ()):
            if one.begins_ns <= now_ns and (one.ends_ns is None or now_ns < one.ends_ns):
                return f"{one.list_name}: {one.reason}"
        return None

    def capital_e9(self, scope_kind: str, scope_id: str) -> int | None:
        """The stated capital of a scope in the base currency."""
        return self._capital_e9.get((scope_kind, scope_id))

    def start_position_e9(self, account: str, instrument: str) -> int | None:
        """What an account held at the start of the day, below zero where it was short."""
        return self._position_e9.get((account, instrument))

    def fx_rate_e9(self, currency: str) -> int | None:
        """Units of the base currency for one unit of a currency."""
        return self._fx_e9.get(currency)

    def models(self) -> frozenset[str]:
        """The digests of the models that may decide."""
        return self._models

    # ------------------------------------------------------------------------------------------- others

    def cash_e9(self, scope_kind: str, scope_id: str, currency: str) -> int | None:
        """A scope's cash in a currency."""
        return next((r.cash_e9 for r in self.table(Cash, "cash") if r.key() == (scope_kind, scope_id, currency)), None)

    def fee(self, mic: str, liquidity: str) -> Fee | None:
        """What a market charges for an execution that adds, removes or is in an auction."""
        return next((row for row in self.table(Fee, "fees") if row.key() == (mic, liquidity)), None)
