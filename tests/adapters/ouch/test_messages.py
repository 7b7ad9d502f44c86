"""Readable OUCH messages: there and back is the same, whatever the bytes; compiled and readable agree."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ouch import compiled as c
from adapters.ouch import layout as lo
from adapters.ouch.messages import Message, Value, decode, encode
from domain.errors import LinkError


def values(field: lo.Field) -> st.SearchStrategy[Value]:
    if field.kind == "u":
        return st.integers(0, (1 << (8 * field.width)) - 1)
    letters = st.characters(min_codepoint=1, max_codepoint=255)
    return st.text(letters, max_size=field.width).map(lambda text: text.rstrip(" "))


def messages(way: lo.Way) -> st.SearchStrategy[Message]:
    options = st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=12)), max_size=4).map(tuple)
    return st.one_of(
        st.builds(Message, st.just(each.name), st.fixed_dictionaries({f.name: values(f) for f in each.fields}), options)
        for each in lo.LAYOUTS[way].values()
    )


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["in", "out"]).flatmap(lambda way: st.tuples(st.just(way), messages(way))))
def test_there_and_back_is_the_same(pair: tuple[lo.Way, Message]) -> None:
    way, message = pair
    data = encode(way, message)
    assert decode(way, data) == message
    assert encode(way, decode(way, data)) == data


@settings(max_examples=100, deadline=None)
@given(messages("out"))
def test_the_compiled_reader_reads_the_same(message: Message) -> None:
    data = np.frombuffer(encode("out", message), np.uint8)
    fields = np.zeros(lo.FIELDS, np.int64)
    assert c.read_report(data, len(data), fields) == ord(lo.NAMES["out"][message.name].letter)
    for name, at in {"time_ns": lo.TIME_NS, "user_ref_num": lo.REF, "quantity": lo.SHARES, "price": lo.PRICE_E4}.items():
        if name in message.fields:
            assert int(fields[at]) % (1 << 64) == message.number(name)
    if "symbol" in message.fields:
        assert int(fields[lo.SYMBOL]) % (1 << 64) == int.from_bytes(message.text("symbol").encode("latin-1").ljust(8), "big")
    if "side" in message.fields:
        assert fields[lo.SIDE] == {"B": 1, "": -1}.get(message.text("side"), -1)
    if "state" in message.fields:
        assert fields[lo.STATE] == (message.text("state") == "L")


def test_twenty_five_thousand_spoiled_messages_neither_fail_nor_hang() -> None:
    rng = np.random.default_rng(5)
    good = [encode("out", decode("out", bytes([ord(each.letter)]) + bytes(each.size - 1))) for each in lo.LAYOUTS["out"].values()]
    fields = np.zeros(lo.FIELDS, np.int64)
    known = refused = 0
    for _ in range(25_000):
        data = np.frombuffer(good[rng.integers(len(good))] + rng.bytes(rng.integers(0, 6)), np.uint8).copy()
        data[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        if rng.random() < 0.5:
            data = data[: rng.integers(0, len(data) + 1)]
        kind = c.read_report(data, len(data), fields)
        try:
            message = decode("out", data.tobytes())
            known += 1
        except LinkError:
            refused += 1
            continue
        assert kind == ord(lo.NAMES["out"][message.name].letter)
    assert known > 1_000 and refused > 5_000


def test_twenty_five_thousand_spoiled_streams_neither_fail_nor_hang() -> None:
    rng = np.random.default_rng(6)
    frame = np.frombuffer(b"\x00\x15S" + bytes(20) + b"\x00\x01H", np.uint8)
    buffer = np.zeros(512, np.uint8)
    ends = set()
    for _ in range(25_000):
        size = int(rng.integers(0, 513))
        buffer[:size] = np.resize(frame, size)
        if size:
            buffer[rng.integers(0, size, 2)] = rng.integers(0, 256, 2)
        start, kind, steps = 0, 1, 0
        while kind not in (c.PARTIAL, c.BROKEN):
            kind, at, length, after = c.next_frame(buffer, start, size)
            assert start <= after <= size and at + length <= 512 and length >= 0
            start, steps = after, steps + 1
        assert steps <= size + 1
        ends.add(int(kind))
    assert ends == {c.PARTIAL, c.BROKEN}


@pytest.mark.parametrize(
    ("way", "message", "why"),
    [
        ("in", Message("executed", {}), "no message"),
        ("in", Message("cancel", {"user_ref_num": 1}), "missing"),
        ("in", Message("cancel", {"user_ref_num": 1, "quantity": 1, "more": 2}), "too many"),
        ("in", Message("cancel", {"user_ref_num": 1 << 32, "quantity": 0}), "fit"),
        ("in", Message("cancel", {"user_ref_num": -1, "quantity": 0}), "fit"),
        ("in", Message("cancel", {"user_ref_num": "1", "quantity": 0}), "fit"),
        ("in", Message("mass_cancel", {"user_ref_num": 1, "firm": "FIRMS", "symbol": ""}), "fit"),
        ("in", Message("account_query", {}, ((300, b""),)), "option"),
        ("in", Message("account_query", {}, ((3, bytes(255)),)), "option"),
        ("in", Message("account_query", {}, ((3, bytes(254)),) * 300), "appendage"),
    ],
)
def test_what_is_no_message_is_not_written(way: lo.Way, message: Message, why: str) -> None:
    with pytest.raises(LinkError, match=why):
        encode(way, message)


@pytest.mark.parametrize("data", [b"", b"Z", b"X\0\0", b"Q\0", b"Q\0\1", b"Q\0\1\0", b"Q\0\2\3\1", b"Q\0\1\1\1"])
def test_what_is_no_message_is_not_read(data: bytes) -> None:
    with pytest.raises(LinkError):
        decode("in", data)


def test_options() -> None:
    message = decode("in", b"Q\0\x03\x02\x0cP")
    assert message.option(lo.Option.POST_ONLY) == b"P" and message.option(lo.Option.SIDE) == b""
