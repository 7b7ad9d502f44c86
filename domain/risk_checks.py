"""Every check in one table, and the judging of one order by all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from domain import risk_exposure_checks as exposure
from domain import risk_order_checks as order_checks
from domain.refusal import Reason, Refusal
from domain.risk import Check, Outcome, RiskOrder
from domain.risk_binding import Judge
from domain.risk_situation import Situation
from domain.risk_state import said
from domain.risk_verdicts import Note, Verdict, verdicts

_PASS: Final = Outcome.PASS
_new = tuple.__new__  # of a named tuple, in a third of the time

JUDGES: Final[dict[Check, Judge]] = {
    Check.LOT: order_checks.lot,
    Check.TICK: order_checks.tick,
    Check.SESSION: order_checks.session,
    Check.STRATEGY: order_checks.strategy,
    Check.CHILD_SUM: order_checks.child_sum,
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


class Judged(NamedTuple):
    """Every verdict, also after the first that refuses: what is written says all that was wrong. Columns, as in the event."""

    terms: tuple[str, ...]
    observed: tuple[int | None, ...]
    limits: tuple[int | None, ...]
    notes: tuple[Note, ...]
    passed: bool

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One by one."""
        return verdicts(self.terms, self.observed, self.limits, self.notes)

    def refusing(self) -> list[Verdict]:
        """Those that did not pass; nearly always none."""
        return [] if self.passed else [verdict for verdict in self.verdicts if verdict.outcome is not _PASS]


def judge(order: RiskOrder, at: Situation) -> Judged:
    """Ask every check that the order is under."""
    kind = at.kind = at.state.bindings.of(order, at, JUDGES)
    observed: list[int | None] = [None] * len(kind.terms)
    limits = list(kind.limits)
    notes: list[Note] = []
    passed = True
    for place, ask, bound in kind.asked:
        seen: Any = ask(order, at, bound)
        if type(seen) is tuple:
            observed[place], limits[place], outcome, text = seen
            if outcome is not _PASS or text:
                passed = passed and outcome is _PASS
                notes.append(Note(place, outcome, text))
        else:
            observed[place] = seen
    return _new(Judged, (kind.terms, tuple(observed), tuple(limits), tuple(notes), passed))


def worst(refusing: Sequence[Verdict]) -> Verdict:
    """The verdict that a refusal is named after: what nobody may override before what somebody may."""
    return next((verdict for verdict in refusing if verdict.outcome is not Outcome.SOFT), refusing[0])


def refusal(verdict: Verdict) -> Refusal:
    """Why an order is refused, for its client."""
    reasons = {Outcome.HARD: Reason.RISK_LIMIT, Outcome.SOFT: Reason.RISK_SOFT_LIMIT, Outcome.MISSING: Reason.RISK_DATA_MISSING}
    return Refusal(reasons[verdict.outcome], said(verdict))
