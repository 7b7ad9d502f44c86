"""The gateway's counters: each keeps its place over restarts and disturbs no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.fix.state import GatewayState
from domain.errors import ConfigError


def test_counters_survive(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    state.epoch, state.acknowledged = 7, 8
    assert [state.next_cancel_all(), state.next_cancel_all()] == [1, 2]
    for number, name in enumerate(("OMS", "VENUE"), 1):
        session = state.session(name)
        session.reset_epoch, session.sent_seq, session.delivered_seq, session.inbound_seq_num = (
            10 * number, 11 * number, 12 * number, 13 * number,
        )  # fmt: skip
        session.created = f"20261122-15:00:0{number}"
    state.close()
    again = GatewayState(tmp_path / "state")
    assert (again.epoch, again.acknowledged, again.next_cancel_all()) == (7, 8, 3)
    for number, name in enumerate(("OMS", "VENUE"), 1):
        session = again.session(name)
        counters = (session.reset_epoch, session.sent_seq, session.delivered_seq, session.inbound_seq_num)
        assert counters == (10 * number, 11 * number, 12 * number, 13 * number)
        assert session.created == f"20261122-15:00:0{number}"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"not ours" * 10_000)
    with pytest.raises(ConfigError, match="not a gateway state file"):
        GatewayState(tmp_path / "state")


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_a_name_that_does_not_fit_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="1 to 64 bytes"):
        GatewayState(tmp_path / "state").session(name)


def test_one_session_too_many_is_refused(tmp_path: Path) -> None:
    state = GatewayState(tmp_path / "state")
    for number in range(256):
        state.session(f"S{number}")
    with pytest.raises(ConfigError, match="at most 256"):
        state.session("S256")
