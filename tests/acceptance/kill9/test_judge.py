"""The judge can find what it is there to find: each fault planted into two clean ledgers is named."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.kill9 import judge

SOH = "\x01"
E9 = 10**9
Line = dict[str, Any]


class Ledgers:
    """Two ledgers that agree: one order filled by two children, one canceled after a fill, with a kill between."""

    def __init__(self) -> None:
        self.oms: list[Line] = []
        self.venue: list[Line] = [{"k": "day", "venue": "SIM", "start_ns": 1}]
        self._out = self._in = 0
        self.sent("35=A")
        self.told("35=A")
        self.sent("35=D", "11=P1", "1=P1", "55=DEMO", "54=1", "38=300")
        self.oms.append({"kill": "desk", "pid": 1})
        self.report("P1", "0", "0", exec_id="E1")
        self.child(1, "P1", 200)
        self.execution(1, 200, 101, "V1")
        self.report("P1", "F", "1", "32=200", "31=101", exec_id="E2", cum=200)
        self.child(2, "P1", 100)
        self.execution(2, 100, 102, "V2")
        self.report("P1", "F", "2", "32=100", "31=102", exec_id="E3", cum=300)
        self.sent("35=D", "11=P2", "1=P2", "55=DEMO", "54=2", "38=500")
        self.report("P2", "0", "0", exec_id="E4")
        self.child(3, "P2", 500, side=-1)
        self.execution(3, 100, 99, "V3")
        self.report("P2", "F", "1", "32=100", "31=99", exec_id="E5", cum=100)
        self.sent("35=F", "11=P2C", "41=P2", "55=DEMO", "54=2", "38=500")
        self.report("P2C", "6", "6", "41=P2", exec_id="E6", cum=100)
        self.change(3, state="canceled", cl_ord_id="C3C1")
        self.report("P2C", "4", "4", "41=P2", exec_id="E7", cum=100)

    def sent(self, *fields: str) -> None:
        self._out += 1
        self.oms.append({"dir": "out", "raw": SOH.join([fields[0], f"34={self._out}", *fields[1:]]) + SOH})

    def told(self, *fields: str) -> None:
        self._in += 1
        self.oms.append({"dir": "in", "raw": SOH.join([fields[0], f"34={self._in}", *fields[1:]]) + SOH})

    def report(self, name: str, exec_type: str, status: str, *more: str, exec_id: str, cum: int = 0) -> None:
        head = (f"11={name}", f"37=O{name[:2]}", f"17={exec_id}", f"150={exec_type}", f"39={status}", f"14={cum}")
        self.told("35=8", *head, *more)

    def child(self, n: int, account: str, quantity: int, side: int = 1) -> None:
        order = {"k": "order", "n": n, "order_id": f"SIM-{n}", "session": "EMS", "cl_ord_id": f"C{n}", "account": account}
        self.venue.append({**order, "symbol": "DEMO", "side": side, "quantity_e9": quantity * E9, "cum_e9": 0, "state": "new"})

    def change(self, n: int, **changes: Any) -> None:
        self.venue.append({**self.last(n), **changes})

    def last(self, n: int) -> Line:
        return next(line for line in reversed(self.venue) if line.get("n") == n)

    def execution(self, n: int, quantity: int, price: int, exec_id: str) -> None:
        amounts = {"quantity_e9": quantity * E9, "price_e9": price * E9}
        self.venue.append({"k": "exec", "exec_id": exec_id, "order_id": f"SIM-{n}", **amounts})
        cum_e9 = self.last(n)["cum_e9"] + quantity * E9
        full = cum_e9 == self.last(n)["quantity_e9"]
        self.change(n, cum_e9=cum_e9, state="filled" if full else "partially_filled")

    def repeat(self, exec_id: str, *more: str, without: str = "none") -> None:
        """The EMS sends a report again under a new number."""
        fields = self.find(exec_id)["raw"].split(SOH)[:-1]
        kept = [field for field in fields if not field.startswith(("34=", "35=", without))]
        self.told("35=8", *kept, *more)

    def find(self, exec_id: str) -> Line:
        return next(line for line in self.oms if f"{SOH}17={exec_id}{SOH}" in line.get("raw", ""))

    def forget(self, exec_id: str) -> None:
        """The OMS was never sent this report."""
        self.find(exec_id)["raw"] = self.find(exec_id)["raw"].replace("35=8", "35=0")


def test_two_clean_ledgers_are_clean() -> None:
    ledgers = Ledgers()
    ledgers.repeat("E3", "97=Y")
    verdict = judge.judge(ledgers.oms, ledgers.venue)
    assert verdict["faults"] == []
    assert (verdict["orders"], verdict["requests"], verdict["fills"], verdict["venue_executions"]) == (2, 1, 3, 3)
    assert verdict["statuses"] == {"2": 1, "4": 1}
    assert verdict["reports_repeated"] == 1
    assert verdict["kills"] == [{"kind": "desk", "in_flight": 1, "second": False}]


def _lose_a_fill(ledgers: Ledgers) -> None:
    ledgers.forget("E2")


def _make_a_fill_that_nobody_is_told(ledgers: Ledgers) -> None:
    ledgers.change(3, state="partially_filled")
    ledgers.execution(3, 50, 99, "V9")
    ledgers.change(3, state="canceled")


def _give_no_answer(ledgers: Ledgers) -> None:
    ledgers.sent("35=D", "11=P3", "1=P3", "55=DEMO", "54=1", "38=100")


def _lose_a_message_in_a_gap(ledgers: Ledgers) -> None:
    ledgers.oms.remove(ledgers.find("E7"))
    ledgers.told("35=0")


def _tell_a_fill_twice_under_a_new_exec_id(ledgers: Ledgers) -> None:
    ledgers.repeat("E3", "17=E9", without="17=")


def _repeat_without_poss_resend(ledgers: Ledgers) -> None:
    ledgers.repeat("E3")


def _repeat_with_other_content(ledgers: Ledgers) -> None:
    ledgers.repeat("E3", "97=Y", "32=99", without="32=")


def _send_a_child_twice(ledgers: Ledgers) -> None:
    ledgers.child(4, "P1", 100)
    ledgers.change(4, cl_ord_id="C1", state="canceled")


def _overshoot(ledgers: Ledgers) -> None:
    ledgers.child(4, "P1", 100)
    ledgers.change(4, state="canceled")


def _use_an_exec_id_twice(ledgers: Ledgers) -> None:
    ledgers.venue.append(dict(next(line for line in ledgers.venue if line["k"] == "exec")))


def _accept_twice(ledgers: Ledgers) -> None:
    ledgers.report("P1", "0", "2", exec_id="E9", cum=300)


def _leave_a_parent_open(ledgers: Ledgers) -> None:
    ledgers.sent("35=D", "11=P3", "1=P3", "55=DEMO", "54=1", "38=100")
    ledgers.report("P3", "0", "0", exec_id="E9")


def _leave_a_cancel_open(ledgers: Ledgers) -> None:
    ledgers.sent("35=F", "11=P1C", "41=P1", "55=DEMO", "54=1", "38=300")


def _leave_a_child_working(ledgers: Ledgers) -> None:
    ledgers.change(3, state="partially_filled")


def _send_a_child_of_nobody(ledgers: Ledgers) -> None:
    ledgers.child(4, "P7", 100)
    ledgers.change(4, state="canceled")


def _send_a_child_to_the_wrong_side(ledgers: Ledgers) -> None:
    ledgers.child(4, "P2", 100, side=1)
    ledgers.change(4, state="canceled")


def _refuse_a_message(ledgers: Ledgers) -> None:
    ledgers.told("35=j", "45=2", "372=D", "58=no")


@pytest.mark.parametrize(
    ("kind", "plant"),
    [
        ("lost", _lose_a_fill),
        ("lost", _make_a_fill_that_nobody_is_told),
        ("lost", _give_no_answer),
        ("stuck", _lose_a_message_in_a_gap),
        ("doubled", _tell_a_fill_twice_under_a_new_exec_id),
        ("doubled", _repeat_without_poss_resend),
        ("doubled", _repeat_with_other_content),
        ("doubled", _send_a_child_twice),
        ("doubled", _overshoot),
        ("doubled", _use_an_exec_id_twice),
        ("doubled", _accept_twice),
        ("stuck", _leave_a_parent_open),
        ("stuck", _leave_a_cancel_open),
        ("stuck", _leave_a_child_working),
        ("strange", _send_a_child_of_nobody),
        ("strange", _send_a_child_to_the_wrong_side),
        ("strange", _refuse_a_message),
    ],
)
def test_each_planted_fault_is_found(kind: str, plant: Callable[[Ledgers], None]) -> None:
    ledgers = Ledgers()
    plant(ledgers)
    assert judge.judge(ledgers.oms, ledgers.venue)[kind] > 0


@pytest.mark.parametrize(("plant", "status"), [(None, 0), (_lose_a_fill, 1)])
def test_as_a_command_it_says_so_by_its_exit_status(tmp_path: Path, plant: Callable[[Ledgers], None] | None, status: int) -> None:
    ledgers = Ledgers()
    if plant is not None:
        plant(ledgers)
    for name, lines in (("oms", ledgers.oms), ("venue", ledgers.venue)):
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [sys.executable, "-I", str(Path(judge.__file__)), str(tmp_path / "oms"), str(tmp_path / "venue")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert (json.loads(done.stdout)["lost"] > 0) == bool(status)
