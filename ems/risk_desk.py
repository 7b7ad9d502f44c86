"""What people do about risk: set and retire limits, let a refused order pass once, let a strategy trade again."""

from __future__ import annotations

from typing import Any

from domain import limits
from domain.commands import Answer, EnableStrategy, GrantOverride, RetireLimit, RiskCommand, SetLimit
from domain.limits import LimitRetired, LimitSet
from domain.refusal import Refusal
from domain.risk import Outcome, OverrideGranted, StrategyEnabled, override_key, strategy_key
from domain.risk_state import RiskState
from domain.values import E9, from_e9
from ems.turn import Turn

_MINUTE_NS = 60 * E9


def handle(turn: Turn, command: RiskCommand, trade_date: str) -> Answer:
    """Decide one command; the actor of the turn is the command's. Only a person may."""
    if not command.actor.startswith("person:"):
        return Answer(False, f"{command.actor} is not a person")
    match command:
        case SetLimit():
            return _set(turn, command)
        case RetireLimit():
            return _retire(turn, command)
        case GrantOverride():
            return _grant(turn, command, trade_date)
        case EnableStrategy():
            return _enable(turn, command)


def told(state: RiskState, now_ns: int) -> dict[str, Any]:
    """What there is to know about limits, as plain values; numbers are decimal text, ages and windows in seconds."""
    held = [(limit, found[1]) for limit in state.limits.limits.values() if (found := limit.in_force(now_ns)) is not None]
    return {
        "limits": [
            {
                "check": content.check.value,
                "scope": f"{content.scope.value}:{content.scope_id}" if content.scope_id else content.scope.value,
                "applies": content.applies,
                "level": content.level,
                "value": f"{from_e9(content.value_e9):f}",
                "unit": "s" if content.unit == "ns" else content.unit,
                "window_s": f"{content.window_ns / E9:g}",
                "until_ns": content.until_ns,
                "approver": content.approver,
                "reason": content.reason,
                "version": limit.version,
            }
            for limit, content in sorted(held, key=lambda one: (one[1].check, one[1].scope, one[1].scope_id, one[1].applies))
        ],
        "disabled": {strategy: found.text for strategy, found in sorted(state.disabled.items())},
        "blocked": len(state.blocked),
    }


_ASKED = {"command", "command_id", "actor"}  # what is the command's alone


def _set(turn: Turn, command: SetLimit) -> Answer:
    limit = LimitSet.model_validate(command.model_dump(exclude=_ASKED))
    decided = limits.set_limit(turn.state.risk.limits, limits.Asked(limit, command.actor))
    if isinstance(decided, Refusal):
        return Answer(False, decided.text)
    turn.apply(limits.key_of(limit), *decided, correlation=limits.key_of(limit))
    return Answer(True, "the limit is in force" if decided else "the limit says so already")


def _retire(turn: Turn, command: RetireLimit) -> Answer:
    gone = LimitRetired.model_validate(command.model_dump(exclude=_ASKED))
    decided = limits.retire(turn.state.risk.limits, gone, command.actor)
    if isinstance(decided, Refusal):
        return Answer(False, decided.text)
    turn.apply(limits.key_of(gone), *decided, correlation=limits.key_of(gone))
    return Answer(True, "the limit is no more")


def _grant(turn: Turn, command: GrantOverride, trade_date: str) -> Answer:
    order = turn.state.used_by(command.client_session, trade_date, command.cl_ord_id)
    clearance = turn.state.risk.clearances.get(order) if order is not None else None
    if order is None or clearance is None or clearance.event is None:
        return Answer(False, f"risk has refused no order {command.cl_ord_id} of {command.client_session} today")
    if command.approver == command.actor or not command.approver.startswith("person:"):
        return Answer(False, "the approver is another person than the one who asks")
    refused = [verdict for verdict in clearance.event.verdicts if verdict.outcome is not Outcome.PASS]
    if hard := [verdict.check for verdict in refused if verdict.outcome is not Outcome.SOFT]:
        return Answer(False, f"nobody overrides {', '.join(hard)}")
    granted = OverrideGranted(
        order=order,
        checks=tuple(dict.fromkeys(verdict.check for verdict in refused)),
        reason=command.reason,
        approver=command.approver,
        until_ns=turn.now_ns + command.minutes * _MINUTE_NS,
    )
    turn.apply(override_key(order), granted, correlation=order)
    return Answer(True, "one order like it may pass")


def _enable(turn: Turn, command: EnableStrategy) -> Answer:
    if command.strategy not in turn.state.risk.disabled:
        return Answer(False, f"the strategy {command.strategy} is not disabled")
    enabled = StrategyEnabled(strategy=command.strategy, reason=command.reason)
    turn.apply(strategy_key(command.strategy), enabled, correlation=strategy_key(command.strategy))
    turn.touched.update(dict.fromkeys(turn.state.working))
    return Answer(True, f"{command.strategy} may trade again")
