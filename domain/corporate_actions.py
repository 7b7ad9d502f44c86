"""Corporate actions that take effect: names that change, and the exact arithmetic of splits.

A row says by `as_of` on which side of an action it stands. One whose as_of lies before the effective date is carried over:
quantities by new shares for old, prices by the inverse, as rational numbers. What does not come out at 1e-9 is not rounded;
somebody has to say what it is. A row that was carried over is of the trade date, so that doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Final, NamedTuple

from domain.day_rows import CorporateAction, DayRow, column
from domain.values import E9_MAX, from_e9

Namer = Callable[[str], str]
_QUANTITY: Final = ("quantity_e9", "average_daily_volume_e9")
_PRICE: Final = ("close_e9",)


class NotExact(NamedTuple):
    """A number that a split does not leave at 1e-9."""

    column: str
    reason: str


def renamed(actions: Iterable[CorporateAction], trade_date: date) -> Namer:
    """From the name that a row uses to the one that holds on the trade date."""
    new = {a.old_symbol: a.symbol for a in actions if a.kind == "rename" and a.old_symbol and a.effective <= trade_date}
    return lambda symbol: new.get(symbol, symbol)


def under_new_name(action: CorporateAction, name: Namer) -> CorporateAction:
    """An action of an instrument that gets a new name on the same day, by the new one."""
    known = action.kind == "rename" or name(action.symbol) == action.symbol
    return action if known else action.model_copy(update={"symbol": name(action.symbol)})


def ratio(actions: Iterable[CorporateAction], symbol: str, as_of: date, trade_date: date) -> Fraction:
    """New shares for one old share, from the end of as_of to the trade date."""
    found = Fraction(1)
    for action in actions:
        if action.kind == "split" and action.symbol == symbol and as_of < action.effective <= trade_date:
            assert action.new_shares is not None and action.old_shares is not None
            found *= Fraction(action.new_shares, action.old_shares)
    return found


def taking_effect(
    actions: Iterable[CorporateAction], trade_date: date, previous: Callable[[str], date | None]
) -> tuple[CorporateAction, ...]:
    """The actions that the trade date is the first to trade under.

    Args:
        previous: an instrument's last trading day before, None where that is unknown.
    """
    found = []
    for action in actions:
        before = previous(action.symbol) or trade_date - timedelta(days=1)
        if before < action.effective <= trade_date:
            found.append(action)
    return tuple(found)


def carried_over(
    row: DayRow, actions: Mapping[str, Iterable[CorporateAction]], name: Namer, trade_date: date
) -> DayRow | NotExact:
    """A row under the names and share counts of the trade date, or the number that cannot be.

    Args:
        actions: by the instrument's new name.
        name: as `renamed` makes it.
    """
    if isinstance(row, CorporateAction):
        return under_new_name(row, name)
    old, as_of = row.get("symbol"), row.get("as_of")
    if old is None:
        return row
    symbol = name(old)
    changes: dict[str, Any] = {} if symbol == old else {"symbol": symbol}
    by = Fraction(1) if as_of is None or symbol not in actions else ratio(actions[symbol], symbol, as_of, trade_date)
    for field, factor in [(f, by) for f in _QUANTITY] + [(f, 1 / by) for f in _PRICE] if by != 1 else ():
        if (value_e9 := row.get(field)) is not None:
            exact = value_e9 * factor
            if exact.denominator != 1 or abs(exact) > E9_MAX:
                return NotExact(column(field), _why(symbol, by, field, value_e9))
            changes |= {field: int(exact), "as_of": trade_date}
    return row.model_copy(update=changes) if changes else row


def _why(symbol: str, by: Fraction, field: str, value_e9: int) -> str:
    split = f"the split of {symbol}, {by.numerator} for {by.denominator}"
    return f"{split}, leaves no exact number at 1e-9 of the {column(field).replace('_', ' ')} {from_e9(value_e9):f}"
