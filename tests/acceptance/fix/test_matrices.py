"""The tables read well, and the published ones say all that the list of published scenarios says."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.fix.matrices import EXEC_TYPES, NUMBERS, REFUSALS, STATUSES, Report, Scenario, Step, read, scenarios
from tests.acceptance.fix.walks import walk

LIST = Path(__file__).resolve().parents[4] / "shared" / "facts" / "order-state-scenarios.json"
TAGS = {
    "ClOrdID": "11", "OrigClOrdID": "41", "ExecType": "150", "OrdStatus": "39", "OrderQty": "38", "CumQty": "14",
    "LeavesQty": "151", "LastQty": "32", "CxlRejResponseTo": "434", "CxlRejReason": "102", "OrderID": "37", "TimeInForce": "59",
    "Price": "44", "ExecRestatementReason": "378", "ExecInst": "18", "OrdType": "40", "WorkingIndicator": "636",
    "OrdRejReason": "103", "Text": "58", "DayOrderQty": "424", "DayCumQty": "425", "ExecID": "17", "ExecRefID": "19",
    "AvgPx": "6", "LastPx": "31", "CashOrderQty": "152", "Currency": "15",
}  # fmt: skip
VERBS = {
    "accept_order": "accept", "reject_order": "refuse", "fill": "fill", "pend_cancel": "pend", "pend_replace": "pend",
    "cancel": "cancel", "accept_replace": "replace", "reject_request": "refuse", "done_for_day": "done", "restate": "restate",
    "trigger": "trigger", "correct": "correct", "bust": "bust",
}  # fmt: skip


def test_every_scenario_has_a_name_of_its_own_and_begins_with_an_order_or_a_question() -> None:
    found = scenarios("published.txt") + scenarios("further.txt")
    names = [scenario.name for scenario in found]
    assert len(set(names)) == len(names) > 60
    for scenario in found:
        assert scenario.steps[0].mark in ("<", "<|", "!"), scenario.name
        assert any(step.report for step in scenario.steps), scenario.name


def test_other_endings_and_crossings_are_cases_of_their_own() -> None:
    cases = [case for scenario in scenarios("published.txt") for case in scenario.cases()]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names)
    assert len([name for name in names if "~" not in name and "-" not in name]) == 75
    late = next(case for case in cases if case.name == "A.1.a/4")
    assert [step.verb for step in late.steps] == ["D", "accept", "refuse"]


@pytest.mark.parametrize(
    "line",
    [
        "<  D",
        "<  D X 10000 speed=fast",
        ">  accept",
        ">  accept -> new/unheard X 10000 0 10000 0",
        ">  accept -> new/new X 10000 0 10000",
        ">> accept -> new/new X 10000 0 10000 0",
        ">  refuse -> cancel_refused/new Y<X reason=0",
    ],
)
def test_a_line_that_says_nothing_is_told_with_its_place(line: str) -> None:
    with pytest.raises(ValueError, match="a table, line 2"):
        read(f"A.1: an order\n{line}", "a table")


def test_walks_are_repeatable_and_take_every_step() -> None:
    walks = [walk(seed) for seed in range(60)]
    assert walks == [walk(seed) for seed in range(60)]
    verbs = {step.verb for one in [*walks, *map(walk, range(60, 300))] for step in one.steps}
    assert verbs >= set("D F G H accept refuse fill pend cancel replace correct bust expire".split())


def told(report: Report) -> dict[str, tuple[str, ...]]:
    """What a report of ours asserts, by tag."""
    kind = {"434": (REFUSALS[report.kind],)} if report.is_refusal else {"150": (EXEC_TYPES[report.kind],)}
    named = {"11": report.cl_ord_id, "41": report.orig, "17": report.exec_id, "19": report.exec_ref_id}
    ids = {tag: (value,) for tag, value in named.items() if value}
    return kind | {"39": (STATUSES[report.status],)} | ids | report.fields


def asked(step: Step) -> dict[str, tuple[str, ...]]:
    """What a message of the client's says, by tag."""
    ids = {"11": step.cl_ord_id, "41": step.orig, "38": step.quantity}
    return {tag: (value,) for tag, value in (ids | step.pairs).items() if value}


def same(value: Any, ours: tuple[str, ...]) -> bool:
    try:
        return Decimal(str(value)) in [Decimal(one) for one in ours]
    except ArithmeticError:
        return str(value) in ours


def missing(theirs: dict[str, Any], step: Step, tolerated: dict[str, Any]) -> list[str]:
    """What a step of the list asserts and ours does not."""
    ours = asked(step) if step.sent else told(step.report) if step.report else {}
    fields = dict(theirs["fields"])
    if theirs["kind"] == "receive" and not step.sent:
        return ["it is ours to send"]
    for name, values in tolerated.items():
        fields[name] = next((value for value in values if same(value, ours[TAGS[name]])), fields[name])
    lines = [f"{name}={value}" for name, value in fields.items() if not same(value, ours.get(TAGS[name], ()))]
    stimulus = theirs.get("stimulus", {"do": "answer_status"})
    if not step.sent and step.mark != "=":
        lines += [] if VERBS[stimulus["do"]] == step.verb else [f"the venue has to {stimulus['do']}"]
    return lines


@pytest.mark.skipif(not LIST.exists(), reason="the list of published scenarios is not beside this clone")
def test_every_published_scenario_ending_and_field_is_in_the_table() -> None:
    ours = {scenario.name: scenario for scenario in scenarios("published.txt")}
    theirs = json.loads(LIST.read_text("utf-8"))["scenarios"]
    assert sorted(ours) == sorted(scenario["id"] for scenario in theirs)
    assert [line for scenario in theirs for line in compared(scenario, ours[scenario["id"]])] == []


def compared(theirs: dict[str, Any], ours: Scenario) -> list[str]:
    """The differences of one scenario."""
    steps = [step for step in theirs["steps"] if step["kind"] != "note"]
    own = [step for step in ours.steps if step.mark != "!"]
    if len(steps) != len(own):
        return [f"{ours.name}: {len(steps)} steps, not {len(own)}"]
    found = [line for step, mine in zip(steps, own, strict=True) for line in differences(step, mine, theirs)]
    if theirs["time_in_force"] not in (None, "0", own[0].pairs.get("59")):
        found.append(f"TimeInForce={theirs['time_in_force']}")
    return [f"{ours.name}: {line}" for line in found]


def differences(step: dict[str, Any], mine: Step, scenario: dict[str, Any]) -> list[str]:
    marks = {"branch": ">!", "optional": ">?", "crosses": "~"}
    tolerated = scenario.get("tolerate", {}).get(step["time"], {})
    lines = [f"not marked {mark}" for key, mark in marks.items() if bool(step.get(key)) != (mark in mine.mark)]
    return [f"step {step['n']}: {line}" for line in lines + missing(step, mine, tolerated)]


def test_the_comparison_sees_a_field_that_is_gone() -> None:
    """Four numbers are asserted on a report; each one that were lost would be seen."""
    scenario = scenarios("published.txt")[0]
    report = scenario.steps[2].report
    assert report is not None
    assert set(NUMBERS) <= set(told(report))
    theirs = {"kind": "send", "fields": {"LeavesQty": 9999}, "stimulus": {"do": "accept_order"}}
    assert missing(theirs, scenario.steps[2], {}) == ["LeavesQty=9999"]
