"""What is known when a trade date begins: the day's rows, and what the checks before an order are given of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar, cast

from domain import risk_data
from domain.day_rows import (
    AverageVolume,
    Capital,
    Cash,
    DayRow,
    Fee,
    FxRate,
    Halt,
    Locate,
    Permission,
    Position,
    ReferencePrice,
    RegisteredModel,
    Restriction,
)  # fmt: skip
from domain.risk_data import RiskFacts
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

    def table(self, model: type[_Row], name: str) -> tuple[_Row, ...]:
        """The rows of a table, none where it was never loaded."""
        return cast(tuple[_Row, ...], self.rows.get(name, ()))

    def cash_e9(self, scope_kind: str, scope_id: str, currency: str) -> int | None:
        """A scope's cash in a currency."""
        return next((r.cash_e9 for r in self.table(Cash, "cash") if r.key() == (scope_kind, scope_id, currency)), None)

    def fee(self, mic: str, liquidity: str) -> Fee | None:
        """What a market charges for an execution that adds, removes or is in an auction."""
        return next((row for row in self.table(Fee, "fees") if row.key() == (mic, liquidity)), None)

    def facts(self) -> RiskFacts:
        """What the checks before an order may ask.

        Locates of an account add up, expired ones do not count. An account with a position in the table is known whole; one
        without any is not known.
        """
        located: dict[tuple[str, str], int] = {}
        for locate in self.table(Locate, "locates"):
            if locate.expires >= self.trade_date:
                place = (locate.account, locate.symbol)
                located[place] = located.get(place, 0) + locate.quantity_e9
        positions = {row.key(): row.quantity_e9 for row in self.table(Position, "positions")}
        rates = {row.currency: row.rate_e9 for row in self.table(FxRate, "fx_rates")}
        return RiskFacts(
            adv={row.symbol: row.average_daily_volume_e9 for row in self.table(AverageVolume, "volumes")},
            reference_prices={row.symbol: row.close_e9 for row in self.table(ReferencePrice, "prices")},
            locates=located,
            positions=positions,
            accounts=frozenset(account for account, _ in positions),
            capital={_scope(*row.key()): row.capital_e9 for row in self.table(Capital, "capital")},
            fx_rates=rates | ({self.base_currency: E9} if self.base_currency else {}),
            restrictions=_forbidden(self.table(Restriction, "restricted")) if "restricted" in self.rows else None,
            halts=_forbidden(self.table(Halt, "halts")) if "halts" in self.rows else None,
            permissions=frozenset(row.key() for row in self.table(Permission, "permissions"))
            if "permissions" in self.rows
            else None,
            models=frozenset(row.digest for row in self.table(RegisteredModel, "models")) if "models" in self.rows else None,
        )


def _forbidden(rows: Iterable[Restriction | Halt]) -> tuple[risk_data.Restriction, ...]:
    return tuple(risk_data.Restriction(row.symbol, row.begins_ns, row.ends_ns) for row in rows)


def _scope(kind: str, scope_id: str) -> str:
    return f"{kind}:{scope_id}" if scope_id else kind
