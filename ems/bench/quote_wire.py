"""Datagram to order over real sockets on the loopback interface, with busy polling: UDP in, TCP out, the clock at both ends.

A sender in a process of its own sends each datagram and waits until the frames that it causes have arrived on its TCP socket, so
that one is on its way at a time. The time is from before the datagram's `send` to behind the frames' `recv`. The quoter's side is
`recv_into`, the kernel and `send`, in Python, on sockets that do not block.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import socket
import time
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ems.bench.quote_stream import Feed
from ems.bench.quote_venue import REPORT_ROOM, answer, make_venue
from ems.quoting import journal as j
from ems.quoting.held import Held
from ems.quoting.state import Quoter

DATAGRAMS: Final = 30_000
WARM: Final = 5_000
_DELAY_NS: Final = 20_000
_LIMIT_S: Final = 60.0
_NOTHING: Final = b"\0\3U?\0"  # a frame of our own that says that a datagram caused no order


def wire(q: Quoter, feed: Feed, datagrams: int = DATAGRAMS) -> dict[str, Any]:
    """Percentiles over the datagrams that caused orders. Raises OSError where the loopback interface does not carry them."""
    count = min(datagrams, len(feed.event_ns))
    context = mp.get_context("spawn")
    ours, theirs = context.Pipe()
    listener = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    arguments = (theirs, udp.getsockname()[1], listener.getsockname()[1], feed.data, feed.ends[: count + 1])
    sender = context.Process(target=_send, args=arguments, daemon=True)
    sender.start()
    listener.settimeout(_LIMIT_S)
    tcp, _ = listener.accept()
    try:
        _quote(q, udp, tcp, feed, count)
        if not ours.poll(_LIMIT_S):
            raise TimeoutError("the sender has said nothing")
        took_ns: NDArray[np.int64] = ours.recv()
    finally:
        for each in (tcp, udp, listener):
            each.close()
        sender.join(_LIMIT_S)
    took_us = took_ns[WARM:][took_ns[WARM:] > 0] / 1000
    return {
        "wire_p50_us": round(float(np.percentile(took_us, 50)), 2),
        "wire_p99_us": round(float(np.percentile(took_us, 99)), 2),
        "wire_ticks": len(took_us),
    }


def _quote(q: Quoter, udp: socket.socket, tcp: socket.socket, feed: Feed, count: int) -> None:
    """The quoter's side."""
    udp.setblocking(False)
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    packet, out = np.zeros(j.INPUT_BYTES, np.uint8), np.zeros(j.OUTPUT_BYTES, np.uint8)
    reports, report, venue = np.zeros(REPORT_ROOM, np.uint8), np.zeros(j.INPUT_BYTES, np.uint8), make_venue()
    view, frames, held = memoryview(packet.data), memoryview(out.data), Held(q)
    until = time.monotonic() + _LIMIT_S
    for i in range(count):
        length = 0
        while not length:
            try:
                length = udp.recv_into(view)
            except BlockingIOError:
                if time.monotonic() > until:
                    raise
        now_ns = int(feed.event_ns[i]) + _DELAY_NS
        n = held.datagram(packet, length, now_ns, out)
        tcp.sendall(frames[:n] if n > 0 else _NOTHING)
        size, at = answer(venue, out, max(n, 0), reports), 0
        while at < size:
            told = int(reports[at]) << 8 | int(reports[at + 1])
            report[:told] = reports[at + 2 : at + 2 + told]
            held.report(report, told, now_ns + _DELAY_NS, out)
            at += 2 + told
        until = time.monotonic() + _LIMIT_S


def _send(answers: Connection, udp_port: int, tcp_port: int, data: NDArray[np.uint8], ends: NDArray[np.int64]) -> None:
    """The other side: the market, and the venue's socket."""
    tcp = socket.create_connection(("127.0.0.1", tcp_port))
    tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    tcp.setblocking(False)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.connect(("127.0.0.1", udp_port))
    took_ns = np.zeros(len(ends) - 1, np.int64)
    clock = time.perf_counter_ns
    for i in range(len(took_ns)):
        datagram = data[ends[i] : ends[i + 1]].tobytes()
        began = clock()
        udp.send(datagram)
        frames = b""
        while not frames:
            with contextlib.suppress(BlockingIOError):
                frames = tcp.recv(j.OUTPUT_BYTES)
        took = clock() - began
        took_ns[i] = 0 if frames.startswith(_NOTHING) else took
        time.sleep(0)  # let the other side's reports be folded on a machine of few cores
    answers.send(took_ns)
    tcp.close()
    udp.close()
