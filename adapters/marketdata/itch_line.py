"""The simulated venue's ITCH line: what its markets tell, encoded and sent as MoldUDP64 datagrams (port TapeLine).

A session begins with the system's events O, S and Q, the instruments, whether each of them trades, and every displayed order;
from then on it is gapless, and ends with M, E and C. Whoever comes late or loses a datagram asks the address that they come from.
One session holds a New York day. What ITCH has no words for
(a price above 200,000 USD, a size beyond 32 bits) is left out and counted.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from adapters.marketdata.itch_encode import FRAME_MAX, directory_message, encode_records, event_message
from adapters.marketdata.itch_layout import DAY_NS, symbol_number
from adapters.marketdata.mold import MoldSender
from domain.errors import ConfigError
from domain.ports_venue import Listing
from domain.tape import Kind, Status, Tape, empty_tape, tape_of
from domain.values import E9

_ZONE: Final = ZoneInfo("America/New_York")
_UNIT_E9: Final = E9 // 10_000
_HEARTBEAT_S: Final = 0.5
_ENDS: Final = 3  # datagrams that say that a session is over: nobody could ask for them
_REQUEST_MAX: Final = 64
_OWN_FROM: Final = 1 << 60
_ID_BITS: Final = 44
_LISTINGS_MAX: Final = 1 << 12


class ItchLine:
    """One line. Thread-safe; a thread of its own answers requests and sends heartbeats until `close`.

    Args:
        to: where datagrams go, a host or a multicast group.
        interface: address of the interface that a group is reached by.
        listings: in the order of their numbers, from 1.

    Raises:
        ConfigError: no socket can be had, or a listing's tick or lot is nothing that ITCH can say.
    """

    def __init__(self, to: tuple[str, int], listings: Sequence[Listing], *, interface: str = "127.0.0.1") -> None:
        self._to = to
        self._listings = tuple(listings)
        self._units, self._symbols = np.zeros(1 << 16, np.int64), np.zeros(1 << 16, np.int64)
        self._shares = np.ones(len(self._listings) + 1, np.int64)
        if len(self._listings) >= _LISTINGS_MAX:
            raise ConfigError(f"{len(self._listings)} instruments are more than a line has numbers for")
        for number, listing in enumerate(self._listings, 1):
            if listing.tick_size_e9 % _UNIT_E9 or listing.lot_size_e9 % E9:
                raise ConfigError(f"ITCH tells prices in 1/10,000 and whole shares, which {listing.symbol} has not")
            self._units[number], self._symbols[number] = listing.tick_size_e9 // _UNIT_E9, symbol_number(listing.symbol)
            self._shares[number] = listing.lot_size_e9 // E9
        self._sender: MoldSender | None = None
        self._midnight_ns = self._session = self._told_ns = self._matches = 0
        self.left_out = self.not_sent = 0  # records, datagrams
        self._lock = threading.Lock()
        self._over = threading.Event()
        try:
            self._socket = _bound_towards(to, interface)
        except OSError as error:
            raise ConfigError(f"nothing can be sent to {to[0]}:{to[1]}: {error.strerror or error}") from error
        self._thread = threading.Thread(target=self._serve, name="itch-line", daemon=True)
        self._thread.start()

    @property
    def next_number(self) -> int:
        """Of the message that will be sent next; 1 before a session."""
        with self._lock:
            return self._sender.next_number if self._sender is not None else 1

    def begin(self, now_ns: int, displayed: Sequence[Tape]) -> None:
        """Port TapeLine."""
        today = datetime.fromtimestamp(now_ns // E9, _ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        states = [
            (now_ns, 0, 0, 0, int(Status.TRADING), number, 0, int(Kind.STATUS), 0) for number in range(1, len(self._listings) + 1)
        ]
        with self._lock:
            self._end()
            self._midnight_ns = int(today.astimezone(UTC).timestamp()) * E9
            self._session = max(self._session + 1, time.time_ns() // 10**7)  # never twice, over restarts either
            self._sender = MoldSender(f"{self._session % 10**10:010d}")
            self._told_ns = now_ns
            since_ns = now_ns - self._midnight_ns
            head = b"".join(event_message(code, since_ns) for code in "OSQ")
            head += b"".join(directory_message(n, listing.symbol, since_ns) for n, listing in enumerate(self._listings, 1))
            self._send(head + self._encoded(np.concatenate([tape_of(states), *displayed])))

    def publish(self, tapes: Sequence[Tape]) -> bool:
        """Port TapeLine."""
        whole = np.concatenate([empty_tape(), *tapes])
        whole = whole[np.argsort(whole["ts_event_ns"], kind="stable")]
        if len(whole) and int(whole["ts_event_ns"][-1]) - self._midnight_ns >= DAY_NS:
            return False
        with self._lock:
            self._told_ns = int(whole["ts_event_ns"][-1]) if len(whole) else self._told_ns
            self._send(self._encoded(whole))
        return True

    def close(self) -> None:
        """The session is over."""
        self._over.set()
        self._thread.join()
        with self._lock:
            self._end()
        self._socket.close()

    def _encoded(self, tape: Tape) -> bytes:
        if len(self._listings) > 1:  # ITCH's ids are of all instruments together; those of our orders (2^60 on) are already
            ids = tape["order_id"]
            shared = (ids > 0) & ((ids < _OWN_FROM) | (ids >= 2 * _OWN_FROM))
            tape["order_id"] += np.where(shared, tape["instrument"].astype(np.int64) << _ID_BITS, 0)
        tape["size_lots"] *= np.where(tape["kind"] == Kind.STATUS, 1, self._shares[tape["instrument"]])
        out = np.empty((len(tape) + 1) * FRAME_MAX, np.uint8)
        done = at = 0
        while done < len(tape):
            done, at = encode_records(
                tape, done, len(tape), self._midnight_ns, self._units, self._symbols, out, at, self._matches
            )
            if done < len(tape):
                self.left_out += 1
                done += 1
        self._matches += len(tape)
        return out[:at].tobytes()

    def _send(self, frames: bytes) -> None:
        if self._sender is not None and frames:
            for packet in self._sender.packets(frames):
                self._out(packet, self._to)

    def _end(self) -> None:
        if self._sender is not None:
            self._send(b"".join(event_message(code, self._told_ns - self._midnight_ns) for code in "MEC"))
            for _ in range(_ENDS):
                self._out(self._sender.end(), self._to)

    def _out(self, packet: bytes, to: tuple[str, int]) -> None:
        """A line loses rather than waits: who misses a datagram asks for it."""
        try:
            self._socket.sendto(packet, to)
        except OSError:
            self.not_sent += 1

    def _serve(self) -> None:
        """Answers what was asked; says the next number when nobody asks."""
        while not self._over.is_set():
            try:
                request, sender = self._socket.recvfrom(_REQUEST_MAX)
            except TimeoutError:
                request, sender = b"", self._to
            except OSError:  # what was sent before has not arrived: nobody listens there
                self.not_sent += 1
                continue
            with self._lock:
                if self._sender is None:
                    continue
                for packet in self._sender.answer(request) if request else [self._sender.heartbeat()]:
                    self._out(packet, sender)


def _bound_towards(to: tuple[str, int], interface: str) -> socket.socket:
    """A socket at the address of ours from which datagrams go there. Raises OSError for an address that is none."""
    group = ip_address(socket.gethostbyname(to[0])).is_multicast
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((interface, to[1]) if group else to)
        host = probe.getsockname()[0]
    bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if group:
        bound.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(host))
    bound.settimeout(_HEARTBEAT_S)
    bound.bind((host, 0))
    return bound
