"""The api's voucher at a real door: believed for the command that it is of, for nobody else's and nothing else."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from domain.errors import ConfigError
from ems.health import StatusSocket, ask_socket
from ems.peer import proving
from ems.voucher import make_key, read_key, vouch

COMMAND = {"command": "steer_order", "command_id": "C1", "actor": "person:jane", "approver": "person:omar", "reason": "news"}


async def asked(home: Path, said: dict[str, Any], *, key: Path | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    taken: list[dict[str, Any]] = []

    async def take(question: dict[str, Any]) -> dict[str, Any]:
        taken.append(question)
        return {"ok": True, "text": "taken"}

    door = StatusSocket(home / "door", lambda _: {}, proving(home / "persons.json", take, voucher_key=key))
    await door.start()
    try:
        return await ask_socket(home / "door", said), taken
    finally:
        await door.close()


async def test_both_people_are_believed_and_the_voucher_goes_no_further(tmp_path: Path) -> None:
    key = make_key(tmp_path / "api.key")
    answer, taken = await asked(tmp_path, {**COMMAND, "voucher": vouch(key, COMMAND)}, key=tmp_path / "api.key")
    assert answer["ok"] and taken == [COMMAND]


OTHERWISE: tuple[dict[str, Any], ...] = (
    {"actor": "person:eve"}, {"approver": "person:eve"}, {"command_id": "C2"}, {"reason": "other"}, {"voucher": "x"},
    {"voucher": 7},
)  # fmt: skip


@pytest.mark.parametrize("changes", OTHERWISE)
async def test_a_voucher_of_something_else_is_none(tmp_path: Path, changes: dict[str, Any]) -> None:
    key = make_key(tmp_path / "api.key")
    said = {**COMMAND, "voucher": vouch(key, COMMAND), **changes}
    answer, taken = await asked(tmp_path, said, key=tmp_path / "api.key")
    assert not answer["ok"] and answer["reason"] == "not_authenticated" and taken == []


async def test_without_a_key_or_with_one_that_others_read_nobody_vouches(tmp_path: Path) -> None:
    key = make_key(tmp_path / "api.key")
    said = {**COMMAND, "voucher": vouch(key, COMMAND)}
    assert (await asked(tmp_path, dict(said), key=None))[0]["text"] == "nobody vouches at this door"
    (tmp_path / "api.key").chmod(0o644)
    answer, _ = await asked(tmp_path, dict(said), key=tmp_path / "api.key")
    assert "can be read by others" in answer["text"]


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "api.key"
    with pytest.raises(ConfigError):
        read_key(path)
    key = make_key(path)
    assert make_key(path) == key == read_key(path) and len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.write_text("short")
    with pytest.raises(ConfigError):
        read_key(path)
