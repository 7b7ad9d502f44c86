"""What the orders of one kind are under: every check with its limit, bound to the totals and windows that it is held against.

Looked up once for a subject, a side and scopes, and kept until a limit changes or the time makes another version hold: an
order then pays for its own numbers alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from domain.exposure import Exposure, Flow
from domain.exposure_totals import Money, Row, Totals
from domain.limit_rules import RULES, Unit
from domain.limits import Applied, LimitBook
from domain.risk import Check, Outcome, RiskOrder, Scopes, Subject
from domain.risk_verdicts import Term
from domain.risk_windows import Window
from domain.values import ScopeKind, Side

Windows = dict[tuple[str, ...], Window]


class Bound:
    """One check as orders of one kind are under it.

    refuses: the outcome of a breach. row and money: the scope's position in the instrument, and its money in all.
    flow and against: the order's side of the instrument, and the other one.
    """

    __slots__ = (
        "against", "capital", "flow", "kind", "money", "refuses", "row", "scope", "unit", "value_e9", "window", "window_ns",
    )  # fmt: skip

    def __init__(self, limit: Applied, row: Row, money: Money, window: Window, flow: Flow, against: Flow) -> None:
        self.kind: ScopeKind = limit.kind
        self.scope: str = limit.scope
        self.value_e9: int = limit.value_e9
        self.unit: Unit = limit.unit
        self.capital = limit.unit == "fraction"  # of the scope's capital
        self.window_ns: int = limit.window_ns
        self.refuses = Outcome.SOFT if limit.level == "soft" else Outcome.HARD
        self.row, self.money, self.window, self.flow, self.against = row, money, window, flow, against


# What a check has seen, what it held that against, what follows, and what there is to say of it.
Seen = tuple[int | None, int | None, Outcome, str]
Judge = Callable[[RiskOrder, Any, Bound], Seen]


class Binding(NamedTuple):
    """Every check of one kind of order, in the order in which they are told: in words, as a function, and what that looks at.

    Three columns and not rows: what orders of all kinds share is then one object, and in the processor's cache.
    """

    terms: tuple[str, ...]
    judges: tuple[Judge, ...]
    bounds: tuple[Bound, ...]


_BUY: Final = Side.BUY
_SELL: Final = Side.SELL
# The checks that look at an instrument's row, window or flow.
OF_INSTRUMENT: Final = frozenset(
    {
        Check.PRICE_COLLAR_WINDOW, Check.SELF_TRADE, Check.ORDERS_OUT, Check.REPEATED_EXECUTION, Check.POSITION,
        Check.GROSS_EXPOSURE, Check.DAILY_LOSS, Check.DRAWDOWN,
    }
)  # fmt: skip
_RULES: Final = tuple(check for check, rule in RULES.items() if not rule.units)  # always judged, without a limit


class Bindings:
    """One for the desk. Derived: the limits, the totals and the windows say all of it."""

    KEPT_MAX: ClassVar[int] = 8_192

    def __init__(self, limits: LimitBook, exposure: Exposure, totals: Totals, windows: Windows) -> None:
        self._limits, self._exposure, self._totals, self._windows = limits, exposure, totals, windows
        self._texts: dict[str, str] = {}
        self._asked: dict[tuple[Judge, ...], tuple[Judge, ...]] = {}
        self._bounds: dict[tuple[Applied, str | None, Side | None], Bound] = {}
        self._kept: dict[tuple[Subject, Side | None, Scopes], Binding] = {}
        self._changes = -1  # of the limits, when the first one was kept
        self._from_ns = self._until_ns = 0  # when no limit begins or ends

    def of(self, order: RiskOrder, now_ns: int, judges: Mapping[Check, Judge]) -> Binding:
        """What an order is under now."""
        if not self._from_ns <= now_ns < self._until_ns or self._changes != self._limits.changes:
            self._clear()
            self._changes = self._limits.changes
            self._from_ns, self._until_ns = now_ns, self._limits.holds_until_ns(now_ns)
        key = (order.subject, order.side, order.scopes)
        return self._kept.get(key) or self._keep(key, now_ns, judges)

    def _keep(self, key: tuple[Subject, Side | None, Scopes], now_ns: int, judges: Mapping[Check, Judge]) -> Binding:
        subject, side, scopes = key
        rules = [Applied.rule(check) for check in _RULES if subject in RULES[check].subjects]
        applied = [*rules, *self._limits.applicable(subject, scopes, now_ns)]
        texts = [Term(limit.check, limit.version, limit.window_ns, limit.scope).text for limit in applied]
        terms = tuple([self._texts.setdefault(text, text) for text in texts])
        asked = tuple([judges[limit.check] for limit in applied])
        asked = self._asked.setdefault(asked, asked)
        bounds = tuple([self._bound(limit, scopes.instrument, side) for limit in applied])
        if len(self._kept) >= self.KEPT_MAX:
            self._clear()
        found = self._kept[key] = Binding(terms, asked, bounds)
        return found

    def _bound(self, limit: Applied, instrument: str, side: Side | None) -> Bound:
        """Shared where nothing in it is the instrument's own: it is then in the processor's cache for the next order too."""
        ours, theirs = (None, None) if limit.check not in OF_INSTRUMENT else (instrument, side)
        found = self._bounds.get((limit, ours, theirs))
        if found is None:
            key = window_key(limit.check, limit.scope, instrument, side)
            window = self._windows.setdefault(key, Window()) if limit.window_ns else Window()
            flow, against = (self._exposure.flow(instrument, s) for s in ((_SELL, _BUY) if side is _SELL else (_BUY, _SELL)))
            row, money = self._totals.row(limit.of, instrument), self._totals.money(limit.of)
            found = self._bounds[limit, ours, theirs] = Bound(limit, row, money, window, flow, against)
        return found

    def _clear(self) -> None:
        self._kept.clear()
        self._bounds.clear()
        self._texts.clear()


def window_key(check: Check, scope: str, instrument: str, side: Side | None) -> tuple[str, ...]:
    """What a window counts over: repeated execution by instrument and side, a price's walk by instrument."""
    if check is Check.REPEATED_EXECUTION:
        return (check, scope, instrument, side or "")
    return (check, scope, instrument) if check is Check.PRICE_COLLAR_WINDOW else (check, scope)
