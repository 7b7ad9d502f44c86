"""`ems risk` against a running desk: two people with secrets change a limit, and an order meets it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.acceptance.conftest import watched
from tests.acceptance.test_up import Running, configure, oms, start, stop

pytestmark = pytest.mark.slow
SECRETS = {"jane": "jane has a secret", "omar": "omar has another"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with watched(Running(tmp_path_factory.mktemp("risk"))) as program:
        configure(program)
        path = program.home / "ems.toml"
        path.write_text(path.read_text().partition("\n[risk]")[0])  # wide limits: what is set here is what an order meets
        for person, secret in SECRETS.items():
            (program.home / person).write_text(secret)
            enrolled = program.run("kill", "enroll", "--person", person, "--secret-file", str(program.home / person))
            assert enrolled.returncode == 0, enrolled.stderr
        program.up = start(program)
        yield program
        stop(program.up)


def risk(
    program: Running, *words: str, person: str = "jane", approver: str = "omar", secret: str = ""
) -> tuple[int, dict[str, Any]]:
    """With the person's secret, or another's; and the approver's where one is asked."""
    names = ["--person", person, "--secret-file", str(program.home / (secret or person)), "--reason", "a test"]
    second = ["--approver", approver, "--approver-secret-file", str(program.home / approver)] if words[0] != "enable" else []
    done = program.run("risk", *words, *names, *second, "--json")
    assert done.stderr == "", done.stderr
    return done.returncode, json.loads(done.stdout)


def limits(program: Running) -> dict[str, dict[str, Any]]:
    done = program.run("risk", "limits", "--json")
    return {one["check"]: one for one in json.loads(done.stdout)["limits"]}


def sent(program: Running, quantity: int) -> dict[str, Any]:
    return oms(program, "send", "--symbol", "DEMO", "--qty", str(quantity), "--algo", "twap", "--minutes", "30")[1][0]


def test_two_people_set_override_and_retire_a_limit(running: Running) -> None:
    assert risk(running, "set", "max_quantity", "--value", "500", "--level", "soft", "--applies", "parent") == (
        0, {"ok": True, "text": "the limit is in force"}
    )  # fmt: skip
    found = next(one for one in json.loads(running.run("risk", "limits", "--json").stdout)["limits"] if one["level"] == "soft")
    assert (found["check"], found["value"], found["unit"], found["approver"]) == (
        "max_quantity",
        "500",
        "quantity",
        "person:omar",
    )
    refused = sent(running, 600)
    assert (refused["exec_type"], "max quantity" in refused["text"]) == ("rejected", True)
    code, told = risk(running, "override", "OMS1", refused["cl_ord_id"])
    assert (code, told["text"]) == (0, "one order like it may pass")
    assert sent(running, 600)["exec_type"] == "new"
    assert sent(running, 600)["exec_type"] == "rejected", "one order, not two"
    assert risk(running, "retire", "max_quantity", "--level", "soft", "--applies", "parent")[0] == 0
    assert sent(running, 600)["exec_type"] == "new"
    assert "limits" in running.run("risk", "--help").stdout


@pytest.mark.parametrize(
    ("words", "who", "text"),
    [
        (("set", "max_quantity", "--value", "5"), {"approver": "jane"}, "the approver is another person than the one who asks"),
        (("set", "max_quantity", "--value", "5"), {"secret": "omar"}, "that is not jane's secret"),
        (("set", "max_quantity", "--value", "5", "--unit", "money"), {}, "max_quantity is in quantity, not in money"),
        (("retire", "adv_share"), {}, "there is no hard limit adv_share"),
        (("override", "OMS1", "NONE"), {}, "risk has refused no order NONE of OMS1 today"),
        (("enable", "twap"), {}, "the strategy twap is not disabled"),
        (("enable", "twap"), {"secret": "omar"}, "that is not jane's secret"),
    ],
)
def test_what_is_refused_changes_nothing(running: Running, words: tuple[str, ...], who: dict[str, str], text: str) -> None:
    before = limits(running)
    code, told = risk(running, *words, **who)
    assert (code, told["ok"]) == (1, False)
    assert told["text"].startswith(text)
    assert limits(running) == before


def test_a_limit_that_people_set_outlives_a_restart_that_says_nothing_new(running: Running) -> None:
    assert risk(running, "set", "max_quantity", "--value", "700")[0] == 0
    with running.down():
        pass
    assert limits(running)["max_quantity"]["value"] == "700"
    assert limits(running)["message_rate"]["approver"].startswith("config:")
