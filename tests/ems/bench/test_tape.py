"""`ems bench tape` measures what it claims: the decoded day is the recorded one, and the books are what its orders left."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from ems.bench import tape, tape_book
from ems.bench.tape_stream import Stream, data_directory, datagrams_of, for_peers, made_stream


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
def test_the_books_are_verified_whole_and_datagram_by_datagram(stream: Stream) -> None:
    left = tape_book.left_at_the_end(stream.tape, 4)
    assert (left[:, :, 1] > 0).all() and (left[:, 0, 0] < left[:, 0, 2]).all()
    datagrams = datagrams_of(stream.data)
    assert int(datagrams.messages.sum()) == stream.messages
    assert tape_book.block_seconds(stream, left) > 0
    assert len(tape_book.datagram_us(stream, datagrams, left)) == len(datagrams.messages)
    left[2, 9, 3] += 1
    with pytest.raises(AssertionError):
        tape_book.block_seconds(stream, left)


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
