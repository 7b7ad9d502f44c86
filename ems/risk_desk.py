"""What people do about risk: set and retire limits, let a refused order pass once, let a strategy trade again."""

from __future__ import annotations

from typing import Any, Final

from domain import limits
from domain.commands import Answer, EnableStrategy, GrantOverride, RetireLimit, RiskCommand, SetLimit
from domain.limits import LimitProposed, LimitRetired, LimitSet
from domain.refusal import Refusal
from domain.risk import Outcome, OverrideGranted, StrategyEnabled, override_key, strategy_key
from domain.risk_state import RiskState
from domain.values import E9, from_e9
from ems.turn import Turn

_MINUTE_NS: Final = 60 * E9
_HOUR_NS: Final = 60 * _MINUTE_NS  # as long as one person's word for arming the kill switch again waits for another's
_SOMEBODY: Final = "person:"  # who is still to agree: the name of nobody


def handle(turn: Turn, command: RiskCommand, trade_date: str) -> Answer:
    """Decide one command; the actor of the turn is the command's. Only a person may."""
    if not command.actor.startswith("person:"):
        return Answer(False, f"{command.actor} is not a person")
    match command:
        case SetLimit() | RetireLimit():
            return _change(turn, command)
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
        "proposed": [
            {
                "check": wanted.check.value,
                "scope": f"{wanted.scope.value}:{wanted.scope_id}" if wanted.scope_id else wanted.scope.value,
                "applies": wanted.applies,
                "level": wanted.level,
                "value": None if wanted.value_e9 is None else f"{from_e9(wanted.value_e9):f}",
                "by": actor,
                "reason": wanted.reason,
                "expires_ns": wanted.expires_ns,
            }
            for actor, wanted in state.proposals.values()
            if now_ns < wanted.expires_ns
        ],
        "disabled": {strategy: found.text for strategy, found in sorted(state.disabled.items())},
        "blocked": len(state.blocked),
    }


def _change(turn: Turn, command: SetLimit | RetireLimit) -> Answer:
    """With an approver at once; without one the first of two people proposes, and the second says the same and it holds: who
    has proposed it asks for it, and the second approves.
    """
    risk, wanted = turn.state.risk, _wanted(command, turn.now_ns + _HOUR_NS)
    if command.approver is not None:
        return _write(turn, _event(wanted, command.approver), command.actor)
    before = risk.proposals.get(limits.key_of(wanted))
    if before is None or turn.now_ns >= before.wanted.expires_ns or not before.wanted.says(wanted):
        possible = _decided(risk, _event(wanted, _SOMEBODY), command.actor)
        if isinstance(possible, Refusal):
            return Answer(False, possible.text)
        if not possible:
            return Answer(True, "the limit says so already")
        turn.apply(limits.proposal_key(wanted), wanted, correlation=limits.key_of(wanted))
        return Answer(True, "proposed: it holds when a second person has said the same within an hour")
    if before.actor == command.actor:
        return Answer(False, f"{command.actor} has proposed it already: a second, different person must say the same")
    turn.begin(actor=before.actor, causation=f"command:{command.command_id}")
    return _write(turn, _event(before.wanted, command.actor), before.actor)


def _wanted(command: SetLimit | RetireLimit, expires_ns: int) -> LimitProposed:
    asked = command.model_dump(exclude={"command", "command_id", "actor", "approver"})
    ending = {"value_e9": None, "unit": "flag", "window_ns": 0, "from_ns": 0, "until_ns": None}
    return LimitProposed.model_validate(
        {**(ending if isinstance(command, RetireLimit) else {}), **asked, "expires_ns": expires_ns}
    )


def _event(wanted: LimitProposed, approver: str) -> LimitSet | LimitRetired:
    cls = LimitRetired if wanted.value_e9 is None else LimitSet
    return cls(approver=approver, **{name: getattr(wanted, name) for name in cls.model_fields if name != "approver"})


def _decided(risk: RiskState, event: LimitSet | LimitRetired, actor: str) -> tuple[LimitSet | LimitRetired, ...] | Refusal:
    if isinstance(event, LimitRetired):
        return limits.retire(risk.limits, event, actor)
    return limits.set_limit(risk.limits, limits.Asked(event, actor))


def _write(turn: Turn, event: LimitSet | LimitRetired, actor: str) -> Answer:
    decided = _decided(turn.state.risk, event, actor)
    if isinstance(decided, Refusal):
        return Answer(False, decided.text)
    turn.apply(limits.key_of(event), *decided, correlation=limits.key_of(event))
    if isinstance(event, LimitRetired):
        return Answer(True, "the limit is no more")
    return Answer(True, "the limit is in force" if decided else "the limit says so already")


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
