"""What the orders of one kind are under: every check with its limit, bound to the totals and windows that it is held against.

Looked up once for a subject, a side and scopes, and kept until a limit or a fact changes or the time makes another version
hold: an order then pays for its own numbers alone. What is the same for many kinds is one object for all of them, and in the
processor's cache; what is an instrument's own hangs on its binding and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from domain.exposure import Exposure
from domain.exposure_totals import Money, Row, Totals
from domain.limit_rules import RULES, Unit
from domain.limits import Applied, LimitBook
from domain.risk import Check, Outcome, RiskOrder, Scopes, Subject
from domain.risk_verdicts import Term
from domain.risk_windows import Window
from domain.values import E9, ScopeKind, Side

Windows = dict[tuple[str, ...], Window]
_Key = tuple[Subject, Side | None, Scopes, bool]  # and does it stem from no model?


class Bound:
    """One check as orders are under it, of many instruments.

    bound_e9: what is seen is held against that; of a fraction of capital it is money. None: that is each order's own, or not
    known. refuses: the outcome of a breach. money: the scope's, in all. own: the place of its window or row in the binding.
    """

    __slots__ = (
        "bound_e9", "capital", "kind", "money", "of", "own", "refuses", "scope", "unit", "value_e9", "window_ns",
    )  # fmt: skip

    def __init__(self, limit: Applied, bound_e9: int | None, own: int, money: Money) -> None:
        self.kind: ScopeKind = limit.kind
        self.scope: str = limit.scope
        self.of = limit.of
        self.value_e9: int = limit.value_e9
        self.bound_e9 = bound_e9
        self.unit: Unit = limit.unit
        self.capital = limit.unit == "fraction"  # of the scope's capital
        self.window_ns: int = limit.window_ns
        self.refuses = Outcome.SOFT if limit.level == "soft" else Outcome.HARD
        self.own, self.money = own, money


# What a check has seen, where it passed and was held against the limit that its binding says; else also what it was held
# against, what follows, and what there is to say of it.
Seen = tuple[int | None, int | None, Outcome, str]
Judge = Callable[[RiskOrder, Any, Bound], int | Seen | None]


class Binding:
    """Every check of one kind of order, in columns and in the order in which they are told.

    terms: in words. limits: what each is held against, where no order has it otherwise. asked: the places in the columns of
    those that are to be asked, and how; the others pass, with nothing seen, until until_ns.
    own: the windows and rows of these orders. flow and against: their side of the instrument, and the other one.
    opened: is it known what the account held as the day began? facts, instrument, day, trade_date: for which all of it holds.
    """

    __slots__ = (
        "against", "asked", "day", "facts", "flow", "from_ns", "instrument", "limits", "opened", "own", "terms", "trade_date",
        "until_ns",
    )  # fmt: skip

    def __init__(self, order: RiskOrder, at: Any, exposure: Exposure, until_ns: int) -> None:
        symbol, sells = order.scopes.instrument, order.side is _SELL
        self.facts, self.instrument, self.day, self.trade_date = at.facts, at.instrument, at.day, at.trade_date
        self.from_ns: int = at.now_ns
        self.until_ns = until_ns
        self.flow, self.against = (exposure.flow(symbol, side) for side in ((_SELL, _BUY) if sells else (_BUY, _SELL)))
        self.opened: bool = at.opening_known(order.scopes.account, symbol)
        self.terms: tuple[str, ...] = ()
        self.limits: tuple[int | None, ...] = ()
        self.asked: tuple[tuple[int, Judge, Bound], ...] = ()
        self.own: tuple[Any, ...] = ()


_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
_RULES: Final = tuple(check for check, rule in RULES.items() if not rule.units)  # always judged, without a limit
# Checks that look at nothing but scopes, facts and the time: what they say is said of every order of the kind.
SETTLED: Final = frozenset({Check.STRATEGY, Check.HALT, Check.PERMISSION, Check.RESTRICTED})
_UNBOUND: Final = frozenset({Check.CHILD_SUM, Check.ORDERS_OUT})  # each order has another limit


class Bindings:
    """One for the desk. Derived: the limits, the totals and the windows say all of it."""

    KEPT_MAX: ClassVar[int] = 8_192

    def __init__(self, limits: LimitBook, exposure: Exposure, totals: Totals, windows: Windows) -> None:
        self._limits, self._exposure, self._totals, self._windows = limits, exposure, totals, windows
        self._shared: dict[object, Any] = {}  # columns and what is in them: what is alike is one object
        self._kept: dict[_Key, Binding] = {}
        self._changes = -1  # of the limits, when the first one was kept

    def of(self, order: RiskOrder, at: Any, judges: Mapping[Check, Judge]) -> Binding:
        """What an order is under in its situation."""
        if self._changes != self._limits.changes:
            self.forget()
        key = (order.subject, order.side, order.scopes, order.model is None)
        kept = self._kept.get(key)
        if (
            kept is not None and kept.from_ns <= at.now_ns < kept.until_ns and kept.facts is at.facts
            and kept.instrument is at.instrument and (kept.day is at.day or kept.day == at.day)
            and kept.trade_date == at.trade_date
        ):  # fmt: skip
            return kept
        return self._keep(key, order, at, judges)

    def forget(self) -> None:
        """Something has changed that a binding may rest on."""
        self._kept.clear()
        self._shared.clear()
        self._changes = self._limits.changes

    def _keep(self, key: _Key, order: RiskOrder, at: Any, judges: Mapping[Check, Judge]) -> Binding:
        if len(self._kept) >= self.KEPT_MAX:
            self.forget()
        now_ns: int = at.now_ns
        until_ns = min(self._limits.holds_until_ns(now_ns), at.data.settled_until_ns(order.scopes.instrument, now_ns))
        rules = [Applied.rule(check) for check in _RULES if order.subject in RULES[check].subjects]
        applied = [*rules, *self._limits.applicable(order.subject, order.scopes, now_ns)]
        found = Binding(order, at, self._exposure, until_ns)
        own: list[Window | Row] = []
        bounds = [self._bound(limit, order, at, own) for limit in applied]
        found.own = tuple(own)
        asked = [
            (place, judges[limit.check], bound)
            for place, (limit, bound) in enumerate(zip(applied, bounds, strict=True))
            if not _settled(limit.check, order) or judges[limit.check](order, at, bound) is not None
        ]
        found.terms = self._share(tuple([Term(one.check, one.version, one.window_ns, one.scope).text for one in applied]))
        found.limits = self._share(tuple([_told(one, bound) for one, bound in zip(applied, bounds, strict=True)]))
        found.asked = self._share(tuple(asked))
        self._kept[key] = found
        return found

    def _bound(self, limit: Applied, order: RiskOrder, at: Any, own: list[Window | Row]) -> Bound:
        symbol = order.scopes.instrument
        if limit.window_ns:
            window = window_key(limit.check, limit.scope, symbol, order.side)
            own.append(self._windows.setdefault(window, Window()))
        elif limit.check is Check.POSITION:
            own.append(self._totals.row(limit.of, symbol))
        bound_e9 = _bound_e9(limit, symbol, at)
        key = (limit, len(own), bound_e9)
        found: Bound | None = self._shared.get(key)
        if found is None:
            found = self._shared[key] = Bound(limit, bound_e9, len(own) - 1, self._totals.money(limit.of))
        return found

    def _share(self, column: tuple[Any, ...]) -> tuple[Any, ...]:
        shared: tuple[Any, ...] = self._shared.setdefault(column, column)
        return shared


def _settled(check: Check, order: RiskOrder) -> bool:
    if check is Check.MODEL_GUARD:
        return order.model is None
    return check in SETTLED or (check is Check.SHORT_SALE and order.side is _BUY)


def _bound_e9(limit: Applied, symbol: str, at: Any) -> int | None:
    """What an order's number is held against; None where that is not known or each order's own."""
    match limit.check:
        case Check.LOT:
            return at.instrument.lot_e9 if at.instrument is not None else None
        case Check.TICK:
            bands = at.instrument.tick_table(at.trade_date).bands if at.instrument is not None else []
            return bands[0].tick_e9 if len(bands) == 1 else None
        case Check.SESSION:
            return at.day.close_ns if at.day is not None else None
        case Check.ADV_SHARE:
            adv_e9 = at.data.adv_e9(symbol)
            return None if adv_e9 is None else adv_e9 * limit.value_e9 // E9
    if limit.unit == "flag" or limit.check in _UNBOUND:
        return None
    if limit.unit == "fraction" and limit.check not in (Check.PRICE_COLLAR, Check.PRICE_COLLAR_WINDOW):
        capital_e9 = at.data.capital_e9(limit.scope)
        return None if capital_e9 is None else capital_e9 * limit.value_e9 // E9
    return limit.value_e9


def _told(limit: Applied, bound: Bound) -> int | None:
    """As verdicts tell it: a loss has a sign."""
    return -bound.bound_e9 if limit.check is Check.DAILY_LOSS and bound.bound_e9 is not None else bound.bound_e9


def window_key(check: Check, scope: str, instrument: str, side: Side | None) -> tuple[str, ...]:
    """What a window counts over: repeated execution by instrument and side, a price's walk by instrument."""
    if check is Check.REPEATED_EXECUTION:
        return (check, scope, instrument, side or "")
    return (check, scope, instrument) if check is Check.PRICE_COLLAR_WINDOW else (check, scope)
