"""Checks of an order beside everything else that is held, out and lost, and of how fast orders come."""

from __future__ import annotations

from domain.limits import Applied
from domain.risk import RiskOrder, Subject, Verdict
from domain.risk_situation import Situation, judged, missing
from domain.risk_state import window_key
from domain.values import E9, ScopeKind, Side

_OPENED = (ScopeKind.FIRM, ScopeKind.DESK, ScopeKind.ACCOUNT, ScopeKind.INSTRUMENT)  # whose day begins with positions


# ----------------------------------------------------------------------------------------- positions


def position(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """The position if everything that works in the order's direction fills, and the order too."""
    scopes = order.scopes
    if limit.kind in _OPENED and not at.opening_known(scopes.account, scopes.instrument):
        return missing(limit, "no opening position")
    row = at.state.totals.row(limit.of, scopes.instrument)
    buys = order.side is Side.BUY
    after_e9 = row.position_e9 + row.buying_e9 + at.adds_e9 if buys else row.position_e9 - row.selling_e9 - at.adds_e9
    if limit.unit == "money":
        if at.price_e9 is None or at.rate_e9 is None:
            return missing(limit, "no price" if at.price_e9 is None else "no exchange rate")
        after_e9 = after_e9 * at.price_e9 // E9 * at.rate_e9 // E9
    beyond_e9 = after_e9 if buys else -after_e9
    return judged(limit, beyond_e9 > limit.value_e9 and at.adds_e9 > 0, after_e9, limit.value_e9)


def self_trade(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Would it meet a working order of our own?"""
    buys = order.side is Side.BUY
    best_e9 = at.state.exposure.flow(order.scopes.instrument, Side.SELL if buys else Side.BUY).levels.best_e9
    if best_e9 is None:
        return judged(limit, False, order.limit_price_e9, None)
    price_e9 = order.limit_price_e9
    meets = price_e9 is None or (price_e9 >= best_e9 if buys else price_e9 <= best_e9)
    return judged(limit, meets, price_e9, best_e9, "own order on the other side")


def orders_out(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """What is filled and out of an instrument on one side, against what clients have asked for in all."""
    assert order.side is not None
    flow = at.state.exposure.flow(order.scopes.instrument, order.side)
    out_e9 = flow.out_e9 + at.adds_e9
    bound_e9 = flow.entered_e9 * (E9 + limit.value_e9) // E9
    return judged(limit, out_e9 > bound_e9, out_e9, bound_e9, "entered")


# ------------------------------------------------------------------------------- credit and capital


def gross_exposure(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Positions of all instruments without sign, and everything that works, with this order."""
    money = at.state.totals.money(limit.of)
    bound_e9, what = (limit.value_e9, "") if limit.unit == "money" else _of_capital(at, limit)
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return missing(limit, what if bound_e9 is None else _unknown(at))
    adds_e9 = at.money_e9
    after_e9 = money.gross_e9 + money.buying_e9 + money.selling_e9 + adds_e9
    if after_e9 > bound_e9 and at.reduces(order, limit):
        return judged(limit, False, after_e9, bound_e9, "reduces")
    return judged(limit, after_e9 > bound_e9 and adds_e9 > 0, after_e9, bound_e9, what)


def net_exposure(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Positions with their sign if everything in the order's direction fills, and the order too."""
    money = at.state.totals.money(limit.of)
    bound_e9, what = (limit.value_e9, "") if limit.unit == "money" else _of_capital(at, limit)
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return missing(limit, what if bound_e9 is None else _unknown(at))
    adds_e9 = at.money_e9
    buys = order.side is Side.BUY
    after_e9 = money.net_e9 + money.buying_e9 + adds_e9 if buys else money.net_e9 - money.selling_e9 - adds_e9
    beyond_e9 = after_e9 if buys else -after_e9
    return judged(limit, beyond_e9 > bound_e9 and adds_e9 > 0, after_e9, bound_e9, what)


def open_orders(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """The value of everything that works, with this order."""
    money = at.state.totals.money(limit.of)
    bound_e9, what = (limit.value_e9, "") if limit.unit == "money" else _of_capital(at, limit)
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return missing(limit, what if bound_e9 is None else _unknown(at))
    adds_e9 = at.money_e9
    after_e9 = money.buying_e9 + money.selling_e9 + adds_e9
    return judged(limit, after_e9 > bound_e9 and adds_e9 > 0, after_e9, bound_e9, what)


def daily_loss(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """What the scope has lost today, realised or not. An order that only reduces a position passes."""
    money = at.state.totals.money(limit.of)
    bound_e9, what = (limit.value_e9, "") if limit.unit == "money" else _of_capital(at, limit)
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return missing(limit, what if bound_e9 is None else _unknown(at))
    pnl_e9 = money.pnl_e9
    lost = -pnl_e9 > bound_e9 and not at.reduces(order, limit)
    return judged(limit, lost, pnl_e9, -bound_e9, what)


def drawdown(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """How far the scope has fallen from the best it had today. An order that only reduces a position passes."""
    money = at.state.totals.money(limit.of)
    bound_e9, what = (limit.value_e9, "") if limit.unit == "money" else _of_capital(at, limit)
    if bound_e9 is None or at.money_e9 is None or money.unrated:
        return missing(limit, what if bound_e9 is None else _unknown(at))
    fallen_e9 = money.peak_e9 - money.pnl_e9
    return judged(limit, fallen_e9 > bound_e9 and not at.reduces(order, limit), fallen_e9, bound_e9, what)


def _of_capital(at: Situation, limit: Applied) -> tuple[int | None, str]:
    """A fraction in money, with what it was worked out from."""
    capital_e9 = at.data.capital_e9(limit.scope)
    return (None, "no capital is stated") if capital_e9 is None else (capital_e9 * limit.value_e9 // E9, "of capital")


def _unknown(at: Situation) -> str:
    if at.money_e9 is not None:
        return "an instrument in it has no price or no exchange rate"
    return "no price" if at.price_e9 is None else "no exchange rate"


# ------------------------------------------------------------------------------------------ how fast


def parent_value(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """The value of what was entered over a window, with this order or list."""
    if at.money_e9 is None:
        return missing(limit, "no price or no exchange rate")
    after_e9 = _in_window(order, at, limit) + at.money_e9
    return judged(limit, after_e9 > limit.value_e9 and at.money_e9 > 0, after_e9, limit.value_e9)


def message_rate(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Orders and replaces that left in a window, with this one. Cancels are not counted and not asked."""
    after_e9 = (_in_window(order, at, limit) + 1) * E9
    return judged(limit, after_e9 > limit.value_e9, after_e9, limit.value_e9)


def repeated_execution(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """How often one strategy has sent orders in one instrument on one side in a window (RTS 6 article 15(3))."""
    if not order.automated or order.subject is not Subject.CHILD:
        return judged(limit, False, None, None, "not automated")
    after_e9 = (_in_window(order, at, limit) + 1) * E9
    return judged(limit, after_e9 > limit.value_e9, after_e9, limit.value_e9)


def _in_window(order: RiskOrder, at: Situation, limit: Applied) -> int:
    place = order.scopes.instrument, order.side
    window = at.state.windows.get(window_key(limit.check, limit.scope, *place))
    return window.total(at.now_ns, limit.window_ns) if window is not None else 0
