"""Every check in one table, and the judging of one order by all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from domain import risk_exposure_checks as exposure
from domain import risk_order_checks as order_checks
from domain.limit_rules import RULES
from domain.limits import Applied
from domain.refusal import Reason, Refusal
from domain.risk import Check, Outcome, RiskOrder, Subject, Verdict
from domain.risk_situation import Situation
from domain.risk_state import said

_PASS: Final = Outcome.PASS
Rule = Callable[[RiskOrder, Situation], Verdict]
Judge = Callable[[RiskOrder, Situation, Applied], Verdict]

ALWAYS: Final[dict[Check, Rule]] = {
    Check.LOT: order_checks.lot,
    Check.TICK: order_checks.tick,
    Check.SESSION: order_checks.session,
    Check.STRATEGY: order_checks.strategy,
    Check.CHILD_SUM: order_checks.child_sum,
}
BY_LIMIT: Final[dict[Check, Judge]] = {
    Check.HALT: order_checks.halt,
    Check.PERMISSION: order_checks.permission,
    Check.RESTRICTED: order_checks.restricted,
    Check.MODEL_GUARD: order_checks.model_guard,
    Check.STALE_DATA: order_checks.stale_data,
    Check.CLOCK: order_checks.clock,
    Check.MAX_QUANTITY: order_checks.max_quantity,
    Check.MAX_NOTIONAL: order_checks.max_notional,
    Check.ADV_SHARE: order_checks.adv_share,
    Check.PRICE_COLLAR: order_checks.price_collar,
    Check.PRICE_COLLAR_WINDOW: order_checks.price_collar_window,
    Check.DUPLICATE: order_checks.duplicate,
    Check.SELF_TRADE: exposure.self_trade,
    Check.SHORT_SALE: order_checks.short_sale,
    Check.PARENT_VALUE: exposure.parent_value,
    Check.LIST_VALUE: order_checks.list_value,
    Check.ORDERS_OUT: exposure.orders_out,
    Check.MESSAGE_RATE: exposure.message_rate,
    Check.REPEATED_EXECUTION: exposure.repeated_execution,
    Check.POSITION: exposure.position,
    Check.GROSS_EXPOSURE: exposure.gross_exposure,
    Check.NET_EXPOSURE: exposure.net_exposure,
    Check.OPEN_ORDERS: exposure.open_orders,
    Check.DAILY_LOSS: exposure.daily_loss,
    Check.DRAWDOWN: exposure.drawdown,
}
_ALWAYS_OF: Final[dict[Subject, tuple[Rule, ...]]] = {
    subject: tuple(rule for check, rule in ALWAYS.items() if subject in RULES[check].subjects) for subject in Subject
}


def judge(order: RiskOrder, at: Situation) -> tuple[Verdict, ...]:
    """Every verdict, also after the first that refuses: what is written says all that was wrong."""
    found = [rule(order, at) for rule in _ALWAYS_OF[order.subject]]
    limits = at.state.limits.applicable(order.subject, order.scopes, at.now_ns)
    found += [BY_LIMIT[limit.check](order, at, limit) for limit in limits]
    return tuple(found)


def worst(verdicts: tuple[Verdict, ...]) -> Verdict | None:
    """The verdict that a refusal is named after: what nobody may override before what somebody may; None if all passed."""
    for verdict in verdicts:
        if verdict.outcome is not _PASS:
            break
    else:
        return None  # as nearly always: told without making a list
    refused = [verdict for verdict in verdicts if verdict.outcome is not _PASS]
    return next((v for v in refused if v.outcome is not Outcome.SOFT), refused[0] if refused else None)


def refusal(verdict: Verdict) -> Refusal:
    """Why an order is refused, for its client."""
    reasons = {Outcome.HARD: Reason.RISK_LIMIT, Outcome.SOFT: Reason.RISK_SOFT_LIMIT, Outcome.MISSING: Reason.RISK_DATA_MISSING}
    return Refusal(reasons[verdict.outcome], said(verdict))
