"""Checks of an order for itself: what, where, how much, at what price, by whose permission, on which data."""

from __future__ import annotations

from math import isfinite

from domain.instructions import CARRIED
from domain.limits import Applied
from domain.risk import Check, RiskOrder, Verdict
from domain.risk_situation import Situation, judged, missing, never, ruled, unknown
from domain.risk_state import like, window_key
from domain.values import E9, ScopeKind, Side, TimeInForce

_WAITING = frozenset({TimeInForce.AT_THE_OPENING, *CARRIED})  # orders that wait for a session of their own


# --------------------------------------------------------------------------------- without a limit


def lot(order: RiskOrder, at: Situation) -> Verdict:
    """A quantity in whole lots of the instrument."""
    if at.instrument is None:
        return unknown(Check.LOT, "the instrument is not known")
    return ruled(Check.LOT, not at.instrument.on_lot(order.quantity_e9), order.quantity_e9, at.instrument.lot_e9)


def tick(order: RiskOrder, at: Situation) -> Verdict:
    """A limit on the tick of its price band today."""
    if order.limit_price_e9 is None:
        return ruled(Check.TICK, False, data="no limit price")
    if at.instrument is None:
        return unknown(Check.TICK, "the instrument is not known")
    tick_e9 = at.instrument.tick_e9(order.limit_price_e9, at.trade_date)
    wrong = order.limit_price_e9 <= 0 or order.limit_price_e9 % tick_e9 != 0
    return ruled(Check.TICK, wrong, order.limit_price_e9, tick_e9)


def session(order: RiskOrder, at: Situation) -> Verdict:
    """A market that trades today and has not closed; an order that is carried waits for the next session."""
    if at.day is None:
        return unknown(Check.SESSION, "no trading session is known for today")
    over = at.now_ns >= at.day.close_ns and order.time_in_force not in _WAITING
    return ruled(Check.SESSION, over, at.now_ns, at.day.close_ns, "closed" if over else "")


def strategy(order: RiskOrder, at: Situation) -> Verdict:
    """A strategy that no check has disabled."""
    disabled = at.state.disabled.get(order.scopes.strategy)
    return ruled(Check.STRATEGY, disabled is not None, data=f"disabled: {disabled.text}" if disabled is not None else "")


def child_sum(order: RiskOrder, at: Situation) -> Verdict:
    """What a parent's children have filled, may fill and would fill with this one, against what it asks for."""
    out_e9 = order.released_e9 + order.open_e9
    return ruled(Check.CHILD_SUM, out_e9 > order.parent_quantity_e9, out_e9, order.parent_quantity_e9)


# ------------------------------------------------------------------------------- by reference data


def halt(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    halted = at.data.halted(order.scopes.instrument, at.now_ns)
    return missing(limit, "no trading status") if halted is None else never(limit, halted, data="halted" if halted else "")


def permission(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Who (the trader, else the client) may trade what (strategy, instrument) where (venue)."""
    scopes = order.scopes
    allowed = at.data.permitted(scopes.trader or scopes.client, scopes.strategy, scopes.instrument, scopes.venue)
    return missing(limit, "no permissions") if allowed is None else never(limit, not allowed)


def restricted(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    listed = at.data.restricted(order.scopes.instrument, at.now_ns)
    return missing(limit, "no restricted list") if listed is None else never(limit, listed, data="listed" if listed else "")


def short_sale(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """What an account would be short of with everything that works and this order, against its locate."""
    scopes = order.scopes
    if order.side is Side.BUY:
        return judged(limit, False, 0, 0, "a buy")
    if not at.opening_known(scopes.account, scopes.instrument):
        return missing(limit, "no opening position")
    row = at.state.totals.row((ScopeKind.ACCOUNT, scopes.account), scopes.instrument)
    short_e9 = max(0, -(row.position_e9 - row.selling_e9 - at.adds_e9))
    if not short_e9:
        return judged(limit, False, 0, 0, "not short")
    locate_e9 = at.data.locate_e9(scopes.account, scopes.instrument)
    if locate_e9 is None:
        return missing(limit, "no locate")
    return judged(limit, short_e9 > locate_e9, short_e9, locate_e9, "locate")


def model_guard(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Outputs of a registered model, all of them numbers, within what it was trained on."""
    model = order.model
    if model is None:
        return judged(limit, False, None, None, "no model")
    registered = at.data.registered_model(model.digest)
    if registered is None:
        return missing(limit, "no model registry")
    if not registered:
        return never(limit, True, data=f"model {model.digest[:12]} is not registered")
    for output in model.outputs:
        if not isfinite(output) or not model.range_low <= output <= model.range_high:
            return never(limit, True, data=f"model output {output:g} is outside {model.range_low:g} to {model.range_high:g}")
    return never(limit, not model.outputs, data="" if model.outputs else "no model output")


# ----------------------------------------------------------------------------------- by the market


def stale_data(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """How old the market data is."""
    if at.market is None:
        return missing(limit, "no market data")
    age_ns = at.now_ns - at.market.time_ns
    return judged(limit, age_ns > limit.value_e9, age_ns, limit.value_e9)


def clock(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """How far our clock is behind the market's time, or behind itself."""
    if at.market is None:
        return missing(limit, "no market data")
    behind_ns = max(at.market.time_ns, at.state.last_ns) - at.now_ns
    return judged(limit, behind_ns > limit.value_e9, behind_ns, limit.value_e9)


def price_collar(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """How much worse than the reference price it may trade, as a fraction of that. A stop order trades from its stop price
    on: its limit is held against that.
    """
    reference_e9 = order.stop_price_e9 or at.reference_e9
    if reference_e9 is None or reference_e9 <= 0 or at.price_e9 is None:
        return missing(limit, "no reference price")
    away_e9 = _away_e9(order, at.price_e9, reference_e9)
    return judged(limit, away_e9 > limit.value_e9, away_e9, limit.value_e9)


def price_collar_window(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """As the collar, against the reference price at the first order of the window: against walking a price away."""
    if order.stop_price_e9 is not None:
        return judged(limit, False, None, None, "waits for its stop price")
    if at.reference_e9 is None or at.reference_e9 <= 0 or at.price_e9 is None:
        return missing(limit, "no reference price")
    window = at.state.windows.get(window_key(limit.check, limit.scope, order.scopes.instrument, order.side))
    first_e9 = window.first(at.now_ns, limit.window_ns) if window is not None else None
    away_e9 = _away_e9(order, at.price_e9, first_e9 or at.reference_e9)
    return judged(limit, away_e9 > limit.value_e9, away_e9, limit.value_e9)


def _away_e9(order: RiskOrder, price_e9: int, reference_e9: int) -> int:
    worse_e9 = price_e9 - reference_e9 if order.side is Side.BUY else reference_e9 - price_e9
    return worse_e9 * E9 // reference_e9


# --------------------------------------------------------------------------------------- by its size


def max_quantity(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    return judged(limit, order.quantity_e9 > limit.value_e9, order.quantity_e9, limit.value_e9)


def max_notional(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    if at.notional_e9 is None:
        return missing(limit, _without(at))
    return judged(limit, at.notional_e9 > limit.value_e9, at.notional_e9, limit.value_e9)


def adv_share(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """Its quantity against a share of the instrument's average daily volume."""
    adv_e9 = at.data.adv_e9(order.scopes.instrument)
    if adv_e9 is None:
        return missing(limit, "no average daily volume")
    bound_e9 = adv_e9 * limit.value_e9 // E9
    return judged(limit, order.quantity_e9 > bound_e9, order.quantity_e9, bound_e9)


def list_value(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """The sum of a list's orders. Nobody overrides it: a list that is far too large is a typing error."""
    if order.value_e9 is None:
        return missing(limit, "a price or an exchange rate of one of its orders is missing")
    return never(limit, order.value_e9 > limit.value_e9, order.value_e9, limit.value_e9)


def duplicate(order: RiskOrder, at: Situation, limit: Applied) -> Verdict:
    """The same order as one that was taken a moment ago."""
    last_ns = at.state.recent.last_ns(like(order), at.now_ns, limit.window_ns)
    return judged(limit, last_ns is not None, None, None, "" if last_ns is None else "the same order was taken a moment ago")


def _without(at: Situation) -> str:
    return "no price" if at.price_e9 is None else "no exchange rate"
