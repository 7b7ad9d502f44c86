"""`ems tape`: feeds become stored tapes, which say what they hold, play, and are recorded over real sockets."""

from __future__ import annotations

import gzip
import json
import select
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from adapters.marketdata.itch import decode
from adapters.marketdata.itch_encode import directory_message, encode
from adapters.marketdata.itch_layout import make_state
from adapters.marketdata.mold import MoldSender
from domain.errors import ConfigError, TapeError
from domain.tape import EVERY_INSTRUMENT, FLAG_ALL, Kind, Status, Tape, tape_of
from ems.bootstrap.tape import Feed, feed_of
from ems.cli import app
from ems.loopback import free_port
from models.tape_store import open_tape
from tests import warm
from tests.adapters.marketdata.itch_bytes import EVERY, MIDNIGHT_NS, OPEN_NS, framed, mixed
from tests.adapters.marketdata.test_mold import capture_of, ethernet

DATE = "2012-06-21"
T = MIDNIGHT_NS + OPEN_NS


def orders(count: int = 300) -> Tape:
    """A day of orders, complete in every field: added, executed in part, taken back."""
    chance, rows, live = Random(3), [], dict[int, list[int]]()
    for i in range(count):
        at = T + i * 1_000_000
        if live and chance.random() < 0.5:
            order_id, (side, price, left) = chance.choice(list(live.items()))
            lots = chance.randint(1, left)
            kind = Kind.EXECUTE if chance.random() < 0.3 else Kind.CANCEL
            whole = lots == left
            rows.append((at, at, order_id, price, lots, 7, FLAG_ALL if whole and kind is Kind.CANCEL else 0, int(kind), side))
            live[order_id][2] -= lots
            if whole:
                del live[order_id]
        else:
            side = chance.choice([-1, 1])
            live[i + 1] = [side, 2_000 - side * chance.randint(1, 9), chance.randint(1, 300)]
            rows.append((at, at, i + 1, live[i + 1][1], live[i + 1][2], 7, 0, int(Kind.ADD), side))
    return tape_of(rows)


def itch_file(path: Path, tape: Tape) -> Path:
    path.write_bytes(gzip.compress(encode(tape, MIDNIGHT_NS, {7: "AMZN"}).tobytes()))
    return path


def told(*words: str | Path, exit_code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["tape", *map(str, words), "--json"], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return dict(json.loads(result.stdout))


def test_an_itch_file_becomes_a_tape_complete_in_every_field(tmp_path: Path) -> None:
    made = orders()
    found = told("convert", itch_file(tmp_path / "day.itch.gz", made), "--to", tmp_path / "t", "--date", DATE)
    stored = open_tape(tmp_path / "t")
    assert np.array_equal(stored.records(0, len(stored)), made)
    assert found["records"] == 300 and found["faults"] == {} and found["feed"] == "itch"
    assert found["instruments"] == {"AMZN": {"number": 7, "tick": "0.01", "lot": "1"}}
    assert len(found["sha256"]) == 64
    assert told("info", tmp_path / "t", "--verify")["damaged_columns"] == []


def test_faults_of_the_source_are_told_and_kept(tmp_path: Path) -> None:
    data = encode(orders(), MIDNIGHT_NS, {7: "AMZN"}).tobytes()
    source = tmp_path / "day.itch"
    source.write_bytes(data + framed(b"?" * 12, EVERY["D"][:-8] + struct.pack(">Q", 10**6)) + b"\x00\x24A")
    found = told("convert", source, "--to", tmp_path / "t", "--date", DATE, exit_code=1)
    assert found["faults"] == {
        "unknown_type": {"count": 1, "first_at": len(data) + 2},
        "truncated": {"count": 1, "first_at": len(data) + 14 + 21},
        "backward_time": {"count": 1, "first_at": len(data) + 14 + 2},
        "unknown_order": {"count": 1, "first_at": 300},
    }
    assert told("info", tmp_path / "t")["faults"] == found["faults"]
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(data)[:-30])
    assert (
        "compression_cut" in told("convert", cut, "--to", tmp_path / "u", "--date", DATE, "--feed", "itch", exit_code=1)["faults"]
    )


def test_a_capture_becomes_a_tape_with_what_it_lost(tmp_path: Path) -> None:
    made = orders()
    datagrams = MoldSender("DAY", size_max=300).packets(encode(made, MIDNIGHT_NS, {7: "AMZN"}).tobytes())
    source = tmp_path / "day.pcap"
    source.write_bytes(capture_of([ethernet(datagram) for datagram in datagrams[:-3] + datagrams[-2:]]))
    found = told("convert", source, "--to", tmp_path / "t", "--date", DATE, exit_code=1)
    lost = struct.unpack_from(">H", datagrams[-3], 18)[0]
    assert found["faults"]["lost_messages"]["count"] == lost
    assert told("info", tmp_path / "t", "--quality")["quality"]["lost"] == lost


@pytest.mark.parametrize("feed", [Feed.ITCH, Feed.PCAP, Feed.BINANCE])
def test_a_feed_is_told_by_the_beginning_of_its_file(tmp_path: Path, feed: Feed) -> None:
    data = {
        Feed.ITCH: directory_message(7, "AMZN"),
        Feed.PCAP: capture_of([]),
        Feed.BINANCE: b'1723161256172216566 {"stream":"x"}\n',
    }[feed]
    for name, content in (("plain", data), ("packed.gz", gzip.compress(data))):
        path = tmp_path / name
        path.write_bytes(content)
        assert feed_of(path) == feed
    path.write_bytes(b"something else")
    with pytest.raises(ConfigError, match="say --feed"):
        feed_of(path)


def test_playing_seeks_by_time_and_prints_prices(tmp_path: Path) -> None:
    told("convert", itch_file(tmp_path / "day.gz", orders()), "--to", tmp_path / "t", "--date", DATE)
    begin = ["tape", "play", str(tmp_path / "t"), "--from", "2012-06-21T13:30:00.100"]
    lines = CliRunner().invoke(app, [*begin, "--limit", "2"], catch_exceptions=False).stdout.splitlines()
    assert len(lines) == 2 and lines[0].startswith("13:30:00.100000000  AMZN")
    end = [str(T + 103_000_000)]
    found = [json.loads(line) for line in CliRunner().invoke(app, [*begin, "--to", *end, "--json"]).stdout.splitlines()]
    assert [record["ts_recv_ns"] for record in found] == [T + i * 1_000_000 for i in (100, 101, 102)]
    assert {record["symbol"] for record in found} == {"AMZN"} and all(
        record["price"].startswith(("19.", "20.")) for record in found
    )


def test_playing_at_a_speed_takes_the_recorded_time(tmp_path: Path) -> None:
    from ems.bootstrap.tape_play import paced

    told("convert", itch_file(tmp_path / "day.gz", orders()), "--to", tmp_path / "t", "--date", DATE)
    began = time.monotonic()
    assert len(list(paced(open_tape(tmp_path / "t"), 0, 300, 2))) == 300
    assert time.monotonic() - began >= 0.299 / 2, "never ahead of the recorded pace"


class Feeder:
    """The other end: sends datagrams, but for some, and answers requests for them."""

    def __init__(self, frames: bytes, port: int) -> None:
        self.sender = MoldSender("DAY", size_max=300)
        self.datagrams = self.sender.packets(frames)
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.to = ("127.0.0.1", port)

    def feed(self, lost: set[int]) -> None:
        for i, datagram in enumerate(self.datagrams):
            if i not in lost:
                self.sock.sendto(datagram, self.to)

    def until(self, process: subprocess.Popen[str], *, answer: bool) -> str:
        """Heartbeats, then the end, while the recorder runs; requests are answered or not. What it printed."""
        while process.poll() is None:
            self.sock.sendto(self.sender.end(), self.to)
            readable, _, _ = select.select([self.sock], [], [], 0.02)
            for datagram in self.sender.answer(self.sock.recv(100)) if readable and answer else []:
                self.sock.sendto(datagram, self.to)
        self.sock.close()
        return process.communicate()[0]


def recording(to: Path, port: int, *more: str) -> subprocess.Popen[str]:
    """A recorder in a process of its own, once it listens."""
    words = ["-m", "ems", "tape", "record", "--to", str(to), "--port", str(port), "--date", DATE, "--json", *more]
    process = warm.Popen([sys.executable, *words], stdout=subprocess.PIPE, text=True)
    while not (to / "header.json").exists():
        assert process.poll() is None, "the recorder has ended before it began"
        time.sleep(0.05)
    return process


def test_a_live_feed_is_recorded_and_what_got_lost_is_asked_for(tmp_path: Path) -> None:
    made, port = orders(), free_port()
    feeder = Feeder(encode(made, MIDNIGHT_NS, {7: "AMZN"}).tobytes(), port)
    process = recording(tmp_path / "t", port, "--patience-ms", "20000")
    feeder.feed({0, 3, 4, 11, len(feeder.datagrams) - 1})
    found = json.loads(feeder.until(process, answer=True))
    assert process.returncode == 0 and found["faults"] == {} and found["received"]["requests"] > 0
    stored = open_tape(tmp_path / "t")
    recorded = stored.records(0, len(stored))
    assert recorded[-1][["kind", "size_lots"]].tolist() == (Kind.STATUS, Status.ENDED)
    named = [name for name in made.dtype.names or () if name != "ts_recv_ns"]
    assert recorded[:-1][named].tolist() == made[named].tolist()
    assert stored.header.sealed and stored.verify() == []
    assert stored.header.instruments[0].symbol == "AMZN"


def test_what_nobody_answers_is_told_in_the_tape(tmp_path: Path) -> None:
    port = free_port()
    feeder = Feeder(encode(orders(), MIDNIGHT_NS, {7: "AMZN"}).tobytes(), port)
    process = recording(tmp_path / "t", port, "--patience-ms", "200")
    feeder.feed({5, 6})
    found = json.loads(feeder.until(process, answer=False))
    first, after = (struct.unpack_from(">Q", feeder.datagrams[i], 10)[0] for i in (5, 7))
    assert process.returncode == 1 and found["received"]["lost_messages"] == after - first
    stored = open_tape(tmp_path / "t")
    records = stored.records(0, len(stored))
    status = records[records["kind"] == Kind.STATUS][["size_lots", "order_id", "instrument"]].tolist()
    assert status == [(Status.LOST, after - first, EVERY_INSTRUMENT), (Status.ENDED, 0, EVERY_INSTRUMENT)]


def test_a_recorder_that_is_killed_leaves_a_tape_that_is_gone_on_with(tmp_path: Path) -> None:
    port = free_port()
    feeder = Feeder(encode(orders(), MIDNIGHT_NS, {7: "AMZN"}).tobytes(), port)
    process = recording(tmp_path / "t", port)
    feeder.feed(set())
    deadline = time.monotonic() + 30
    while len(open_tape(tmp_path / "t")) < 300:
        assert time.monotonic() < deadline
        feeder.sock.sendto(feeder.sender.heartbeat(), feeder.to)
        time.sleep(0.1)
    process.kill()
    process.communicate()
    assert not open_tape(tmp_path / "t").header.sealed
    process = recording(tmp_path / "t", port, "--resume")
    assert process.poll() is None
    found = json.loads(feeder.until(process, answer=True))
    assert found["sealed"] and found["records"] == 302
    stored = open_tape(tmp_path / "t")
    assert stored.records(300, 302)["size_lots"].tolist() == [Status.DISCONNECTED, Status.ENDED]
    with pytest.raises(TapeError, match="is sealed"):
        CliRunner().invoke(
            app, ["tape", "record", "--to", str(tmp_path / "t"), "--port", str(port), "--resume"], catch_exceptions=False
        )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["convert", "{here}/none", "--to", "{here}/t"], "cannot be read"),
        (["convert", "{here}/day", "--to", "{here}/t"], "ITCH tells no date"),
        (["convert", "{here}/day", "--to", "{here}/day", "--date", DATE], "cannot be made"),
        (["convert", "{here}/day", "--to", "{here}/t", "--feed", "ouch"], "is no feed"),
        (["convert", "{here}/day", "--to", "{here}/t", "--date", DATE, "--tick", "0.001"], "needs the symbols"),
        (["info", "{here}"], "is no stored tape"),
        (["play", "{here}"], "is no stored tape"),
        (["record", "--to", "{here}/t", "--port", "1", "--host", "192.0.2.1", "--date", DATE], "nothing can be received"),
        (["record", "--to", "{here}/t", "--port", "1", "--date", "soon"], "is no date"),
        (["record", "--to", "{here}/t", "--port", "1", "--ask", "there"], "is no HOST:PORT"),
    ],
)
def test_what_cannot_be_is_one_sentence(tmp_path: Path, words: list[str], says: str) -> None:
    (tmp_path / "day").write_bytes(framed(*mixed(Random(1), 5)))
    filled = [word.replace("{here}", str(tmp_path)) for word in words]
    result = CliRunner().invoke(app, ["tape", *filled])
    assert says in str(result.exception), result.output


def test_the_tape_that_a_file_makes_is_that_of_its_decoder(tmp_path: Path) -> None:
    frames = framed(*mixed(Random(2), 2_000))
    (tmp_path / "day").write_bytes(frames)
    told("convert", tmp_path / "day", "--to", tmp_path / "t", "--date", DATE, exit_code=1)
    found, plain = open_tape(tmp_path / "t"), decode(make_state(MIDNIGHT_NS), frames).tape
    for name in ("ts_event_ns", "order_id", "kind", "instrument", "flags"):
        assert np.array_equal(found.columns[name], plain[name]), name
