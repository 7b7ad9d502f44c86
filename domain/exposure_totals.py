"""Exposure by scope: positions, open orders, gross, net, profit and loss, its peak, of the firm and of everyone in it.

The totals follow the ledgers when they are asked for, by the ledgers that have moved since: so a fold pays nothing for them,
and a check pays for what has happened since the last one, not for what is working. Money is in the firm's currency at 1e-9.

A position is valued at the last mark of its instrument; where there is none the scope's money is not known.
Profit and loss = value of the position - money that it cost; realised = min(bought, sold) x (average sold - average bought),
which depends on no order of fills, so that a bust or a correction restates it exactly; unrealised is the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain.exposure import ACCOUNT, CLIENT, INSTRUMENT, STRATEGY, TRADER, VENUE, Exposure, Ledger
from domain.risk import Mark
from domain.values import E9, ScopeKind

_E18: Final = E9 * E9
Scope = tuple[ScopeKind, str]
FIRM_SCOPE: Final[Scope] = (ScopeKind.FIRM, "")


class Money:
    """One scope's money. unrated: how many of its instruments have no price or no exchange rate, so that it is not known."""

    __slots__ = ("buying_e9", "gross_e9", "net_e9", "peak_e9", "pnl_e9", "selling_e9", "unrated")

    def __init__(self) -> None:
        self.gross_e9 = self.net_e9 = self.buying_e9 = self.selling_e9 = self.pnl_e9 = self.peak_e9 = self.unrated = 0


class Row:
    """One scope's position in one instrument. What is reserved in it is kept up from when somebody first asks for the row."""

    __slots__ = ("asked", "buying_e9", "money", "net_e9", "position_e9", "selling_e9")

    def __init__(self, money: Money) -> None:
        self.money = money
        self.asked = False
        self.position_e9 = self.buying_e9 = self.selling_e9 = self.net_e9 = 0


class Told:
    """What the totals have counted of one ledger.

    rate_e9: at which what is reserved is worth what it is; 0: what the ledger is worth is not known.
    rows: of every scope that the ledger is in; moneys: theirs; asked: those of the rows that somebody asked for.
    """

    __slots__ = (
        "asked", "buying_e9", "buying_e18", "buying_worth_e9", "moneys", "net_e9", "pnl_e9", "position_e9", "rate_e9", "rows",
        "selling_e9", "selling_e18", "selling_worth_e9", "unrated",
    )  # fmt: skip

    def __init__(self, rows: list[Row], moneys: tuple[Money, ...]) -> None:
        self.rows, self.moneys = rows, moneys
        self.asked = [row for row in rows if row.asked]
        self.position_e9 = self.net_e9 = self.pnl_e9 = self.unrated = self.rate_e9 = 0
        self.buying_e9 = self.buying_worth_e9 = self.selling_e9 = self.selling_worth_e9 = 0
        self.buying_e18: int | None = 0
        self.selling_e18: int | None = 0


class Totals:
    """Everything by scope. Derived: the exposure, the marks and the peaks say all of it."""

    def __init__(self, exposure: Exposure) -> None:
        self._exposure = exposure
        self._rows: dict[tuple[Scope, str], Row] = {}
        self._moneys: dict[tuple[Scope, ...], tuple[Money, ...]] = {}  # of the scopes of a ledger: one object for all like it
        self._held: dict[str, None] = {}  # instruments that there is a ledger in
        self._money: dict[Scope, Money] = {FIRM_SCOPE: Money()}
        self.prices_e9: dict[str, int] = {}
        self.rates_e9: dict[str, int] = {}
        self.trade_date = ""

    # ------------------------------------------------------------------------------------------ marks

    def mark(self, trade_date: str, marks: tuple[Mark, ...]) -> None:
        """Value positions anew; peaks follow. The first marks of a date begin its profit and loss."""
        if trade_date != self.trade_date:
            if self.trade_date:
                self._exposure.begin_day(self.prices_e9)
            self.trade_date = trade_date
            for money in self._money.values():
                money.peak_e9 = 0
        for mark in marks:
            self.rates_e9[mark.instrument] = mark.rate_e9
            if mark.price_e9 is not None:
                self.prices_e9[mark.instrument] = mark.price_e9
        self.settle()
        for mark in marks:
            for ledger in self._exposure.of(mark.instrument):
                self._count(ledger)
        for money in self._money.values():
            if money.pnl_e9 > money.peak_e9:
                money.peak_e9 = money.pnl_e9

    # ---------------------------------------------------------------------------------------- reading

    def settle(self) -> None:
        """Follow the ledgers that have moved."""
        self._exposure.settle()
        moved = self._exposure.dirty
        if moved:
            self._exposure.dirty = []
            for ledger in moved:
                ledger.dirty = False
                if ledger.traded_anew or not ledger.told.rate_e9:
                    ledger.traded_anew = False
                    self._count(ledger)
                else:
                    _reserve(ledger, ledger.told)

    def _count(self, ledger: Ledger) -> None:
        """What a ledger has traded and what it is worth by now, beyond what it was, counts in every scope that it is in."""
        instrument = ledger.key[INSTRUMENT]
        told: Told = ledger.told or self._begin(ledger)
        price_e9, rate_e9 = self.prices_e9.get(instrument), self.rates_e9.get(instrument)
        position_e9 = ledger.opening_e9 + ledger.bought_e9 - ledger.sold_e9
        cost_e18 = ledger.opening_e18 + ledger.bought_e18 - ledger.sold_e18
        if price_e9 is None and not position_e9:
            price_e9 = 0  # nothing is held that it could be asked of
        if rate_e9 is None or price_e9 is None:
            told.rate_e9 = net_e9 = pnl_e9 = 0
            unrated = 1 if position_e9 or cost_e18 or ledger.buying_e9 or ledger.selling_e9 else 0
        else:
            worth_e18, unrated, told.rate_e9 = position_e9 * price_e9, 0, rate_e9
            net_e9, pnl_e9 = worth_e18 * rate_e9 // _E18, (worth_e18 - cost_e18) * rate_e9 // _E18
        told.buying_e18 = told.selling_e18 = None  # at another rate it may be worth something else
        _reserve(ledger, told)
        if (position_e9, net_e9, pnl_e9, unrated) == (told.position_e9, told.net_e9, told.pnl_e9, told.unrated):
            return
        more_e9, worth_e9, won_e9 = position_e9 - told.position_e9, net_e9 - told.net_e9, pnl_e9 - told.pnl_e9
        for row in told.rows:
            money = row.money
            row.position_e9 += more_e9
            money.pnl_e9 += won_e9
            money.unrated += unrated - told.unrated
            money.gross_e9 += abs(row.net_e9 + worth_e9) - abs(row.net_e9)
            money.net_e9 += worth_e9
            row.net_e9 += worth_e9
        told.position_e9, told.net_e9, told.pnl_e9, told.unrated = position_e9, net_e9, pnl_e9, unrated

    def row(self, scope: Scope, instrument: str) -> Row:
        """A scope's position in an instrument, which stays the same object."""
        row = self._row(scope, instrument)
        if not row.asked:
            row.asked = True
            for ledger in self._exposure.of(instrument):
                told: Told | None = ledger.told
                if told is not None and row in told.rows:
                    told.asked.append(row)
                    row.buying_e9 += told.buying_e9
                    row.selling_e9 += told.selling_e9
        return row

    def _row(self, scope: Scope, instrument: str) -> Row:
        key = (scope, instrument)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row(self.money(scope))
        return row

    def money(self, scope: Scope) -> Money:
        """A scope's money, which stays the same object."""
        money = self._money.get(scope)
        if money is None:
            money = self._money[scope] = Money()
        return money

    def held(self) -> Iterator[str]:
        """Instruments in which there is or was anything."""
        yield from self._held

    def realised_e9(self, kind: ScopeKind, scope_id: str, instrument: str) -> int | None:
        """Realised profit and loss in one instrument; None without a rate."""
        rate_e9 = self.rates_e9.get(instrument)
        if rate_e9 is None:
            return None
        bought_e9 = bought_e18 = sold_e9 = sold_e18 = 0
        self._exposure.settle()
        for ledger in self._exposure.of(instrument):
            if (kind, scope_id) in _scopes(ledger):
                long_e9, long_e18 = max(0, ledger.opening_e9), max(0, ledger.opening_e18)
                bought_e9, bought_e18 = bought_e9 + ledger.bought_e9 + long_e9, bought_e18 + ledger.bought_e18 + long_e18
                short_e9, short_e18 = max(0, -ledger.opening_e9), max(0, -ledger.opening_e18)
                sold_e9, sold_e18 = sold_e9 + ledger.sold_e9 + short_e9, sold_e18 + ledger.sold_e18 + short_e18
        if not bought_e9 or not sold_e9:
            return 0
        matched_e9 = min(bought_e9, sold_e9)
        made_e18 = sold_e18 * matched_e9 // sold_e9 - bought_e18 * matched_e9 // bought_e9
        return made_e18 * rate_e9 // _E18

    def written(self) -> Iterator[str]:
        """What only marks have put there, for a digest."""
        yield repr((self.trade_date, sorted(self.prices_e9.items()), sorted(self.rates_e9.items())))
        yield from (repr((scope, money.peak_e9)) for scope, money in sorted(self._money.items()) if money.peak_e9)

    def _begin(self, ledger: Ledger) -> Told:
        instrument, scopes = ledger.key[INSTRUMENT], _scopes(ledger)
        self._held[instrument] = None
        moneys = tuple([self.money(scope) for scope in scopes])
        moneys = self._moneys.setdefault(tuple(scopes), moneys)
        told = ledger.told = Told([self._row(scope, instrument) for scope in scopes], moneys)
        return told


def _reserve(ledger: Ledger, told: Told) -> None:
    """What a ledger has reserved beyond what it had counts in every scope that it is in. It is most of what happens."""
    value_e18 = ledger.buying_e18
    if value_e18 != told.buying_e18 or ledger.buying_e9 != told.buying_e9:
        worth_e9, quantity_e9 = value_e18 * told.rate_e9 // _E18, ledger.buying_e9
        more_e9 = worth_e9 - told.buying_worth_e9
        for money in told.moneys:
            money.buying_e9 += more_e9
        for row in told.asked:
            row.buying_e9 += quantity_e9 - told.buying_e9
        told.buying_e9, told.buying_e18, told.buying_worth_e9 = quantity_e9, value_e18, worth_e9
    value_e18 = ledger.selling_e18
    if value_e18 != told.selling_e18 or ledger.selling_e9 != told.selling_e9:
        worth_e9, quantity_e9 = value_e18 * told.rate_e9 // _E18, ledger.selling_e9
        more_e9 = worth_e9 - told.selling_worth_e9
        for money in told.moneys:
            money.selling_e9 += more_e9
        for row in told.asked:
            row.selling_e9 += quantity_e9 - told.selling_e9
        told.selling_e9, told.selling_e18, told.selling_worth_e9 = quantity_e9, value_e18, worth_e9


def _scopes(ledger: Ledger) -> list[Scope]:
    key = ledger.key
    named = (
        (ScopeKind.ACCOUNT, key[ACCOUNT]), (ScopeKind.CLIENT, key[CLIENT]), (ScopeKind.STRATEGY, key[STRATEGY]),
        (ScopeKind.TRADER, key[TRADER]), (ScopeKind.VENUE, key[VENUE]),
    )  # fmt: skip
    return [FIRM_SCOPE, *((kind, scope_id) for kind, scope_id in named if scope_id)]
