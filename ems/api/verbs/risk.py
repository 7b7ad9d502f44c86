"""Limits, overrides and stopped strategies: what one person of risk asks for and another agrees to."""

from __future__ import annotations

from typing import Any, Final

from domain.limit_rules import RULES
from domain.risk import Check
from domain.values import ScopeKind
from ems.api.verb import REASON, Act, Field, Verb, by_desk
from ems.read_models.topic import Role

RISK: Final[frozenset[Role]] = frozenset({"risk"})
_CHECKS: Final = tuple(check.value for check in Check if RULES[check].units)
_UNITS: Final = ("quantity", "money", "fraction", "count", "ns", "flag")
_KINDS: Final = tuple(kind.value for kind in ScopeKind)


def _of_row(act: Act) -> dict[str, Any]:
    scope, _, scope_id = str(act.row["scope"]).partition(":")
    row = act.row
    return {"check": row["check"], "scope": scope, "scope_id": scope_id, "applies": row["applies"], "level": row["level"]}


def _value_e9(act: Act) -> int:
    """A time limit is plain nanoseconds, a flag is nothing but there; all else is at 1e-9."""
    unit, value_e9 = act.fields["unit"], act.fields["value"] or 0
    return 0 if unit == "flag" else value_e9 // 1_000_000_000 if unit == "ns" else value_e9


def _set(act: Act) -> dict[str, Any]:
    fields = act.fields
    where = {"scope": fields["scope"], "scope_id": fields["scope_id"] or "", "check": fields["check"]}
    return {
        "command": "set_limit", **where, "applies": fields["applies"], "level": fields["level"], "value_e9": _value_e9(act),
        "unit": fields["unit"], "window_ns": fields["window_ns"] or 0, "until_ns": fields["until_ns"], "reason": act.reason,
    }  # fmt: skip


async def _check(act: Act) -> dict[str, str]:
    fields, wrong = act.fields, {}
    rule = RULES[Check(fields["check"])]
    if fields["unit"] not in rule.units:
        wrong["unit"] = f"{fields['check']} is in {' or '.join(rule.units)}"
    if rule.windowed and not fields["window_ns"]:
        wrong["window_ns"] = "this check looks back over a window"
    if (fields["scope"] == "firm") == bool(fields["scope_id"]):
        wrong["scope_id"] = "the firm has none, every other scope has one"
    if fields["unit"] != "flag" and fields["value"] is None:
        wrong["value"] = "this is needed"
    return wrong


def _retire(act: Act) -> dict[str, Any]:
    return {"command": "retire_limit", **_of_row(act), "reason": act.reason}


def _override(act: Act) -> dict[str, Any]:
    minutes = (act.fields["for_ns"] or 900_000_000_000) // 60_000_000_000
    order = {"client_session": act.row["client"], "cl_ord_id": act.row["cl_ord_id"]}
    return {"command": "grant_override", **order, "minutes": max(1, min(600, minutes)), "reason": act.reason}


def _enable(act: Act) -> dict[str, Any]:
    return {"command": "enable_strategy", "strategy": act.row_id, "reason": act.reason}


VERBS: Final = (
    Verb(
        "set_limit", "Set a limit", by_desk(_set), RISK, "l", second_person=True, confirm="count", check=_check,
        fields=(
            Field("check", "Check", "choice", choices=_CHECKS),
            Field("scope", "Scope", "choice", choices=_KINDS, default="firm"),
            Field("scope_id", "Which", "text", required=False, help="* stands for each of its kind"),
            Field("applies", "Of", "choice", choices=("any", "parent", "child"), default="any"),
            Field("level", "Level", "choice", choices=("hard", "soft"), default="hard"),
            Field("value", "Value", "quantity", required=False, help="none for a flag; nanoseconds for ns"),
            Field("unit", "Unit", "choice", choices=_UNITS),
            Field("window_ns", "Window", "duration", required=False),
            Field("until_ns", "Until", "time", required=False),
            REASON,
        ),
    ),
    Verb("retire_limit", "End a limit", by_desk(_retire), RISK, topic="limits", fields=(REASON,), second_person=True, danger=True,
         confirm="count"),
    Verb("override", "Let one like it pass", by_desk(_override), RISK, topic="risk_refusals", when={"soft": True},
         fields=(Field("for_ns", "For", "duration", required=False, help="15 minutes unless you say"), REASON),
         second_person=True, confirm="count"),
    Verb("enable_strategy", "Let the strategy trade again", by_desk(_enable), RISK, topic="strategies", fields=(REASON,),
         confirm="count"),
)  # fmt: skip
