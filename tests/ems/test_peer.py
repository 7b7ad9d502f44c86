"""Whose word a command is: the account at the other end of a real socket, a secret that came with it, or nobody's."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ems.health import StatusSocket, ask_socket
from ems.peer import NOBODY, Peer, own_account, proving
from ems.persons import Persons

ME = f"person:{own_account()}"
SECRETS = {"jane": "jane has a secret", "omar": "omar has another"}
ASK = """
import asyncio, json, pathlib, sys
from ems.health import ask_socket
print(json.dumps(asyncio.run(ask_socket(pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])))))
"""


class Door:
    """A socket that takes commands, and what came through it."""

    def __init__(self, home: Path) -> None:
        self.taken: list[dict[str, Any]] = []
        self.path, self.persons = home / "door", home / "persons.json"
        for person, secret in SECRETS.items():
            assert Persons(self.persons).enroll(person, secret) is None

    async def take(self, question: dict[str, Any]) -> dict[str, Any]:
        self.taken.append(question)
        return {"ok": True, "text": "taken"}

    async def ask(self, **question: Any) -> str:
        """Over the socket. What the door says."""
        answer = await ask_socket(self.path, {"command": "act", **question})
        assert answer["ok"] is (answer["text"] == "taken")
        return str(answer["text"])


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    made = Door(tmp_path)
    listening = StatusSocket(made.path, lambda _: {}, proving(made.persons, made.take, relayed=True))
    await listening.start()
    yield made
    await listening.close()


async def test_an_account_speaks_for_itself_and_for_nobody_else(door: Door) -> None:
    assert await door.ask(actor=ME) == "taken"
    assert await door.ask(actor="person:jane") == (
        f"jane is not the account that asks ({own_account()}), and no secret of jane came with it"
    )
    assert [one["actor"] for one in door.taken] == [ME]


async def test_an_environment_that_says_it_is_somebody_is_not_believed(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "USERNAME"):
        monkeypatch.setenv(name, "jane")
    assert f"person:{own_account()}" == ME
    assert (await door.ask(actor="person:jane")).startswith("jane is not the account that asks")


async def test_a_secret_proves_a_person_and_goes_no_further(door: Door) -> None:
    assert await door.ask(actor="person:jane", secrets={"jane": SECRETS["jane"]}) == "taken"
    assert door.taken == [{"command": "act", "actor": "person:jane"}]
    for guess in ("a guess", SECRETS["omar"]):
        assert (await door.ask(actor="person:jane", secrets={"jane": guess})).startswith("that is not jane's secret")


async def test_the_second_person_is_asked_for_a_proof_as_the_first_is(door: Door) -> None:
    two = {"actor": ME, "approver": "person:omar"}
    assert (await door.ask(**two)).startswith("omar is not the account")
    assert await door.ask(**two, secrets={"omar": SECRETS["omar"]}) == "taken"
    assert door.taken == [{"command": "act", **two}]


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"actor": None},
        {"actor": "system:desk"},
        {"actor": "client:OMS1"},
        {"actor": ["person:jane"]},
        {"actor": ME, "approver": 7},
    ],
)
async def test_a_command_of_nobody_is_nobodys(door: Door, words: dict[str, Any]) -> None:
    assert await door.ask(**words) == "a command names its person, as person:jane"
    assert door.taken == []


@pytest.mark.parametrize("secrets", ["all of them", ["jane"], {"jane": 7}, {"jane": None}, None])
async def test_what_is_no_secret_proves_nothing(door: Door, secrets: Any) -> None:
    assert (await door.ask(actor="person:jane", secrets=secrets)).endswith("no secret of jane came with it")


async def test_persons_that_others_can_read_prove_nobody(door: Door) -> None:
    door.persons.chmod(0o644)
    told = await door.ask(actor="person:jane", secrets={"jane": SECRETS["jane"]})
    assert told.startswith("nobody's secret can be looked up") and told.endswith("it must have the rights 0600")
    assert await door.ask(actor=ME) == "taken", "an account needs none"


async def test_only_where_it_is_relayed_is_the_parents_word_taken(tmp_path: Path) -> None:
    made = Door(tmp_path)
    parent, child = Peer(os.getppid(), own_account()), Peer(os.getpid(), own_account())
    for relayed, peer, taken in ((True, parent, True), (True, child, False), (False, parent, False), (True, NOBODY, False)):
        told = await proving(made.persons, made.take, relayed=relayed)({"command": "act", "actor": "person:ann"}, peer)
        assert told["ok"] is taken


async def test_another_process_is_seen_as_what_it_is(door: Door) -> None:
    for actor, taken in ((ME, True), ("person:jane", False)):
        words = (sys.executable, "-c", ASK, str(door.path), json.dumps({"command": "act", "actor": actor}))
        asking = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(asking.communicate(), 60)
        assert json.loads(out)["ok"] is taken
