"""`ems fills` and `ems alerts` against a desk that runs: what is listed, who may decide, and what is written."""

from __future__ import annotations

import asyncio
import json
import shutil
import threading
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from domain.commands import COMMAND, Answer, Commanded
from ems import desk_answers
from ems.bootstrap.runtime import Runtime
from ems.cli import app
from ems.config import load
from ems.health import StatusSocket
from ems.peer import proving
from ems.persons import Persons
from tests.ems.quarantine import FOREIGN, agree, room_with_a_child
from tests.ems.room import Room
from tests.ems.test_alerts import UNREADABLE

SECRET = "jane has a secret"


class RunningDesk:
    """A desk behind its socket, on a loop of its own: the command line has one too."""

    def __init__(self, home: Path) -> None:
        (home / "ems.toml").write_text('mode = "PAPER"\nstate_directory = "state"\n')
        (home / "jane").write_text(SECRET)
        (home / "eve").write_text("a guess of hers")
        settings = load(home / "ems.toml")
        settings.state_directory.mkdir()
        runtime = Runtime(settings=settings)
        runtime.save()
        assert Persons(runtime.persons).enroll("jane", SECRET) is None
        self.home, self._path, self._persons = home, runtime.socket("desk"), runtime.persons
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.room: Room

    def do(self, job: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(job, self._loop).result(30)

    def start(self) -> None:
        self._thread.start()
        self.room = self.do(room_with_a_child())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._socket = StatusSocket(self._path, self._status, proving(self._persons, self._command, relayed=True))
        self.do(self._socket.start())

    def stop(self) -> None:
        self.do(self._socket.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._path.parent)

    def _status(self, question: dict[str, Any]) -> dict[str, Any]:
        return desk_answers.told(self.room.desk.state, question, self.room.clock.ns)

    async def _command(self, question: dict[str, Any]) -> dict[str, Any]:
        answers: list[Answer] = []
        await self.room.desk.cycle([Commanded(COMMAND.validate_python(question), answers.append)])
        return {"ok": answers[0].ok, "text": answers[0].text, **dict(answers[0].ids)}

    def run(self, *words: str, code: int = 0) -> dict[str, Any]:
        """A command of the program and its JSON."""
        done = CliRunner().invoke(app, [*words, "--config", str(self.home / "ems.toml"), "--json"])
        assert done.exit_code == code, (done.output, done.exception)
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def said(self, *words: str, code: int = 0) -> str:
        """A command of the program and what it says to a person."""
        done = CliRunner().invoke(app, [*words, "--config", str(self.home / "ems.toml")], env={"COLUMNS": "200"})
        assert done.exit_code == code, (done.output, done.exception)
        return done.output

    def person(self, name: str = "jane", reason: str = "the venue says so") -> list[str]:
        return ["--person", name, "--secret-file", str(self.home / name), "--reason", reason]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[RunningDesk]:
    running = RunningDesk(tmp_path)
    running.start()
    try:
        yield running
    finally:
        running.stop()


def test_a_person_books_one_and_dismisses_another(desk: RunningDesk) -> None:
    assert desk.run("fills", "quarantined") == {"open": []}
    for exec_id in ("E7", "[red]E8"):
        desk.do(desk.room.fill(100, exec_id, price=98, cl_ord_id=FOREIGN))
    desk.do(desk.room.fill(0, "B1", exec_kind="trade_cancel", exec_ref_id="E99"))
    first, second, bust = desk.run("fills", "quarantined")["open"]
    assert first == {
        "alert": first["alert"], "kind": "quarantined fill", "session": "VENUE", "why": "unknown_order",
        "since_ns": desk.room.clock.ns, "exec_id": "E7", "restates": "", "order": FOREIGN, "venue_order": "V1", "symbol": "ABC",
        "side": "buy", "quantity": "100", "price": "98", "only_dismissed": "",
    }  # fmt: skip
    assert bust["restates"] == "E99" and "no execution" in bust["only_dismissed"]
    shown = desk.said("fills", "quarantined")
    assert all(word in shown for word in (first["alert"], "E7", "[red]E8", "unknown_order", FOREIGN, "2026-03-02 15:00:00"))
    order = desk.room.child().cl_ord_id
    told = desk.run("fills", "book", first["alert"], "--order", order, *desk.person())
    assert (told["ok"], told["cl_ord_id"]) == (True, order)
    assert "is dismissed" in desk.said("fills", "dismiss", second["alert"], *desk.person())
    refused = desk.run("fills", "book", bust["alert"], "--order", order, *desk.person(), code=1)
    assert refused["reason"] == "only_dismissed"
    assert "is booked already" in desk.said("fills", "dismiss", first["alert"], *desk.person(), code=1)
    assert [row["alert"] for row in desk.run("fills", "quarantined")["open"]] == [bust["alert"]]
    assert desk.room.parent().cum_quantity_e9 == desk.room.child().cum_quantity_e9 == 100 * 10**9
    desk.do(agree(desk.room))


def test_an_overfill_has_to_be_said(desk: RunningDesk) -> None:
    desk.do(desk.room.fill(500, "E7", cl_ord_id=FOREIGN))
    (row,) = desk.run("fills", "quarantined")["open"]
    book = ["fills", "book", row["alert"], "--order", desk.room.child().cl_ord_id, *desk.person()]
    assert desk.run(*book, code=1)["reason"] == "overfill"
    assert desk.run(*book, "--overfill")["ok"]


def test_alerts_are_acknowledged_by_name_or_by_session(desk: RunningDesk) -> None:
    for _ in range(3):
        desk.do(desk.room.venue(UNREADABLE))
    desk.do(desk.room.client(UNREADABLE))
    desk.do(desk.room.fill(100, "E7", cl_ord_id=FOREIGN))
    rows = desk.run("alerts", "list")["open"]
    assert [row["session"] for row in rows] == ["VENUE"] * 3 + ["OMS"]
    assert "LastQty (32) is no number" in desk.said("alerts", "list")
    assert desk.run("alerts", "acknowledge", rows[0]["alert"], *desk.person())["ok"]
    assert desk.run("alerts", "acknowledge", "--session", "VENUE", *desk.person())["text"] == "acknowledged: 2"
    assert [row["session"] for row in desk.run("alerts", "list")["open"]] == ["OMS"]
    assert len(desk.run("fills", "quarantined")["open"]) == 1


@pytest.mark.parametrize("name", ["eve", "jane"])
def test_who_has_no_secret_decides_nothing(desk: RunningDesk, name: str) -> None:
    desk.do(desk.room.fill(100, "E7", cl_ord_id=FOREIGN))
    (row,) = desk.run("fills", "quarantined")["open"]
    before = desk.room.desk.state.digest()
    (desk.home / "jane").write_text("jane's, mistyped")
    told = desk.run("fills", "dismiss", row["alert"], *desk.person(name), code=1)
    assert (told["ok"], told["reason"]) == (False, "not_authenticated")
    assert desk.room.desk.state.digest() == before


@pytest.mark.parametrize(
    "words",
    [
        ["alerts", "acknowledge"],
        ["alerts", "acknowledge", "X", "--session", "VENUE"],
        ["alerts", "acknowledge", "--session", "NOBODY"],
    ],
)
def test_what_is_meant_must_be_said(desk: RunningDesk, words: list[str]) -> None:
    done = CliRunner().invoke(app, [*words, *desk.person(), "--config", str(desk.home / "ems.toml")])
    assert type(done.exception).__name__ == "ConfigError"


def test_a_reason_that_does_not_print_is_refused(desk: RunningDesk) -> None:
    words = ["fills", "dismiss", "X", *desk.person(reason="\x1b[2J"), "--config", str(desk.home / "ems.toml")]
    done = CliRunner().invoke(app, words)
    assert type(done.exception).__name__ == "ConfigError" and "--reason" in str(done.exception)


def test_without_a_desk_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "ems.toml").write_text('mode = "PAPER"\nstate_directory = "state"\n')
    settings = load(tmp_path / "ems.toml")
    settings.state_directory.mkdir()
    Runtime(settings=settings).save()
    done = CliRunner().invoke(app, ["fills", "quarantined", "--config", str(tmp_path / "ems.toml")])
    assert "no desk answers" in str(done.exception)


@pytest.mark.parametrize(
    ("words", "teaches"),
    [
        (["fills", "quarantined"], "wrong_side"),
        (["fills", "dismiss"], "can only be dismissed"),
        (["fills", "book"], "--overfill"),
        (["alerts", "acknowledge"], "stays open"),
    ],
)
def test_the_help_teaches(words: list[str], teaches: str) -> None:
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert teaches in done.stdout
