"""MoldUDP64: whatever order datagrams come in, the tape is that of the stream, or says how much of it is missing."""

from __future__ import annotations

import struct
from random import Random

import numpy as np
import pytest

from adapters.marketdata.itch import decode
from adapters.marketdata.itch_layout import fault_report, make_state
from adapters.marketdata.mold import (
    CUT,
    DUPLICATES,
    ENDED,
    FOREIGN,
    HEARTBEATS,
    LOST,
    NEXT,
    SHORT,
    MoldReceiver,
    MoldSender,
    Verdict,
    decode_datagram,
    make_mold,
)
from adapters.marketdata.pcap import read_capture, read_itch_capture
from domain.errors import ReferenceDataError
from domain.tape import EVERY_INSTRUMENT, Kind, Status, Tape, empty_tape
from tests.adapters.marketdata.itch_bytes import EVERY, MIDNIGHT_NS, add, framed, mixed


def stream(seed: int, count: int = 200) -> tuple[list[bytes], Tape]:
    """Datagrams of a made day, and its tape."""
    frames = framed(*mixed(Random(seed), count))
    return MoldSender("DAY", size_max=200).packets(frames), decode(make_state(MIDNIGHT_NS), frames).tape


def receiver(**settings: int) -> MoldReceiver:
    return MoldReceiver(make_state(MIDNIGHT_NS), next_number=1, **settings)


def received(what: MoldReceiver, datagrams: list[bytes]) -> list[tuple[int, ...]]:
    return [row for datagram in datagrams for row in what.take(datagram).tolist()]


def told(tape: Tape) -> list[tuple[int, int, int]]:
    """(status, how many, instrument) of its STATUS records of the feed."""
    status = tape[(tape["kind"] == Kind.STATUS) & (tape["size_lots"] >= Status.LOST)]
    return [tuple(row) for row in status[["size_lots", "order_id", "instrument"]].tolist()]


def test_datagrams_fit_their_size_and_number_their_messages() -> None:
    datagrams, _ = stream(1)
    number = 1
    for datagram in datagrams:
        session, first, count = struct.unpack_from(">10sQH", datagram)
        assert (session, first) == (b"DAY       ", number) and len(datagram) <= 200
        number += count
    assert number == 202


@pytest.mark.parametrize("seed", range(20))
def test_two_lines_that_lose_reorder_and_repeat_give_the_stream(seed: int) -> None:
    random = Random(seed)
    datagrams, tape = stream(seed)
    sender = MoldSender("DAY", size_max=150)  # the other line packs otherwise
    sender.packets(framed(*mixed(Random(seed), 200)))
    arriving = datagrams * 2 + sender.answer(struct.pack(">10sQH", b"DAY       ", 1, 0xFFFE))
    arriving = sorted(arriving, key=lambda d: struct.unpack_from(">Q", d, 10)[0] + random.randint(-30, 30))
    what = receiver()
    assert received(what, arriving) == tape.tolist()
    assert what.mold.meta[DUPLICATES] > 0 and what.mold.meta[LOST] == 0 and what.request() is None


def test_what_is_missing_is_asked_for_and_the_answer_fills_it() -> None:
    datagrams, tape = stream(3)
    sender = MoldSender("DAY", size_max=200)
    assert sender.packets(framed(*mixed(Random(3), 200))) == datagrams
    what = receiver()
    rows = received(what, datagrams[:4] + datagrams[9:12])
    request = what.request()
    assert request is not None and len(request) == 20
    rows += received(what, sender.answer(request))
    assert what.request() is None
    assert rows + received(what, datagrams[12:]) == tape.tolist()


def test_a_heartbeat_tells_of_what_got_lost_at_the_end() -> None:
    sender, what = MoldSender("DAY"), receiver()
    frames = framed(EVERY["R"], add())
    for datagram in sender.packets(frames):
        lost = datagram
    assert len(what.take(sender.heartbeat())) == 0
    assert what.request() == b"DAY       " + struct.pack(">QH", 1, 2)
    assert what.take(lost)["order_id"].tolist() == [5]
    assert what.mold.meta[HEARTBEATS] == 1


def test_what_is_given_up_is_told_in_the_tape() -> None:
    datagrams, tape = stream(4)
    what = receiver()
    rows = what.take(datagrams[0])
    for datagram in datagrams[3:]:
        assert len(what.take(datagram)) == 0
    missing = struct.unpack_from(">Q", datagrams[3], 10)[0] - struct.unpack_from(">Q", datagrams[1], 10)[0]
    rest = what.abandon()
    assert told(rest) == [(Status.LOST, missing, EVERY_INSTRUMENT)] and rest[0]["kind"] == Kind.STATUS
    assert rest[1:].tolist() == tape[len(tape) - len(rest) + 1 :].tolist()
    assert rows.tolist() == tape[: len(rows)].tolist()
    assert what.mold.meta[LOST] == missing and len(what.abandon()) == 0


def test_too_many_held_datagrams_give_up_by_themselves() -> None:
    datagrams, _ = stream(5)
    what = receiver(held_max=3)
    given = [what.take(datagram) for datagram in datagrams[1:6]]
    assert [len(told(tape)) for tape in given] == [0, 0, 0, 1, 0]


def test_the_end_of_a_session_is_told() -> None:
    sender, what = MoldSender("DAY"), receiver()
    assert told(what.take(sender.end())) == [(Status.ENDED, 0, EVERY_INSTRUMENT)]
    assert what.mold.meta[ENDED] == 1


def test_other_sessions_short_ones_and_wild_numbers_are_counted_and_left() -> None:
    what, good = receiver(), MoldSender("DAY").packets(framed(EVERY["R"]))[0]
    what.take(good)
    for bad in (MoldSender("NIGHT").heartbeat(), good[:19], b"", good[:10] + b"\xff" * 10, good[:10] + b"\x7f" + b"\xff" * 9):
        assert len(what.take(bad)) == 0
    meta = what.mold.meta
    assert (meta[FOREIGN], meta[SHORT], meta[NEXT]) == (1, 4, 2) and what.request() is None


def test_a_datagram_cut_short_gives_what_is_whole_and_the_rest_is_missing() -> None:
    sender, what = MoldSender("DAY"), receiver()
    datagram = sender.packets(framed(EVERY["R"], add(1), add(2)))[0]
    assert what.take(datagram[:-1])["order_id"].tolist() == [1]
    assert (what.mold.meta[CUT], what.mold.meta[NEXT]) == (1, 3)
    what.take(sender.heartbeat())
    request = what.request()
    assert request is not None
    assert what.take(sender.answer(request)[0])["order_id"].tolist() == [2]


def test_a_copy_is_counted_and_says_nothing() -> None:
    datagrams, _ = stream(8)
    what = receiver()
    received(what, datagrams)
    assert received(what, [*datagrams[2:5], datagrams[-1]]) == [] and what.mold.meta[DUPLICATES] == 4


def test_without_room_nothing_is_done() -> None:
    data = np.frombuffer(bytearray(MoldSender("DAY").packets(framed(EVERY["R"], add()))[0]), np.uint8)
    mold, s = make_mold(), make_state(MIDNIGHT_NS)
    assert decode_datagram(mold, s, data, 0, len(data), 0, empty_tape(3), 0, True) == (Verdict.NO_ROOM, 0)
    assert mold.meta.sum() == 0


@pytest.mark.parametrize("seed", range(30))
def test_spoiled_datagrams_leave_the_stream_standing(seed: int) -> None:
    random = Random(seed)
    datagrams, _ = stream(seed, 60)
    what = receiver(held_max=5)
    for datagram in datagrams:
        data = bytearray(datagram)
        for _ in range(random.randint(0, 3)):
            data[random.randrange(10, len(data))] = random.randrange(256)
        what.take(bytes(data[: random.randint(0, len(data))] if random.random() < 0.2 else data))
        what.take(bytes(random.randbytes(random.randint(0, 80))))
    assert 1 <= what.mold.meta[NEXT] < 1 << 40
    assert all(count >= 0 for count in what.mold.meta.tolist())


def ethernet(payload: bytes, *, port: int = 26_400, vlans: int = 0, fragment: int = 0, protocol: int = 17) -> bytes:
    udp = struct.pack(">HHHH", 1, port, 8 + len(payload), 0) + payload
    ip = struct.pack(
        ">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, fragment, 64, protocol, 0, b"\x0a\x00\x00\x01", b"\xe9\x36\x0c\x6f"
    )
    return bytes(12) + b"\x81\x00\x00\x05" * vlans + b"\x08\x00" + ip + udp


def capture_of(packets: list[bytes], order: str = "<", *, nano: bool = True, link: int = 1) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65_535, link)
    return head + b"".join(struct.pack(order + "IIII", 7, i, len(p), len(p)) + p for i, p in enumerate(packets))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("nano", [True, False])
@pytest.mark.parametrize("vlans", [0, 2])
def test_a_capture_gives_the_stream_with_its_own_receive_times(order: str, nano: bool, vlans: int) -> None:
    datagrams, tape = stream(6)
    data = capture_of([ethernet(datagram, vlans=vlans) for datagram in datagrams], order, nano=nano)
    s = make_state(MIDNIGHT_NS)
    found, capture = read_itch_capture(data, s, make_mold(), port=26_400)
    assert found[["ts_event_ns", "order_id", "kind"]].tolist() == tape[["ts_event_ns", "order_id", "kind"]].tolist()
    unit = 1 if nano else 1_000
    assert set(found["ts_recv_ns"].tolist()) <= {7_000_000_000 + i * unit for i in range(len(datagrams))}
    assert capture.datagrams["group"].tolist() == [0xE9360C6F] * len(datagrams)
    assert fault_report(s) == {}


def test_a_lost_packet_in_a_capture_is_a_loss_in_the_tape() -> None:
    datagrams, _ = stream(7)
    found, _ = read_itch_capture(
        capture_of([ethernet(d) for d in datagrams[:3] + datagrams[4:]]), make_state(MIDNIGHT_NS), make_mold()
    )
    assert told(found) == [(Status.LOST, struct.unpack_from(">H", datagrams[3], 18)[0], EVERY_INSTRUMENT)]


def test_other_packets_are_counted_and_raw_ip_is_read() -> None:
    payload = MoldSender("DAY").heartbeat()
    odd = [
        ethernet(payload, protocol=6), ethernet(payload, fragment=0x2000), ethernet(payload, port=9), ethernet(payload)[:-1],
        b"", bytes(14), bytes(12) + b"\x81\x00",
    ]  # fmt: skip
    found = read_capture(capture_of([*odd, ethernet(payload)]), port=26_400)
    assert found.counts == {
        "packets": 8, "other_protocol": 4, "fragment": 1, "cut": 1, "other_port": 1, "truncated_at": -1,
    }  # fmt: skip
    assert len(found.datagrams) == 1
    assert len(read_capture(capture_of([ethernet(payload)[14:]], link=101)).datagrams) == 1


def test_a_capture_cut_anywhere_gives_its_whole_packets() -> None:
    packets = [ethernet(MoldSender("DAY").heartbeat()) for _ in range(3)]
    data = capture_of(packets)
    for cut in range(24, len(data)):
        found = read_capture(data[:cut])
        whole, rest = divmod(cut - 24, 16 + len(packets[0]))
        assert len(found.datagrams) == whole
        assert found.counts["truncated_at"] == (24 + whole * (16 + len(packets[0])) if rest else -1)


@pytest.mark.parametrize("data", [b"", b"\xd4\xc3\xb2\xa1", b"\x0a\x0d\x0d\x0a" + bytes(40), capture_of([], link=113)])
def test_what_is_no_such_capture_is_refused(data: bytes) -> None:
    with pytest.raises(ReferenceDataError, match="pcap"):
        read_capture(data)
