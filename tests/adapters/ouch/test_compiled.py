"""The compiled encoders and the reader of reports, against messages put together field by field as the specification says."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from adapters.ouch import compiled as c
from adapters.ouch import layout as lo

AAPL = c.symbol_number("AAPL")
TEXT = b" " * 14
AT = 5  # encoders write anywhere in a buffer


def framed(message: bytes) -> bytes:
    return struct.pack(">Hc", len(message) + 1, b"U") + message


def written(put: object, *arguments: object, room: int = 128) -> bytes:
    out = np.full(room, 0xEE, np.uint8)
    end = put(out, AT, *arguments)  # type: ignore[operator]
    assert bytes(out[:AT]) == b"\xee" * AT and bytes(out[end:]) == b"\xee" * (room - end)
    return bytes(out[AT:end])


ENTER = struct.pack(">cIcI8sQccccc", b"O", 7, b"B", 300, b"AAPL    ", 1_234_500, b"0", b"Y", b"P", b"N", b"N") + TEXT
REPLACE = struct.pack(">cIIIQccc", b"U", 7, 8, 200, 99, b"0", b"Y", b"N") + TEXT
POST = b"\x00\x03\x02\x0cP"


@pytest.mark.parametrize(
    ("put", "arguments", "message", "longest"),
    [
        (c.put_enter, (7, 1, 300, AAPL, 1_234_500, c.DAY, c.SHOWN, False), ENTER + b"\0\0", c.ENTER_MAX),
        (c.put_enter, (7, 1, 300, AAPL, 1_234_500, c.DAY, c.SHOWN, True), ENTER + POST, c.ENTER_MAX),
        (
            c.put_enter,
            (7, -1, 300, AAPL, 1_234_500, c.IOC, c.HIDDEN, False),
            (ENTER[:5] + b"S" + ENTER[6:26] + b"3N" + ENTER[28:] + b"\0\0"),
            c.ENTER_MAX,
        ),
        (c.put_enter, (7, -2, 300, AAPL, 1_234_500, c.DAY, c.SHOWN, False), ENTER[:5] + b"T" + ENTER[6:] + b"\0\0", c.ENTER_MAX),
        (c.put_replace, (7, 8, 200, 99, c.DAY, c.SHOWN, False), REPLACE + b"\0\0", c.REPLACE_MAX),
        (c.put_replace, (7, 8, 200, 99, c.DAY, c.SHOWN, True), REPLACE + POST, c.REPLACE_MAX),
        (c.put_cancel, (7, 0), struct.pack(">cII", b"X", 7, 0), c.CANCEL_MAX),
        (c.put_cancel, (2**32 - 1, 50), struct.pack(">cII", b"X", 2**32 - 1, 50), c.CANCEL_MAX),
        (c.put_mass_cancel, (9, 0, 0, 0), struct.pack(">cI4s8s", b"C", 9, b" " * 4, b" " * 8), c.MASS_CANCEL_MAX),
        (
            c.put_mass_cancel,
            (9, int.from_bytes(b"FIRM", "big"), AAPL, -1),
            struct.pack(">cI4s8s", b"C", 9, b"FIRM", b"AAPL    ") + b"\x00\x03\x02\x1bS",
            c.MASS_CANCEL_MAX,
        ),
        (c.put_account_query, (), b"Q", 4),
    ],
)
def test_each_request_is_written_whole_or_not_at_all(
    put: object, arguments: tuple[object, ...], message: bytes, longest: int
) -> None:
    assert written(put, *arguments) == framed(message)
    assert len(framed(message)) <= longest
    assert written(put, *arguments, room=AT + longest) == framed(message)
    assert written(put, *arguments, room=AT + longest - 1) == b""


def test_a_heartbeat() -> None:
    assert written(c.put_beat) == b"\x00\x01R"
    assert written(c.put_beat, room=AT + 2) == b""


def test_the_longest_frames_are_what_is_said() -> None:
    assert len(framed(ENTER + POST)) == c.ENTER_MAX and len(framed(REPLACE + POST)) == c.REPLACE_MAX


ORDER = struct.pack(">cI8sQcc", b"S", 300, b"AAPL    ", 1_234_500, b"0", b"Y")
TERMS = struct.pack(">Qcccc14s", 77, b"P", b"N", b"N", b"L", TEXT)
TOLD = {"SIDE": -1, "SHARES": 300, "SYMBOL": AAPL, "PRICE_E4": 1_234_500, "TIF": ord("0"), "DISPLAY": ord("Y"), "ORDER_ID": 77}
REPORTS = [
    (struct.pack(">cQc", b"S", 5, b"S"), {"EVENT": ord("S")}),
    (struct.pack(">cQI", b"A", 5, 7) + ORDER + TERMS, {"REF": 7, "STATE": 1, **TOLD}),
    (struct.pack(">cQII", b"U", 5, 7, 8) + ORDER + TERMS[:11] + b"D" + TEXT, {"REF": 8, "REF_OLD": 7, "STATE": 0, **TOLD}),
    (struct.pack(">cQIIc", b"C", 5, 7, 100, b"U"), {"REF": 7, "SHARES": 100, "REASON": ord("U")}),
    (
        struct.pack(">cQIIcIQcc", b"D", 5, 7, 100, b"Q", 40, 99, b"A", b"O"),
        {"REF": 7, "SHARES": 100, "REASON": ord("Q"), "PREVENTED": 40, "PRICE_E4": 99, "LIQUIDITY": ord("A")},
    ),
    (
        struct.pack(">cQIIQcQ", b"E", 5, 7, 100, 99, b"A", 2**63),
        {"REF": 7, "SHARES": 100, "PRICE_E4": 99, "LIQUIDITY": ord("A"), "MATCH": -(2**63)},
    ),
    (struct.pack(">cQIQc14s", b"B", 5, 7, 3, b"S", TEXT), {"REF": 7, "MATCH": 3, "REASON": ord("S")}),
    (struct.pack(">cQIH14s", b"J", 5, 7, 0x1D, TEXT), {"REF": 7, "REASON": 0x1D}),
    (struct.pack(">cQI", b"P", 5, 7), {"REF": 7}),
    (struct.pack(">cQI", b"I", 5, 7), {"REF": 7}),
    (struct.pack(">cQIQcQ", b"T", 5, 7, 99, b"Y", 78), {"REF": 7, "PRICE_E4": 99, "DISPLAY": ord("Y"), "ORDER_ID": 78}),
    (struct.pack(">cQIcI", b"M", 5, 7, b"B", 100), {"REF": 7, "SIDE": 1, "SHARES": 100}),
    (struct.pack(">cQIc", b"R", 5, 7, b"R"), {"REF": 7, "REASON": ord("R")}),
    (
        struct.pack(">cQI4s8s", b"X", 5, 9, b"FIRM", b"AAPL    "),
        {"REF": 9, "FIRM": int.from_bytes(b"FIRM", "big"), "SYMBOL": AAPL},
    ),
    (struct.pack(">cQI", b"Q", 5, 11), {"NEXT_REF": 11}),
]


@pytest.mark.parametrize(("message", "told"), REPORTS, ids=lambda value: chr(value[0]) if isinstance(value, bytes) else "")
def test_each_report_is_read_with_and_without_an_appendage(message: bytes, told: dict[str, int]) -> None:
    expected = np.zeros(lo.FIELDS, np.int64)
    expected[lo.TIME_NS] = 5
    for name, value in told.items():
        expected[getattr(lo, name)] = value
    for appendage in (b"", b"\0\0", b"\0\x0a\x09\x01" + bytes(8)):
        fields = np.full(lo.FIELDS, 99, np.int64)
        data = np.frombuffer(message + appendage, np.uint8)
        assert c.read_report(data, len(data), fields) == message[0]
        assert fields.tolist() == expected.tolist()
    for wrong in (message[:-1], message + b"\0", message + b"\0\x01", message + b"\0\0\0", b""):
        fields = np.full(lo.FIELDS, 99, np.int64)
        assert c.read_report(np.frombuffer(wrong, np.uint8), len(wrong), fields) == c.WRONG_LENGTH
        assert not fields.any()


def test_what_is_no_report() -> None:
    fields = np.full(lo.FIELDS, 99, np.int64)
    data = np.frombuffer(b"z1234567890", np.uint8)
    assert c.read_report(data, len(data), fields) == c.UNKNOWN_TYPE and not fields.any()
    assert c.read_report(data, len(data) + 1, fields) == c.WRONG_LENGTH
    assert c.read_report_at(data, -1, 2, fields) == c.WRONG_LENGTH


def test_frames_are_split_wherever_the_bytes_were_cut() -> None:
    stream = framed(b"one") + b"\x00\x01H" + framed(b"three")
    for cut in range(len(stream) + 1):
        buffer, start, found = np.zeros(64, np.uint8), 0, []
        for end in (cut, len(stream)):
            buffer[:end] = np.frombuffer(stream[:end], np.uint8)
            while True:
                kind, at, length, after = c.next_frame(buffer, start, end)
                if kind == c.PARTIAL:
                    assert after == start
                    break
                found.append((chr(kind), bytes(buffer[at : at + length])))
                start = after
        assert found == [("U", b"one"), ("H", b""), ("U", b"three")]


def test_lengths_that_no_peer_of_good_will_sends_break_the_connection() -> None:
    for hostile in (b"\x00\x00U", b"\xff\xffU", b"\x00\x3fU"):
        buffer = np.zeros(64, np.uint8)
        buffer[:3] = np.frombuffer(hostile, np.uint8)
        assert c.next_frame(buffer, 0, 3)[0] == c.BROKEN
    buffer[:3] = np.frombuffer(b"\x00\x3eU", np.uint8)  # a frame of 64 bytes just fits
    assert c.next_frame(buffer, 0, 3)[0] == c.PARTIAL and c.next_frame(buffer, 0, 64) == (ord("U"), 3, 61, 64)
    assert c.next_frame(buffer, 0, 65)[0] == c.PARTIAL and c.next_frame(buffer, -1, 9)[0] == c.PARTIAL


def test_symbols() -> None:
    assert c.symbol_number("A") == int.from_bytes(b"A       ", "big")
    for wrong in ("", "TOOLONGER", "Ä"):
        with pytest.raises(ValueError):
            c.symbol_number(wrong)
