"""`ems bench tape` measures what it claims: the decoded day is the recorded one, and its orders are complete."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ems.bench import tape
from ems.bench.tape_stream import Stream, data_directory, for_peers, made_stream


@pytest.fixture(scope="module")
def stream() -> Stream:
    if not (data_directory() / "lobster").exists():
        pytest.skip("recorded market data is not here: lobster")
    return made_stream(instruments=4, records_each=3_000)


@pytest.mark.needs_data
def test_the_stream_has_every_type_and_says_the_recorded_day(stream: Stream) -> None:
    decoded, seconds = tape.decoded(stream)
    assert seconds > 0
    tape.verify(stream, decoded)
    decoded["price_ticks"][np.flatnonzero(decoded["kind"] == 1)[7]] += 1
    with pytest.raises(AssertionError):
        tape.verify(stream, decoded)


@pytest.mark.needs_data
def test_the_records_complete_themselves_and_books_take_them(stream: Stream) -> None:
    decoded, _ = tape.decoded(stream)
    seconds, whole = tape.resolved(decoded)
    assert seconds > 0 and tape.booked(whole) > 0
    mine = whole[whole["order_id"] > 0]
    told = stream.tape[stream.tape["order_id"] > 0]
    assert np.array_equal(mine["side"], told["side"]) and np.array_equal(mine["size_lots"], told["size_lots"])


@pytest.mark.needs_data
def test_peers_read_the_same_bytes_but_for_one_type(stream: Stream) -> None:
    found, at, letters = for_peers(stream.data, 2_000), 0, []
    while at < len(found):
        letters.append(chr(found[at + 2]))
        at += 2 + int.from_bytes(found[at : at + 2], "big")
    assert at == len(found) and len(letters) == 2_000 and "O" not in letters


def test_a_peer_that_is_not_there_is_null_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EMS_EVAL_PYTHON", str(tmp_path / "none"))
    assert tape._peer("meatpy", tmp_path)["meatpy_eps"] is None
    monkeypatch.setenv("EMS_EVAL_PYTHON", sys.executable)
    found = tape._peer("nosuch", tmp_path)
    assert found["nosuch_eps"] is None and "nosuch" in found["nosuch_why"]
