"""Before the start: one supervisor a state directory, free ports, and one sentence where it is not so."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from domain.errors import ConfigError
from ems.preflight import check_ports, state_lock


def test_two_supervisors_cannot_share_a_state_directory(tmp_path: Path) -> None:
    told = pytest.raises(ConfigError, match=rf"in use by another supervisor \(process {os.getpid()}\)")
    with state_lock(tmp_path), told, state_lock(tmp_path):
        pass
    with state_lock(tmp_path):
        assert (tmp_path / "lock").exists()


def test_a_state_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be used: Not a directory"), state_lock(tmp_path / "file" / "state"):
        pass


def test_a_busy_port_is_one_sentence_and_a_free_one_is_nothing() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"^port {port} for the console is in use by another program$"):
            check_ports([("the console", "127.0.0.1", port)])
        with pytest.raises(ConfigError, match=f"^port {port} for session OMS1"):
            check_ports([("session OMS1", "0.0.0.0", port)])
    check_ports([("the console", "127.0.0.1", port)])
