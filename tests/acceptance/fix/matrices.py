"""The order state tables (published.txt, further.txt) as cases to play: what is sent, what the venue does, what is told.

A scenario is a name, options in brackets, a title; then a line for each step. The first two characters say what it is:

    <   the client sends a message, and the venue must see what it asks for
    <|  the client sends a message that the EMS keeps: for good, or until it has decided what came before it
    >   the venue acts, and the client is told what stands behind the arrow ("-": nothing)
    >!  another ending: up to here, then this, and the scenario is over
    >?  as >, but it may be left out
    <~  and the >~ behind it cross each other on the wire: each may be first
    =   the client is told this, and nobody but the EMS has done anything for it
    !   done at the EMS itself

A message of the client is MsgType, ids, OrderQty, and name=value pairs. ids are ClOrdID<OrigClOrdID; X, Y, Z stand for
ids that are made up when a case is played. A report is ExecType/OrdStatus, ids, OrderQty CumQty LeavesQty LastQty
("-": not asserted; "0,1": either), and pairs. ``id`` and ``ref`` name an ExecID and the one that an ExecRefID points at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
Pairs = dict[str, str]

EXEC_TYPES: Final = {  # 150
    "new": "0", "done": "3", "canceled": "4", "replaced": "5", "pending_cancel": "6", "stopped": "7", "rejected": "8",
    "suspended": "9", "pending_new": "A", "expired": "C", "restated": "D", "pending_replace": "E", "trade": "F",
    "corrected": "G", "busted": "H", "status": "I", "triggered": "L",
}  # fmt: skip
REFUSALS: Final = {"cancel_refused": "1", "replace_refused": "2"}  # 35=9: CxlRejResponseTo (434)
STATUSES: Final = {  # 39
    "new": "0", "partial": "1", "filled": "2", "done": "3", "canceled": "4", "pending_cancel": "6", "stopped": "7",
    "rejected": "8", "suspended": "9", "pending_new": "A", "expired": "C", "pending_replace": "E",
}  # fmt: skip
NUMBERS: Final = ("38", "14", "151", "32")  # OrderQty, CumQty, LeavesQty, LastQty
TOLD: Final = {  # names in reports, beside id and ref
    "avg": "6", "px": "31", "price": "44", "cash": "152", "working": "636", "day_qty": "424", "day_cum": "425",
    "rejected_for": "103", "refused_for": "102", "restated_for": "378", "order_id": "37", "text": "58",
}  # fmt: skip
ASKED: Final = {  # names in what the client sends
    "price": "44", "stop": "99", "tif": "59", "type": "40", "side": "54", "instruction": "18", "cash": "152",
    "currency": "15", "expires": "126", "resend": "97",
}  # fmt: skip
CODES: Final = {
    "59": {"day": "0", "gtc": "1", "opening": "2", "ioc": "3", "fok": "4", "gtd": "6", "close": "7"},
    "40": {"market": "1", "limit": "2", "stop": "3", "stop_limit": "4", "pegged": "P"},
    "54": {"buy": "1", "sell": "2"},
}


@dataclass(frozen=True)
class Report:
    """What the client must be told. fields: tag -> accepted values; ids are symbols."""

    kind: str
    status: str
    cl_ord_id: str = ""
    orig: str = ""
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict)
    exec_id: str = ""
    exec_ref_id: str = ""

    @property
    def is_refusal(self) -> bool:
        """A 9, not an 8."""
        return self.kind in REFUSALS


@dataclass(frozen=True)
class Step:
    """One line. verb: D, F, G, H of the client; what the venue does; enter; empty for what is only told."""

    mark: str
    verb: str
    line: int  # of the scenario, from 1
    args: tuple[str, ...] = ()
    cl_ord_id: str = ""
    orig: str = ""
    quantity: str = ""
    pairs: Pairs = field(default_factory=dict)
    report: Report | None = None

    @property
    def sent(self) -> bool:
        """Is it a message of the client's?"""
        return self.mark[0] == "<"

    @property
    def held(self) -> bool:
        """Does the EMS keep it?"""
        return self.mark == "<|"


@dataclass(frozen=True)
class Scenario:
    """A table."""

    name: str
    options: tuple[str, ...]
    title: str
    steps: tuple[Step, ...]

    def cases(self) -> Iterator[Case]:
        """The main path, each other ending, the orders in which messages may cross, and without what may be left out."""
        main = tuple(step for step in self.steps if step.mark != ">!")
        yield Case(self, self.name, main)
        for ending in (step for step in self.steps if step.mark == ">!"):
            before = tuple(step for step in main if step.line < ending.line)
            yield Case(self, f"{self.name}/{ending.line}", (*before, ending))
        if any(step.mark == "<~" for step in main):
            for first in ("client", "venue"):
                yield Case(self, f"{self.name}~{first}", main, first=first)
        for left_out in (step for step in main if step.mark == ">?" and step.verb == "done"):
            yield Case(self, f"{self.name}-{left_out.verb}", tuple(step for step in main if step is not left_out))


@dataclass(frozen=True)
class Case:
    """One way through a scenario. first: who is first where messages cross; both at once by default."""

    scenario: Scenario
    name: str
    steps: tuple[Step, ...]
    first: str = ""


def scenarios(file: str) -> list[Scenario]:
    """Read a table of this folder. Raises ValueError for a line that says nothing."""
    return read((HERE / file).read_text("utf-8"), file)


def read(table: str, name: str) -> list[Scenario]:
    """Read a table. Raises ValueError, with the table's name and the line, for one that says nothing."""
    found: list[Scenario] = []
    for number, text in enumerate(table.splitlines(), 1):
        line = re.sub(r"(^|\s)#.*", "", text).rstrip()
        try:
            if not line:
                continue
            if title := _TITLE.fullmatch(line):
                found.append(Scenario(title["name"], tuple((title["options"] or "").split()), title["title"], ()))
            else:
                last = found.pop()
                found.append(replace(last, steps=(*last.steps, _step(line, len(last.steps) + 1))))
        except (KeyError, ValueError, IndexError) as error:
            raise ValueError(f"{name}, line {number}: {text!r}: {error!r}") from error
    return found


_TITLE: Final = re.compile(r"(?P<name>[A-Z][\w.]*)(?: \[(?P<options>[^]]+)\])?: (?P<title>.+)")


def _step(line: str, number: int) -> Step:
    mark, rest = line[:2].strip(), line[2:]
    if mark in ("<", "<|", "<~"):
        verb, ids, *words = rest.split()
        quantity = words.pop(0) if words and "=" not in words[0] else ""
        cl_ord_id, _, orig = ids.partition("<")
        pairs = {ASKED[name]: value for name, value in (word.split("=") for word in words)}
        pairs = {tag: CODES.get(tag, {}).get(value, value) for tag, value in pairs.items()}
        return Step(mark, verb, number, (), cl_ord_id, orig, quantity.strip("-"), pairs)
    if mark == "!":
        verb, cl_ord_id, quantity = rest.split()
        return Step(mark, verb, number, (), cl_ord_id, "", quantity)
    if mark == "=":
        return Step(mark, "", number, report=_report(rest))
    if mark not in (">", ">!", ">?", ">~"):
        raise ValueError(f"{mark!r} is no mark")
    act, told = rest.split(" -> ")
    verb, *args = act.split()
    return Step(mark, verb, number, tuple(args), report=_report(told) if told.strip() != "-" else None)


def _report(text: str) -> Report:
    words = text.split()
    kind, status = words[0].split("/")
    cl_ord_id, _, orig = words[1].strip("-").partition("<")
    numbers = [] if kind in REFUSALS else words[2:6]
    fields = {tag: tuple(value.split(",")) for tag, value in zip(NUMBERS, numbers, strict=False) if value != "-"}
    pairs = dict(word.split("=") for word in words[2 + len(numbers) :])
    exec_id, ref = pairs.pop("id", ""), pairs.pop("ref", "")
    fields |= {TOLD[name]: tuple(value.replace("_", " ").split(",")) for name, value in pairs.items()}
    if len(numbers) not in (0, 4) or status not in STATUSES or kind not in EXEC_TYPES | REFUSALS:
        raise ValueError("a report is ExecType/OrdStatus, ids, four numbers, pairs")
    return Report(kind, status, cl_ord_id, orig, fields, exec_id, ref)
