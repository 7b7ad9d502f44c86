"""The scripted counterparty by itself: its table can be performed, adds up, and is what it prints; and over a socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.ports_venue import CancelRequest, MassStatusRequest, NewOrder, Report, StatusRequest
from domain.values import E9
from ems.certify import CertifyVenue
from ems.certify_scripts import Scripts
from ems.certify_table import TABLE, Script
from ems.cli import app
from ems.loopback import free_port
from tests import warm
from tests.ems.fix_peer import FixPeer
from tests.ems.venue_process import ROOT
from tests.ems.venue_room import KeepingFront

# What the EMS keeps from its client, or tells otherwise than the counterparty: by quantity, what the counterparty says.
AT_THE_VENUE = {
    1103: "A/A 0/0", 1107: "", 1108: "", 1110: "", 1111: "", 1214: "F/1 0/1", 1308: "0/0", 1407: "0/0", 1507: "0/0 F/2 F/2",
    1508: "0/0 F/2 F/2", 1509: "0/0 F/2 F/2", 1510: "0/0 F/2 F/1", 1511: "0/0 F/2 H/2", 1804: "0/0 F/2 F/2",
}  # fmt: skip


class Clock:
    """By hand."""

    def __init__(self) -> None:
        self.time_ns = 1_700_000_000 * E9

    def now_ns(self) -> int:
        return self.time_ns


class RefusingFront(KeepingFront):
    """Keeps what is refused as a message, too, and what is done to the session."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[tuple[str, str, str]] = []  # kind, MsgType, ClOrdID
        self.shaken: list[str] = []

    def refuse(self, session: str, kind: str, msg_type: str, msg_seq_num: int, ref_id: str, text: str) -> None:
        self.refused.append((kind, msg_type, ref_id))

    def disconnect(self, session: str, hold_ms: int) -> bool:
        self.shaken.append(f"logout {hold_ms}")
        return True

    def skip_numbers(self, session: str, count: int) -> None:
        self.shaken.append(f"skip {count}")


class Stage:
    """One venue, its front and its time."""

    def __init__(self) -> None:
        self.clock, self.front = Clock(), RefusingFront()
        self.venue = CertifyVenue("SIM", self.clock)
        self.venue.start(self.front)

    def order(self, quantity: int, cl_ord_id: str = "A", tif: str = "day") -> None:
        self.venue.on_new(NewOrder("EMS", cl_ord_id, "X", 1, "limit", tif, quantity * E9, 50 * E9, "", False))

    def request(self, quantity: int | None = None, cl_ord_id: str = "B", orig: str = "A") -> None:
        request = CancelRequest("EMS", cl_ord_id, orig, "X", 1, False, None if quantity is None else quantity * E9)
        (self.venue.on_cancel if quantity is None else self.venue.on_replace)(request)

    def pass_s(self, seconds: int) -> None:
        for _ in range(seconds * 10):
            self.clock.time_ns += E9 // 10
            self.venue.step()

    @property
    def reports(self) -> list[Report]:
        return [report for report, _ in self.front.reports]


def perform(script: Script) -> Stage:
    stage = Stage()
    stage.order(script.quantity, tif="gtc" if script.good_till_cancel else "day")
    if script.request:
        stage.request(None if script.request == "cancel" else 2 * script.quantity)
    stage.pass_s(10)
    return stage


def words(report: Report) -> str:
    if report.cancel_reject_to:
        return f"9/{report.ord_status}/{report.reason}"
    return f"{report.exec_type}/{report.ord_status}"


@pytest.mark.parametrize("quantity", TABLE)
def test_the_counterparty_says_what_the_table_says_and_it_adds_up(quantity: int) -> None:
    stage = perform(TABLE[quantity])
    said = [words(report) for report in stage.reports]
    assert " ".join(said) == AT_THE_VENUE.get(quantity, " ".join(TABLE[quantity].told))
    executions: defaultdict[str, int] = defaultdict(int)
    for report in sorted(stage.reports, key=lambda report: report.cum_e9 if quantity == 1510 else 0):
        if report.exec_type in ("G", "H"):
            executions[report.exec_ref_id] = 0
        if report.exec_type in ("F", "G"):
            executions[report.exec_id] = report.last_quantity_e9
        assert report.cum_e9 == sum(executions.values())
        assert report.leaves_e9 in (0, report.quantity_e9 - report.cum_e9)


def test_every_verb_is_used_and_every_use_is_a_verb() -> None:
    used = {verb.split()[0] for s in TABLE.values() for verbs in (s.order, s.cancel, s.replace) for verb in verbs}
    assert used - {"wait"} == set(Scripts(str, int).verbs)


def test_messages_refused_and_sessions_shaken() -> None:
    assert perform(TABLE[1107]).front.refused == [("j", "D", "A")] and perform(TABLE[1108]).front.refused == [("3", "D", "A")]
    assert perform(TABLE[1308]).front.refused == [("j", "F", "B")] and perform(TABLE[1407]).front.refused == [("j", "G", "B")]
    assert perform(TABLE[1801]).front.shaken == ["logout 1000"] and perform(TABLE[1803]).front.shaken == ["skip 5"]


def test_another_quantity_rests_and_its_requests_are_taken_or_too_late() -> None:
    stage = Stage()
    stage.order(77)
    stage.order(77)  # a repeat
    stage.request(90, "B", "A")
    stage.request(None, "C", "B")
    stage.request(None, "D", "C")
    stage.request(None, "E", "nobody")
    assert [words(report) for report in stage.reports] == ["0/0", "5/0", "4/4", "9/4/0", "9/8/1"]


@pytest.mark.parametrize(("quantity", "answer"), [(77, "I/0"), (1109, ""), (1110, "I/8"), (1111, "I/0")])
def test_questions_are_answered_as_the_script_has_it(quantity: int, answer: str) -> None:
    stage = Stage()
    stage.order(quantity)
    stage.front.reports.clear()
    stage.venue.on_status(StatusRequest("EMS", "A", "X", 1))
    assert " ".join(words(report) for report in stage.reports) == answer
    stage.front.reports.clear()
    stage.venue.on_mass_status(MassStatusRequest("EMS", "M"))
    known = answer == "I/0"
    assert [(r.ord_status, r.mass_total, r.mass_last) for r in stage.reports] == [("0" if known else "8", int(known), True)]


def test_the_table_is_printed() -> None:
    said = CliRunner().invoke(app, ["venue", "--certify", "--list"]).output
    assert all(f"{script.quantity}" in said and script.name in said for script in TABLE.values())
    found = json.loads(CliRunner().invoke(app, ["venue", "--certify", "--list", "--json"]).output)["scripts"]
    assert {row["quantity"] for row in found} == set(TABLE)


@pytest.fixture
def party(tmp_path: Path) -> Iterator[FixPeer]:
    """The program as a client starts it, without a configuration, and a client."""
    port = free_port()
    command = ["venue", "--certify", "--client", "EMS", "--port", str(port), "--directory", str(tmp_path / "certify")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = warm.Popen(
        [sys.executable, "-m", "ems", *command],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    assert "is open" in process.stdout.readline()
    peer = FixPeer(port).connect()
    yield peer
    peer.drop()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_a_clients_own_ems_connects_to_it(party: FixPeer) -> None:
    party.order("A", "1", 1503, "50")
    assert [party.report("A", kind)["39"] for kind in "0FG"] == ["0", "2", "2"]
    corrected = party.inbox[-1]
    assert (corrected["19"], corrected["32"], corrected["31"], corrected["6"]) == (party.inbox[-2]["17"], "1503", "51", "51")
    party.order("B", "1", 1107, "50")
    refused = party.next("j")
    assert (refused["379"], refused["372"], refused["380"]) == ("B", "D", "0")
    party.order("C", "1", 1803, "50")
    assert party.report("C", "0"), "the gap was asked for and filled"
    party.order("S", "1", 1701, "50")
    assert (party.report("S", "0")["636"], party.report("S", "L")["636"]) == ("N", "Y")
    feed = FixPeer(party.port, "EMS-MD", reset=True).connect()
    feed.subscribe("r", "ANY")
    book = feed.groups(feed.next("W"))
    assert (book["0"]["270"], book["1"]["270"]) == ("99.99", "100.01")
    feed.drop()
