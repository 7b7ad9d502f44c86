"""The test's own parts, tested against each other: the two ends of a session, the vocabulary of versions, the judge."""

from __future__ import annotations

import socket

import pytest

from tests.acceptance.fix.judge import Failed, compare, rules
from tests.acceptance.fix.matrices import Report
from tests.acceptance.fix.peer import Peer
from tests.acceptance.fix.versions import VERSIONS, Fields
from tests.waiting import until


@pytest.mark.parametrize("name", VERSIONS)
async def test_what_is_sent_arrives_once_and_in_order_also_over_a_lost_connection(name: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    client, venue = Peer(VERSIONS[name], "A", "B"), Peer(VERSIONS[name], "B", "A")
    came: list[str] = []
    venue.received = lambda message: came.append(message["11"])
    await venue.listen(port)
    await client.connect(port)
    client.send("F", {"11": "1", "41": "0"})
    await until(lambda: came == ["1"])
    client._down()
    venue._down()
    for number in ("2", "3"):  # nobody gets these now: they are asked for after the next logon
        client.send("F", {"11": number, "41": "0"})
    await until(lambda: came == ["1", "2", "3"])
    await client.close()
    await venue.close()
    assert client.faults + venue.faults == []


REPORT: Fields = {"35": "8", "40": "2", "59": "0", "39": "1"}


@pytest.mark.parametrize("exec_type", "0 3 4 5 6 8 A C D E F G H".split())
def test_a_report_in_42_reads_as_it_was_meant(exec_type: str) -> None:
    then = VERSIONS["4.2"].write("8", REPORT | {"150": exec_type})
    assert then["20"] == {"H": "1", "G": "2"}.get(exec_type, "0")
    assert then["150"] not in "FGH"
    assert VERSIONS["4.2"].read(then)["150"] == exec_type


def test_42_has_words_of_its_own_for_a_status_the_close_and_an_order_that_was_replaced() -> None:
    version = VERSIONS["4.2"]
    assert version.write("8", REPORT | {"150": "I"}) | {"20": "3", "150": "1"} == version.write("8", REPORT | {"150": "I"})
    assert version.write("8", REPORT | {"150": "5", "39": "0"})["39"] == "5"
    assert version.write("D", {"40": "1", "59": "7"}) == {"40": "5", "21": "1"}
    assert version.read({"35": "D", "40": "B"}) == {"35": "D", "40": "2", "59": "7"}
    with pytest.raises(ValueError, match="no ExecType"):
        version.read(REPORT | {"20": "0", "150": "F"})


GOOD: Fields = {
    "35": "8", "37": "O", "17": "E", "150": "0", "39": "0", "55": "S", "54": "1", "151": "1", "14": "0", "6": "0",
}  # fmt: skip


def test_the_judge_sees_what_is_wrong_missing_or_said_twice() -> None:
    compare("a report", GOOD | {"14": "0.00"}, {"14": ("5", "0"), "32": ("0",)})
    for wanted in ({"14": ("1",)}, {"39": ("1",)}, {"41": ("X",)}, {"32": ("100",)}):
        with pytest.raises(Failed, match="a report: "):
            compare("a report", GOOD, wanted)
    new = Report("new", "new", "X")
    rules(new, GOOD, set(), None)
    for spoiled, seen in ((GOOD | {"41": "X"}, set()), ({**GOOD, "6": ""} | {}, {"E"}), ({"35": "8", "37": "O"}, set())):
        with pytest.raises(Failed):
            rules(new, spoiled, seen, None)
