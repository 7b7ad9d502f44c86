"""`ems bench tape`: ITCH bytes to the tape and into the book, on one core; beside two published decoders on the same bytes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import numpy as np

from adapters.marketdata.itch import decode_frames
from adapters.marketdata.itch_layout import fault_report, make_state
from domain.tape import FLAG_ALL, Kind, Tape, empty_tape
from ems.bench.output import emit
from ems.bench.tape_book import block_seconds, datagram_us, left_at_the_end
from ems.bench.tape_stream import INSTRUMENTS, Stream, datagrams_of, for_peers, made_stream

RUNS: Final = 5
PEER_MESSAGES: Final = 300_000
PEER_LIMIT_S: Final = 120


def main(json_output: bool) -> int:
    """Measure, verify, print."""
    stream = made_stream()
    tape, decode_s = decoded(stream)
    verify(stream, tape)
    datagrams = datagrams_of(stream.data)
    left = left_at_the_end(stream.tape)
    each_us = datagram_us(stream, datagrams, left)
    figures: dict[str, Any] = {
        "decode_eps": round(stream.messages / decode_s),
        "book_eps": round(stream.messages / block_seconds(stream, left)),
        "p99_us": round(float(np.percentile(each_us, 99)), 4),
        "p50_us": round(float(np.percentile(each_us, 50)), 4),
        **peers(stream),
        "messages": stream.messages,
        "instruments": INSTRUMENTS,
        "datagrams": len(each_us),
        "types": sum(count > 0 for count in stream.counts.values()),
    }
    emit(figures, json_output)
    return 0


def decoded(stream: Stream) -> tuple[Tape, float]:
    """The stream's records, and the seconds of the fastest of several runs."""
    out = empty_tape(2 * stream.messages + 2)
    took, n = [], 0
    for _ in range(RUNS):
        state = make_state(stream.midnight_ns, side_told=True)
        began = time.perf_counter()
        at, n = decode_frames(state, stream.data, 0, len(stream.data), 0, out, 0)
        took.append(time.perf_counter() - began)
        assert at == len(stream.data) and fault_report(state) == {}, fault_report(state)
        assert {letter: int(state.counts[ord(letter)]) for letter in stream.counts} == stream.counts
    return out[:n], min(took)


def verify(stream: Stream, tape: Tape) -> None:
    """Every type was there, and the orders are the recorded day's, record by record."""
    assert min(stream.counts.values()) > 0, stream.counts
    told, meant = tape[tape["order_id"] > 0], stream.tape[stream.tape["order_id"] > 0]
    for name in ("ts_event_ns", "order_id", "instrument", "kind"):
        assert np.array_equal(told[name], meant[name]), name
    partly = (meant["flags"] & FLAG_ALL) == 0
    assert np.array_equal(told["size_lots"][partly], meant["size_lots"][partly])
    added = meant["kind"] == Kind.ADD
    assert np.array_equal(told["price_ticks"][added], meant["price_ticks"][added])


def peers(stream: Stream) -> dict[str, Any]:
    """The first messages of the same bytes through each published decoder; null and the reason where there is none."""
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "itch.bin"
        path.write_bytes(for_peers(stream.data, PEER_MESSAGES))
        for name in ("itchfeed", "meatpy"):
            figures |= _peer(name, path)
    return figures


def _peer(name: str, path: Path) -> dict[str, Any]:
    python = os.environ.get("EMS_EVAL_PYTHON") or sys.executable
    command = [python, str(Path(__file__).with_name("tape_peers.py")), name, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PEER_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return {f"{name}_eps": None, f"{name}_why": str(error)}
    if done.returncode:
        return {f"{name}_eps": None, f"{name}_why": (done.stderr.strip().splitlines() or ["it printed nothing"])[-1]}
    told = json.loads(done.stdout)
    assert told["messages"] == PEER_MESSAGES, f"{name} read {told['messages']} of {PEER_MESSAGES} messages"
    return {f"{name}_eps": told["eps"], f"{name}_backend": told["backend"]}
