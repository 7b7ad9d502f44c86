"""Checks of an order beside everything else that is held, out and lost, and of how fast orders come."""

from __future__ import annotations

from typing import Final

from domain.risk import Outcome, RiskOrder, Subject
from domain.risk_binding import Bound, Seen
from domain.risk_situation import Situation, missing
from domain.values import E9, ScopeKind

_PASS: Final = Outcome.PASS
_CHILD: Final = Subject.CHILD
_OPENED: Final = frozenset(
    {ScopeKind.FIRM, ScopeKind.DESK, ScopeKind.ACCOUNT, ScopeKind.INSTRUMENT}
)  # their day begins with positions


# ----------------------------------------------------------------------------------------- positions


def position(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """The position if everything that works in the order's direction fills, and the order too."""
    kind = at.kind
    if not kind.opened and limit.kind in _OPENED and not at.opening_known(order.scopes.account, order.scopes.instrument):
        return missing("no opening position")
    row, adds_e9, bound_e9 = kind.own[limit.own], at.adds_e9, limit.value_e9
    after_e9 = row.position_e9 + row.buying_e9 + adds_e9 if at.buys else row.position_e9 - row.selling_e9 - adds_e9
    if limit.unit == "money":
        if at.price_e9 is None or at.rate_e9 is None:
            return missing("no price" if at.price_e9 is None else "no exchange rate")
        after_e9 = after_e9 * at.price_e9 // E9 * at.rate_e9 // E9
    beyond = (after_e9 if at.buys else -after_e9) > bound_e9 and adds_e9 > 0
    return (after_e9, bound_e9, limit.refuses, "") if beyond else after_e9


def self_trade(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Would it meet a working order of our own?"""
    best_e9 = at.kind.against.levels.best_e9
    price_e9 = order.limit_price_e9
    if best_e9 is None:
        return price_e9
    if price_e9 is not None and (price_e9 < best_e9 if at.buys else price_e9 > best_e9):
        return price_e9, best_e9, _PASS, ""
    return price_e9, best_e9, limit.refuses, "own order on the other side"


def orders_out(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """What is filled and out of an instrument on one side, against what clients have asked for in all."""
    flow = at.kind.flow
    out_e9, bound_e9 = flow.out_e9 + at.adds_e9, flow.entered_e9 * (E9 + limit.value_e9) // E9
    return (out_e9, bound_e9, limit.refuses, "entered") if out_e9 > bound_e9 else (out_e9, bound_e9, _PASS, "")


# ------------------------------------------------------------------------------- credit and capital


def gross_exposure(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Positions of all instruments without sign, and everything that works, with this order."""
    money, adds_e9, bound_e9 = limit.money, at.money_e9, limit.bound_e9
    if bound_e9 is None or adds_e9 is None or money.unrated:
        return _unknown(at, bound_e9)
    after_e9 = money.gross_e9 + money.buying_e9 + money.selling_e9 + adds_e9
    if after_e9 <= bound_e9 or adds_e9 <= 0:
        return after_e9
    return (after_e9, bound_e9, _PASS, "reduces") if at.reduces(limit) else _breach(limit, after_e9, bound_e9)


def net_exposure(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Positions with their sign if everything in the order's direction fills, and the order too."""
    money, adds_e9, bound_e9 = limit.money, at.money_e9, limit.bound_e9
    if bound_e9 is None or adds_e9 is None or money.unrated:
        return _unknown(at, bound_e9)
    after_e9 = money.net_e9 + money.buying_e9 + adds_e9 if at.buys else money.net_e9 - money.selling_e9 - adds_e9
    if (after_e9 if at.buys else -after_e9) <= bound_e9 or adds_e9 <= 0:
        return after_e9
    return _breach(limit, after_e9, bound_e9)


def open_orders(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """The value of everything that works, with this order."""
    money, adds_e9, bound_e9 = limit.money, at.money_e9, limit.bound_e9
    if bound_e9 is None or adds_e9 is None or money.unrated:
        return _unknown(at, bound_e9)
    after_e9 = money.buying_e9 + money.selling_e9 + adds_e9
    return after_e9 if after_e9 <= bound_e9 or adds_e9 <= 0 else _breach(limit, after_e9, bound_e9)


def daily_loss(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """What the scope has lost today, realised or not. An order that only reduces a position passes."""
    money, bound_e9 = limit.money, limit.bound_e9
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return _unknown(at, bound_e9)
    pnl_e9 = money.pnl_e9
    return pnl_e9 if -pnl_e9 <= bound_e9 or at.reduces(limit) else _breach(limit, pnl_e9, -bound_e9)


def drawdown(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """How far the scope has fallen from the best it had today. An order that only reduces a position passes."""
    money, bound_e9 = limit.money, limit.bound_e9
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return _unknown(at, bound_e9)
    fallen_e9 = money.peak_e9 - money.pnl_e9
    return fallen_e9 if fallen_e9 <= bound_e9 or at.reduces(limit) else _breach(limit, fallen_e9, bound_e9)


def _breach(limit: Bound, observed_e9: int, bound_e9: int) -> Seen:
    return observed_e9, bound_e9, limit.refuses, "of capital" if limit.capital else ""


def _unknown(at: Situation, bound_e9: int | None) -> Seen:
    if bound_e9 is None:
        return missing("no capital is stated")
    if at.money_e9 is not None:
        return missing("an instrument in it has no price or no exchange rate")
    return missing("no price" if at.price_e9 is None else "no exchange rate")


# ------------------------------------------------------------------------------------------ how fast


def parent_value(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """The value of what was entered over a window, with this order or list."""
    adds_e9, bound_e9 = at.money_e9, limit.value_e9
    if adds_e9 is None:
        return missing("no price or no exchange rate")
    after_e9 = at.kind.own[limit.own].total(at.now_ns, limit.window_ns) + adds_e9
    return (after_e9, bound_e9, limit.refuses, "") if after_e9 > bound_e9 and adds_e9 > 0 else after_e9


def message_rate(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Orders and replaces that left in a window, with this one. Cancels are not counted and not asked."""
    after_e9, bound_e9 = (at.kind.own[limit.own].total(at.now_ns, limit.window_ns) + 1) * E9, limit.value_e9
    return after_e9 if after_e9 <= bound_e9 else (after_e9, bound_e9, limit.refuses, "")


def repeated_execution(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """How often one strategy has sent orders in one instrument on one side in a window (RTS 6 article 15(3))."""
    if not order.automated or order.subject is not _CHILD:
        return None, None, _PASS, "not automated"
    return message_rate(order, at, limit)
