"""What the children are told: a private file, sockets with short names, one clock for all; and what the demo is made of."""

from __future__ import annotations

import stat
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from adapters.clock import TapeClock, WallClock
from domain.errors import ConfigError
from ems.bootstrap.demo import sample_data
from ems.bootstrap.gateway import gateway_config, oms_session
from ems.bootstrap.runtime import Runtime
from ems.cli.demo_settings import DemoOptions, demo_settings
from ems.config import Settings


def options(**changes: object) -> DemoOptions:
    values = {
        "headless": True, "tape": None, "symbol": "AMZN", "side": "buy", "quantity": 100, "algo": "vwap", "minutes": 5.0,
        "speed": 60.0, "seed": 7, "json_output": True, "keep": None,
    }  # fmt: skip
    return DemoOptions(**(values | changes))  # type: ignore[arg-type]


def settings(state: Path, today: date = date(2026, 11, 24), **changes: object) -> Settings:
    return demo_settings(options(**changes), state, sample_data(), today=today, tape_open=None)


def test_the_file_is_the_owners_alone_and_reads_back(tmp_path: Path) -> None:
    runtime = Runtime(settings=settings(tmp_path), app_dsn="user=a password=secret", tape_origin_ns=5)
    path = runtime.save()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Runtime.load(path) == runtime


@pytest.mark.parametrize("temporary", ["here", "d" * 100])
def test_sockets_have_names_that_every_system_takes(tmp_path: Path, temporary: str, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    if temporary != "here":
        (tmp_path / temporary).mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / temporary))
    for state in (tmp_path, deep):
        socket = Runtime(settings=Settings(state_directory=state)).socket("gateway-control")
        assert len(str(socket)) < 104 and socket.parent.is_dir()
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


def test_clocks(tmp_path: Path) -> None:
    assert isinstance(Runtime(settings=Settings(state_directory=tmp_path)).clock(), WallClock)
    made = settings(tmp_path)
    clock = Runtime(settings=made, tape_origin_ns=2**62).clock()
    assert isinstance(clock, TapeClock)
    assert made.clock.start is not None
    assert clock.now_ns() == int(made.clock.start.timestamp()) * 10**9, "the tape has not begun"


def test_the_demo_trades_inside_a_session(tmp_path: Path) -> None:
    assert settings(tmp_path).clock.start == datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
    assert settings(tmp_path, today=date(2026, 11, 29)).clock.start == datetime(2026, 11, 27, 15, 0, tzinfo=UTC), "a Sunday"
    assert settings(tmp_path, today=date(2040, 1, 1)).clock.start is not None, "the sample's calendar ends before"


def test_the_gateway_and_the_oms_see_one_session_from_both_ends(tmp_path: Path) -> None:
    runtime = Runtime(settings=settings(tmp_path))
    config = gateway_config(runtime)
    config.check()
    ours = next(session for session in config.sessions if session.role == "client")
    theirs = oms_session(runtime.settings)
    assert theirs is not None
    assert (theirs.sender_comp_id, theirs.target_comp_id, theirs.port) == (ours.target_comp_id, ours.sender_comp_id, ours.port)
    assert theirs.kind == "initiator"
    assert oms_session(runtime.settings, "nobody") is None


def test_nothing_started_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing has been started"):
        Runtime.load(tmp_path / "runtime.json")
