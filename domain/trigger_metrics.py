"""What the kill switch's triggers measure, each from what is known: ledgers, limits, counters, latencies, forecasts. Pure.

Daily profit and loss, and the fall from the day's best, are those of `domain.exposure_totals`, at the last marks. A position
is what is held, without what works: the checks before an order keep that below the same limits.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from domain.exposure import ACCOUNT, CLIENT, INSTRUMENT, STRATEGY, TRADER, VENUE
from domain.exposure_totals import FIRM_SCOPE
from domain.kill_scope import Scope
from domain.limits import Applied
from domain.risk import Check, Scopes, Subject
from domain.risk_state import RiskState
from domain.values import E9, ScopeKind, from_e9

TICKS: Final = 1_000  # that a 99th percentile is of
FORECASTS: Final = 500  # that an information coefficient is of
MINUTE_NS: Final = 60 * E9
_OF_FIRM: Final = (ScopeKind.FIRM, ScopeKind.DESK)  # one log is of one desk
_ORDERS: Final = (Subject.PARENT, Subject.CHILD)


class Figure(NamedTuple):
    """A figure in a scope; value None: it cannot be reckoned, and text says why."""

    value: float | None
    text: str = ""


# ------------------------------------------------------------------------------------------- ledgers


def daily_pnl(state: RiskState, scope: Scope, trade_date: str) -> Figure:
    """Profit and loss of the day so far, realised or not, in the firm's currency at 1e-9; 0 before its first mark."""
    money = state.totals.money(_of(scope))
    if money.unrated:
        return Figure(None, "an instrument in it has no price or no exchange rate")
    return Figure(money.pnl_e9 if state.totals.trade_date == trade_date else 0)


def drawdown(state: RiskState, scope: Scope, trade_date: str) -> Figure:
    """How far below the day's best the profit and loss is: 0 or less."""
    pnl = daily_pnl(state, scope, trade_date)
    if pnl.value is None or state.totals.trade_date != trade_date:
        return pnl
    return Figure(min(0, pnl.value - max(0, state.totals.money(_of(scope)).peak_e9)))


def position_breaches(state: RiskState, desk: str, now_ns: int) -> dict[Scope, Figure]:
    """How many positions are beyond a hard limit on positions, by the scope of the limit. A soft one may be overridden.

    Args:
        desk: its name, for limits on it.
        now_ns: which versions of limits are in force, by the desk's clock.
    """
    if not state.limits.has(Check.POSITION):
        return {}
    state.totals.settle()
    found: dict[Scope, Figure] = {}
    seen: set[tuple[Scope, str, int]] = set()
    for symbol in state.totals.held():
        for ledger in state.exposure.of(symbol):
            key = ledger.key
            scopes = Scopes(desk, key[TRADER], key[ACCOUNT], key[CLIENT], key[STRATEGY], key[INSTRUMENT], key[VENUE])
            for subject in _ORDERS:
                for limit in state.limits.applicable(subject, scopes, now_ns):
                    scope = Scope(limit.kind, limit.id)
                    if limit.check is Check.POSITION and limit.level == "hard" and (scope, symbol, limit.value_e9) not in seen:
                        seen.add((scope, symbol, limit.value_e9))
                        found[scope] = _worse(found.get(scope), _breach(state, limit, symbol))
    return found


def _breach(state: RiskState, limit: Applied, symbol: str) -> Figure:
    held_e9 = abs(state.totals.row(limit.of, symbol).position_e9)
    if limit.unit == "money" and held_e9:
        price_e9, rate_e9 = state.totals.prices_e9.get(symbol), state.totals.rates_e9.get(symbol)
        if price_e9 is None or rate_e9 is None:
            return Figure(None, f"{symbol} has no price or no exchange rate")
        held_e9 = held_e9 * abs(price_e9) // E9 * rate_e9 // E9
    if held_e9 <= limit.value_e9:
        return Figure(0)
    return Figure(1, f"{symbol}: {from_e9(held_e9):f} {limit.unit} held, limit {from_e9(limit.value_e9):f}")


def _worse(before: Figure | None, now: Figure) -> Figure:
    """A breach that is seen counts, whatever cannot be reckoned beside it."""
    if before is None:
        return now
    if before.value and now.value:
        return Figure(before.value + now.value, f"{before.text}; {now.text}")
    return max(before, now, key=lambda figure: 0.5 if figure.value is None else figure.value)


def _of(scope: Scope) -> tuple[ScopeKind, str]:
    return FIRM_SCOPE if scope.kind in _OF_FIRM else (scope.kind, scope.id)


# ------------------------------------------------------------------------------------------ counters


class ErrorRate:
    """Internal errors in the last minute, from totals that only grow while a process and its successors run."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}  # the last total of each process
        self._grown: deque[tuple[int, int]] = deque()  # when, by how many

    def see(self, process: str, total: int, at_ns: int) -> None:
        """A total as it is now. The first of a process is where counting begins; one that fell began anew at 0."""
        before = self._seen.get(process, total)
        self._seen[process] = total
        grown = total - before if total >= before else total
        if grown:
            self._grown.append((at_ns, grown))

    def within_a_minute(self, now_ns: int) -> int:
        """How many."""
        while self._grown and self._grown[0][0] <= now_ns - MINUTE_NS:
            self._grown.popleft()
        return sum(grown for _, grown in self._grown)


# --------------------------------------------------------------------------------- quoter and models


def tick_to_quote_p99_ms(latencies_ns: Sequence[int]) -> float | None:
    """The 99th percentile (nearest rank) of the last TICKS latencies from a tick to the quote that it caused, in ms; None
    while there are fewer.
    """
    if len(latencies_ns) < TICKS:
        return None
    ordered = sorted(latencies_ns[-TICKS:])
    return ordered[math.ceil(0.99 * TICKS) - 1] / 1e6


def information_coefficient(forecasts: Sequence[float], outcomes: Sequence[float]) -> float | None:
    """Spearman's rank correlation of the last FORECASTS forecasts with what came of them; ties have their mean rank. None
    where one side does not vary, or holds what is no number: there is no correlation to speak of.
    """
    xs, ys = _ranks(forecasts[-FORECASTS:]), _ranks(outcomes[-FORECASTS:])
    if xs is None or ys is None or len(xs) != len(ys):
        return None
    mean = (len(xs) + 1) / 2
    covariance = sum((x - mean) * (y - mean) for x, y in zip(xs, ys, strict=True))
    variances = sum((x - mean) ** 2 for x in xs) * sum((y - mean) ** 2 for y in ys)
    return covariance / math.sqrt(variances) if variances else None


def _ranks(values: Sequence[float]) -> list[float] | None:
    if not all(math.isfinite(value) for value in values):
        return None
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        start = end
    return ranks
