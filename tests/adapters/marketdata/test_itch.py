"""ITCH 5.0 to the tape and back: every message type, the identity, and that no bytes whatever hurt it."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.marketdata.itch import decode, decode_frames
from adapters.marketdata.itch_encode import encode
from adapters.marketdata.itch_layout import LENGTHS, Itch, directory, fault_report, make_state
from adapters.marketdata.itch_messages import decode_message
from adapters.marketdata.itch_orders import TAKEN_ID, UNKNOWN, make_orders, resolve
from adapters.marketdata.lobster import midnight_ns, read_zip
from adapters.marketdata.named_orders import named_orders
from domain.errors import ReferenceDataError
from domain.tape import (
    FLAG_ALL,
    FLAG_AT_PRICE,
    FLAG_HALF_TICK,
    FLAG_NO_PRINT,
    FLAG_REPLACED,
    Kind,
    Status,
    Tape,
    empty_tape,
    tape_of,
)
from tests.adapters.marketdata.itch_bytes import EVERY, MIDNIGHT_NS, OPEN_NS, add, framed, message, mixed, spoiled

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "lobster"
T = MIDNIGHT_NS + OPEN_NS
NAMED = FLAG_ALL | FLAG_REPLACED

# What each type says, as (id, ticks, lots, flags, kind, side); the rest of the types say nothing.
SAYS: dict[str, list[tuple[int, int, int, int, Kind, int]]] = {
    "A": [(5, 1234, 300, 0, Kind.ADD, 1)],
    "F": [(6, 1235, 200, 0, Kind.ADD, -1)],
    "E": [(5, 0, 100, 0, Kind.EXECUTE, 0)],
    "C": [(5, 1234, 50, FLAG_AT_PRICE | FLAG_NO_PRINT | FLAG_HALF_TICK, Kind.EXECUTE, 0)],
    "X": [(5, 0, 25, 0, Kind.CANCEL, 0)],
    "D": [(5, 0, 0, FLAG_ALL, Kind.CANCEL, 0)],
    "U": [(6, 0, 0, NAMED, Kind.CANCEL, 0), (8, 1236, 150, 0, Kind.ADD, 0)],
    "P": [(0, 1234, 70, FLAG_HALF_TICK, Kind.TRADE, -1)],
    "Q": [(0, 1234, 5000, 0, Kind.CROSS, 0)],
    "H": [(0, 0, Status.HALTED, 0, Kind.STATUS, 0)],
    "h": [(0, 0, Status.HALTED, 0, Kind.STATUS, 0)],
}


def state(**settings: bool) -> Itch:
    return make_state(MIDNIGHT_NS, instruments={7: 7}, side_told=True, **settings)


def expected(rows: list[tuple[int, int, int, int, Kind, int]]) -> Tape:
    return tape_of([(T, T, *row[:3], 7, row[3], int(row[4]), row[5]) for row in rows])


def test_there_is_a_sample_of_every_type_with_its_length() -> None:
    assert {letter: len(body) for letter, body in EVERY.items()} == LENGTHS


@pytest.mark.parametrize("letter", LENGTHS)
def test_every_message_type_says_what_the_table_says(letter: str) -> None:
    s = state()
    found = decode(s, framed(EVERY[letter]))
    assert found.tape.tolist() == expected(SAYS.get(letter, [])).tolist()
    assert int(s.counts[ord(letter)]) == int(s.counts.sum()) == 1
    assert fault_report(s) == {}


def test_the_directory_names_instruments_and_the_chosen_ones_are_followed() -> None:
    other = message("R", "8s20s", b"QQQ     ", bytes(20), locate=9)
    data = framed(EVERY["R"], other, add(locate=7), add(locate=9, order_id=6), add(locate=3))
    every = make_state(MIDNIGHT_NS)
    assert decode(every, data).tape["instrument"].tolist() == [7, 9]
    assert directory(every) == {7: "AMZN", 9: "QQQ"}
    assert fault_report(every) == {"unknown_locate": (1, len(data) - 36)}
    chosen = make_state(MIDNIGHT_NS, symbols=["QQQ"], units={"QQQ": 1})
    tape = decode(chosen, data).tape
    assert tape["instrument"].tolist() == [9] and tape["price_ticks"].tolist() == [123_400]


BAD = {
    "unknown_type": b"?" + add()[1:],
    "wrong_length": add()[:-1],
    "unknown_locate": add(locate=8),
    "bad_time": add(ns=86_400_000_000_000),
    "bad_side": add(side=b"x"),
    "bad_price": add(price=2**32 - 1),
    "bad_size": add(size=0),
    "bad_id": add(order_id=2**62),
    "contradiction": message("R", "8s20s", b"OTHER   ", bytes(20)),
    "empty": b"",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_message_is_counted_with_its_offset_and_passed_over(kind: str) -> None:
    good = framed(EVERY["R"], add(order_id=1))
    s = make_state(MIDNIGHT_NS)
    found = decode(s, good + framed(BAD[kind], BAD[kind], add(order_id=2)))
    assert found.tape["order_id"].tolist() == [1, 2]
    assert fault_report(s) == {kind: (2, len(good) + 2)}


def test_a_backward_clock_and_an_off_tick_price_are_counted_and_kept() -> None:
    s = state()
    orders = [add(1), add(2, ns=OPEN_NS - 1), add(3, price=123_401), add(4, price=123_401, side=b"S")]
    tape = decode(s, framed(*orders)).tape
    assert tape["ts_event_ns"].tolist() == [T, T - 1, T, T]
    assert tape["price_ticks"].tolist() == [1234, 1234, 1234, 1235], "it never improves"
    assert fault_report(s) == {"backward_time": (1, 40), "off_tick": (2, 78)}


def test_bytes_that_end_anywhere_say_so_and_go_on_where_they_ended() -> None:
    data = framed(EVERY["R"], *[EVERY[letter] for letter in LENGTHS])
    whole = decode(make_state(MIDNIGHT_NS), data).tape.tolist()
    for cut in range(len(data)):
        s = make_state(MIDNIGHT_NS)
        first = decode(s, data[:cut], last=False)
        second = decode(s, data[first.consumed :])
        assert first.tape.tolist() + second.tape.tolist() == whole
        assert fault_report(s) == {}
        s = make_state(MIDNIGHT_NS)
        decode(s, data[:cut])
        assert fault_report(s) == ({} if first.consumed == cut else {"truncated": (1, first.consumed)})


def test_halts_of_both_kinds_together() -> None:
    def halt(letter: bytes) -> bytes:
        return message("H", "8sc5s", b"AMZN    ", letter, bytes(5))

    def operational(letter: bytes, market: bytes = b"Q") -> bytes:
        return message("h", "8scc", b"AMZN    ", market, letter)

    told = [halt(b"P"), operational(b"H"), operational(b"H", b"B"), halt(b"T"), operational(b"T"), halt(b"Q"), halt(b"T")]
    tape = decode(state(), framed(*told)).tape
    assert tape["size_lots"].tolist() == [Status.PAUSED, Status.PAUSED, Status.HALTED, 0, Status.QUOTING, 0]


def slowly(s: Itch, data: bytes) -> Tape:
    """Frame by frame through the careful path alone."""
    view, at, n, out = np.frombuffer(bytearray(data), np.uint8), 0, 0, empty_tape(len(data))
    while at + 2 <= len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        if at + 2 + length > len(data):
            break
        n = decode_message(s, view, at + 2, length, 0, out, n)
        at += 2 + length
    return out[:n]


@pytest.mark.parametrize("seed", range(40))
def test_spoiled_streams_are_read_alike_by_the_fast_and_the_careful_path(seed: int) -> None:
    random = Random(seed)
    data = framed(*mixed(random, 200))
    for _ in range(20):
        bad = spoiled(random, data)
        fast, careful = make_state(MIDNIGHT_NS), make_state(MIDNIGHT_NS)
        assert decode(fast, bad, last=False).tape.tolist() == slowly(careful, bad).tolist()
        assert fault_report(fast) == fault_report(careful)
        assert fast.counts.tolist() == careful.counts.tolist()


@pytest.mark.parametrize("seed", range(20))
def test_nothing_behind_the_given_bytes_is_looked_at(seed: int) -> None:
    random = Random(1000 + seed)
    bad = spoiled(random, framed(*mixed(random, 100)))
    found = []
    for filler in (b"\x00", b"\xff", b"A"):
        s, out = make_state(MIDNIGHT_NS), empty_tape(len(bad))
        view = np.frombuffer(bytearray(bad + filler * 100), np.uint8)
        at, n = decode_frames(s, view, 0, len(bad), 0, out, 0)
        found.append((at, out[:n].tolist(), fault_report(s)))
    assert found[0] == found[1] == found[2]


def test_it_stops_where_the_records_have_no_room_and_goes_on() -> None:
    data = np.frombuffer(bytearray(framed(*[EVERY["U"]] * 5)), np.uint8)
    s, out = state(), empty_tape(7)
    at, n = decode_frames(s, data, 0, len(data), 0, out, 0)
    assert (at, n) == (3 * 37, 6)
    assert decode_frames(s, data, at, len(data), 0, out, 0) == (len(data), 4)


SIZES = st.integers(1, 2**32 - 1)
PRICES = st.integers(1, 19_999_999)
IDS = st.integers(1, 2**62 - 1)


@st.composite
def tapes(draw: st.DrawFn) -> Tape:
    """Tapes of everything that ITCH can say, with what it leaves to the reader blank."""
    rows, ns = [], OPEN_NS
    for _ in range(draw(st.integers(0, 20))):
        ns += draw(st.integers(0, 10**9))
        head, where = (MIDNIGHT_NS + ns,) * 2, draw(st.sampled_from([0, 1, 65_535]))
        half, side = draw(st.sampled_from([0, FLAG_HALF_TICK])), draw(st.sampled_from([-1, 1]))
        made: list[tuple[int, ...]] = {
            "add": [(draw(IDS), draw(PRICES), draw(SIZES), where, 0, Kind.ADD, side)],
            "part": [(draw(IDS), 0, draw(SIZES), where, 0, Kind.CANCEL, 0)],
            "whole": [(draw(IDS), 0, 0, where, FLAG_ALL, Kind.CANCEL, 0)],
            "replace": [
                (draw(IDS), 0, 0, where, NAMED, Kind.CANCEL, 0),
                (draw(IDS), draw(PRICES), draw(SIZES), where, 0, Kind.ADD, 0),
            ],
            "execute": [(draw(IDS), 0, draw(SIZES), where, 0, Kind.EXECUTE, 0)],
            "at": [(draw(IDS), draw(PRICES), draw(SIZES), where, FLAG_AT_PRICE | half, Kind.EXECUTE, 0)],
            "trade": [(0, draw(PRICES), draw(SIZES), where, half, Kind.TRADE, draw(st.sampled_from([-1, 0, 1])))],
            "cross": [(0, draw(PRICES), draw(st.integers(1, 2**63 - 1)), where, half, Kind.CROSS, 0)],
            "status": [(0, 0, draw(st.integers(0, 3)), where, 0, Kind.STATUS, 0)],
        }[draw(st.sampled_from("add part whole replace execute at trade cross status".split()))]
        rows += [(*head, *one) for one in made]
    return tape_of(rows)


@given(tapes())
def test_tape_to_itch_to_tape_is_the_identity(tape: Tape) -> None:
    s = make_state(MIDNIGHT_NS, side_told=True)
    data = encode(tape, MIDNIGHT_NS, {0: "A", 1: "B.C", 65_535: "EIGHTCHR"})
    assert decode(s, data).tape.tolist() == tape.tolist()
    assert fault_report(s) == {}
    assert directory(s) == {0: "A", 1: "B.C", 65_535: "EIGHTCHR"}


@pytest.mark.needs_data
def test_a_real_day_comes_back_from_itch_complete() -> None:
    path = DATA / "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
    if not path.exists():
        pytest.skip(f"recorded market data is not here: {path.name}")
    tape = named_orders(read_zip(path, instrument=7).tape)
    midnight = midnight_ns("2012-06-21")
    s, orders = make_state(midnight, side_told=True), make_orders()
    found = decode(s, encode(tape, midnight, {7: "AMZN"})).tape
    assert set(found[found["kind"] == Kind.EXECUTE]["side"]) == {0}
    resolve(orders, found, 0)
    assert np.array_equal(found, tape)
    assert fault_report(s) == {} and orders.meta[UNKNOWN] == orders.meta[TAKEN_ID] == 0


@pytest.mark.parametrize("kind", [Kind.LEVEL, Kind.CLEAR, Kind.MODIFY])
def test_what_itch_cannot_say_is_refused_by_its_index(kind: Kind) -> None:
    good = (T, T, 1, 100, 10, 7, 0, int(Kind.ADD), 1)
    with pytest.raises(ReferenceDataError, match="record 1 is nothing"):
        encode(tape_of([good, (T, T, 1, 100, 10, 7, 0, int(kind), 1)]), MIDNIGHT_NS, {7: "AMZN"})


@pytest.mark.parametrize(
    ("field", "value"),
    [("instrument", 8), ("price_ticks", 20_000_001), ("price_ticks", -1), ("size_lots", 2**32), ("ts_event_ns", MIDNIGHT_NS - 1)],
)
def test_a_number_that_has_no_place_in_a_message_is_refused(field: str, value: int) -> None:
    tape = tape_of([(T, T, 1, 100, 10, 7, 0, int(Kind.ADD), 1)])
    tape[field] = value
    with pytest.raises(ReferenceDataError, match="record 0 is nothing"):
        encode(tape, MIDNIGHT_NS, {7: "AMZN"})
