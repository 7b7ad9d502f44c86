"""Passwords: where they come from, how they are compared, and that they are found in no file of ours."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.fix.logon_gate import UNNAMED, Credentials, credentials, redacted, refusal
from domain.errors import ConfigError
from domain.messages import EngineRefusal, SessionChange
from domain.session_rules import SessionRules
from tests.adapters.fix.kit import Desk, GatewayProcess, control, started
from tests.adapters.fix.raw import RawPeer

EXPECTED = Credentials("me", "päss")
RULES = SessionRules(username="me", password_env="UNUSED")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("553=me|554=päss|", ""),
        ("553=me|554=päss|108=30|", ""),
        ("553=me|554=pass|", UNNAMED),
        ("553=me|554=|", UNNAMED),
        ("553=me|", UNNAMED),
        ("553=you|554=päss|", UNNAMED),
        ("554=päss|", UNNAMED),
        ("553=me|554=päss|554=x|", UNNAMED),
        ("553=me|554=\udcff|", UNNAMED),
        ("", UNNAMED),
    ],
)
def test_name_and_password_must_both_be_right(said: str, why: str) -> None:
    assert refusal(f"35=A|{said}".replace("|", "\x01"), RULES, EXPECTED) == why


def test_a_password_is_taken_out_of_a_text() -> None:
    text = "8=FIX.4.4|35=A|553=me|554=secret|925=new one|58=554=kept|96=raw|10=000|".replace("|", "\x01")
    assert redacted(text).replace("\x01", "|") == "8=FIX.4.4|35=A|553=me|554=***|925=***|58=554=kept|96=***|10=000|"
    assert "secret" not in repr(Credentials("me", "secret"))


def test_a_password_comes_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "password").write_text("from a file\n")
    monkeypatch.setenv("A_PASSWORD", "from the environment")
    there = SessionRules(username="me", password_file=str(tmp_path / "password"))
    assert credentials("OMS", there) == Credentials("me", "from a file")
    assert credentials("OMS", SessionRules(username="me", password_env="A_PASSWORD")).password == "from the environment"
    monkeypatch.delenv("A_PASSWORD")
    with pytest.raises(ConfigError, match="OMS: the environment variable A_PASSWORD holds no password"):
        credentials("OMS", SessionRules(username="me", password_env="A_PASSWORD"))
    with pytest.raises(ConfigError, match="cannot be read"):
        credentials("OMS", SessionRules(username="me", password_file=str(tmp_path / "none")))


async def test_no_password_is_written_down(
    gateway: GatewayProcess, client: RawPeer, desk_on: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a good one nor one that is refused; and the refusal is recorded and counts against its client."""
    monkeypatch.setenv("A_PASSWORD", "the-good-one")
    gateway.config["sessions"][0]["rules"] = {"username": "me", "password_env": "A_PASSWORD"}
    await started(gateway)
    desk = desk_on()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await client.connect(gateway.client_port, logon="98=0|108=30|553=me|554=a-bad-one|")
    refused = await desk.take(EngineRefusal)
    assert (refused.ref.session, refused.text) == ("OMS", UNNAMED)
    assert "554=***" in refused.raw
    client.next_out = 1
    await client.drop()
    await client.connect(gateway.client_port, logon="98=0|108=30|553=me|554=the-good-one|")
    assert (await control(gateway, command="health"))["sessions"]["OMS"]["garbled"] == 1
    written = [path for path in gateway.directory.rglob("*") if path.is_file()]
    assert len(written) > 5
    for path in written:
        assert b"-one" not in path.read_bytes(), path


async def test_a_new_window_begins_the_numbering_again(gateway: GatewayProcess, client: RawPeer) -> None:
    await started(gateway)
    await client.connect(gateway.client_port)
    await client.drop()
    await asyncio.to_thread(gateway.stop)
    await asyncio.sleep(1.1)  # the store's time of creation is kept in seconds
    now = time.strftime("%H:%M:%S", time.gmtime())
    gateway.config["sessions"][0]["rules"] = {"start_time": now, "end_time": now}
    await started(gateway)
    client.next_out = client.expected = 1
    await client.connect(gateway.client_port)
    assert client.messages[-1]["34"] == "1"
    assert {s["name"]: s["reset_epoch"] for s in await control(gateway, command="sessions")} == {"OMS": 1, "VENUE": 0}


async def test_a_session_is_stopped_and_started_by_hand(gateway: GatewayProcess, client: RawPeer) -> None:
    await started(gateway)
    await client.connect(gateway.client_port)
    assert await control(gateway, command="stop", session="OMS") == "stopped by hand"
    assert (await client.take(lambda m: m["35"] == "5"))["58"] == "stopped by hand"
    await asyncio.to_thread(gateway.wait_session, "OMS", up=False)
    assert await control(gateway, command="start", session="OMS") == "started"
    await client.drop()
    await client.connect(gateway.client_port)
    assert "error" in await control(gateway, command="stop", session="NOBODY")


async def test_a_client_that_logs_out_is_not_lost(gateway: GatewayProcess, client: RawPeer, desk_on: Callable[..., Desk]) -> None:
    await started(gateway)
    desk = desk_on()
    for logs_out in (True, False):
        await client.connect(gateway.client_port)
        await desk.take(SessionChange, lambda change: change.session == "OMS" and change.up)
        desk.inputs.clear()
        if logs_out:
            client.send("5")
        else:
            await client.drop()
        down = await desk.take(SessionChange, lambda change: change.session == "OMS" and not change.up)
        assert down.logged_out is logs_out
        await client.drop()
        desk.inputs.clear()
        await asyncio.sleep(0.2)  # the engine frees the session after it has told
