"""What the quoter's loop is handed: the compiled kernel, a feed, a venue, a ring, and the few functions around them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ems.quoting import journal as j
from ems.quoting.derive import Codec


class Kernel(Protocol):
    """The compiled kernel with its arrays."""

    out: memoryview  # what a call has left to send

    def datagram(self, data: NDArray[np.uint8], length: int, now_ns: int) -> int: ...
    def report(self, data: NDArray[np.uint8], number: int, now_ns: int) -> int: ...
    def timer(self, now_ns: int) -> int: ...
    def suspend(self, why: int) -> None: ...
    def widen(self, spread_e9: int) -> None: ...
    def room_until(self, number: int) -> None: ...
    def last(self) -> int: ...
    def move_to(self, number: int) -> None: ...
    def undone(self) -> bool: ...
    def live(self) -> int: ...
    def out_of_step(self) -> str: ...
    def feed(self) -> tuple[bytes, int, int, bool]: ...  # session, next number, one behind the last that is known of, silent
    def resynchronise(self, positions: dict[str, int], next_ref: int) -> None: ...


class Feed(Protocol):
    """See adapters.marketdata.mold_feed.MoldFeed."""

    buffer: NDArray[np.uint8]

    @property
    def sockets(self) -> tuple[Any, ...]: ...
    @property
    def held(self) -> int: ...
    def poll(self) -> int: ...
    def answered(self) -> int: ...
    def number(self, length: int) -> int: ...
    def hold(self, length: int) -> None: ...
    def ripe(self, next_number: int) -> int: ...
    def ask(self, session: bytes, next_number: int, last: int, now_ns: int) -> None: ...
    def close(self) -> None: ...


class Venue(Protocol):
    """See adapters.ouch.soup_client.SoupClient."""

    buffer: NDArray[np.uint8]
    socket: Any
    next_number: int
    unsent: bytearray

    def receive(self) -> int: ...
    def take(self) -> Any: ...
    def payload(self, taken: Any) -> bytes: ...
    def send(self, data: bytes | memoryview) -> None: ...
    def beat(self, now_ns: int) -> bool: ...
    def log_out(self) -> None: ...
    def close(self) -> None: ...


class Ring(Protocol):
    """The producer's side of adapters.shm.ring.Ring."""

    slots: int
    session: int

    def room(self) -> int: ...
    def publish(self, number: int) -> None: ...
    def asked_to_stop(self) -> int: ...
    def reader_beat_ns(self) -> int: ...


class Around(NamedTuple):
    """Everything around the loop.

    connect: a session with the venue, its reports from the first one on, and the number of the first that did not exist before;
    raises LinkError. killed, exposed: may quotes stand, by the latch and by the firm's exposure? spread_e9: how many times the
    distance that the net asks for quotes are to keep, at 1e-9. keep_state: the kernel's state goes into a file for the segment
    that begins at a record. cancel, query: frames of a cancel of all of an order, and of an account query.
    """

    kernel: Kernel
    feed: Feed
    ring: Ring
    records: j.Records
    codec: Codec
    connect: Callable[[], tuple[Venue, int]]
    killed: Callable[[], bool]
    exposed: Callable[[], bool]
    spread_e9: Callable[[], int]
    keep_state: Callable[[int], None]
    cancel: Callable[[int], bytes]
    query: bytes
    now_ns: Callable[[], int]
    monotonic_ns: Callable[[], int] = time.monotonic_ns
    busy_poll: bool = False
    state_every_ns: int = 60_000_000_000
