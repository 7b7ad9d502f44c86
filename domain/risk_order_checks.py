"""Checks of an order for itself: what, where, how much, at what price, by whose permission, on which data.

Each says what it has seen where that passes the limit of its binding, and else also what it held that against, the outcome,
and what there is to say of it (`domain.risk_binding.Judge`).
"""

from __future__ import annotations

from math import isfinite
from typing import Final

from domain.instructions import CARRIED
from domain.risk import Outcome, RiskOrder
from domain.risk_binding import Bound, Seen
from domain.risk_situation import Situation, missing, never
from domain.risk_state import like
from domain.trader import PERSON
from domain.values import E9, ScopeKind, TimeInForce

_HARD: Final = Outcome.HARD
_PASS: Final = Outcome.PASS
_ACCOUNT: Final = ScopeKind.ACCOUNT
_WAITING: Final = frozenset({TimeInForce.AT_THE_OPENING, *CARRIED})  # orders that wait for a session of their own
_NOTHING: Final[Seen] = (None, None, _PASS, "")  # there was nothing to be compared


# --------------------------------------------------------------------------------- without a limit


def lot(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """A quantity in whole lots of the instrument."""
    quantity_e9, lot_e9 = order.quantity_e9, limit.bound_e9
    if lot_e9 is None:
        return missing("the instrument is not known")
    return quantity_e9 if quantity_e9 > 0 and not quantity_e9 % lot_e9 else (quantity_e9, lot_e9, _HARD, "")


def tick(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """A limit on the tick of its price band today."""
    price_e9 = order.limit_price_e9
    if price_e9 is None:
        return _NOTHING
    if at.instrument is None:
        return missing("the instrument is not known")
    tick_e9 = limit.bound_e9
    if tick_e9 is not None and price_e9 > 0 and not price_e9 % tick_e9:
        return price_e9
    tick_e9 = at.instrument.tick_e9(price_e9, at.trade_date)
    return price_e9, tick_e9, _HARD if price_e9 <= 0 or price_e9 % tick_e9 else _PASS, ""


def session(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """A market that trades today and has not closed; an order that is carried waits for the next session."""
    now_ns, close_ns = at.now_ns, limit.bound_e9
    if close_ns is None:
        return missing("no trading session is known for today")
    return now_ns if now_ns < close_ns or order.time_in_force in _WAITING else (now_ns, close_ns, _HARD, "closed")


def strategy(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """A strategy that no check has disabled."""
    disabled = at.state.disabled.get(order.scopes.strategy)
    return None if disabled is None else never(True, f"disabled: {disabled.text}")


def child_sum(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """What a parent's children have filled, may fill and would fill with this one, against what it asks for."""
    out_e9, bound_e9 = order.released_e9 + order.open_e9, order.parent_quantity_e9
    return out_e9, bound_e9, _HARD if out_e9 > bound_e9 else _PASS, ""


# ------------------------------------------------------------------------------- by reference data


def halt(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    halted = at.data.halted(order.scopes.instrument, at.now_ns)
    return missing("no trading status") if halted is None else never(halted, "halted")


def permission(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Who (the person at the desk, else the client) may trade what (strategy, instrument) where (venue)."""
    scopes = order.scopes
    who = scopes.trader if scopes.trader.startswith(PERSON) else scopes.client  # not a name that a client gives itself
    allowed = at.data.permitted(who, scopes.strategy, scopes.instrument, scopes.venue)
    return missing("no permissions") if allowed is None else never(not allowed)


def restricted(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    listed = at.data.restricted(order.scopes.instrument, at.now_ns)
    return missing("no restricted list") if listed is None else never(listed, "listed")


def short_sale(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """What an account would be short of with everything that works and this order, against its locate."""
    if at.buys:
        return None
    scopes = order.scopes
    if not at.kind.opened and not at.opening_known(scopes.account, scopes.instrument):
        return missing("no opening position")
    row = at.state.totals.row((_ACCOUNT, scopes.account), scopes.instrument)
    short_e9 = max(0, row.selling_e9 + at.adds_e9 - row.position_e9)
    if not short_e9:
        return 0, 0, _PASS, ""
    locate_e9 = at.data.locate_e9(scopes.account, scopes.instrument)
    if locate_e9 is None:
        return missing("no locate")
    return short_e9, locate_e9, limit.refuses if short_e9 > locate_e9 else _PASS, "locate"


def model_guard(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Outputs of a registered model, all of them numbers, within what it was trained on."""
    model = order.model
    if model is None:
        return None
    registered = at.data.registered_model(model.digest)
    if registered is None:
        return missing("no model registry")
    if not registered:
        return never(True, f"model {model.digest[:12]} is not registered")
    for output in model.outputs:
        if not isfinite(output) or not model.range_low <= output <= model.range_high:
            return never(True, f"model output {output:g} is outside {model.range_low:g} to {model.range_high:g}")
    return never(not model.outputs, "no model output")


# ----------------------------------------------------------------------------------- by the market


def stale_data(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """How old the market data is."""
    if at.market is None:
        return missing("no market data")
    age_ns, bound_ns = at.now_ns - at.market.time_ns, limit.value_e9
    return age_ns if age_ns <= bound_ns else (age_ns, bound_ns, limit.refuses, "")


def clock(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """How far our clock is behind the market's time, or behind itself."""
    if at.market is None:
        return missing("no market data")
    market_ns, last_ns = at.market.time_ns, at.state.last_ns
    behind_ns, bound_ns = (market_ns if market_ns > last_ns else last_ns) - at.now_ns, limit.value_e9
    return behind_ns if behind_ns <= bound_ns else (behind_ns, bound_ns, limit.refuses, "")


def price_collar(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """How much worse than the reference price it may trade, as a fraction of that. A stop order trades from its stop price
    on: its limit is held against that.
    """
    return _collared(at, limit, order.stop_price_e9 or at.reference_e9)


def price_collar_window(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """As the collar, against the reference price at the first order of the window: against walking a price away."""
    if order.stop_price_e9 is not None:
        return None, None, _PASS, "waits for its stop price"
    reference_e9 = at.reference_e9
    if reference_e9 is not None and reference_e9 > 0:
        reference_e9 = at.kind.own[limit.own].first(at.now_ns, limit.window_ns) or reference_e9
    return _collared(at, limit, reference_e9)


def _collared(at: Situation, limit: Bound, reference_e9: int | None) -> int | Seen | None:
    price_e9 = at.price_e9
    if reference_e9 is None or reference_e9 <= 0 or price_e9 is None:
        return missing("no reference price")
    worse_e9, bound_e9 = price_e9 - reference_e9 if at.buys else reference_e9 - price_e9, limit.value_e9
    away_e9 = worse_e9 * E9 // reference_e9
    return away_e9 if away_e9 <= bound_e9 else (away_e9, bound_e9, limit.refuses, "")


# --------------------------------------------------------------------------------------- by its size


def max_quantity(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    quantity_e9, bound_e9 = order.quantity_e9, limit.value_e9
    return quantity_e9 if quantity_e9 <= bound_e9 else (quantity_e9, bound_e9, limit.refuses, "")


def max_notional(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    notional_e9, bound_e9 = at.notional_e9, limit.value_e9
    if notional_e9 is None:
        return missing("no price" if at.price_e9 is None else "no exchange rate")
    return notional_e9 if notional_e9 <= bound_e9 else (notional_e9, bound_e9, limit.refuses, "")


def adv_share(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """Its quantity against a share of the instrument's average daily volume."""
    quantity_e9, bound_e9 = order.quantity_e9, limit.bound_e9
    if bound_e9 is None:
        return missing("no average daily volume")
    return quantity_e9 if quantity_e9 <= bound_e9 else (quantity_e9, bound_e9, limit.refuses, "")


def list_value(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """The sum of a list's orders. Nobody overrides it: a list that is far too large is a typing error."""
    if order.value_e9 is None:
        return missing("a price or an exchange rate of one of its orders is missing")
    return order.value_e9 if order.value_e9 <= limit.value_e9 else (order.value_e9, limit.value_e9, _HARD, "")


def duplicate(order: RiskOrder, at: Situation, limit: Bound) -> int | Seen | None:
    """The same order as one that was taken a moment ago."""
    if at.state.recent.last_ns(like(order), at.now_ns, limit.window_ns) is None:
        return None
    return None, None, limit.refuses, "the same order was taken a moment ago"
