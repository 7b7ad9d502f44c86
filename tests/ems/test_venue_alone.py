"""`ems venue` as a process that speaks FIX, OUCH and ITCH at once; and what its settings refuse."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from adapters.ouch.compiled import DAY, ENTER_MAX, SHOWN, put_enter, symbol_number
from adapters.ouch.messages import Message, decode
from adapters.ouch.soup import Login
from adapters.ouch.soup_client import SoupClient
from domain.errors import ConfigError, LinkLost
from ems.cli import app
from ems.config import check
from ems.loopback import free_ports
from ems.venue_fronts import Fronts
from tests import warm
from tests.ems.test_venue_itch import Listener
from tests.ems.venue_room import KeepingFront, VenueRoom


def read(client: SoupClient, name: str) -> Message:
    deadline = time.monotonic() + 30
    while True:
        assert time.monotonic() < deadline
        taken = client.take()
        if taken is None:
            client.receive()
            client.beat(time.monotonic_ns())
            time.sleep(0.001)
        elif chr(taken.letter) == "S" and (message := decode("out", client.payload(taken))).name == name:
            return message


def log_on(port: int, process: subprocess.Popen[bytes], session: str = "", number: int = 1) -> SoupClient:
    deadline = time.monotonic() + 90
    while True:
        try:
            return SoupClient(("127.0.0.1", port), Login("QUOTE1", "secret", session, number))
        except LinkLost:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)


def test_the_command_speaks_ouch_and_itch_and_survives_a_kill(tmp_path: Path) -> None:
    fix, ouch, console = free_ports(3)
    config = tmp_path / "ems.toml"
    CliRunner().invoke(app, ["init", str(config)])
    config.write_text(config.read_text().replace("port = 9880", f"port = {fix}").replace("port = 8410", f"port = {console}"))
    ear = Listener()
    words = ["--itch", f"127.0.0.1:{ear.port}", "--ouch", f"127.0.0.1:{ouch}", "--account", "QUOTE1:secret"]
    command = [sys.executable, "-m", "ems", "venue", "--config", str(config), "--directory", str(tmp_path / "v"), *words]
    process, open_until_the_end = warm.Popen(command), ExitStack()
    try:
        client = open_until_the_end.enter_context(closing(log_on(ouch, process)))
        out = np.zeros(ENTER_MAX, np.uint8)
        client.send(out[: put_enter(out, 0, 1, 1, 100, symbol_number("DEMO"), 500_000, DAY, SHOWN, True)].tobytes())
        reference = read(client, "accepted").number("order_ref_num")
        ear.listen(lambda: reference in ear.tape["order_id"])
        added = ear.tape[ear.tape["order_id"] == reference][0]
        assert (added["price_ticks"], added["size_lots"], added["side"]) == (5_000, 100, 1)
        process.kill()
        process.wait(30)
        client.close()
        process = warm.Popen(command)
        again = open_until_the_end.enter_context(closing(log_on(ouch, process, client.session, client.next_number)))
        assert read(again, "canceled").number("user_ref_num") == 1, "nobody was there when it came back"
        process.terminate()
        assert read(again, "system_event").text("event") == "E"
        assert process.wait(30) == 0
    finally:
        open_until_the_end.close()
        process.kill()
        process.wait(30)
        ear.socket.close()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--account", "A:b"], "is for --ouch"),
        (["--ouch", "127.0.0.1:5"], "needs an --account"),
        (["--ouch", "127.0.0.1:5", "--account", "A"], "needs an --account"),
        (["--ouch", "here", "--account", "A:b"], "no HOST:PORT"),
    ],
)
def test_what_the_command_refuses(tmp_path: Path, words: list[str], why: str) -> None:
    config = tmp_path / "ems.toml"
    CliRunner().invoke(app, ["init", str(config)])
    result = CliRunner().invoke(app, ["venue", "--config", str(config), *words])
    assert result.exit_code != 0 and isinstance(result.exception, ConfigError) and why in str(result.exception)


def test_a_configurations_ouch_has_a_port_and_names_of_its_own() -> None:
    session = {"name": "SIM", "role": "venue", "kind": "initiator", "sender_comp_id": "EMS", "target_comp_id": "SIM",
               "host": "127.0.0.1", "port": 9880, "environment": "PAPER"}  # fmt: skip
    venue = {"port": 9880, "symbols": ["DEMO"]}

    def said(**ouch: object) -> dict[str, object]:
        return {"sessions": [session], "venue": {**venue, "ouch": {"port": 26_401, "accounts": {"Q": "x"}, **ouch}}}

    settings = check(said(), name="x")
    assert ("the simulated venue's OUCH", "127.0.0.1", 26_401) in settings.ports()
    for ouch, why in (
        ({"port": 9880}, "both want port"),
        ({"accounts": {"EMS": "x"}}, "a FIX client"),
        ({"accounts": {}}, "accounts"),
    ):
        with pytest.raises(ConfigError, match=why):
            check(said(**ouch), name="x")


def test_several_fronts_are_one(tmp_path: Path) -> None:
    room = VenueRoom(tmp_path)
    room.new(100, price=9_990)
    report = room.last()
    mine, other = KeepingFront(), KeepingFront()
    fronts = Fronts([(mine, ["EMS"]), (other, ["ELSE"])])
    assert fronts.send(report, possible_resend=True) and mine.reports == [(report, True)] and not other.reports
    assert not Fronts([(other, ["ELSE"])]).send(report, possible_resend=False)
    assert not fronts.disconnect("NOBODY", 0)
    with pytest.raises(KeyError):
        fronts.refuse("NOBODY", "j", "D", 1, "", "")
